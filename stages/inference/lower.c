/* From nodes to primitives of oneDNN. An activation that follows its convolution alone is part of
 * it; PReLU is a step of ours: oneDNN 2.6 has it only in its reference code. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/steps.h"

enum { DIM_MAX = 1 << 24 };

typedef struct lowering {
    fsh_steps *steps;
    const fsh_onnx *model;
    const fsh_onnx_node *node;
    fsh_span output; /* of the last node that is covered */
    fsh_err *err;
} lowering;

static fsh_status
refuse(const lowering *l, const char *what)
{
    return fsh_fail(l->err, FSH_MODEL, "node '%.*s': %s is not what the backend onednn runs",
                    (int)(l->node->output.n < 60 ? l->node->output.n : 60), l->node->output.at,
                    what);
}

static const fsh_value *
value_of(const lowering *l, uint32_t input)
{
    uint32_t i;

    for (i = l->steps->values_n; i-- > 0;)
        if (fsh_span_is(l->steps->values[i].name, l->node->inputs[input]))
            return &l->steps->values[i];
    return NULL;
}

static const fsh_constant *
constant_of(const lowering *l, uint32_t input)
{
    return input < l->node->inputs_n ? fsh_onnx_constant(l->model, l->node->inputs[input]) : NULL;
}

static void
give(const lowering *l, const dnnl_memory_desc_t *desc, dnnl_memory_t memory)
{
    l->steps->values[l->steps->values_n++] = (fsh_value){l->output, *desc, memory};
}

static fsh_status
any_desc(const lowering *l, dnnl_memory_desc_t *desc, int rank, const dnnl_dims_t dims)
{
    return fsh_steps_check(
        dnnl_memory_desc_init_by_tag(desc, rank, dims, dnnl_f32, dnnl_format_tag_any), "shape",
        l->err);
}

static fsh_status
plain_desc(const lowering *l, dnnl_memory_desc_t *desc, int rank, const dnnl_dims_t dims)
{
    static const dnnl_format_tag_t tags[] = {0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde};

    return fsh_steps_check(dnnl_memory_desc_init_by_tag(desc, rank, dims, dnnl_f32, tags[rank]),
                           "shape", l->err);
}

/* The one node that uses the output of node i, if it comes next. */
static const fsh_onnx_node *
only_user(const fsh_onnx *model, uint32_t i)
{
    const fsh_onnx_node *user = NULL;
    uint32_t k, input, n = 0;

    for (k = i + 1; k < model->nodes_n; k++)
        for (input = 0; input < model->nodes[k].inputs_n; input++)
            if (fsh_span_is(model->nodes[k].inputs[input], model->nodes[i].output)) {
                user = &model->nodes[k];
                n++;
            }
    return n == 1 && user == &model->nodes[i + 1] &&
                   !fsh_span_is(model->output, model->nodes[i].output)
               ? user
               : NULL;
}

/* ---- activations ---- */

typedef struct activation {
    dnnl_alg_kind_t kind;
    float alpha, beta;
} activation;

static bool
activation_of(const fsh_onnx_node *node, activation *out)
{
    if (node->op == FSH_OP_Relu)
        *out = (activation){dnnl_eltwise_relu, 0, 0};
    else if (node->op == FSH_OP_Clip)
        *out =
            (activation){dnnl_eltwise_clip, fmaxf(node->least, -3e38f), fminf(node->most, 3e38f)};
    else if (node->op == FSH_OP_Sigmoid)
        *out = (activation){dnnl_eltwise_logistic, 0, 0};
    else
        return false;
    return true;
}

static fsh_status
make_attr(const lowering *l, const activation *a, dnnl_primitive_attr_t *out)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(out);

    if (!status)
        status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (!status && a && !(status = dnnl_post_ops_create(&ops)) &&
        !(status = dnnl_post_ops_append_eltwise(ops, 1, a->kind, a->alpha, a->beta)))
        status = dnnl_primitive_attr_set_post_ops(*out, ops);
    dnnl_post_ops_destroy(ops);
    return fsh_steps_check(status, "activation", l->err);
}

/* A primitive of that description; pd belongs to the caller. */
static fsh_status
make_pd(const lowering *l, const void *description, const activation *a, const char *what,
        dnnl_primitive_desc_t *pd)
{
    dnnl_primitive_attr_t attr = NULL;
    fsh_status status = make_attr(l, a, &attr);

    if (!status)
        status = fsh_steps_check(
            dnnl_primitive_desc_create(pd, description, attr, l->steps->engine, NULL), what,
            l->err);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

/* src to dst of the same layout, with the args in between. */
static fsh_status
add_plain_step(const lowering *l, dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *args, int n,
               const dnnl_memory_desc_t *desc)
{
    dnnl_exec_arg_t all[4];
    fsh_status status;

    memcpy(all, args, (size_t)n * sizeof *args);
    all[n] = (dnnl_exec_arg_t){DNNL_ARG_DST, NULL};
    status = fsh_steps_memory(l->steps, desc, &all[n].memory, l->err);
    if (status) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    if (!(status = fsh_steps_add(l->steps, pd, all, n + 1, l->err)))
        give(l, desc, all[n].memory);
    return status;
}

static fsh_status
lower_activation(const lowering *l, const fsh_value *x)
{
    dnnl_memory_desc_t desc = x->desc;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->memory}};
    dnnl_eltwise_desc_t description;
    dnnl_primitive_desc_t pd;
    activation a = {.alpha = 0};
    fsh_status status;

    activation_of(l->node, &a);
    status = fsh_steps_check(dnnl_eltwise_forward_desc_init(&description, dnnl_forward_inference,
                                                            a.kind, &desc, a.alpha, a.beta),
                             "activation", l->err);
    if (!status)
        status = make_pd(l, &description, NULL, "activation", &pd);
    return status ? status : add_plain_step(l, pd, args, 1, &desc);
}

/* How numbers of one picture lie; false for a layout that is neither plain, nor channels last, nor
 * blocks of channels. */
static bool
read_layout(const dnnl_memory_desc_t *desc, fsh_prelu *p)
{
    const dnnl_blocking_desc_t *b = &desc->format_desc.blocking;
    dnnl_dim_t channels = desc->padded_dims[1], height = desc->dims[2], width = desc->dims[3];
    dnnl_dim_t lanes = b->inner_nblks ? b->inner_blks[0] : b->strides[1] == 1 ? channels : 1;

    if (desc->format_kind != dnnl_blocked || b->inner_nblks > 1 ||
        (b->inner_nblks && b->inner_idxs[0] != 1) || desc->dims[0] != 1 || b->strides[3] != lanes ||
        b->strides[2] != width * lanes ||
        (channels > lanes && b->strides[1] != height * width * lanes))
        return false;
    p->lanes = (size_t)lanes;
    p->groups = (size_t)(channels / lanes);
    p->pixels = (size_t)(height * width);
    return true;
}

static uint32_t
count_uses(const fsh_onnx *model, fsh_span name)
{
    uint32_t i, k, n = fsh_span_is(model->output, name);

    for (i = 0; i < model->nodes_n; i++)
        for (k = 0; k < model->nodes[i].inputs_n; k++)
            n += fsh_span_is(model->nodes[i].inputs[k], name);
    return n;
}

/* The slopes of all channels, and zeros for those that fill the last block. */
static fsh_status
make_slopes(const lowering *l, const fsh_constant *slope, const fsh_value *x, fsh_prelu *p)
{
    dnnl_dims_t dims = {x->desc.padded_dims[1]};
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory;
    void *data = NULL;
    fsh_status status = plain_desc(l, &desc, 1, dims);

    if (!status)
        status = fsh_steps_memory(l->steps, &desc, &memory, l->err);
    if (!status)
        status = fsh_steps_check(dnnl_memory_get_data_handle(memory, &data), "PRelu", l->err);
    if (!status)
        memcpy(data, slope->data, slope->n * sizeof *slope->data);
    p->slopes = data;
    return status;
}

/* In place where nobody else looks at what comes in. */
static fsh_status
lower_prelu(const lowering *l, const fsh_value *x)
{
    const fsh_constant *slope = constant_of(l, 1);
    dnnl_memory_desc_t desc = x->desc;
    dnnl_memory_t to = x->memory;
    void *from = NULL, *out = NULL;
    fsh_prelu p = {.from = NULL};
    fsh_status status;

    if (!slope || desc.ndims != 4 || slope->n != (size_t)desc.dims[1] || slope->rank < 3 ||
        slope->dims[slope->rank - 3] != desc.dims[1] || !read_layout(&desc, &p))
        return refuse(l, "a PRelu without one constant slope a channel");
    if ((status = make_slopes(l, slope, x, &p)))
        return status;
    if (count_uses(l->model, l->node->inputs[0]) > 1)
        status = fsh_steps_memory(l->steps, &desc, &to, l->err);
    if (status ||
        (status =
             fsh_steps_check(dnnl_memory_get_data_handle(x->memory, &from), "PRelu", l->err)) ||
        (status = fsh_steps_check(dnnl_memory_get_data_handle(to, &out), "PRelu", l->err)))
        return status;
    p.from = from;
    p.to = out;
    if (!(status = fsh_steps_add_prelu(l->steps, &p, l->err)))
        give(l, &desc, to);
    return status;
}

static fsh_status
lower_add(const lowering *l, const fsh_value *x)
{
    const fsh_value *y = value_of(l, 1);
    dnnl_memory_desc_t desc = x->desc;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC_0, x->memory}, {DNNL_ARG_SRC_1, NULL}};
    dnnl_binary_desc_t description;
    dnnl_primitive_desc_t pd;
    fsh_status status;

    if (!y || y->desc.ndims != desc.ndims ||
        memcmp(y->desc.dims, desc.dims, sizeof *desc.dims * (size_t)desc.ndims))
        return refuse(l, "an Add of tensors of different shape");
    if ((status = fsh_steps_reorder(l->steps, y, &desc, &args[1].memory, l->err)) ||
        (status = fsh_steps_check(
             dnnl_binary_desc_init(&description, dnnl_binary_add, &desc, &desc, &desc), "Add",
             l->err)))
        return status;
    status = make_pd(l, &description, NULL, "Add", &pd);
    return status ? status : add_plain_step(l, pd, args, 2, &desc);
}

/* ---- weights ---- */

/* What Conv and Gemm share: layouts are asked of pd, weights and bias laid out now, the input when
 * run. */
static fsh_status
add_weighted(const lowering *l, dnnl_primitive_desc_t pd, const fsh_value *x, const float *weights,
             const dnnl_memory_desc_t *plain, const float *bias,
             const dnnl_memory_desc_t *bias_desc)
{
    const dnnl_memory_desc_t *dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, NULL}, {DNNL_ARG_WEIGHTS, NULL}, {DNNL_ARG_BIAS, NULL}};
    dnnl_memory_desc_t desc = *dst;
    fsh_status status =
        fsh_steps_reorder(l->steps, x, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0),
                          &args[0].memory, l->err);

    if (!status)
        status = fsh_steps_weights(l->steps, weights, plain,
                                   dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0),
                                   &args[1].memory, l->err);
    if (!status)
        status = fsh_steps_weights(l->steps, bias, bias_desc, bias_desc, &args[2].memory, l->err);
    if (status) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    return add_plain_step(l, pd, args, 3, &desc);
}

/* The bias of n outputs, zeros where the file has none; owned by the caller. */
static fsh_status
make_bias(const lowering *l, int64_t n, float **out, dnnl_memory_desc_t *desc)
{
    const fsh_constant *c = constant_of(l, 2);
    dnnl_dims_t dims = {n};

    if (l->node->inputs_n > 2 && (!c || c->n != (size_t)n))
        return refuse(l, "a bias that is no constant, or of another length");
    *out = calloc((size_t)n, sizeof **out);
    if (!*out)
        return fsh_fail(l->err, FSH_MEMORY, "no memory for a network");
    if (c)
        memcpy(*out, c->data, c->n * sizeof **out);
    return plain_desc(l, desc, 1, dims);
}

typedef struct window {
    dnnl_dims_t strides, dilations, before, after;
} window;

static int64_t
whole(const fsh_wholes *list, uint32_t i, int64_t without)
{
    return list->n ? list->at[i] : without;
}

static bool
read_window(const fsh_onnx_node *node, const fsh_constant *w, window *out)
{
    uint32_t i;

    if ((node->kernel.n && node->kernel.n != 2) || (node->strides.n && node->strides.n != 2) ||
        (node->dilations.n && node->dilations.n != 2) || (node->pads.n && node->pads.n != 4))
        return false;
    for (i = 0; i < 2; i++) {
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
conv_dims(const dnnl_memory_desc_t *x, const fsh_constant *w, const window *win, dnnl_dims_t out)
{
    int i;

    out[0] = x->dims[0];
    out[1] = w->dims[0];
    for (i = 0; i < 2; i++) {
        int64_t reach = (w->dims[2 + i] - 1) * (win->dilations[i] + 1) + 1;
        int64_t room = x->dims[2 + i] + win->before[i] + win->after[i] - reach;

        if (room < 0)
            return false;
        out[2 + i] = room / win->strides[i] + 1;
    }
    return true;
}

static fsh_status
make_conv(const lowering *l, const fsh_value *x, const fsh_constant *w, const window *win,
          const activation *a, const dnnl_memory_desc_t *bias, dnnl_memory_desc_t *plain,
          dnnl_primitive_desc_t *pd)
{
    int64_t g = l->node->group;
    dnnl_dims_t grouped = {g, w->dims[0] / g, w->dims[1], w->dims[2], w->dims[3]};
    dnnl_dims_t whole_dims = {w->dims[0], w->dims[1], w->dims[2], w->dims[3]}, out;
    const dnnl_dim_t *dims = g > 1 ? grouped : whole_dims;
    dnnl_memory_desc_t src, weights, dst;
    dnnl_convolution_desc_t description;
    int rank = g > 1 ? 5 : 4;
    fsh_status status;

    if (!conv_dims(&x->desc, w, win, out))
        return refuse(l, "a kernel larger than its input");
    if ((status = plain_desc(l, plain, rank, dims)) ||
        (status = any_desc(l, &weights, rank, dims)) ||
        (status = any_desc(l, &src, 4, x->desc.dims)) || (status = any_desc(l, &dst, 4, out)) ||
        (status = fsh_steps_check(dnnl_dilated_convolution_forward_desc_init(
                                      &description, dnnl_forward_inference, dnnl_convolution_direct,
                                      &src, &weights, bias, &dst, win->strides, win->dilations,
                                      win->before, win->after),
                                  "Conv", l->err)))
        return status;
    return make_pd(l, &description, a, "Conv", pd);
}

static fsh_status
lower_conv(const lowering *l, const fsh_value *x, const activation *a)
{
    const fsh_constant *w = constant_of(l, 1);
    dnnl_memory_desc_t plain, bias_desc;
    dnnl_primitive_desc_t pd;
    int64_t g = l->node->group;
    float *bias = NULL;
    window win;
    fsh_status status;

    if (!w || w->rank != 4 || x->desc.ndims != 4 || g < 1 || w->dims[0] % g || g > DIM_MAX ||
        w->dims[1] * g != x->desc.dims[1] || !read_window(l->node, w, &win))
        return refuse(l, "a Conv of this shape");
    status = make_bias(l, w->dims[0], &bias, &bias_desc);
    if (!status)
        status = make_conv(l, x, w, &win, a, &bias_desc, &plain, &pd);
    if (!status)
        status = add_weighted(l, pd, x, w->data, &plain, bias, &bias_desc);
    free(bias);
    return status;
}

static fsh_status
lower_gemm(const lowering *l, const fsh_value *x)
{
    const fsh_constant *w = constant_of(l, 1);
    dnnl_memory_desc_t src, weights, dst, plain, bias_desc;
    dnnl_dims_t dims, out;
    dnnl_inner_product_desc_t description;
    dnnl_primitive_desc_t pd;
    float *bias = NULL;
    fsh_status status;

    if (!w || w->rank != 2 || x->desc.ndims != 2 || !l->node->transposed_b ||
        l->node->transposed_a || w->dims[1] != x->desc.dims[1] || l->node->alpha != 1 ||
        l->node->beta != 1)
        return refuse(l, "a Gemm without constant, transposed weights");
    memcpy(dims, w->dims, sizeof w->dims);
    out[0] = x->desc.dims[0];
    out[1] = w->dims[0];
    if (!(status = make_bias(l, w->dims[0], &bias, &bias_desc)) &&
        !(status = plain_desc(l, &plain, 2, dims)) && !(status = any_desc(l, &weights, 2, dims)) &&
        !(status = any_desc(l, &src, 2, x->desc.dims)) && !(status = any_desc(l, &dst, 2, out)) &&
        !(status = fsh_steps_check(
              dnnl_inner_product_forward_desc_init(&description, dnnl_forward_inference, &src,
                                                   &weights, &bias_desc, &dst),
              "Gemm", l->err)) &&
        !(status = make_pd(l, &description, NULL, "Gemm", &pd)))
        status = add_weighted(l, pd, x, w->data, &plain, bias, &bias_desc);
    free(bias);
    return status;
}

/* The same numbers in the order of the file's dims, under two of them. */
static fsh_status
lower_flatten(const lowering *l, const fsh_value *x)
{
    dnnl_dims_t rows = {x->desc.dims[0], 1};
    dnnl_memory_desc_t plain, flat;
    dnnl_memory_t memory, view;
    void *data = NULL;
    fsh_status status;
    int i;

    if (l->node->axis != 1 || x->desc.ndims < 2 || x->desc.ndims > 4)
        return refuse(l, "a Flatten of this shape");
    for (i = 1; i < x->desc.ndims; i++)
        rows[1] *= x->desc.dims[i];
    if ((status = plain_desc(l, &plain, x->desc.ndims, x->desc.dims)) ||
        (status = fsh_steps_reorder(l->steps, x, &plain, &memory, l->err)) ||
        (status = plain_desc(l, &flat, 2, rows)) ||
        (status = fsh_steps_check(dnnl_memory_get_data_handle(memory, &data), "Flatten", l->err)) ||
        (status = fsh_steps_view(l->steps, &flat, data, &view, l->err)))
        return status;
    give(l, &flat, view);
    return FSH_OK;
}

fsh_status
fsh_steps_lower(fsh_steps *steps, const fsh_onnx *model, uint32_t node, uint32_t *next,
                fsh_err *err)
{
    lowering l = {steps, model, &model->nodes[node], model->nodes[node].output, err};
    const fsh_onnx_node *user = only_user(model, node);
    const fsh_value *x = value_of(&l, 0);
    activation a;
    bool fused = l.node->op == FSH_OP_Conv && user && activation_of(user, &a);

    *next = node + 1 + fused;
    if (!x)
        return refuse(&l, "an input that no node before it gives");
    if (fused)
        l.output = user->output;
    switch (l.node->op) {
    case FSH_OP_Conv: return lower_conv(&l, x, fused ? &a : NULL);
    case FSH_OP_PRelu: return lower_prelu(&l, x);
    case FSH_OP_Add: return lower_add(&l, x);
    case FSH_OP_Gemm: return lower_gemm(&l, x);
    case FSH_OP_Flatten: return lower_flatten(&l, x);
    default: return lower_activation(&l, x);
    }
}
