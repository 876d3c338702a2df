/* Convolutions that kernels of ours do better than oneDNN, with the pooling behind them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/first.h"
#include "stages/inference/lowering.h"
#include "stages/inference/winograd.h"

/* Fewer tiles of 4 x 4 px than that do not pay for weights four times as large. */
enum { TILES_LEAST = 16, LANES = 8 };

static bool
is_in_eights(const dnnl_memory_desc_t *desc)
{
    dnnl_memory_desc_t eights;

    return desc->ndims == 4 && desc->dims[1] % LANES == 0 &&
           !dnnl_memory_desc_init_by_tag(&eights, 4, desc->dims, dnnl_f32, dnnl_aBcd8b) &&
           dnnl_memory_desc_equal(desc, &eights);
}

/* The same in both directions, with no or one pixel of zeros all around. */
static bool
is_three_by_three(const fsh_window *win)
{
    int i;

    for (i = 0; i < 2; i++)
        if (win->kernel[i] != 3 || win->strides[i] != win->strides[0] || win->dilations[i] != 0 ||
            win->before[i] != win->before[0] || win->after[i] != win->before[0])
            return false;
    return win->before[0] <= 1;
}

static bool
suits_first(const dnnl_memory_desc_t *x, const fsh_window *win)
{
    dnnl_memory_desc_t planes;

    return x->ndims == 4 && x->dims[1] == FSH_FIRST_PLANES && win->strides[0] <= 2 &&
           !dnnl_memory_desc_init_by_tag(&planes, 4, x->dims, dnnl_f32, dnnl_abcd) &&
           dnnl_memory_desc_equal(x, &planes);
}

static bool
suits_winograd(const dnnl_memory_desc_t *x, const fsh_window *win, const dnnl_dims_t out)
{
    return win->strides[0] == 1 && is_in_eights(x) &&
           (out[2] + 3) / 4 * ((out[3] + 3) / 4) >= TILES_LEAST;
}

/* Where oneDNN would write blocks of another size, its processor is not the one that these kernels
 * are for. */
bool
fsh_lower_suits_filter(const fsh_lowering *l, const fsh_window *win, const dnnl_memory_desc_t *dst,
                       const fsh_fusion *fusion)
{
    return l->node->group == 1 && is_three_by_three(win) && is_in_eights(dst) && !fusion->sum &&
           (!fusion->activated || fusion->kind != dnnl_eltwise_logistic) &&
           (suits_first(&l->x->desc, win) || suits_winograd(&l->x->desc, win, dst->dims));
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

/* What both kernels are told. */
typedef struct filter {
    const float *weights, *bias;
    bool pool;
    float least, most;
} filter;

static void
set_bounds(const fsh_fusion *fusion, filter *f)
{
    f->least = -INFINITY;
    f->most = INFINITY;
    if (fusion->activated && fusion->kind == dnnl_eltwise_relu) {
        f->least = 0;
    } else if (fusion->activated) {
        f->least = fusion->alpha;
        f->most = fusion->beta;
    }
}

static fsh_status
new_first(const fsh_lowering *l, const fsh_window *win, const filter *f, size_t outputs, void **out)
{
    const dnnl_dim_t *in = l->x->desc.dims;
    fsh_first_shape shape = {.pictures = (size_t)in[0],
                             .outputs = outputs,
                             .height = (size_t)in[2],
                             .width = (size_t)in[3],
                             .stride = (size_t)win->strides[0],
                             .pad = (size_t)win->before[0],
                             .pool = f->pool,
                             .least = f->least,
                             .most = f->most};
    fsh_first *first = NULL;
    fsh_status status = fsh_first_new(&shape, f->weights, f->bias, &first, l->err);

    *out = first;
    return status;
}

static fsh_status
new_winograd(const fsh_lowering *l, const fsh_window *win, const filter *f, size_t outputs,
             void **out)
{
    const dnnl_dim_t *in = l->x->desc.dims;
    fsh_winograd_shape shape = {.pictures = (size_t)in[0],
                                .inputs = (size_t)in[1],
                                .outputs = outputs,
                                .height = (size_t)in[2],
                                .width = (size_t)in[3],
                                .pad = (size_t)win->before[0],
                                .pool = f->pool,
                                .least = f->least,
                                .most = f->most};
    fsh_winograd *winograd = NULL;
    fsh_status status = fsh_winograd_new(&shape, f->weights, f->bias, &winograd, l->err);

    *out = winograd;
    return status;
}

/* A step from x to a new place of those dims. */
static fsh_status
add_step(const fsh_lowering *l, const fsh_window *win, const filter *f, const dnnl_dims_t dims)
{
    bool first = suits_first(&l->x->desc, win);
    dnnl_memory_desc_t desc;
    void *settings;
    uint32_t to;
    fsh_status status;

    if ((status =
             fsh_steps_check(dnnl_memory_desc_init_by_tag(&desc, 4, dims, dnnl_f32, dnnl_aBcd8b),
                             "Conv", l->err)) ||
        (status = fsh_steps_place(l->steps, &desc, &to, l->err)) ||
        (status = (first ? new_first : new_winograd)(l, win, f, (size_t)dims[1], &settings)) ||
        (status = fsh_steps_add_kernel(l->steps, first ? fsh_first_run : fsh_winograd_run, settings,
                                       l->x->place, to, 0, l->err)))
        return status;
    fsh_lower_give(l, &desc, to);
    return FSH_OK;
}

fsh_status
fsh_lower_filter(fsh_lowering *l, const fsh_window *win, const dnnl_dims_t out,
                 const fsh_fusion *fusion, const float *weights, const float *bias)
{
    filter f = {.weights = weights, .bias = bias};
    dnnl_dims_t dims = {out[0], out[1], out[2], out[3]};
    uint32_t number = 0;
    const fsh_operation *user = fsh_lower_only_user(l->graph, l->output, &number);

    set_bounds(fusion, &f);
    if (user && is_halving(user, out)) {
        f.pool = true;
        dims[2] = (out[2] + 1) / 2;
        dims[3] = (out[3] + 1) / 2;
        l->done[number] = true;
        l->output = user->output;
    }
    return add_step(l, win, &f, dims);
}
