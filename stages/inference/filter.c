/* Convolutions that kernels of ours do better than oneDNN, with the pooling or PReLU behind them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/kernels.h"
#include "stages/inference/lowering.h"

/* Fewer tiles of 4 x 4 px than that do not pay for weights four times as large, nor do tiles of
 * which more than half hangs over the edge. */
enum { TILES_LEAST = 16, TILE_PIXELS = 16 };

/* Layouts of the kernels, and how many channels they take at once. */
typedef struct layout {
    dnnl_format_tag_t tag;
    int lanes;
    bool channels_last;
} layout;

static const layout layouts[] = {{dnnl_aBcd8b, 8, false}, {dnnl_acdb, 16, true}};

/* What is asked of a convolution. */
typedef struct question {
    const fsh_lowering *l;
    const fsh_window *win;
    const dnnl_memory_desc_t *dst;
    const layout *as;
    bool adds;
} question;

static bool
has_tag(const dnnl_memory_desc_t *desc, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t other;

    return desc->ndims == 4 &&
           !dnnl_memory_desc_init_by_tag(&other, 4, desc->dims, dnnl_f32, tag) &&
           dnnl_memory_desc_equal(desc, &other);
}

static bool
is_laid_out(const dnnl_memory_desc_t *desc, const layout *as)
{
    return has_tag(desc, as->tag) && desc->dims[1] % as->lanes == 0;
}

/* A square of that side, the same in both directions, with as many px of zeros on all sides. */
static bool
is_square(const fsh_window *win, int side, int strides, int pads)
{
    int i;

    for (i = 0; i < 2; i++)
        if (win->kernel[i] != side || win->strides[i] != win->strides[0] ||
            win->dilations[i] != 0 || win->before[i] != win->before[0] ||
            win->after[i] != win->before[0])
            return false;
    return win->strides[0] <= strides && win->before[0] <= pads;
}

static bool
suits_first(const question *q)
{
    return q->l->node->group == 1 && is_square(q->win, 3, 2, 1) &&
           q->l->x->desc.dims[1] == FSH_PICTURE_PLANES && has_tag(&q->l->x->desc, dnnl_abcd);
}

static bool
suits_winograd(const question *q)
{
    const dnnl_dim_t *out = q->dst->dims;
    int64_t tiles = (out[2] + 3) / 4 * ((out[3] + 3) / 4);

    return q->l->node->group == 1 && is_square(q->win, 3, 1, 1) &&
           is_laid_out(&q->l->x->desc, q->as) && out[0] * tiles >= TILES_LEAST &&
           2 * out[2] * out[3] >= tiles * TILE_PIXELS;
}

static bool
suits_product(const question *q)
{
    const fsh_window *win = q->win;

    return q->l->node->group == 1 && q->as->channels_last && win->strides[0] == win->strides[1] &&
           win->dilations[0] == 0 && win->dilations[1] == 0 && has_tag(&q->l->x->desc, q->as->tag);
}

static bool
suits_depthwise(const question *q)
{
    int64_t channels = q->dst->dims[1];

    return q->l->node->group == channels && q->l->x->desc.dims[1] == channels &&
           is_square(q->win, 3, 2, 1) && q->as->channels_last && is_laid_out(&q->l->x->desc, q->as);
}

/* For eight and for sixteen lanes. */
static const struct kernel {
    bool (*suits)(const question *);
    bool pools, adds;
    fsh_kernel_new *make[2];
    fsh_kernel_run *run[2];
} kernels[] = {
    {suits_first, .pools = true, .make = {fsh_first_new_8, fsh_first_new_16},
     .run = {fsh_first_run_8, fsh_first_run_16}},
    {suits_winograd, .pools = true, .make = {fsh_winograd_new_8, fsh_winograd_new_16},
     .run = {fsh_winograd_run_8, fsh_winograd_run_16}},
    {suits_product, .adds = true, .make = {NULL, fsh_product_new_16},
     .run = {NULL, fsh_product_run_16}},
    {suits_depthwise, .make = {NULL, fsh_depthwise_new_16}, .run = {NULL, fsh_depthwise_run_16}},
};

static const struct kernel *
find_kernel(const question *q)
{
    size_t i;

    for (i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if ((!q->adds || kernels[i].adds) && kernels[i].suits(q))
            return &kernels[i];
    return NULL;
}

/* The layout that oneDNN would write, where kernels have it. */
static const layout *
find_layout(const dnnl_memory_desc_t *dst)
{
    size_t i;

    for (i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (is_laid_out(dst, &layouts[i]))
            return &layouts[i];
    return NULL;
}

static const struct kernel *
choose(const fsh_lowering *l, const fsh_window *win, const dnnl_memory_desc_t *dst,
       const fsh_fusion *fusion, const layout **as)
{
    question q = {l, win, dst, *as = find_layout(dst), fusion->sum};

    return *as ? find_kernel(&q) : NULL;
}

bool
fsh_lower_suits_filter(const fsh_lowering *l, const fsh_window *win, const dnnl_memory_desc_t *dst,
                       const fsh_fusion *fusion)
{
    const layout *as;

    return (!fusion->activated || fusion->kind != dnnl_eltwise_logistic) &&
           choose(l, win, dst, fusion, &as);
}

/* Pooling that the kernel does in passing: the greatest of two by two, rounded up. */
static bool
is_halving(const fsh_operation *pool, const dnnl_dims_t dims)
{
    uint32_t i;

    if (pool->op != FSH_OP_MaxPool || pool->global || pool->kernel.n != 2 || pool->strides.n != 2)
        return false;
    for (i = 0; i < 4; i++)
        if ((pool->pads.n && pool->pads.at[i]) ||
            (pool->dilations.n && pool->dilations.at[i % 2] != 1) || pool->kernel.at[i % 2] != 2 ||
            pool->strides.at[i % 2] != 2 || (!pool->ceil && dims[2 + i % 2] % 2))
            return false;
    return true;
}

static void
set_bounds(const fsh_fusion *fusion, fsh_convolution *c)
{
    c->least = -INFINITY;
    c->most = INFINITY;
    if (fusion->activated && fusion->kind == dnnl_eltwise_relu) {
        c->least = 0;
    } else if (fusion->activated) {
        c->least = fusion->alpha;
        c->most = fusion->beta;
    }
}

/* What follows alone and is done in passing: dims become those of its output. */
static void
take_follower(fsh_lowering *l, const struct kernel *kernel, const fsh_fusion *fusion,
              dnnl_dims_t dims, fsh_convolution *c)
{
    uint32_t number = 0;
    const fsh_operation *user = fsh_lower_only_user(l->graph, l->output, &number);
    const fsh_constant *slopes;

    if (!user)
        return;
    slopes = user->op == FSH_OP_PRelu ? fsh_operation_constant(l->graph, user, 1) : NULL;
    if (kernel->pools && is_halving(user, dims)) {
        c->pool = true;
        dims[2] = (dims[2] + 1) / 2;
        dims[3] = (dims[3] + 1) / 2;
    } else if (slopes && slopes->n == c->outputs && !fusion->activated) {
        c->slopes = slopes->data;
    } else {
        return;
    }
    l->done[number] = true;
    l->output = user->output;
}

/* A step from x to a new place of those dims, or to that of the sum. */
static fsh_status
add_step(const fsh_lowering *l, const struct kernel *kernel, const layout *as,
         const fsh_convolution *c, const fsh_fusion *fusion, const dnnl_dims_t dims)
{
    int wide = as->lanes == 16;
    dnnl_memory_desc_t desc;
    void *settings;
    uint32_t to = c->adds ? fusion->sum->place : 0;
    fsh_status status;

    if ((status = fsh_steps_check(dnnl_memory_desc_init_by_tag(&desc, 4, dims, dnnl_f32, as->tag),
                                  "Conv", l->err)) ||
        (!c->adds && (status = fsh_steps_place(l->steps, &desc, &to, l->err))) ||
        (status = kernel->make[wide](c, &settings, l->err)) ||
        (status = fsh_steps_add_kernel(l->steps, kernel->run[wide], settings, l->x->place, to, 0,
                                       l->err)))
        return status;
    fsh_lower_give(l, &desc, to);
    return FSH_OK;
}

fsh_status
fsh_lower_filter(fsh_lowering *l, const fsh_window *win, const dnnl_memory_desc_t *dst,
                 const fsh_fusion *fusion, const float *weights, const float *bias)
{
    const dnnl_dim_t *in = l->x->desc.dims;
    const layout *as;
    const struct kernel *kernel = choose(l, win, dst, fusion, &as);
    fsh_convolution c = {.pictures = (size_t)in[0],
                         .inputs = (size_t)(in[1] / l->node->group),
                         .outputs = (size_t)dst->dims[1],
                         .height = (size_t)in[2],
                         .width = (size_t)in[3],
                         .kernel_height = (size_t)win->kernel[0],
                         .kernel_width = (size_t)win->kernel[1],
                         .stride = (size_t)win->strides[0],
                         .pad = (size_t)win->before[0],
                         .pad_left = (size_t)win->before[1],
                         .out_height = (size_t)dst->dims[2],
                         .out_width = (size_t)dst->dims[3],
                         .adds = fusion->sum,
                         .channels_last = as->channels_last,
                         .weights = weights,
                         .bias = bias};
    dnnl_dims_t dims;

    memcpy(dims, dst->dims, sizeof dims);
    set_bounds(fusion, &c);
    take_follower(l, kernel, fusion, dims, &c);
    return add_step(l, kernel, as, &c, fusion, dims);
}
