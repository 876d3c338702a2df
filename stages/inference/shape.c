/* Pooling, and what moves numbers without changing them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/lowering.h"

enum { WINDOW_MAX = 1 << 16 };

/* ---- pooling ---- */

typedef struct window {
    dnnl_dims_t kernel, strides, before, after, out, dense; /* dense: no dilation */
} window;

static int64_t
whole(const fsh_wholes *list, uint32_t i, int64_t without)
{
    return list->n ? list->at[i] : without;
}

/* One direction. Where sizes are rounded up, the last window may hang over the edge, but none
 * starts beyond the padding. */
static bool
read_direction(const fsh_operation *node, const dnnl_memory_desc_t *x, uint32_t i, window *out)
{
    int64_t size = x->dims[2 + i], room, over;

    out->kernel[i] = node->global ? size : whole(&node->kernel, i, 0);
    out->strides[i] = whole(&node->strides, i, 1);
    out->before[i] = whole(&node->pads, i, 0);
    out->after[i] = whole(&node->pads, i + 2, 0);
    out->dense[i] = 0;
    if (out->kernel[i] < 1 || out->kernel[i] > WINDOW_MAX || out->strides[i] < 1 ||
        out->strides[i] > WINDOW_MAX || out->before[i] < 0 || out->before[i] >= out->kernel[i] ||
        out->after[i] < 0 || out->after[i] >= out->kernel[i] || whole(&node->dilations, i, 1) != 1)
        return false;
    room = size + out->before[i] + out->after[i] - out->kernel[i];
    if (room < 0)
        return false;
    over = node->ceil ? (out->strides[i] - room % out->strides[i]) % out->strides[i] : 0;
    if (over && room + over >= size + out->before[i])
        over -= out->strides[i];
    out->out[2 + i] = (room + over) / out->strides[i] + 1;
    out->after[i] += over;
    /* The mean of a window that hangs over the padding is taken over less than the window. */
    return over <= 0 || node->op == FSH_OP_MaxPool || !node->counts_padding;
}

static bool
read_window(const fsh_operation *node, const dnnl_memory_desc_t *x, window *out)
{
    if ((node->kernel.n != 2 && !node->global) || (node->strides.n && node->strides.n != 2) ||
        (node->pads.n && node->pads.n != 4) || (node->dilations.n && node->dilations.n != 2) ||
        x->ndims != 4)
        return false;
    out->out[0] = x->dims[0];
    out->out[1] = x->dims[1];
    return read_direction(node, x, 0, out) && read_direction(node, x, 1, out);
}

fsh_status
fsh_lower_pool(fsh_lowering *l)
{
    dnnl_alg_kind_t kind = l->node->op == FSH_OP_MaxPool ? dnnl_pooling_max
                           : l->node->counts_padding     ? dnnl_pooling_avg_include_padding
                                                         : dnnl_pooling_avg_exclude_padding;
    dnnl_pooling_v2_desc_t description;
    dnnl_primitive_desc_t pd;
    dnnl_memory_desc_t dst;
    window win;
    fsh_status status;

    if (!read_window(l->node, &l->x->desc, &win))
        return fsh_lower_refuse(l, "pooling of this shape");
    if ((status = fsh_lower_any(l, &dst, 4, win.out)) ||
        (status = fsh_steps_check(dnnl_pooling_v2_forward_desc_init(
                                      &description, dnnl_forward_inference, kind, &l->x->desc, &dst,
                                      win.strides, win.kernel, win.dense, win.before, win.after),
                                  "pooling", l->err)) ||
        (status = fsh_lower_pd(l, &description, NULL, "pooling", &pd)) ||
        (status = fsh_lower_step(l, pd, l->x)) || !l->node->drops_dims)
        return status;
    l->x = &l->steps->values[l->output];
    return fsh_lower_flatten(l);
}

/* ---- the same numbers under other dims ---- */

/* x as plain rows, and those under the dims: a further value in the same place. */
static fsh_status
view(const fsh_lowering *l, int rank, const dnnl_dims_t dims)
{
    dnnl_memory_desc_t plain, desc;
    uint32_t place;
    fsh_status status;

    if ((status = fsh_lower_plain(l, &plain, l->x->desc.ndims, l->x->desc.dims)) ||
        (status = fsh_steps_reorder(l->steps, l->x, &plain, &place, l->err)) ||
        (status = fsh_lower_plain(l, &desc, rank, dims)))
        return status;
    l->steps->places[place].viewed = true;
    fsh_lower_give(l, &desc, place);
    return FSH_OK;
}

/* An axis may be counted from the end; -1 where there is none such. */
static int
axis_of(const fsh_lowering *l)
{
    int64_t axis = l->node->axis < 0 ? l->node->axis + l->x->desc.ndims : l->node->axis;

    return axis < 0 || axis >= l->x->desc.ndims ? -1 : (int)axis;
}

static int64_t
product(const dnnl_dim_t *dims, int from, int to)
{
    int64_t n = 1;

    while (from < to)
        n *= dims[from++];
    return n;
}

fsh_status
fsh_lower_flatten(fsh_lowering *l)
{
    const dnnl_dim_t *dims = l->x->desc.dims;
    dnnl_dims_t rows = {dims[0], product(dims, 1, l->x->desc.ndims)};

    if (l->node->op == FSH_OP_Flatten && axis_of(l) != 1)
        return fsh_lower_refuse(l, "a Flatten of this shape");
    return view(l, 2, rows);
}

/* 0 is the size as it was, -1 what is left. */
fsh_status
fsh_lower_reshape(fsh_lowering *l)
{
    const fsh_wholes *shape = &l->node->list;
    const dnnl_memory_desc_t *x = &l->x->desc;
    int64_t all = product(x->dims, 0, x->ndims), known = 1;
    dnnl_dims_t dims;
    int left = -1, i, n = (int)shape->n;

    if (n < 1 || n > 5)
        return fsh_lower_refuse(l, "a Reshape to this many dimensions");
    for (i = 0; i < n; i++) {
        dims[i] = shape->at[i] == 0 && i < x->ndims ? x->dims[i] : shape->at[i];
        if (dims[i] == -1 && left < 0)
            left = i;
        else if (dims[i] < 1 || dims[i] > all)
            return fsh_lower_refuse(l, "a Reshape of this shape");
        else if ((known *= dims[i]) > all)
            return fsh_lower_refuse(l, "a Reshape of this shape");
    }
    if (left >= 0)
        dims[left] = all / known;
    if (product(dims, 0, n) != all)
        return fsh_lower_refuse(l, "a Reshape to another number of numbers");
    return view(l, n, dims);
}

/* Dimension i of the output is dimension list[i] of x: a copy from strides in another order. */
fsh_status
fsh_lower_permute(fsh_lowering *l)
{
    const fsh_wholes *order = &l->node->list;
    dnnl_memory_desc_t plain, turned;
    fsh_value x = *l->x;
    dnnl_dims_t dims;
    int axes[5], rank = x.desc.ndims, seen = 0, i;
    uint32_t place;
    fsh_status status;

    if (order->n != (uint32_t)rank || rank > 5)
        return fsh_lower_refuse(l, "a Permute of this many dimensions");
    for (i = 0; i < rank; i++) {
        if (order->at[i] < 0 || order->at[i] >= rank || seen >> order->at[i] & 1)
            return fsh_lower_refuse(l, "a Permute in this order");
        seen |= 1 << order->at[i];
        dims[i] = x.desc.dims[order->at[i]];
        axes[order->at[i]] = i; /* oneDNN asks where each dimension goes */
    }
    if ((status = fsh_steps_check(dnnl_memory_desc_permute_axes(&turned, &x.desc, axes), "Permute",
                                  l->err)) ||
        (status = fsh_lower_plain(l, &plain, rank, dims)))
        return status;
    x.desc = turned;
    if ((status = fsh_steps_reorder(l->steps, &x, &plain, &place, l->err)))
        return status;
    if (place == x.place)
        l->steps->places[place].viewed = true;
    fsh_lower_give(l, &plain, place);
    return FSH_OK;
}

/* ---- putting together ---- */

/* rows pieces of n numbers each, step numbers apart in what comes out. */
typedef struct piece {
    size_t rows, n, step;
} piece;

static void
copy_piece(const void *settings, const float *from, float *to)
{
    const piece *p = settings;
    size_t i;

    for (i = 0; i < p->rows; i++)
        memcpy(to + i * p->step, from + i * p->n, p->n * sizeof *to);
}

static const fsh_value *
input_of(const fsh_lowering *l, uint32_t i)
{
    uint32_t value = l->node->inputs[i];

    return value != FSH_NO_VALUE && l->steps->values[value].given ? &l->steps->values[value] : NULL;
}

/* Dims of all inputs together; false where they do not go together. */
static bool
join_dims(const fsh_lowering *l, int axis, dnnl_dims_t dims)
{
    uint32_t i;
    int k;

    memcpy(dims, l->x->desc.dims, sizeof(dnnl_dims_t));
    for (i = 1; i < l->node->inputs_n; i++) {
        const fsh_value *y = input_of(l, i);

        if (!y || y->desc.ndims != l->x->desc.ndims)
            return false;
        for (k = 0; k < y->desc.ndims; k++)
            if (k != axis && y->desc.dims[k] != dims[k])
                return false;
        dims[axis] += y->desc.dims[axis];
    }
    return true;
}

/* Whole blocks of channels can be put after each other as they are. */
static bool
is_blocked_alike(const fsh_lowering *l, int axis)
{
    const dnnl_blocking_desc_t *first = &l->x->desc.format_desc.blocking;
    uint32_t i;

    for (i = 0; i < l->node->inputs_n; i++) {
        const dnnl_memory_desc_t *desc = &input_of(l, i)->desc;
        const dnnl_blocking_desc_t *b = &desc->format_desc.blocking;

        if (axis != 1 || desc->ndims != 4 || desc->format_kind != dnnl_blocked ||
            b->inner_nblks != 1 || b->inner_idxs[0] != 1 ||
            b->inner_blks[0] != first->inner_blks[0] || desc->dims[1] % b->inner_blks[0] ||
            b->strides[1] != desc->dims[2] * desc->dims[3] * b->inner_blks[0])
            return false;
    }
    return true;
}

/* How the pieces lie, and what they become. */
typedef enum join { JOIN_PLAIN, JOIN_BLOCKS, JOIN_CHANNELS_LAST } join;

static join
find_join(const fsh_lowering *l, int axis)
{
    if (is_blocked_alike(l, axis))
        return JOIN_BLOCKS;
    return axis == 1 && fsh_lower_is_channels_last(&l->x->desc) ? JOIN_CHANNELS_LAST : JOIN_PLAIN;
}

static fsh_status
join_desc(const fsh_lowering *l, join kind, int rank, const dnnl_dims_t dims,
          dnnl_memory_desc_t *out)
{
    int lanes = kind == JOIN_BLOCKS ? (int)l->x->desc.format_desc.blocking.inner_blks[0] : 0;
    dnnl_format_tag_t tag = kind == JOIN_CHANNELS_LAST ? dnnl_acdb
                            : lanes == 16              ? dnnl_aBcd16b
                            : lanes == 8               ? dnnl_aBcd8b
                                                       : dnnl_aBcd4b;

    if (kind == JOIN_PLAIN)
        return fsh_lower_plain(l, out, rank, dims);
    return fsh_steps_check(dnnl_memory_desc_init_by_tag(out, rank, dims, dnnl_f32, tag), "Concat",
                           l->err);
}

/* All as plain rows along the axis; channels last, an axis of channels is the last one. */
static void
set_piece(const dnnl_dim_t *dims, const dnnl_dim_t *all, int rank, join kind, int axis, piece *p)
{
    if (kind == JOIN_CHANNELS_LAST)
        *p = (piece){(size_t)(dims[0] * product(dims, 2, rank)), (size_t)dims[1], (size_t)all[1]};
    else
        *p = (piece){(size_t)product(dims, 0, axis), (size_t)product(dims, axis, rank),
                     (size_t)product(all, axis, rank)};
}

/* Adds the number of floats to offset. */
static fsh_status
add_piece(const fsh_lowering *l, const fsh_value *y, join kind, int axis, const dnnl_dim_t *all,
          uint32_t to, size_t *offset)
{
    dnnl_memory_desc_t desc;
    uint32_t from = y->place;
    piece *p;
    fsh_status status = FSH_OK;

    if (kind != JOIN_BLOCKS && !(status = join_desc(l, kind, y->desc.ndims, y->desc.dims, &desc)))
        status = fsh_steps_reorder(l->steps, y, &desc, &from, l->err);
    if (status)
        return status;
    if (!(p = malloc(sizeof *p)))
        return fsh_fail(l->err, FSH_MEMORY, "no memory for a network");
    set_piece(y->desc.dims, all, y->desc.ndims, kind, axis, p);
    *offset += p->n;
    return fsh_steps_add_kernel(l->steps, copy_piece, p, from, to, *offset - p->n, l->err);
}

fsh_status
fsh_lower_concat(fsh_lowering *l)
{
    int axis = axis_of(l), rank = l->x->desc.ndims;
    dnnl_memory_desc_t desc;
    dnnl_dims_t dims;
    uint32_t to, i;
    size_t offset = 0;
    join kind;
    fsh_status status;

    if (axis < 0 || !join_dims(l, axis, dims))
        return fsh_lower_refuse(l, "a Concat of tensors that do not go together");
    kind = find_join(l, axis);
    if ((status = join_desc(l, kind, rank, dims, &desc)) ||
        (status = fsh_steps_place(l->steps, &desc, &to, l->err)))
        return status;
    for (i = 0; !status && i < l->node->inputs_n; i++)
        status = add_piece(l, input_of(l, i), kind, axis, dims, to, &offset);
    if (!status)
        fsh_lower_give(l, &desc, to);
    return status;
}

/* ---- the rest ---- */

fsh_status
fsh_lower_softmax(fsh_lowering *l)
{
    dnnl_softmax_desc_t description;
    dnnl_primitive_desc_t pd;
    int axis = axis_of(l);
    fsh_status status;

    if (axis < 0)
        return fsh_lower_refuse(l, "a Softmax over this dimension");
    status = fsh_steps_check(
        dnnl_softmax_forward_desc_init(&description, dnnl_forward_inference, &l->x->desc, axis),
        "Softmax", l->err);
    if (!status)
        status = fsh_lower_pd(l, &description, NULL, "Softmax", &pd);
    return status ? status : fsh_lower_step(l, pd, l->x);
}

/* Every pixel several times, by a whole factor in both directions. */
fsh_status
fsh_lower_resize(fsh_lowering *l)
{
    const fsh_constant *scales = fsh_operation_constant(l->graph, l->node, 2);
    const dnnl_dim_t *x = l->x->desc.dims;
    dnnl_resampling_desc_t description;
    dnnl_primitive_desc_t pd;
    dnnl_memory_desc_t dst;
    fsh_status status;

    if (l->node->inputs_n > 3 || !scales || scales->n != 4 || l->x->desc.ndims != 4 ||
        scales->data[0] != 1 || scales->data[1] != 1 || scales->data[2] < 1 ||
        scales->data[3] < 1 || scales->data[2] > 64 || scales->data[3] > 64 ||
        scales->data[2] != floorf(scales->data[2]) || scales->data[3] != floorf(scales->data[3]))
        return fsh_lower_refuse(l, "a Resize by something else than whole factors");
    status = fsh_lower_any(l, &dst, 4,
                           (dnnl_dims_t){x[0], x[1], x[2] * (int64_t)scales->data[2],
                                         x[3] * (int64_t)scales->data[3]});
    if (!status)
        status = fsh_steps_check(
            dnnl_resampling_forward_desc_init(&description, dnnl_forward_inference,
                                              dnnl_resampling_nearest, NULL, &l->x->desc, &dst),
            "Resize", l->err);
    if (!status)
        status = fsh_lower_pd(l, &description, NULL, "Resize", &pd);
    return status ? status : fsh_lower_step(l, pd, l->x);
}
