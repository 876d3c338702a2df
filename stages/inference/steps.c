#include "stages/inference/steps.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS_MAX = 4 * FSH_GRAPH_NODES,
    MEMORIES_MAX = 4 * STEPS_MAX,
    BYTES_MAX = 1 << 29, /* of one tensor */
    ALIGNMENT = 64
};

fsh_status
fsh_steps_check(dnnl_status_t status, const char *what, fsh_err *err)
{
    if (status == dnnl_success)
        return FSH_OK;
    if (status == dnnl_out_of_memory)
        return fsh_fail(err, FSH_MEMORY, "no memory for a network");
    return fsh_fail(err, FSH_MODEL, "the backend onednn cannot run this %s (%d)", what,
                    (int)status);
}

fsh_status
fsh_steps_init(fsh_steps *steps, const fsh_graph *graph, fsh_err *err)
{
    fsh_status status =
        fsh_steps_check(dnnl_engine_create(&steps->engine, dnnl_cpu, 0), "processor", err);

    if (!status)
        status = fsh_steps_check(
            dnnl_stream_create(&steps->stream, steps->engine, dnnl_stream_default_flags), "stream",
            err);
    steps->list = calloc(STEPS_MAX, sizeof *steps->list);
    steps->memories = calloc(MEMORIES_MAX, sizeof *steps->memories);
    steps->places = calloc(MEMORIES_MAX, sizeof *steps->places);
    steps->bindings = calloc(MEMORIES_MAX, sizeof *steps->bindings);
    steps->values = calloc(graph->values_n, sizeof *steps->values);
    if (!status &&
        (!steps->list || !steps->memories || !steps->places || !steps->bindings || !steps->values))
        status = fsh_fail(err, FSH_MEMORY, "no memory for a network");
    return status;
}

void
fsh_steps_fini(fsh_steps *steps)
{
    uint32_t i;

    for (i = 0; i < steps->n; i++) {
        if (steps->list[i].primitive)
            dnnl_primitive_destroy(steps->list[i].primitive);
        free(steps->list[i].settings);
    }
    for (i = 0; i < steps->memories_n; i++)
        dnnl_memory_destroy(steps->memories[i]);
    dnnl_stream_destroy(steps->stream);
    dnnl_engine_destroy(steps->engine);
    free(steps->list);
    free(steps->memories);
    free(steps->places);
    free(steps->bindings);
    free(steps->values);
    free(steps->arena);
    *steps = (fsh_steps){.n = 0};
}

/* ---- memory ---- */

static fsh_status
check_bytes(const dnnl_memory_desc_t *desc, size_t *bytes, fsh_err *err)
{
    *bytes = dnnl_memory_desc_get_size(desc);
    return *bytes && *bytes <= BYTES_MAX
               ? FSH_OK
               : fsh_fail(err, FSH_MODEL, "a tensor of %zu bytes is out of bounds", *bytes);
}

fsh_status
fsh_steps_place(fsh_steps *steps, const dnnl_memory_desc_t *desc, uint32_t *place, fsh_err *err)
{
    size_t bytes = 0;
    fsh_status status = check_bytes(desc, &bytes, err);

    if (status)
        return status;
    if (steps->places_n == MEMORIES_MAX)
        return fsh_fail(err, FSH_MODEL, "more than %d tensors", MEMORIES_MAX);
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    steps->places[steps->places_n] =
        (fsh_place){.bytes = bytes, .first = steps->n, .last = steps->n};
    *place = steps->places_n++;
    return FSH_OK;
}

static void
use(fsh_steps *steps, uint32_t place)
{
    fsh_place *p = &steps->places[place];

    p->last = p->last < steps->n ? steps->n : p->last;
}

void
fsh_steps_keep(fsh_steps *steps, uint32_t place)
{
    steps->places[place].last = UINT32_MAX;
}

/* Memory objects of oneDNN: kept ones have memory of their own. */
static fsh_status
new_memory(fsh_steps *steps, const dnnl_memory_desc_t *desc, void *handle, dnnl_memory_t *out,
           fsh_err *err)
{
    fsh_status status;

    if (steps->memories_n == MEMORIES_MAX)
        return fsh_fail(err, FSH_MODEL, "more than %d tensors", MEMORIES_MAX);
    status = fsh_steps_check(dnnl_memory_create(out, desc, steps->engine, handle), "layout", err);
    if (!status)
        steps->memories[steps->memories_n++] = *out;
    return status;
}

fsh_status
fsh_steps_bind(fsh_steps *steps, uint32_t place, const dnnl_memory_desc_t *desc, dnnl_memory_t *out,
               fsh_err *err)
{
    fsh_status status = new_memory(steps, desc, DNNL_MEMORY_NONE, out, err);

    if (status)
        return status;
    steps->bindings[steps->bindings_n++] = (fsh_binding){*out, place};
    use(steps, place);
    return FSH_OK;
}

/* ---- steps ---- */

static fsh_status
add_scratch(fsh_steps *steps, dnnl_primitive_desc_t pd, fsh_step *step, fsh_err *err)
{
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    uint32_t place;
    fsh_status status;

    if (!scratch || !dnnl_memory_desc_get_size(scratch))
        return FSH_OK;
    step->args[step->args_n].arg = DNNL_ARG_SCRATCHPAD;
    if (!(status = fsh_steps_place(steps, scratch, &place, err)))
        status = fsh_steps_bind(steps, place, scratch, &step->args[step->args_n].memory, err);
    step->args_n += !status;
    return status;
}

fsh_status
fsh_steps_add(fsh_steps *steps, dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *args, int n,
              fsh_err *err)
{
    fsh_step step = {.args_n = n};
    fsh_status status;

    memcpy(step.args, args, (size_t)n * sizeof *args);
    status = add_scratch(steps, pd, &step, err);
    if (!status && steps->n == STEPS_MAX)
        status = fsh_fail(err, FSH_MODEL, "more than %d steps", STEPS_MAX);
    if (!status)
        status = fsh_steps_check(dnnl_primitive_create(&step.primitive, pd), "primitive", err);
    dnnl_primitive_desc_destroy(pd);
    if (!status)
        steps->list[steps->n++] = step;
    return status;
}

fsh_status
fsh_steps_add_kernel(fsh_steps *steps, fsh_kernel kernel, void *settings, uint32_t from,
                     uint32_t to, size_t to_offset, fsh_err *err)
{
    if (steps->n == STEPS_MAX) {
        free(settings);
        return fsh_fail(err, FSH_MODEL, "more than %d steps", STEPS_MAX);
    }
    use(steps, from);
    use(steps, to);
    steps->list[steps->n++] = (fsh_step){
        .kernel = kernel, .settings = settings, .from = from, .to = to, .to_offset = to_offset};
    return FSH_OK;
}

static fsh_status
make_reorder(fsh_steps *steps, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
             dnnl_primitive_desc_t *pd, fsh_err *err)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(&attr);

    if (!status)
        status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (!status)
        status =
            dnnl_reorder_primitive_desc_create(pd, from, steps->engine, to, steps->engine, attr);
    dnnl_primitive_attr_destroy(attr);
    return fsh_steps_check(status, "layout", err);
}

fsh_status
fsh_steps_reorder(fsh_steps *steps, const fsh_value *value, const dnnl_memory_desc_t *to,
                  uint32_t *place, fsh_err *err)
{
    dnnl_primitive_desc_t pd;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, NULL}, {DNNL_ARG_TO, NULL}};
    fsh_status status;

    if (dnnl_memory_desc_equal(&value->desc, to)) {
        *place = value->place;
        return FSH_OK;
    }
    if ((status = fsh_steps_place(steps, to, place, err)) ||
        (status = fsh_steps_bind(steps, value->place, &value->desc, &args[0].memory, err)) ||
        (status = fsh_steps_bind(steps, *place, to, &args[1].memory, err)) ||
        (status = make_reorder(steps, &value->desc, to, &pd, err)))
        return status;
    return fsh_steps_add(steps, pd, args, 2, err);
}

/* Runs a copy once, outside of the list. */
static fsh_status
copy_now(fsh_steps *steps, const dnnl_memory_desc_t *plain, const float *data,
         const dnnl_memory_desc_t *to, dnnl_memory_t out, fsh_err *err)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, NULL}, {DNNL_ARG_TO, out}};
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t copy = NULL;
    dnnl_status_t status = dnnl_memory_create(&args[0].memory, plain, steps->engine, (void *)data);

    if (!status)
        status =
            dnnl_reorder_primitive_desc_create(&pd, plain, steps->engine, to, steps->engine, NULL);
    if (!status)
        status = dnnl_primitive_create(&copy, pd);
    if (!status)
        status = dnnl_primitive_execute(copy, steps->stream, 2, args);
    dnnl_stream_wait(steps->stream);
    if (copy)
        dnnl_primitive_destroy(copy);
    dnnl_primitive_desc_destroy(pd);
    dnnl_memory_destroy(args[0].memory);
    return fsh_steps_check(status, "constant", err);
}

fsh_status
fsh_steps_weights(fsh_steps *steps, const float *data, const dnnl_memory_desc_t *plain,
                  const dnnl_memory_desc_t *to, dnnl_memory_t *out, fsh_err *err)
{
    size_t bytes = 0;
    void *handle = NULL;
    fsh_status status = check_bytes(to, &bytes, err);

    if (!status)
        status = new_memory(steps, to, DNNL_MEMORY_ALLOCATE, out, err);
    if (!status)
        status = fsh_steps_check(dnnl_memory_get_data_handle(*out, &handle), "constant", err);
    if (status)
        return status;
    memset(handle, 0, bytes); /* the padding of blocked layouts */
    return copy_now(steps, plain, data, to, *out, err);
}

/* ---- lending memory ---- */

static int
by_size(const void *left, const void *right)
{
    const fsh_place *a = *(const fsh_place *const *)left, *b = *(const fsh_place *const *)right;

    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return (a > b) - (a < b);
}

static int
by_offset(const void *left, const void *right)
{
    const fsh_place *a = *(const fsh_place *const *)left, *b = *(const fsh_place *const *)right;

    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The lowest gap between the places that are in use at the same time; list has n places that have
 * their offset, and near room for them. */
static void
find_offset(fsh_place *place, fsh_place *const *list, uint32_t n, fsh_place **near)
{
    uint32_t near_n = 0, i;

    for (i = 0; i < n; i++)
        if (list[i]->first <= place->last && place->first <= list[i]->last)
            near[near_n++] = list[i];
    qsort(near, near_n, sizeof(fsh_place *), by_offset);
    place->offset = 0;
    for (i = 0; i < near_n; i++) {
        size_t end = near[i]->offset + near[i]->bytes;

        if (place->offset + place->bytes <= near[i]->offset)
            return;
        place->offset = place->offset < end ? end : place->offset;
    }
}

/* Large ones first, each as low as it goes. */
static fsh_status
plan(fsh_steps *steps, size_t *bytes, fsh_err *err)
{
    fsh_place **list = calloc(2 * (size_t)steps->places_n + 1, sizeof(fsh_place *));
    uint32_t i;

    if (!list)
        return fsh_fail(err, FSH_MEMORY, "no memory for a network");
    for (i = 0; i < steps->places_n; i++)
        list[i] = &steps->places[i];
    qsort(list, steps->places_n, sizeof(fsh_place *), by_size);
    *bytes = ALIGNMENT;
    for (i = 0; i < steps->places_n; i++) {
        size_t end;

        find_offset(list[i], list, i, list + steps->places_n);
        end = list[i]->offset + list[i]->bytes;
        *bytes = end > *bytes ? end : *bytes;
    }
    free(list);
    return FSH_OK;
}

float *
fsh_steps_at(const fsh_steps *steps, uint32_t place)
{
    return (float *)(void *)((char *)steps->arena + steps->places[place].offset);
}

fsh_status
fsh_steps_settle(fsh_steps *steps, fsh_err *err)
{
    size_t bytes = 0;
    uint32_t i;
    fsh_status status = plan(steps, &bytes, err);

    if (status)
        return status;
    if (bytes > 2 * (size_t)BYTES_MAX)
        return fsh_fail(err, FSH_MODEL, "it needs %zu bytes for what flows in it", bytes);
    steps->arena = aligned_alloc(ALIGNMENT, bytes);
    if (!steps->arena)
        return fsh_fail(err, FSH_MEMORY, "no memory for a network");
    memset(steps->arena, 0, bytes);
    for (i = 0; !status && i < steps->bindings_n; i++)
        status = fsh_steps_check(
            dnnl_memory_set_data_handle(steps->bindings[i].memory,
                                        fsh_steps_at(steps, steps->bindings[i].place)),
            "layout", err);
    for (i = 0; !status && i < steps->n; i++)
        if (steps->list[i].kernel) {
            steps->list[i].from_at = fsh_steps_at(steps, steps->list[i].from);
            steps->list[i].to_at =
                fsh_steps_at(steps, steps->list[i].to) + steps->list[i].to_offset;
        }
    return status;
}

fsh_status
fsh_steps_run(const fsh_steps *steps, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; !status && i < steps->n; i++) {
        const fsh_step *step = &steps->list[i];

        if (step->kernel)
            step->kernel(step->settings, step->from_at, step->to_at);
        else
            status = fsh_steps_check(
                dnnl_primitive_execute(step->primitive, steps->stream, step->args_n, step->args),
                "step", err);
    }
    dnnl_stream_wait(steps->stream);
    return status;
}
