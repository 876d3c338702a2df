#include "stages/inference/engine.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "stages/inference/affine.h"
#include "stages/inference/caffe.h"
#include "stages/inference/lowering.h"
#include "stages/inference/onnx.h"
#include "stages/models.h"

enum { FILE_BYTES_MAX = 512 << 20 };

typedef struct output {
    uint32_t place;
    size_t n;
} output;

struct fsh_engine {
    fsh_steps steps;
    char file[FSH_PATH_BYTES];
    uint32_t pictures; /* that are run at once */
    int width, height;
    float value_of[3][256]; /* of a plane of the input for a byte of the picture */
    int channel[3];         /* of the picture, for each plane */
    uint32_t input;         /* place */
    output outputs[FSH_GRAPH_OUTPUTS];
    uint32_t outputs_n;
};

/* oneDNN cuts work by the number of OpenMP's threads, which would make results depend on it. */
static int
one_thread(void)
{
    int before = omp_get_max_threads();

    omp_set_num_threads(1);
    return before;
}

static fsh_status
make_input(fsh_engine *engine, const fsh_graph *graph, fsh_err *err)
{
    fsh_value *value = &engine->steps.values[graph->input];
    dnnl_dims_t dims = {engine->pictures, 3, engine->height, engine->width};
    fsh_status status = fsh_steps_check(
        dnnl_memory_desc_init_by_tag(&value->desc, 4, dims, dnnl_f32, dnnl_abcd), "input", err);

    if (!status)
        status = fsh_steps_place(&engine->steps, &value->desc, &value->place, err);
    engine->input = value->place;
    value->given = !status;
    return status;
}

/* Outputs are read as plain rows, whatever layout the last step likes. */
static fsh_status
make_output(fsh_engine *engine, const fsh_value *value, output *out, fsh_err *err)
{
    static const dnnl_format_tag_t plain[] = {0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde};
    dnnl_memory_desc_t desc;
    fsh_status status;

    if (!value->given || value->desc.ndims < 1 || value->desc.ndims > 5)
        return fsh_fail(err, FSH_MODEL, "an output that no node gives");
    status =
        fsh_steps_check(dnnl_memory_desc_init_by_tag(&desc, value->desc.ndims, value->desc.dims,
                                                     dnnl_f32, plain[value->desc.ndims]),
                        "output", err);
    if (!status)
        status = fsh_steps_reorder(&engine->steps, value, &desc, &out->place, err);
    if (status)
        return status;
    out->n = dnnl_memory_desc_get_size(&desc) / sizeof(float);
    fsh_steps_keep(&engine->steps, out->place);
    return FSH_OK;
}

static fsh_status
make_steps(fsh_engine *engine, const fsh_graph *graph, fsh_err *err)
{
    fsh_status status = fsh_steps_init(&engine->steps, graph, err);
    uint32_t i;

    if (!status)
        status = make_input(engine, graph, err);
    if (!status)
        status = fsh_lower(&engine->steps, graph, err);
    for (i = 0; !status && i < graph->outputs_n; i++)
        status =
            make_output(engine, &engine->steps.values[graph->outputs[i]], &engine->outputs[i], err);
    engine->outputs_n = graph->outputs_n;
    return status ? status : fsh_steps_settle(&engine->steps, err);
}

static bool
ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return n >= k && !strcmp(text + n - k, end);
}

static fsh_status
read_graph(const fsh_card *card, fsh_graph *graph, fsh_err *err)
{
    uint8_t *bytes;
    size_t n;
    fsh_status status = fsh_file_read(card->file_path, FILE_BYTES_MAX, &bytes, &n, err);

    if (status)
        return status;
    status = ends_with(card->file_path, ".caffemodel") ? fsh_caffe_read(bytes, n, graph, err)
                                                       : fsh_onnx_read(bytes, n, graph, err);
    return status ? fsh_fail_within(err, status, "%s", card->file_path) : FSH_OK;
}

static fsh_status
build(fsh_engine *engine, const fsh_card *card, fsh_err *err)
{
    fsh_graph graph;
    fsh_status status = read_graph(card, &graph, err);

    if (status)
        return status;
    status = fsh_graph_choose(&graph, card->outputs, err);
    if (!status) {
        fsh_graph_prune(&graph);
        status = fsh_affine_fold(&graph, err);
    }
    if (!status)
        status = make_steps(engine, &graph, err);
    fsh_graph_fini(&graph);
    return status ? fsh_fail_within(err, status, "%s", card->file_path) : FSH_OK;
}

static void
set_card(fsh_engine *engine, const fsh_card *card)
{
    int plane, byte;

    strcpy(engine->file, card->file_path);
    engine->width = (int)card->width;
    engine->height = (int)card->height;
    if (card->precision == FSH_PRECISION_BF16)
        engine->steps.bf16_pixels = card->bf16_pixels ? card->bf16_pixels : INT64_MAX;
    for (plane = 0; plane < 3; plane++) {
        float mean = (float)fsh_card_channel(&card->mean, plane);
        float scale = (float)fsh_card_channel(&card->scale, plane);

        engine->channel[plane] = card->channels == 0 ? plane : 2 - plane;
        for (byte = 0; byte < 256; byte++)
            engine->value_of[plane][byte] = ((float)byte - mean) * scale;
    }
}

fsh_status
fsh_engine_open(const fsh_card *card, uint32_t pictures, fsh_engine **engine, fsh_err *err)
{
    fsh_engine *made = calloc(1, sizeof *made);
    int threads = one_thread();
    fsh_status status;

    if (!made) {
        status = fsh_fail(err, FSH_MEMORY, "no memory for a network");
    } else {
        made->pictures = pictures;
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
    if (!engine)
        return;
    fsh_steps_fini(&engine->steps);
    free(engine);
}

static void
fill(fsh_engine *engine, uint32_t number, const fsh_image *picture)
{
    size_t pixels = (size_t)engine->width * (size_t)engine->height, plane, i;

    for (plane = 0; plane < 3; plane++) {
        const uint8_t *from = picture->data + engine->channel[plane];
        float *to = fsh_steps_at(&engine->steps, engine->input) + (3 * number + plane) * pixels;

        for (i = 0; i < pixels; i++)
            to[i] = engine->value_of[plane][from[3 * i]];
    }
}

static fsh_status
check_pictures(const fsh_engine *engine, const fsh_image *const *pictures, uint32_t count,
               fsh_err *err)
{
    uint32_t i;

    if (count < 1 || count > engine->pictures)
        return fsh_fail(err, FSH_INTERNAL, "%u pictures at once", count);
    for (i = 0; i < count; i++)
        if (pictures[i]->width != engine->width || pictures[i]->height != engine->height ||
            pictures[i]->channels != 3)
            return fsh_fail(err, FSH_INTERNAL, "a picture of another size than the network's");
    return FSH_OK;
}

/* Places are lent anew in every run, so all pictures are filled: the last one where there are
 * fewer.
 */
fsh_status
fsh_engine_run(fsh_engine *engine, const fsh_image *const *pictures, uint32_t count,
               fsh_tensor *outputs, uint32_t n, fsh_err *err)
{
    int threads;
    uint32_t i;
    fsh_status status = check_pictures(engine, pictures, count, err);

    if (!status && n != engine->outputs_n)
        status = fsh_fail(err, FSH_MODEL, "%s: %u outputs instead of %u", engine->file,
                          engine->outputs_n, n);
    if (status)
        return status;
    threads = one_thread();
    for (i = 0; i < engine->pictures; i++)
        fill(engine, i, pictures[i < count ? i : count - 1]);
    status = fsh_steps_run(&engine->steps, err);
    omp_set_num_threads(threads);
    for (i = 0; i < n; i++)
        outputs[i] = (fsh_tensor){fsh_steps_at(&engine->steps, engine->outputs[i].place),
                                  engine->outputs[i].n / engine->pictures};
    return status ? fsh_fail_within(err, status, "%s", engine->file) : FSH_OK;
}

static const char *
name_of(dnnl_cpu_isa_t isa)
{
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } names[] = {{dnnl_cpu_isa_sse41, "SSE4.1"},
                 {dnnl_cpu_isa_avx, "AVX"},
                 {dnnl_cpu_isa_avx2, "AVX2"},
                 {dnnl_cpu_isa_avx2_vnni, "AVX2 with VNNI"},
                 {dnnl_cpu_isa_avx512_core, "AVX-512"},
                 {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
                 {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with BF16"},
                 {dnnl_cpu_isa_avx512_core_amx, "AVX-512 with AMX"}};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].isa == isa)
            return names[i].name;
    return "instructions that every processor has";
}

bool
fsh_engine_has_bf16(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa(), bf16 = dnnl_cpu_isa_avx512_core_bf16;

    return (isa & bf16) == bf16;
}

void
fsh_engine_about(char *text, size_t room)
{
    const dnnl_version_t *v = dnnl_version();

    snprintf(text, room, "oneDNN %d.%d.%d, %s, float32%s", v->major, v->minor, v->patch,
             name_of(dnnl_get_effective_cpu_isa()),
             fsh_engine_has_bf16() ? ", and bf16 where a card says so"
                                   : " (this processor has no bfloat16)");
}
