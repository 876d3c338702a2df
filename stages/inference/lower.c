/* From nodes to steps. What follows a convolution alone is done while its result is at hand; PReLU
 * is a kernel of ours: oneDNN 2.6 has it only in its reference code. */
#include "stages/inference/lowering.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/prelu.h"

fsh_status
fsh_lower_refuse(const fsh_lowering *l, const char *what)
{
    return fsh_operation_refuse(l->node, what, l->err);
}

fsh_status
fsh_lower_any(const fsh_lowering *l, dnnl_memory_desc_t *desc, int rank, const dnnl_dims_t dims)
{
    return fsh_steps_check(
        dnnl_memory_desc_init_by_tag(desc, rank, dims, dnnl_f32, dnnl_format_tag_any), "shape",
        l->err);
}

fsh_status
fsh_lower_plain(const fsh_lowering *l, dnnl_memory_desc_t *desc, int rank, const dnnl_dims_t dims)
{
    static const dnnl_format_tag_t tags[] = {0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde};

    if (rank < 1 || rank > 5)
        return fsh_lower_refuse(l, "a tensor of more than five dimensions");
    return fsh_steps_check(dnnl_memory_desc_init_by_tag(desc, rank, dims, dnnl_f32, tags[rank]),
                           "shape", l->err);
}

bool
fsh_lower_is_channels_last(const dnnl_memory_desc_t *desc)
{
    dnnl_memory_desc_t last;

    return desc->ndims == 4 &&
           !dnnl_memory_desc_init_by_tag(&last, 4, desc->dims, desc->data_type, dnnl_acdb) &&
           dnnl_memory_desc_equal(desc, &last);
}

void
fsh_lower_give(const fsh_lowering *l, const dnnl_memory_desc_t *desc, uint32_t place)
{
    l->steps->values[l->output] = (fsh_value){*desc, place, true};
}

/* ---- what is fused ---- */

static bool
set_activation(const fsh_operation *node, fsh_fusion *out)
{
    out->activated = true;
    out->alpha = out->beta = 0;
    if (node->op == FSH_OP_Relu) {
        out->kind = dnnl_eltwise_relu;
    } else if (node->op == FSH_OP_Sigmoid) {
        out->kind = dnnl_eltwise_logistic;
    } else if (node->op == FSH_OP_Clip) {
        out->kind = dnnl_eltwise_clip;
        out->alpha = fmaxf(node->least, -3e38f);
        out->beta = fminf(node->most, 3e38f);
    } else {
        out->activated = false;
    }
    return out->activated;
}

const fsh_operation *
fsh_lower_only_user(const fsh_graph *graph, uint32_t value, uint32_t *number)
{
    const fsh_operation *user = NULL;
    uint32_t i, k;

    if (fsh_graph_uses(graph, value) != 1)
        return NULL;
    for (i = 0; i < graph->nodes_n; i++)
        for (k = 0; k < graph->nodes[i].inputs_n; k++)
            if (graph->nodes[i].inputs[k] == value) {
                user = &graph->nodes[i];
                *number = i;
            }
    return user;
}

/* Nobody looks at the value any more but the node of that number. */
static bool
is_last_use(const fsh_lowering *l, uint32_t value, uint32_t number)
{
    uint32_t i, k;

    for (i = 0; i < l->graph->outputs_n; i++)
        if (l->graph->outputs[i] == value)
            return false;
    for (i = 0; i < l->graph->nodes_n; i++)
        for (k = 0; k < l->graph->nodes[i].inputs_n; k++)
            if (l->graph->nodes[i].inputs[k] == value && i != number && !l->done[i])
                return false;
    return true;
}

/* The other summand, where it is known already and may be overwritten. */
static const fsh_value *
find_sum(const fsh_lowering *l, const fsh_operation *add, uint32_t number, const dnnl_dims_t dims)
{
    uint32_t other = add->inputs[add->inputs[0] == l->output];
    const fsh_value *y = &l->steps->values[other];

    if (add->op != FSH_OP_Add || add->inputs[0] == add->inputs[1] || !y->given ||
        y->desc.ndims != 4 || memcmp(y->desc.dims, dims, 4 * sizeof *dims) ||
        l->steps->places[y->place].viewed || y == l->x || !is_last_use(l, other, number))
        return NULL;
    return y;
}

void
fsh_lower_find_fusion(fsh_lowering *l, const dnnl_dims_t dims, fsh_fusion *fusion)
{
    uint32_t number = 0;
    const fsh_operation *user = fsh_lower_only_user(l->graph, l->output, &number);

    *fusion = (fsh_fusion){.sum = NULL};
    if (user && user->op == FSH_OP_Add && (fusion->sum = find_sum(l, user, number, dims))) {
        l->done[number] = true;
        l->output = user->output;
        user = fsh_lower_only_user(l->graph, l->output, &number);
    }
    if (user && set_activation(user, fusion)) {
        l->done[number] = true;
        l->output = user->output;
    }
}

static fsh_status
make_attr(const fsh_lowering *l, const fsh_fusion *f, dnnl_primitive_attr_t *out)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(out);

    if (!status)
        status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (!status)
        status = dnnl_post_ops_create(&ops);
    if (!status && f && f->sum)
        status = dnnl_post_ops_append_sum(ops, 1);
    if (!status && f && f->activated)
        status = dnnl_post_ops_append_eltwise(ops, 1, f->kind, f->alpha, f->beta);
    if (!status)
        status = dnnl_primitive_attr_set_post_ops(*out, ops);
    dnnl_post_ops_destroy(ops);
    return fsh_steps_check(status, "activation", l->err);
}

fsh_status
fsh_lower_pd(const fsh_lowering *l, const void *description, const fsh_fusion *fusion,
             const char *what, dnnl_primitive_desc_t *pd)
{
    dnnl_primitive_attr_t attr = NULL;
    fsh_status status = make_attr(l, fusion, &attr);

    if (!status)
        status = fsh_steps_check(
            dnnl_primitive_desc_create(pd, description, attr, l->steps->engine, NULL), what,
            l->err);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

fsh_status
fsh_lower_step(const fsh_lowering *l, dnnl_primitive_desc_t pd, const fsh_value *x)
{
    dnnl_memory_desc_t dst = *dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, NULL}, {DNNL_ARG_DST, NULL}};
    uint32_t place;
    fsh_status status;

    if ((status = fsh_steps_place(l->steps, &dst, &place, l->err)) ||
        (status = fsh_steps_bind(l->steps, x->place, &x->desc, &args[0].memory, l->err)) ||
        (status = fsh_steps_bind(l->steps, place, &dst, &args[1].memory, l->err))) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    if (!(status = fsh_steps_add(l->steps, pd, args, 2, l->err)))
        fsh_lower_give(l, &dst, place);
    return status;
}

/* ---- number by number ---- */

static fsh_status
lower_activation(const fsh_lowering *l)
{
    dnnl_eltwise_desc_t description;
    dnnl_primitive_desc_t pd;
    fsh_fusion a = {.sum = NULL};
    fsh_status status;

    set_activation(l->node, &a);
    status = fsh_steps_check(dnnl_eltwise_forward_desc_init(&description, dnnl_forward_inference,
                                                            a.kind, &l->x->desc, a.alpha, a.beta),
                             "activation", l->err);
    if (!status)
        status = fsh_lower_pd(l, &description, NULL, "activation", &pd);
    return status ? status : fsh_lower_step(l, pd, l->x);
}

static fsh_status
lower_add(const fsh_lowering *l)
{
    const fsh_value *y = &l->steps->values[l->node->inputs[1]];
    dnnl_memory_desc_t desc = l->x->desc;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC_0, NULL}, {DNNL_ARG_SRC_1, NULL}, {DNNL_ARG_DST, NULL}};
    dnnl_binary_desc_t description;
    dnnl_primitive_desc_t pd;
    uint32_t other, place;
    fsh_status status;

    if (l->node->inputs_n != 2 || !y->given || y->desc.ndims != desc.ndims ||
        memcmp(y->desc.dims, desc.dims, sizeof *desc.dims * (size_t)desc.ndims))
        return fsh_lower_refuse(l, "an Add of tensors of different shape");
    if ((status = fsh_steps_reorder(l->steps, y, &desc, &other, l->err)) ||
        (status = fsh_steps_place(l->steps, &desc, &place, l->err)) ||
        (status = fsh_steps_bind(l->steps, l->x->place, &desc, &args[0].memory, l->err)) ||
        (status = fsh_steps_bind(l->steps, other, &desc, &args[1].memory, l->err)) ||
        (status = fsh_steps_bind(l->steps, place, &desc, &args[2].memory, l->err)) ||
        (status = fsh_steps_check(
             dnnl_binary_desc_init(&description, dnnl_binary_add, &desc, &desc, &desc), "Add",
             l->err)) ||
        (status = fsh_lower_pd(l, &description, NULL, "Add", &pd)) ||
        (status = fsh_steps_add(l->steps, pd, args, 3, l->err)))
        return status;
    fsh_lower_give(l, &desc, place);
    return FSH_OK;
}

/* How numbers lie; false for a layout that is neither plain, nor channels last, nor blocks of
 * channels. */
static bool
read_layout(const dnnl_memory_desc_t *desc, fsh_prelu *p)
{
    const dnnl_blocking_desc_t *b = &desc->format_desc.blocking;
    dnnl_dim_t channels = desc->padded_dims[1], height = desc->dims[2], width = desc->dims[3];
    dnnl_dim_t lanes = b->inner_nblks ? b->inner_blks[0] : b->strides[1] == 1 ? channels : 1;

    if (desc->format_kind != dnnl_blocked || b->inner_nblks > 1 ||
        (b->inner_nblks && b->inner_idxs[0] != 1) || b->strides[3] != lanes ||
        b->strides[2] != width * lanes || b->strides[0] != channels * height * width ||
        (channels > lanes && b->strides[1] != height * width * lanes))
        return false;
    p->pictures = (size_t)desc->dims[0];
    p->lanes = (size_t)lanes;
    p->groups = (size_t)(channels / lanes);
    p->pixels = (size_t)(height * width);
    return true;
}

/* The slopes of all channels, and zeros for those that fill the last block. */
static fsh_prelu *
make_prelu(const fsh_prelu *layout, const fsh_constant *slope, size_t channels)
{
    size_t all = layout->groups * layout->lanes, i;
    fsh_prelu *p = calloc(1, sizeof *p + all * sizeof *p->slopes);

    if (!p)
        return NULL;
    *p = *layout;
    for (i = 0; i < channels; i++)
        p->slopes[i] = slope->data[slope->n == 1 ? 0 : i];
    return p;
}

/* In place where nobody else looks at what comes in. */
static fsh_status
lower_prelu(const fsh_lowering *l)
{
    const fsh_constant *slope = fsh_operation_constant(l->graph, l->node, 1);
    dnnl_memory_desc_t desc = l->x->desc;
    fsh_prelu layout = {.lanes = 0}, *prelu;
    uint32_t from = l->x->place, place = from;
    fsh_status status = FSH_OK;

    if (!slope || desc.ndims != 4 || (slope->n != 1 && slope->n != (size_t)desc.dims[1]) ||
        !read_layout(&desc, &layout))
        return fsh_lower_refuse(l, "a PRelu without one constant slope a channel");
    prelu = make_prelu(&layout, slope, (size_t)desc.dims[1]);
    if (!prelu)
        return fsh_fail(l->err, FSH_MEMORY, "no memory for a network");
    if (fsh_graph_uses(l->graph, l->node->inputs[0]) > 1 || l->steps->places[from].viewed)
        status = fsh_steps_place(l->steps, &desc, &place, l->err);
    if (status) {
        free(prelu);
        return status;
    }
    status = fsh_steps_add_kernel(l->steps, fsh_prelu_run, prelu, from, place, 0, l->err);
    if (!status)
        fsh_lower_give(l, &desc, place);
    return status;
}

/* ---- the order ---- */

static fsh_status
lower_node(fsh_lowering *l)
{
    switch (l->node->op) {
    case FSH_OP_Conv: return fsh_lower_conv(l);
    case FSH_OP_Gemm: return fsh_lower_gemm(l);
    case FSH_OP_Affine: return fsh_lower_affine(l);
    case FSH_OP_PRelu: return lower_prelu(l);
    case FSH_OP_Relu:
    case FSH_OP_Clip:
    case FSH_OP_Sigmoid: return lower_activation(l);
    case FSH_OP_Add: return lower_add(l);
    case FSH_OP_MaxPool:
    case FSH_OP_AveragePool: return fsh_lower_pool(l);
    case FSH_OP_Concat: return fsh_lower_concat(l);
    case FSH_OP_Permute: return fsh_lower_permute(l);
    case FSH_OP_Reshape: return fsh_lower_reshape(l);
    case FSH_OP_Flatten: return fsh_lower_flatten(l);
    case FSH_OP_Softmax: return fsh_lower_softmax(l);
    case FSH_OP_Resize: return fsh_lower_resize(l);
    default: return fsh_lower_refuse(l, "this operator");
    }
}

fsh_status
fsh_lower(fsh_steps *steps, const fsh_graph *graph, fsh_err *err)
{
    bool *done = calloc(graph->nodes_n + 1, sizeof *done);
    fsh_status status = done ? FSH_OK : fsh_fail(err, FSH_MEMORY, "no memory for a network");
    uint32_t i;

    for (i = 0; !status && i < graph->nodes_n; i++) {
        const fsh_operation *node = &graph->nodes[i];
        fsh_lowering l = {steps,        graph, node, &steps->values[node->inputs[0]],
                          node->output, done,  err};

        if (done[i])
            continue;
        done[i] = true;
        status = l.x->given
                     ? lower_node(&l)
                     : fsh_lower_refuse(&l, "an input that is a constant, or given by no node");
    }
    free(done);
    return status;
}
