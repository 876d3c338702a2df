#include "stages/inference/affine.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Constants of n numbers for an Affine of x. */
static fsh_status
set_affine(fsh_graph *graph, fsh_operation *node, size_t n, fsh_constant **factor,
           fsh_constant **summand, fsh_err *err)
{
    int64_t dims[] = {(int64_t)n};
    fsh_status status = fsh_graph_constant(graph, dims, 1, &node->inputs[1], factor, err);

    node->op = FSH_OP_Affine;
    node->inputs_n = 3;
    return status ? status : fsh_graph_constant(graph, dims, 1, &node->inputs[2], summand, err);
}

fsh_status
fsh_affine_normalise(fsh_graph *graph, fsh_operation *node, fsh_err *err)
{
    const fsh_constant *in[4];
    fsh_constant *factor, *summand;
    fsh_status status;
    size_t i;

    for (i = 0; i < 4; i++) {
        in[i] = fsh_operation_constant(graph, node, (uint32_t)i + 1);
        if (!in[i] || in[i]->n != in[0]->n)
            return fsh_operation_refuse(node, "batch normalisation without constants of one length",
                                        err);
    }
    if ((status = set_affine(graph, node, in[0]->n, &factor, &summand, err)))
        return status;
    for (i = 0; i < factor->n; i++) {
        double scale = in[0]->data[i] / sqrt((double)in[3]->data[i] + (double)node->epsilon);

        factor->data[i] = (float)scale;
        summand->data[i] = (float)(in[1]->data[i] - in[2]->data[i] * scale);
        if (!isfinite(factor->data[i]) || !isfinite(summand->data[i]))
            return fsh_operation_refuse(node, "a variance that is not positive", err);
    }
    return FSH_OK;
}

/* x * constant and x + constant, either way round, as an Affine. */
static fsh_status
find_affine(fsh_graph *graph, fsh_operation *node, fsh_err *err)
{
    const fsh_constant *c = fsh_operation_constant(graph, node, 1);
    fsh_constant *factor, *summand;
    bool product = node->op == FSH_OP_Mul;
    fsh_status status;
    size_t i;

    if ((!product && node->op != FSH_OP_Add) || node->inputs_n != 2)
        return FSH_OK;
    if (!c && (c = fsh_operation_constant(graph, node, 0)))
        node->inputs[0] = node->inputs[1];
    if (!c)
        return product ? fsh_operation_refuse(node, "a product of two tensors", err) : FSH_OK;
    if (!fsh_constant_is_per_channel(c))
        return fsh_operation_refuse(node, "a constant that is not one number a channel", err);
    if ((status = set_affine(graph, node, c->n, &factor, &summand, err)))
        return status;
    for (i = 0; i < c->n; i++) {
        factor->data[i] = product ? c->data[i] : 1;
        summand->data[i] = product ? 0 : c->data[i];
    }
    return FSH_OK;
}

static fsh_operation *
producer_of(fsh_graph *graph, uint32_t before, uint32_t value)
{
    while (before-- > 0)
        if (graph->nodes[before].output == value)
            return &graph->nodes[before];
    return NULL;
}

static float
number_of(const fsh_constant *c, size_t channel)
{
    return c ? c->data[c->n == 1 ? 0 : channel] : 0;
}

/* The rows of weights (or the factors) of what came before are multiplied, its bias as well. The
 * constants may have other users, so these are new ones. */
static fsh_status
fold_into(fsh_graph *graph, fsh_operation *node, const fsh_operation *affine, fsh_err *err)
{
    const fsh_constant *w = fsh_operation_constant(graph, node, 1), *b;
    const fsh_constant *factor = fsh_operation_constant(graph, affine, 1);
    const fsh_constant *summand = fsh_operation_constant(graph, affine, 2);
    size_t rows = node->op == FSH_OP_Affine && w->n == 1 ? factor->n : (size_t)w->dims[0];
    size_t columns = node->op == FSH_OP_Affine ? 1 : w->n / rows, i;
    int64_t dims[] = {(int64_t)rows};
    fsh_constant *weights, *bias;
    uint32_t values[2];
    fsh_status status;

    b = fsh_operation_constant(graph, node, 2);
    if ((factor->n != 1 && factor->n != rows) ||
        (b && b->n != rows && (b->n != 1 || node->op != FSH_OP_Affine)))
        return fsh_operation_refuse(affine, "normalisation of another number of channels", err);
    status = node->op == FSH_OP_Affine
                 ? fsh_graph_constant(graph, dims, 1, &values[0], &weights, err)
                 : fsh_graph_constant(graph, w->dims, w->rank, &values[0], &weights, err);
    if (status || (status = fsh_graph_constant(graph, dims, 1, &values[1], &bias, err)))
        return status;
    for (i = 0; i < rows * columns; i++)
        weights->data[i] = w->data[w->n == 1 ? 0 : i] * number_of(factor, i / columns);
    for (i = 0; i < rows; i++)
        bias->data[i] = number_of(b, i) * number_of(factor, i) + number_of(summand, i);
    memcpy(&node->inputs[1], values, sizeof values);
    node->inputs_n = 3;
    node->output = affine->output;
    return FSH_OK;
}

/* Weights whose first dimension is that of what comes out. */
static bool
takes_affine(const fsh_graph *graph, const fsh_operation *node)
{
    const fsh_constant *w = fsh_operation_constant(graph, node, 1);

    if (!w || !w->rank || (node->inputs_n > 2 && !fsh_operation_constant(graph, node, 2)))
        return false;
    return node->op == FSH_OP_Conv || node->op == FSH_OP_Affine ||
           (node->op == FSH_OP_Gemm && node->transposed_b && node->alpha == 1 && node->beta == 1);
}

/* Numbers so small that processors work on them by microcode, a hundred times slower: nothing. */
static void
forget_denormals(fsh_graph *graph)
{
    uint32_t i;
    size_t k;

    for (i = 0; i < graph->constants_n; i++)
        for (k = 0; k < graph->constants[i].n; k++)
            if (fabsf(graph->constants[i].data[k]) < FLT_MIN)
                graph->constants[i].data[k] = 0;
}

fsh_status
fsh_affine_fold(fsh_graph *graph, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; !status && i < graph->nodes_n; i++) {
        fsh_operation *node = &graph->nodes[i], *before;

        if ((status = find_affine(graph, node, err)) || node->op != FSH_OP_Affine)
            continue;
        before = producer_of(graph, i, node->inputs[0]);
        if (!before || !takes_affine(graph, before) || fsh_graph_uses(graph, before->output) != 1)
            continue;
        status = fold_into(graph, before, node, err);
        node->inputs_n = 0;
        node->output = FSH_NO_VALUE;
    }
    fsh_graph_prune(graph);
    forget_denormals(graph);
    return status;
}
