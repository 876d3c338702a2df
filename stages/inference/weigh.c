/* Convolutions and matrices: what has weights. */
#include <stdlib.h>
#include <string.h>

#include "stages/inference/lowering.h"

enum { DIM_MAX = 1 << 24 };

/* Weights, and a bias for each output, as numbers. */
typedef struct weights {
    const float *data;
    dnnl_memory_desc_t plain, bias_plain;
    float *bias;           /* zeros where the file has none; owned */
    dnnl_data_type_t type; /* in which they are multiplied */
} weights;

/* Layouts are asked of pd, weights and bias laid out now, the input when run; takes pd. */
static fsh_status
add_weighted(const fsh_lowering *l, dnnl_primitive_desc_t pd, const fsh_fusion *fusion,
             const weights *w)
{
    const dnnl_memory_desc_t *src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *laid = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t dst = *dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, NULL},
                              {DNNL_ARG_WEIGHTS, NULL},
                              {DNNL_ARG_BIAS, NULL},
                              {DNNL_ARG_DST, NULL}};
    uint32_t from, to = fusion && fusion->sum ? fusion->sum->place : 0;
    fsh_steps *steps = l->steps;
    fsh_status status;

    if ((status = fsh_steps_weights(steps, w->data, &w->plain, laid, &args[1].memory, l->err)) ||
        (status = fsh_steps_weights(steps, w->bias, &w->bias_plain, &w->bias_plain, &args[2].memory,
                                    l->err)) ||
        (status = fsh_steps_reorder(steps, l->x, src, &from, l->err)) ||
        (!(fusion && fusion->sum) && (status = fsh_steps_place(steps, &dst, &to, l->err))) ||
        (status = fsh_steps_bind(steps, from, src, &args[0].memory, l->err)) ||
        (status = fsh_steps_bind(steps, to, &dst, &args[3].memory, l->err))) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    if (!(status = fsh_steps_add(steps, pd, args, 4, l->err)))
        fsh_lower_give(l, &dst, to);
    return status;
}

/* What has one input channel a group waits for memory, and is not worth the way there and back. */
static dnnl_data_type_t
type_of(const fsh_lowering *l, int64_t group, int64_t pixels)
{
    return group == 1 && pixels <= l->steps->bf16_pixels ? dnnl_bf16 : dnnl_f32;
}

static fsh_status
make_bias(const fsh_lowering *l, int64_t n, const fsh_constant *c, weights *w)
{
    dnnl_dims_t dims = {n};

    if (l->node->inputs_n > 2 && (!c || c->n != (size_t)n))
        return fsh_lower_refuse(l, "a bias that is no constant, or of another length");
    w->bias = calloc((size_t)n, sizeof *w->bias);
    if (!w->bias)
        return fsh_fail(l->err, FSH_MEMORY, "no memory for a network");
    if (c)
        memcpy(w->bias, c->data, c->n * sizeof *w->bias);
    return fsh_lower_plain(l, &w->bias_plain, 1, dims);
}

/* ---- convolutions ---- */

static int64_t
whole(const fsh_wholes *list, uint32_t i, int64_t without)
{
    return list->n ? list->at[i] : without;
}

static bool
read_window(const fsh_operation *node, const fsh_constant *w, fsh_window *out)
{
    uint32_t i;

    if ((node->kernel.n && node->kernel.n != 2) || (node->strides.n && node->strides.n != 2) ||
        (node->dilations.n && node->dilations.n != 2) || (node->pads.n && node->pads.n != 4))
        return false;
    for (i = 0; i < 2; i++) {
        out->kernel[i] = w->dims[2 + i];
        out->strides[i] = whole(&node->strides, i, 1);
        out->dilations[i] = whole(&node->dilations, i, 1) - 1;
        out->before[i] = whole(&node->pads, i, 0);
        out->after[i] = whole(&node->pads, i + 2, 0);
        if (whole(&node->kernel, i, w->dims[2 + i]) != w->dims[2 + i] || w->dims[2 + i] > DIM_MAX ||
            out->strides[i] < 1 || out->strides[i] > DIM_MAX || out->dilations[i] < 0 ||
            out->dilations[i] > 64 || out->before[i] < 0 || out->before[i] > DIM_MAX ||
            out->after[i] < 0 || out->after[i] > DIM_MAX)
            return false;
    }
    return true;
}

/* Dims of what a convolution gives; false where the kernel does not fit. */
static bool
conv_dims(const dnnl_memory_desc_t *x, const fsh_constant *w, const fsh_window *win,
          dnnl_dims_t out)
{
    int i;

    out[0] = x->dims[0];
    out[1] = w->dims[0];
    for (i = 0; i < 2; i++) {
        int64_t reach = (win->kernel[i] - 1) * (win->dilations[i] + 1) + 1;
        int64_t room = x->dims[2 + i] + win->before[i] + win->after[i] - reach;

        if (room < 0)
            return false;
        out[2 + i] = room / win->strides[i] + 1;
    }
    return true;
}

/* With a sum the output is laid out as what is added, which lies there already. */
static fsh_status
make_conv(const fsh_lowering *l, const fsh_constant *c, const fsh_window *win,
          const dnnl_dims_t out, const fsh_fusion *fusion, weights *w, dnnl_primitive_desc_t *pd)
{
    int64_t g = l->node->group;
    dnnl_dims_t grouped = {g, c->dims[0] / g, c->dims[1], c->dims[2], c->dims[3]};
    dnnl_dims_t whole_dims = {c->dims[0], c->dims[1], c->dims[2], c->dims[3]};
    const dnnl_dim_t *dims = g > 1 ? grouped : whole_dims;
    dnnl_memory_desc_t src, any, dst;
    dnnl_convolution_desc_t description;
    int rank = g > 1 ? 5 : 4;
    fsh_status status;

    if ((status = fsh_lower_plain(l, &w->plain, rank, dims)) ||
        (status = fsh_lower_any(l, &any, rank, dims)) ||
        (status = fsh_lower_any(l, &src, 4, l->x->desc.dims)) ||
        (status = fsh_lower_any(l, &dst, 4, out)))
        return status;
    any.data_type = src.data_type = w->type;
    if (fusion->sum)
        dst = fusion->sum->desc;
    status = fsh_steps_check(dnnl_dilated_convolution_forward_desc_init(
                                 &description, dnnl_forward_inference, dnnl_convolution_direct,
                                 &src, &any, &w->bias_plain, &dst, win->strides, win->dilations,
                                 win->before, win->after),
                             "Conv", l->err);
    return status ? status : fsh_lower_pd(l, &description, fusion, "Conv", pd);
}

static fsh_status
lower_conv_of(fsh_lowering *l, const fsh_constant *c, const fsh_constant *bias)
{
    int64_t g = l->node->group;
    weights w = {.data = c ? c->data : NULL};
    dnnl_primitive_desc_t pd;
    dnnl_memory_desc_t dst;
    fsh_fusion fusion;
    dnnl_dims_t out;
    fsh_window win;
    fsh_status status;

    if (!c || c->rank != 4 || l->x->desc.ndims != 4 || g < 1 || c->dims[0] % g || g > DIM_MAX ||
        c->dims[1] * g != l->x->desc.dims[1] || !read_window(l->node, c, &win))
        return fsh_lower_refuse(l, "a Conv of this shape");
    if (!conv_dims(&l->x->desc, c, &win, out))
        return fsh_lower_refuse(l, "a kernel larger than its input");
    fsh_lower_find_fusion(l, out, &fusion);
    w.type = type_of(l, g, out[2] * out[3]);
    status = make_bias(l, c->dims[0], bias, &w);
    if (!status)
        status = make_conv(l, c, &win, out, &fusion, &w, &pd);
    if (!status)
        dst = *dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    if (!status && w.type == dnnl_f32 && fsh_lower_suits_filter(l, &win, &dst, &fusion)) {
        dnnl_primitive_desc_destroy(pd);
        status = fsh_lower_filter(l, &win, &dst, &fusion, w.data, w.bias);
    } else if (!status) {
        status = add_weighted(l, pd, &fusion, &w);
    }
    free(w.bias);
    return status;
}

fsh_status
fsh_lower_conv(fsh_lowering *l)
{
    return lower_conv_of(l, fsh_operation_constant(l->graph, l->node, 1),
                         fsh_operation_constant(l->graph, l->node, 2));
}

/* The numbers of a constant, for each channel. */
static float *
spread(const fsh_constant *c, int64_t channels)
{
    float *out = calloc((size_t)channels, sizeof *out);
    int64_t i;

    for (i = 0; out && i < channels; i++)
        out[i] = c->data[c->n == 1 ? 0 : i];
    return out;
}

/* One that follows no convolution: a convolution of one pixel in which each channel is for itself.
 */
fsh_status
fsh_lower_affine(fsh_lowering *l)
{
    const fsh_constant *factor = fsh_operation_constant(l->graph, l->node, 1);
    const fsh_constant *summand = fsh_operation_constant(l->graph, l->node, 2);
    int64_t channels = l->x->desc.ndims == 4 ? l->x->desc.dims[1] : 0;
    fsh_constant w = {.rank = 4, .dims = {channels, 1, 1, 1}, .n = (size_t)channels};
    fsh_constant bias = {.rank = 1, .dims = {channels}, .n = (size_t)channels};
    fsh_operation node = *l->node;
    fsh_lowering conv = *l;
    fsh_status status;

    if (!factor || !summand || !channels || (factor->n != 1 && factor->n != (size_t)channels) ||
        factor->n != summand->n)
        return fsh_lower_refuse(l, "a product and sum with constants of this shape");
    node.group = channels;
    conv.node = &node;
    w.data = spread(factor, channels);
    bias.data = spread(summand, channels);
    status = w.data && bias.data ? lower_conv_of(&conv, &w, &bias)
                                 : fsh_fail(l->err, FSH_MEMORY, "no memory for a network");
    free(w.data);
    free(bias.data);
    return status;
}

/* ---- matrices ---- */

static fsh_status
make_gemm(const fsh_lowering *l, const fsh_constant *c, weights *w, dnnl_primitive_desc_t *pd)
{
    dnnl_dims_t dims = {c->dims[0], c->dims[1]}, out = {l->x->desc.dims[0], c->dims[0]};
    dnnl_memory_desc_t src, any, dst;
    dnnl_inner_product_desc_t description;
    fsh_status status;

    if ((status = fsh_lower_plain(l, &w->plain, 2, dims)) ||
        (status = fsh_lower_any(l, &any, 2, dims)) ||
        (status = fsh_lower_any(l, &src, 2, l->x->desc.dims)) ||
        (status = fsh_lower_any(l, &dst, 2, out)))
        return status;
    any.data_type = src.data_type = w->type;
    status =
        fsh_steps_check(dnnl_inner_product_forward_desc_init(&description, dnnl_forward_inference,
                                                             &src, &any, &w->bias_plain, &dst),
                        "Gemm", l->err);
    return status ? status : fsh_lower_pd(l, &description, NULL, "Gemm", pd);
}

fsh_status
fsh_lower_gemm(fsh_lowering *l)
{
    const fsh_constant *c = fsh_operation_constant(l->graph, l->node, 1);
    weights w = {.data = c ? c->data : NULL, .type = type_of(l, 1, 1)};
    dnnl_primitive_desc_t pd;
    fsh_status status;

    if (!c || c->rank != 2 || l->x->desc.ndims != 2 || !l->node->transposed_b ||
        l->node->transposed_a || c->dims[1] != l->x->desc.dims[1] || l->node->alpha != 1 ||
        l->node->beta != 1)
        return fsh_lower_refuse(l, "a Gemm without constant, transposed weights");
    status = make_bias(l, c->dims[0], fsh_operation_constant(l->graph, l->node, 2), &w);
    if (!status)
        status = make_gemm(l, c, &w, &pd);
    if (!status)
        status = add_weighted(l, pd, NULL, &w);
    free(w.bias);
    return status;
}
