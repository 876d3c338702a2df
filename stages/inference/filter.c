/* Convolutions that Winograd's kernel does better than oneDNN, with the pooling behind them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static bool
is_three_by_three(const fsh_window *win)
{
    int i;

    for (i = 0; i < 2; i++)
        if (win->kernel[i] != 3 || win->strides[i] != 1 || win->dilations[i] != 0 ||
            win->before[i] != win->before[0] || win->after[i] != win->before[0])
            return false;
    return win->before[0] <= 1;
}

bool
fsh_lower_suits_winograd(const fsh_lowering *l, const fsh_window *win, const dnnl_dims_t out,
                         const fsh_fusion *fusion)
{
    return l->node->group == 1 && is_three_by_three(win) && is_in_eights(&l->x->desc) &&
           out[1] % LANES == 0 && !fusion->sum &&
           (!fusion->activated || fusion->kind != dnnl_eltwise_logistic) &&
           (out[2] + 3) / 4 * ((out[3] + 3) / 4) >= TILES_LEAST;
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
set_bounds(const fsh_fusion *fusion, fsh_winograd_shape *shape)
{
    shape->least = -INFINITY;
    shape->most = INFINITY;
    if (fusion->activated && fusion->kind == dnnl_eltwise_relu) {
        shape->least = 0;
    } else if (fusion->activated) {
        shape->least = fusion->alpha;
        shape->most = fusion->beta;
    }
}

/* A step from x to a new place of those dims. */
static fsh_status
add_step(const fsh_lowering *l, const fsh_winograd_shape *shape, const float *weights,
         const float *bias, const dnnl_dims_t dims)
{
    dnnl_memory_desc_t desc;
    fsh_winograd *winograd;
    uint32_t to;
    fsh_status status;

    if ((status =
             fsh_steps_check(dnnl_memory_desc_init_by_tag(&desc, 4, dims, dnnl_f32, dnnl_aBcd8b),
                             "Conv", l->err)) ||
        (status = fsh_steps_place(l->steps, &desc, &to, l->err)) ||
        (status = fsh_winograd_new(shape, weights, bias, &winograd, l->err)) ||
        (status = fsh_steps_add_kernel(l->steps, fsh_winograd_run, winograd, l->x->place, to, 0,
                                       l->err)))
        return status;
    fsh_lower_give(l, &desc, to);
    return FSH_OK;
}

fsh_status
fsh_lower_winograd(fsh_lowering *l, const fsh_window *win, const dnnl_dims_t out,
                   const fsh_fusion *fusion, const float *weights, const float *bias)
{
    const dnnl_dim_t *in = l->x->desc.dims;
    fsh_winograd_shape shape = {.pictures = (size_t)in[0],
                                .inputs = (size_t)in[1],
                                .outputs = (size_t)out[1],
                                .height = (size_t)in[2],
                                .width = (size_t)in[3],
                                .pad = (size_t)win->before[0]};
    dnnl_dims_t dims = {out[0], out[1], out[2], out[3]};
    uint32_t number = 0;
    const fsh_operation *user = fsh_lower_only_user(l->graph, l->output, &number);

    set_bounds(fusion, &shape);
    if (user && is_halving(user, out)) {
        shape.pool = true;
        dims[2] = (out[2] + 1) / 2;
        dims[3] = (out[3] + 1) / 2;
        l->done[number] = true;
        l->output = user->output;
    }
    return add_step(l, &shape, weights, bias, dims);
}
