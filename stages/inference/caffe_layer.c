/* What the settings of a layer mean for its operator. Numbers of fields are those of caffe.proto,
 * Permute's of the branch for SSD. */
#include "stages/inference/caffe_layer.h"

#include <math.h>
#include <string.h>

#include "stages/inference/affine.h"

fsh_status
fsh_caffe_damaged(fsh_err *err, const char *what)
{
    return fsh_fail(err, FSH_MODEL, "not a caffemodel, or damaged: %s", what);
}

fsh_status
fsh_caffe_refuse(const fsh_caffe_layer *l, const char *what, fsh_err *err)
{
    return fsh_operation_refuse(l->node, what, err);
}

static fsh_status
new_constant(fsh_graph *graph, int64_t n, float fill, uint32_t *value, fsh_err *err)
{
    fsh_constant *c;
    fsh_status status = fsh_graph_constant(graph, &n, 1, value, &c, err);
    size_t i;

    for (i = 0; !status && i < c->n; i++)
        c->data[i] = fill;
    return status;
}

/* What a window's field says, one number for both directions or two; or what the fields for height
 * and width say. */
static bool
read_pair(const fsh_settings *s, uint32_t both, uint32_t h, uint32_t w, int64_t without,
          int64_t pair[2])
{
    fsh_wholes list = {.n = 0};

    if (!fsh_settings_wholes(s, both, &list) || list.n > 2)
        return false;
    pair[0] = list.n ? list.at[0] : without;
    pair[1] = list.n ? list.at[list.n - 1] : without;
    pair[0] = fsh_settings_whole(s, h, pair[0]);
    pair[1] = fsh_settings_whole(s, w, pair[1]);
    return true;
}

static void
set_window(fsh_operation *node, const int64_t kernel[2], const int64_t stride[2],
           const int64_t pad[2])
{
    node->kernel = (fsh_wholes){.at = {kernel[0], kernel[1]}, .n = 2};
    node->strides = (fsh_wholes){.at = {stride[0], stride[1]}, .n = 2};
    node->pads = (fsh_wholes){.at = {pad[0], pad[1], pad[0], pad[1]}, .n = 4};
}

static fsh_status
settle_conv(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_settings *s = &l->settings;
    int64_t kernel[2], stride[2], pad[2];

    (void)graph;
    if (!read_pair(s, 4, 11, 12, 0, kernel) || !read_pair(s, 6, 13, 14, 1, stride) ||
        !read_pair(s, 3, 9, 10, 0, pad) || !fsh_settings_wholes(s, 18, &l->node->dilations) ||
        l->node->dilations.n > 2)
        return fsh_caffe_damaged(err, "a convolution's window");
    set_window(l->node, kernel, stride, pad);
    if (l->node->dilations.n == 1)
        l->node->dilations.at[l->node->dilations.n++] = l->node->dilations.at[0];
    l->node->group = fsh_settings_whole(s, 5, 1);
    return FSH_OK;
}

/* The matrix is applied to all of a picture's numbers. */
static fsh_status
settle_inner(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    fsh_operation inner = *l->node;
    fsh_constant *w = &graph->constants[graph->constant_of[l->blobs[0]]];
    fsh_status status;

    if (w->rank == 4 && w->dims[0] == 1 && w->dims[1] == 1) {
        memmove(w->dims, w->dims + 2, 2 * sizeof *w->dims);
        w->rank = 2;
    }
    l->node->op = FSH_OP_Flatten;
    l->node->inputs_n = 1;
    if ((status = fsh_graph_define(graph, l->tops[0], &l->node->output, err)))
        return status;
    inner.inputs[0] = l->node->output;
    inner.transposed_b = true;
    graph->nodes_n++;
    if ((status = fsh_graph_node(graph, &l->node, err)))
        return status;
    *l->node = inner;
    return FSH_OK;
}

/* The third blob says what mean and variance are to be divided by. */
static fsh_status
settle_norm(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_constant *divisor = fsh_graph_constant_of(graph, l->blobs[2]);
    fsh_constant *moments[2] = {&graph->constants[graph->constant_of[l->blobs[0]]],
                                &graph->constants[graph->constant_of[l->blobs[1]]]};
    int64_t n = (int64_t)moments[0]->n;
    fsh_status status;
    uint32_t k;
    size_t i;

    if (divisor->n != 1)
        return fsh_caffe_damaged(err, "batch normalisation");
    for (k = 0; k < 2; k++)
        for (i = 0; i < moments[k]->n; i++)
            moments[k]->data[i] *= divisor->data[0] == 0 ? 0 : 1 / divisor->data[0];
    l->node->epsilon = fsh_settings_real(&l->settings, 3, 1e-5f);
    l->node->inputs_n = 5;
    l->node->inputs[3] = l->blobs[0];
    l->node->inputs[4] = l->blobs[1];
    if ((status = new_constant(graph, n, 1, &l->node->inputs[1], err)) ||
        (status = new_constant(graph, n, 0, &l->node->inputs[2], err)))
        return status;
    return fsh_affine_normalise(graph, l->node, err);
}

static fsh_status
settle_scale(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_constant *factor = fsh_graph_constant_of(graph, l->blobs[0]);
    const fsh_constant *summand = fsh_graph_constant_of(graph, l->blobs[l->blobs_n - 1]);

    if (factor->n != summand->n)
        return fsh_caffe_damaged(err, "a scale");
    if (l->blobs_n == 2)
        return FSH_OK;
    l->node->inputs_n = 3;
    return new_constant(graph, (int64_t)factor->n, 0, &l->node->inputs[2], err);
}

static fsh_status
settle_relu(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    return fsh_settings_real(&l->settings, 1, 0) == 0
               ? FSH_OK
               : fsh_caffe_refuse(l, "a ReLU with a slope below zero", err);
}

/* A sum of many is a sum of the first two, and so on. */
static fsh_status
settle_sum(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    fsh_operation sum = *l->node;
    fsh_status status = FSH_OK;
    uint32_t i;

    if (fsh_settings_whole(&l->settings, 1, 1) != 1 || !fsh_settings_all_one(&l->settings, 2))
        return fsh_caffe_refuse(l, "an Eltwise that is not a plain sum", err);
    l->node->inputs_n = 2;
    for (i = 2; !status && i < sum.inputs_n; i++) {
        if ((status = fsh_graph_define(graph, l->tops[0], &l->node->output, err)))
            break;
        sum.inputs[0] = l->node->output;
        sum.inputs[1] = sum.inputs[i];
        graph->nodes_n++;
        if (!(status = fsh_graph_node(graph, &l->node, err))) {
            *l->node = sum;
            l->node->inputs_n = 2;
        }
    }
    return status;
}

/* Caffe rounds up, and counts padding in means. */
static fsh_status
settle_pool(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_settings *s = &l->settings;
    int64_t kernel[2], stride[2], pad[2], kind = fsh_settings_whole(s, 1, 0);

    (void)graph;
    if (kind != 0 && kind != 1)
        return fsh_caffe_refuse(l, "pooling that is neither MAX nor AVE", err);
    if (!read_pair(s, 2, 5, 6, 0, kernel) || !read_pair(s, 3, 7, 8, 1, stride) ||
        !read_pair(s, 4, 9, 10, 0, pad))
        return fsh_caffe_damaged(err, "a pooling window");
    set_window(l->node, kernel, stride, pad);
    l->node->op = kind ? FSH_OP_AveragePool : FSH_OP_MaxPool;
    l->node->global = fsh_settings_whole(s, 12, 0) != 0;
    l->node->ceil = fsh_settings_whole(s, 13, 0) == 0;
    l->node->counts_padding = true;
    return FSH_OK;
}

static fsh_status
settle_list(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    return fsh_settings_wholes(&l->settings, 1, &l->node->list)
               ? FSH_OK
               : fsh_caffe_damaged(err, "an order");
}

static fsh_status
settle_reshape(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    fsh_wire shape;

    (void)graph;
    if (!fsh_settings_message(&l->settings, 1, &shape) || !fsh_wholes_read(&l->node->list, shape))
        return fsh_caffe_damaged(err, "a shape");
    return FSH_OK;
}

static fsh_status
settle_axis_first(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    (void)err;
    l->node->axis = fsh_settings_whole(&l->settings, 1, 1);
    return FSH_OK;
}

/* Concat may have its axis in an older field as well. */
static fsh_status
settle_axis_second(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    (void)err;
    l->node->axis = fsh_settings_whole(&l->settings, 2, fsh_settings_whole(&l->settings, 1, 1));
    return FSH_OK;
}

#define FIELD(n) (1u << (n))

/* Where each type has its settings, which of them are read or change nothing, and which must have
 * one value. Types that are not here have none. */
static const struct {
    const char *name;
    uint32_t message, known;
    fsh_setting fixed[3];
    fsh_status (*settle)(fsh_caffe_layer *, fsh_graph *, fsh_err *);
} readers[] = {
    {"Convolution", 106, 0x4fffe, {{16, 1}, {17, 0}}, settle_conv},
    {"DepthwiseConvolution", 106, 0x4fffe, {{16, 1}, {17, 0}}, settle_conv},
    {"InnerProduct",
     117,
     FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4),
     {{5, 1}, {6, 0}},
     settle_inner},
    {"BatchNorm", 139, FIELD(2) | FIELD(3), {{1, 1}}, settle_norm},
    {"Scale", 142, FIELD(3) | FIELD(4) | FIELD(5), {{1, 1}, {2, 1}}, settle_scale},
    {"PReLU", 131, FIELD(1) | FIELD(2), {{0, 0}}, NULL},
    {"ReLU", 123, FIELD(1) | FIELD(2), {{0, 0}}, settle_relu},
    {"Sigmoid", 124, FIELD(1), {{0, 0}}, NULL},
    {"Eltwise", 110, FIELD(1) | FIELD(2) | FIELD(3), {{0, 0}}, settle_sum},
    {"Pooling", 121, 0x3ffe, {{0, 0}}, settle_pool},
    {"Concat", 104, FIELD(1) | FIELD(2), {{0, 0}}, settle_axis_second},
    {"Permute", 202, FIELD(1), {{0, 0}}, settle_list},
    {"Reshape", 133, FIELD(1), {{2, 0}, {3, -1}}, settle_reshape},
    {"Flatten", 135, FIELD(1), {{2, -1}}, settle_axis_first},
    {"Softmax", 125, FIELD(1) | FIELD(2), {{0, 0}}, settle_axis_second},
    {"Dropout", 108, ~0u, {{0, 0}}, NULL},
};

fsh_status
fsh_caffe_settle(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err)
{
    uint32_t refused;
    size_t i;

    for (i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!fsh_span_says(l->type, readers[i].name))
            continue;
        if (!fsh_settings_read(&l->settings, l->all, readers[i].message))
            return fsh_caffe_damaged(err, "a layer's settings");
        refused = fsh_settings_refused(&l->settings, readers[i].known, readers[i].fixed, 3);
        if (refused)
            return fsh_fail(
                err, FSH_MODEL,
                "layer '%.*s': setting %u of type %s is not what the backend onednn runs",
                (int)(l->name.n < 60 ? l->name.n : 60), l->name.at, refused, readers[i].name);
        return readers[i].settle ? readers[i].settle(l, graph, err) : FSH_OK;
    }
    return FSH_OK;
}
