#include "stages/inference/engine.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "stages/inference/steps.h"
#include "stages/models.h"

enum { FILE_BYTES_MAX = 512 << 20, MEMORIES_MAX = 8 * FSH_ONNX_NODES, ELEMENTS_MAX = 1 << 27 };

struct fsh_engine {
    fsh_steps steps;
    char file[FSH_PATH_BYTES];
    int width, height;
    float value_of[3][256]; /* of a plane of the input for a byte of the picture */
    int channel[3];         /* of the picture, for each plane */
    float *input, *output;
    size_t output_n;
};

/* oneDNN cuts work by the number of OpenMP's threads, which would make results depend on it. */
static int
one_thread(void)
{
    int before = omp_get_max_threads();

    omp_set_num_threads(1);
    return before;
}

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
fsh_steps_memory(fsh_steps *steps, const dnnl_memory_desc_t *desc, dnnl_memory_t *out, fsh_err *err)
{
    size_t bytes = dnnl_memory_desc_get_size(desc);
    void *data = NULL;
    fsh_status status;

    if (!bytes || bytes > ELEMENTS_MAX * sizeof(float) || steps->memories_n == MEMORIES_MAX)
        return fsh_fail(err, FSH_MODEL, "a tensor of %zu bytes is out of bounds", bytes);
    status = fsh_steps_check(dnnl_memory_create(out, desc, steps->engine, DNNL_MEMORY_ALLOCATE),
                             "size", err);
    if (status)
        return status;
    steps->memories[steps->memories_n++] = *out;
    if (!dnnl_memory_get_data_handle(*out, &data) && data)
        memset(data, 0, bytes); /* the padding of blocked layouts */
    return FSH_OK;
}

fsh_status
fsh_steps_view(fsh_steps *steps, const dnnl_memory_desc_t *desc, void *data, dnnl_memory_t *out,
               fsh_err *err)
{
    fsh_status status;

    if (steps->memories_n == MEMORIES_MAX)
        return fsh_fail(err, FSH_MODEL, "more than %d tensors", MEMORIES_MAX);
    status = fsh_steps_check(dnnl_memory_create(out, desc, steps->engine, data), "view", err);
    if (!status)
        steps->memories[steps->memories_n++] = *out;
    return status;
}

static fsh_status
add_scratch(fsh_steps *steps, dnnl_primitive_desc_t pd, fsh_step *step, fsh_err *err)
{
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    fsh_status status;

    if (!scratch || !dnnl_memory_desc_get_size(scratch))
        return FSH_OK;
    step->args[step->args_n].arg = DNNL_ARG_SCRATCHPAD;
    status = fsh_steps_memory(steps, scratch, &step->args[step->args_n].memory, err);
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
    if (!status && steps->n == MEMORIES_MAX)
        status = fsh_fail(err, FSH_MODEL, "more than %d steps", MEMORIES_MAX);
    if (!status)
        status = fsh_steps_check(dnnl_primitive_create(&step.primitive, pd), "primitive", err);
    dnnl_primitive_desc_destroy(pd);
    if (!status)
        steps->list[steps->n++] = step;
    return status;
}

fsh_status
fsh_steps_add_prelu(fsh_steps *steps, const fsh_prelu *prelu, fsh_err *err)
{
    if (steps->n == MEMORIES_MAX)
        return fsh_fail(err, FSH_MODEL, "more than %d steps", MEMORIES_MAX);
    steps->list[steps->n++] = (fsh_step){.prelu = *prelu};
    return FSH_OK;
}

static dnnl_primitive_attr_t
own_scratch(void)
{
    dnnl_primitive_attr_t attr = NULL;

    if (!dnnl_primitive_attr_create(&attr))
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    return attr;
}

fsh_status
fsh_steps_reorder(fsh_steps *steps, const fsh_value *value, const dnnl_memory_desc_t *to,
                  dnnl_memory_t *out, fsh_err *err)
{
    dnnl_primitive_desc_t pd;
    dnnl_primitive_attr_t attr;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, value->memory}, {DNNL_ARG_TO, NULL}};
    fsh_status status;

    if (dnnl_memory_desc_equal(&value->desc, to)) {
        *out = value->memory;
        return FSH_OK;
    }
    if ((status = fsh_steps_memory(steps, to, &args[1].memory, err)))
        return status;
    attr = own_scratch();
    status = fsh_steps_check(dnnl_reorder_primitive_desc_create(&pd, &value->desc, steps->engine,
                                                                to, steps->engine, attr),
                             "layout", err);
    dnnl_primitive_attr_destroy(attr);
    if (status || (status = fsh_steps_add(steps, pd, args, 2, err)))
        return status;
    *out = args[1].memory;
    return FSH_OK;
}

static fsh_status
run_step(fsh_steps *steps, const fsh_step *step, fsh_err *err)
{
    if (!step->primitive) {
        fsh_prelu_run(&step->prelu);
        return FSH_OK;
    }
    return fsh_steps_check(
        dnnl_primitive_execute(step->primitive, steps->stream, step->args_n, step->args), "step",
        err);
}

fsh_status
fsh_steps_weights(fsh_steps *steps, const float *data, const dnnl_memory_desc_t *plain,
                  const dnnl_memory_desc_t *to, dnnl_memory_t *out, fsh_err *err)
{
    fsh_value value = {.desc = *plain};
    uint32_t n = steps->n, raw = steps->memories_n;
    void *handle = NULL;
    fsh_status status = fsh_steps_memory(steps, plain, &value.memory, err);

    if (status)
        return status;
    status = fsh_steps_check(dnnl_memory_get_data_handle(value.memory, &handle), "constant", err);
    if (!status)
        memcpy(handle, data, dnnl_memory_desc_get_size(plain));
    if (!status)
        status = fsh_steps_reorder(steps, &value, to, out, err);
    if (status || steps->n == n)
        return status;
    /* The step that lays them out runs once, and goes; so do the numbers as they came. */
    status = run_step(steps, &steps->list[n], err);
    dnnl_stream_wait(steps->stream);
    dnnl_primitive_destroy(steps->list[--steps->n].primitive);
    dnnl_memory_destroy(steps->memories[raw]);
    steps->memories[raw] = steps->memories[--steps->memories_n];
    return status;
}

static fsh_status
lower_all(fsh_steps *steps, const fsh_onnx *model, fsh_err *err)
{
    uint32_t i = 0;
    fsh_status status = FSH_OK;

    while (!status && i < model->nodes_n)
        status = fsh_steps_lower(steps, model, i, &i, err);
    return status;
}

static fsh_status
open_steps(fsh_steps *steps, fsh_err *err)
{
    fsh_status status =
        fsh_steps_check(dnnl_engine_create(&steps->engine, dnnl_cpu, 0), "processor", err);

    if (!status)
        status = fsh_steps_check(
            dnnl_stream_create(&steps->stream, steps->engine, dnnl_stream_default_flags), "stream",
            err);
    steps->list = calloc(MEMORIES_MAX, sizeof *steps->list);
    steps->memories = calloc(MEMORIES_MAX, sizeof *steps->memories);
    steps->values = calloc(FSH_ONNX_NODES + 1, sizeof *steps->values);
    if (!status && (!steps->list || !steps->memories || !steps->values))
        status = fsh_fail(err, FSH_MEMORY, "no memory for a network");
    return status;
}

static fsh_status
make_input(fsh_engine *engine, const fsh_onnx *model, fsh_err *err)
{
    fsh_steps *steps = &engine->steps;
    fsh_value *value = &steps->values[steps->values_n++];
    dnnl_dims_t dims = {1, 3, engine->height, engine->width};
    void *data = NULL;
    fsh_status status;

    value->name = model->input;
    status = fsh_steps_check(
        dnnl_memory_desc_init_by_tag(&value->desc, 4, dims, dnnl_f32, dnnl_abcd), "input", err);
    if (!status)
        status = fsh_steps_memory(steps, &value->desc, &value->memory, err);
    if (!status)
        status = fsh_steps_check(dnnl_memory_get_data_handle(value->memory, &data), "input", err);
    engine->input = data;
    return status;
}

static const fsh_value *
value_named(const fsh_steps *steps, fsh_span name)
{
    uint32_t i;

    for (i = steps->values_n; i-- > 0;)
        if (fsh_span_is(steps->values[i].name, name))
            return &steps->values[i];
    return NULL;
}

/* Outputs are read as plain rows, whatever layout the last step likes. */
static fsh_status
make_output(fsh_engine *engine, fsh_span name, fsh_err *err)
{
    static const dnnl_format_tag_t plain[] = {0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd};
    const fsh_value *value = value_named(&engine->steps, name);
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory;
    void *data = NULL;
    fsh_status status;

    if (!value || value->desc.ndims < 1 || value->desc.ndims > 4)
        return fsh_fail(err, FSH_MODEL, "it has no output '%.*s'", (int)name.n, name.at);
    status =
        fsh_steps_check(dnnl_memory_desc_init_by_tag(&desc, value->desc.ndims, value->desc.dims,
                                                     dnnl_f32, plain[value->desc.ndims]),
                        "output", err);
    if (!status)
        status = fsh_steps_reorder(&engine->steps, value, &desc, &memory, err);
    if (!status)
        status = fsh_steps_check(dnnl_memory_get_data_handle(memory, &data), "output", err);
    engine->output = data;
    engine->output_n = dnnl_memory_desc_get_size(&desc) / sizeof(float);
    return status;
}

static fsh_status
build(fsh_engine *engine, const fsh_card *card, fsh_err *err)
{
    fsh_onnx model;
    uint8_t *bytes;
    size_t n;
    fsh_status status = fsh_file_read(card->file_path, FILE_BYTES_MAX, &bytes, &n, err);

    if (status)
        return status;
    if ((status = fsh_onnx_read(bytes, n, &model, err)))
        return fsh_fail_within(err, status, "%s", card->file_path);
    status = open_steps(&engine->steps, err);
    if (!status)
        status = make_input(engine, &model, err);
    if (!status)
        status = lower_all(&engine->steps, &model, err);
    if (!status)
        status =
            make_output(engine, card->outputs[0] ? fsh_span_of(card->outputs) : model.output, err);
    fsh_onnx_fini(&model);
    return status ? fsh_fail_within(err, status, "%s", card->file_path) : FSH_OK;
}

static void
set_card(fsh_engine *engine, const fsh_card *card)
{
    int plane, byte;

    strcpy(engine->file, card->file_path);
    engine->width = (int)card->width;
    engine->height = (int)card->height;
    for (plane = 0; plane < 3; plane++) {
        float mean = (float)fsh_card_channel(&card->mean, plane);
        float scale = (float)fsh_card_channel(&card->scale, plane);

        engine->channel[plane] = card->channels == 0 ? plane : 2 - plane;
        for (byte = 0; byte < 256; byte++)
            engine->value_of[plane][byte] = ((float)byte - mean) * scale;
    }
}

fsh_status
fsh_engine_open(const fsh_card *card, fsh_engine **engine, fsh_err *err)
{
    fsh_engine *made = calloc(1, sizeof *made);
    int threads = one_thread();
    fsh_status status;

    if (!made) {
        status = fsh_fail(err, FSH_MEMORY, "no memory for a network");
    } else {
        set_card(made, card);
        status = build(made, card, err);
    }
    omp_set_num_threads(threads);
    if (status)
        fsh_engine_close(made);
    else
        *engine = made;
    return status;
}

void
fsh_engine_close(fsh_engine *engine)
{
    fsh_steps *steps;
    uint32_t i;

    if (!engine)
        return;
    steps = &engine->steps;
    for (i = 0; i < steps->n; i++)
        if (steps->list[i].primitive)
            dnnl_primitive_destroy(steps->list[i].primitive);
    for (i = 0; i < steps->memories_n; i++)
        dnnl_memory_destroy(steps->memories[i]);
    dnnl_stream_destroy(steps->stream);
    dnnl_engine_destroy(steps->engine);
    free(steps->list);
    free(steps->memories);
    free(steps->values);
    free(engine);
}

static void
fill(fsh_engine *engine, const fsh_image *picture)
{
    size_t pixels = (size_t)engine->width * (size_t)engine->height, plane, i;

    for (plane = 0; plane < 3; plane++) {
        const uint8_t *from = picture->data + engine->channel[plane];
        float *to = engine->input + plane * pixels;

        for (i = 0; i < pixels; i++)
            to[i] = engine->value_of[plane][from[3 * i]];
    }
}

fsh_status
fsh_engine_run(fsh_engine *engine, const fsh_image *picture, fsh_tensor *outputs, uint32_t n,
               fsh_err *err)
{
    int threads;
    uint32_t i;
    fsh_status status = FSH_OK;

    if (picture->width != engine->width || picture->height != engine->height ||
        picture->channels != 3)
        return fsh_fail(err, FSH_INTERNAL, "a picture of another size than the network's");
    if (n != 1)
        return fsh_fail(err, FSH_MODEL, "%s: one output instead of %u", engine->file, n);
    threads = one_thread();
    fill(engine, picture);
    for (i = 0; !status && i < engine->steps.n; i++)
        status = run_step(&engine->steps, &engine->steps.list[i], err);
    dnnl_stream_wait(engine->steps.stream);
    omp_set_num_threads(threads);
    outputs[0] = (fsh_tensor){engine->output, engine->output_n};
    return status ? fsh_fail_within(err, status, "%s", engine->file) : FSH_OK;
}
