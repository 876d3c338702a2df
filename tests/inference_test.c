/* The backend onednn: ONNX files read strictly, and the same numbers as OpenCV from the same file.
 */
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "stages/inference/onnx.h"
#include "stages/models.h"
#include "stages/vision/decode.h"
#include "tests/network_testing.h"

/* ---- a writer of ONNX files ---- */

/* Numbers up to size; ones where it is negative. */
static void
put_constant(bytes *graph, const char *name, const int *dims, int rank, float size)
{
    static bytes tensor;
    static float data[4096];
    size_t n = 1, i;
    int k;

    tensor.n = 0;
    for (k = 0; k < rank; k++) {
        put_whole(&tensor, 1, (uint64_t)dims[k]);
        n *= (size_t)dims[k];
    }
    for (i = 0; i < n; i++)
        data[i] = size > 0 ? size * sinf((float)(i + 1) * 1.7f + (float)rank) : 1;
    put_whole(&tensor, 2, 1);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, data, n * sizeof *data);
    put_bytes(graph, 5, tensor.at, tensor.n);
}

static void
put_wholes(bytes *node, const char *name, const int *list, int n)
{
    bytes *a = calloc(1, sizeof *a);
    int i;

    put_text(a, 1, name);
    for (i = 0; i < n; i++)
        put_whole(a, n > 1 ? 8 : 3, (uint64_t)list[i]);
    put_whole(a, 20, n > 1 ? 7 : 2);
    put_bytes(node, 5, a->at, a->n);
    free(a);
}

static void
put_real(bytes *node, const char *name, float value)
{
    bytes *a = calloc(1, sizeof *a);

    put_text(a, 1, name);
    put_varint(a, 2 << 3 | 5);
    memcpy(a->at + a->n, &value, 4);
    a->n += 4;
    put_whole(a, 20, 1);
    put_bytes(node, 5, a->at, a->n);
    free(a);
}

/* inputs are separated by blanks. */
static void
start_node(bytes *node, const char *op, const char *inputs, const char *output)
{
    node->n = 0;
    while (*inputs) {
        size_t n = strcspn(inputs, " ");

        put_bytes(node, 1, inputs, n);
        inputs += n + (inputs[n] == ' ');
    }
    put_text(node, 2, output);
    put_text(node, 4, op);
}

static void
put_conv(bytes *graph, const char *inputs, const char *output, int kernel, int stride, int group)
{
    bytes *node = calloc(1, sizeof *node);
    int pad = kernel / 2;

    start_node(node, "Conv", inputs, output);
    put_wholes(node, "kernel_shape", (int[]){kernel, kernel}, 2);
    put_wholes(node, "strides", (int[]){stride, stride}, 2);
    put_wholes(node, "pads", (int[]){pad, pad, pad, pad}, 4);
    put_wholes(node, "group", &group, 1);
    put_bytes(graph, 1, node->at, node->n);
    free(node);
}

static void
put_simple(bytes *graph, const char *op, const char *inputs, const char *output)
{
    bytes *node = calloc(1, sizeof *node);

    start_node(node, op, inputs, output);
    if (!strcmp(op, "Clip")) {
        put_real(node, "min", 0);
        put_real(node, "max", 0.5f);
    }
    if (!strcmp(op, "Flatten") || !strcmp(op, "Concat"))
        put_wholes(node, "axis", (int[]){1}, 1);
    if (!strcmp(op, "Gemm"))
        put_wholes(node, "transB", (int[]){1}, 1);
    put_bytes(graph, 1, node->at, node->n);
    free(node);
}

static void
put_value(bytes *graph, unsigned field, const char *name, const int *dims, int rank)
{
    bytes b[4] = {{.n = 0}};
    int i;

    for (i = 0; i < rank; i++) {
        b[0].n = 0;
        put_whole(&b[0], 1, (uint64_t)dims[i]);
        put_bytes(&b[1], 1, b[0].at, b[0].n);
    }
    put_whole(&b[2], 1, 1);
    put_bytes(&b[2], 2, b[1].at, b[1].n);
    b[0].n = 0;
    put_bytes(&b[0], 1, b[2].at, b[2].n);
    put_text(&b[3], 1, name);
    put_bytes(&b[3], 2, b[0].at, b[0].n);
    put_bytes(graph, field, b[3].at, b[3].n);
}

static void
put_pool(bytes *graph, const char *input, const char *output)
{
    bytes *node = calloc(1, sizeof *node);

    start_node(node, "MaxPool", input, output);
    put_wholes(node, "kernel_shape", (int[]){2, 2}, 2);
    put_wholes(node, "strides", (int[]){2, 2}, 2);
    put_bytes(graph, 1, node->at, node->n);
    free(node);
}

static void
end_network(bytes *graph, int outputs, bytes *out)
{
    bytes *opset = calloc(1, sizeof *opset);

    put_value(graph, 11, "x", (int[]){1, 3, 32, 32}, 4);
    put_value(graph, 12, "y", (int[]){1, outputs}, 2);
    out->n = 0;
    put_whole(out, 1, 5);
    put_text(opset, 1, "");
    put_whole(opset, 2, 9);
    put_bytes(out, 8, opset->at, opset->n);
    put_bytes(out, 7, graph->at, graph->n);
    free(graph);
    free(opset);
}

/* Activations and sums, a convolution that is large enough for Winograd's kernel, and last in the
 * place of the last activation. */
static void
make_network(bytes *out, const char *last)
{
    bytes *g = calloc(1, sizeof *g);

    put_text(g, 2, "made");
    put_conv(g, "x w1 b1", "a", 3, 2, 1);
    put_simple(g, "PRelu", "a slope", "b");
    put_conv(g, "b w5 b2", "k", 3, 1, 1);
    put_simple(g, "Relu", "k", "r");
    put_pool(g, "r", "p");
    put_conv(g, "p w2 b2", "c", 3, 1, 8);
    put_simple(g, "Relu", "c", "d");
    put_conv(g, "d w3", "e", 1, 1, 1);
    put_simple(g, "Add", "p e", "f");
    put_simple(g, "Clip", "f", "h");
    put_simple(g, "Flatten", "h", "i");
    put_simple(g, "Gemm", "i w4 b4", "j");
    put_simple(g, last, "j", "y");
    put_constant(g, "w1", (int[]){8, 3, 3, 3}, 4, 0.4f);
    put_constant(g, "b1", (int[]){8}, 1, 0.2f);
    put_constant(g, "slope", (int[]){8, 1, 1}, 3, 0.3f);
    put_constant(g, "w2", (int[]){8, 1, 3, 3}, 4, 0.5f);
    put_constant(g, "b2", (int[]){8}, 1, 0.1f);
    put_constant(g, "w3", (int[]){8, 8, 1, 1}, 4, 0.5f);
    put_constant(g, "w5", (int[]){8, 8, 3, 3}, 4, 0.3f);
    put_constant(g, "w4", (int[]){5, 512}, 2, 0.1f);
    put_constant(g, "b4", (int[]){5}, 1, 1);
    end_network(g, 5, out);
}

/* What Inception and ResNet have besides: normalisation, also where no convolution is before it,
 * a residual that is scaled, tensors put together, a mean over the picture. */
static void
make_residual_network(bytes *out)
{
    bytes *g = calloc(1, sizeof *g);

    put_text(g, 2, "residual");
    put_conv(g, "x w1 b1", "a", 3, 2, 1);
    put_simple(g, "BatchNormalization", "a gain shift mean variance", "b");
    put_simple(g, "Relu", "b", "c");
    put_conv(g, "c w2", "d", 1, 1, 1);
    put_simple(g, "Mul", "d scale", "e");
    put_simple(g, "Add", "e c", "f");
    put_simple(g, "Relu", "f", "h");
    put_simple(g, "BatchNormalization", "h gain shift mean variance", "i");
    put_simple(g, "Concat", "i c", "j");
    put_simple(g, "Dropout", "j", "k");
    put_simple(g, "GlobalAveragePool", "k", "l");
    put_simple(g, "Flatten", "l", "m");
    put_simple(g, "Gemm", "m w3 b3", "y");
    put_constant(g, "w1", (int[]){8, 3, 3, 3}, 4, 0.4f);
    put_constant(g, "b1", (int[]){8}, 1, 0.2f);
    put_constant(g, "gain", (int[]){8}, 1, 1.5f);
    put_constant(g, "shift", (int[]){8}, 1, 0.3f);
    put_constant(g, "mean", (int[]){8}, 1, 0.4f);
    put_constant(g, "variance", (int[]){8}, 1, -1);
    put_constant(g, "w2", (int[]){8, 8, 1, 1}, 4, 0.5f);
    put_constant(g, "scale", (int[]){1}, 1, 0.17f);
    put_constant(g, "w3", (int[]){5, 16}, 2, 0.3f);
    put_constant(g, "b3", (int[]){5}, 1, 1);
    end_network(g, 5, out);
}

/* ---- tests ---- */

static fsh_status
read_copy(const uint8_t *at, size_t n, fsh_err *err)
{
    uint8_t *copy = malloc(n + 1);
    fsh_graph model;
    fsh_status status;

    memcpy(copy, at, n);
    status = fsh_onnx_read(copy, n, &model, err);
    if (!status)
        fsh_graph_fini(&model);
    return status;
}

static void
a_file_that_ends_early_is_refused_wherever_it_ends(void **state)
{
    static bytes file;
    fsh_err err = {""};
    size_t n;

    (void)state;
    make_network(&file, "Sigmoid");
    assert_ok(read_copy(file.at, file.n, &err), err);
    for (n = 0; n < file.n; n++)
        assert_int_equal(read_copy(file.at, n, &err), FSH_MODEL);
}

static void
a_damaged_byte_is_refused_or_read_and_harms_nothing(void **state)
{
    static bytes file;
    fsh_err err = {""};
    uint32_t refused = 0;
    size_t i;

    (void)state;
    make_network(&file, "Sigmoid");
    for (i = 0; i < file.n; i++) {
        file.at[i] ^= 0xff;
        refused += read_copy(file.at, file.n, &err) == FSH_MODEL;
        file.at[i] ^= 0xff;
    }
    assert_true(refused > 100);
}

static void
overlong_numbers_and_unknown_kinds_are_damage(void **state)
{
    static const uint8_t overlong[] = {8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
    static const uint8_t unknown[] = {8, 1, 11, 0}, zero[] = {0, 1}, cut[] = {10, 5, 1};
    static const struct {
        const uint8_t *at;
        size_t n;
    } wires[] = {{overlong, sizeof overlong},
                 {unknown, sizeof unknown},
                 {zero, sizeof zero},
                 {cut, sizeof cut}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof wires / sizeof *wires; i++) {
        fsh_wire wire = {wires[i].at, wires[i].at + wires[i].n, false};
        fsh_wire_field field;

        while (fsh_wire_next(&wire, &field))
            assert_int_equal(field.number, 1);
        assert_true(wire.damaged);
    }
}

static void
an_operator_outside_the_list_is_refused_by_name(void **state)
{
    static bytes file;
    fsh_err err = {""};

    (void)state;
    make_network(&file, "Softsign");
    assert_int_equal(read_copy(file.at, file.n, &err), FSH_MODEL);
    assert_text_has(err.text, "'Softsign'");
}

/* A card of the made networks; its file lies in folder. */
static fsh_card *
make_card(const bytes *file, const char *folder)
{
    fsh_card *card = calloc(1, sizeof *card);
    fsh_err err = {""};

    assert_ok(fsh_path_join(card->file_path, folder, "made.onnx", &err), err);
    assert_ok(fsh_file_write(card->file_path, file->at, file->n, &err), err);
    strcpy(card->name, "made");
    card->width = card->height = 32;
    card->mean = (fsh_reals){.at = {100, 110, 120}, .n = 3};
    card->scale = (fsh_reals){.at = {0.01}, .n = 1};
    card->channels = 1;
    return card;
}

static void
assert_made_alike(const bytes *file)
{
    char *folder = fsh_test_folder();
    fsh_card *card = make_card(file, folder);

    assert_alike(card, 1);
    fsh_test_remove(folder);
    free(card);
}

/* The last of count pictures; the others are the other one. */
static void
run_last(fsh_net *net, const fsh_image *picture, const fsh_image *other, uint32_t count,
         float out[5])
{
    const fsh_image *pictures[4] = {other, other, other, other};
    fsh_tensor tensor;
    fsh_err err = {""};

    pictures[count - 1] = picture;
    assert_ok(fsh_net_run_several(net, pictures, count, &tensor, 1, &err), err);
    assert_int_equal(tensor.n, 5);
    memcpy(out, tensor.data + 5 * (count - 1), 5 * sizeof *out);
}

static void
several_pictures_at_once_do_not_know_of_each_other(void **state)
{
    static const int backends[] = {FSH_BACKEND_OPENCV, FSH_BACKEND_ONEDNN};
    static bytes file;
    char *folder = fsh_test_folder();
    float alone[5], first[5], last[5];
    fsh_image pictures[2];
    fsh_card *card;
    fsh_err err = {""};
    fsh_net *net;
    size_t i, k;

    (void)state;
    make_residual_network(&file);
    card = make_card(&file, folder);
    fsh_test_paint(&pictures[0], 32, 3);
    fsh_test_paint(&pictures[1], 32, 4);
    for (i = 0; i < 2; i++) {
        card->backend = backends[i];
        assert_ok(fsh_net_open(card, &net, &err), err);
        run_last(net, &pictures[0], &pictures[1], 1, alone);
        fsh_net_close(net);
        assert_ok(fsh_net_open_several(card, 4, &net, &err), err);
        run_last(net, &pictures[0], &pictures[1], 1, first);
        run_last(net, &pictures[0], &pictures[1], 3, last);
        fsh_net_close(net);
        for (k = 0; k < 5; k++)
            assert_true(fabsf(alone[k] - last[k]) <= 1e-5f * fmaxf(1, fabsf(alone[k])));
        assert_memory_equal(first, last, sizeof first);
    }
    fsh_image_fini(&pictures[0]);
    fsh_image_fini(&pictures[1]);
    fsh_test_remove(folder);
    free(card);
}

static void
made_networks_give_what_opencv_gives_whatever_the_threads(void **state)
{
    static bytes file;

    (void)state;
    make_network(&file, "Sigmoid");
    assert_made_alike(&file);
    make_residual_network(&file);
    assert_made_alike(&file);
}

static void
load_with_backend(const char *folder, const char *backend, fsh_card *card)
{
    fsh_models models = {.search = ""};
    char path[FSH_PATH_BYTES], text[256];
    fsh_err err = {""};

    snprintf(text, sizeof text, "name: made\nfile: made.onnx\nwidth: 32\nheight: 32\n%s", backend);
    assert_ok(fsh_path_join(path, folder, "card.yaml", &err), err);
    assert_ok(fsh_file_write(path, text, strlen(text), &err), err);
    assert_ok(fsh_card_load(&models, path, FSH_TASK_EMBED, card, &err), err);
}

static void
what_onednn_can_run_is_run_by_it_unless_the_card_says_otherwise(void **state)
{
    static bytes file;
    char *folder = fsh_test_folder();
    fsh_card *open = calloc(1, sizeof *open), *named = calloc(1, sizeof *named);

    (void)state;
    make_network(&file, "Sigmoid");
    free(make_card(&file, folder));
    load_with_backend(folder, "", open);
    assert_int_equal(open->backend, FSH_BACKEND_ONEDNN);
    load_with_backend(folder, "backend: onednn\n", named);
    assert_memory_equal(&open->file_hash, &named->file_hash, sizeof open->file_hash);
    load_with_backend(folder, "backend: opencv\n", named);
    assert_memory_not_equal(&open->file_hash, &named->file_hash, sizeof open->file_hash);
    make_network(&file, "Softsign");
    free(make_card(&file, folder));
    load_with_backend(folder, "", open);
    assert_int_equal(open->backend, FSH_BACKEND_OPENCV);
    fsh_test_remove(folder);
    free(open);
    free(named);
}

/* The five outputs of the made network, by a card with these lines. */
static void
run_lines(const char *folder, const char *lines, fsh_card *card, float out[5])
{
    fsh_image picture;
    fsh_err err = {""};
    fsh_net *net;

    load_with_backend(folder, lines, card);
    fsh_test_paint(&picture, 32, 3);
    assert_ok(fsh_net_open(card, &net, &err), err);
    run_last(net, &picture, &picture, 1, out);
    fsh_net_close(net);
    fsh_image_fini(&picture);
}

static void
bf16_is_near_float32_and_another_model_to_the_hash(void **state)
{
    static bytes file;
    char *folder = fsh_test_folder();
    fsh_card *card = calloc(1, sizeof *card), *bf16 = calloc(1, sizeof *bf16);
    float exact[5], near[5], some[5];
    size_t i;

    (void)state;
    make_residual_network(&file);
    free(make_card(&file, folder));
    if (!fsh_net_has_bf16())
        print_message("skipped: this processor has no bfloat16; that it is refused is tested\n");
    run_lines(folder, "scale: 0.01\n", card, exact);
    if (fsh_net_has_bf16()) {
        run_lines(folder, "scale: 0.01\nprecision: bf16\n", bf16, some);
        assert_memory_not_equal(&card->file_hash, &bf16->file_hash, sizeof card->file_hash);
        run_lines(folder, "scale: 0.01\nprecision: bf16\nbf16_pixels: 0\n", bf16, near);
        assert_memory_not_equal(exact, some, sizeof exact);
        assert_memory_not_equal(some, near, sizeof near);
        for (i = 0; i < 5; i++)
            assert_true(fabsf(exact[i] - near[i]) <= 0.02f * fmaxf(1, fabsf(exact[i])));
    }
    fsh_test_remove(folder);
    free(card);
    free(bf16);
}

static fsh_status
load_bf16(const char *folder, const char *backend, fsh_err *err)
{
    static fsh_card card;
    fsh_models models = {.search = ""};
    char path[FSH_PATH_BYTES], text[256];

    snprintf(text, sizeof text,
             "name: made\nfile: made.onnx\nwidth: 32\nheight: 32\nprecision: bf16\n%s", backend);
    assert_ok(fsh_path_join(path, folder, "card.yaml", err), *err);
    assert_ok(fsh_file_write(path, text, strlen(text), err), *err);
    return fsh_card_load(&models, path, FSH_TASK_EMBED, &card, err);
}

/* In a child, for oneDNN asks the processor, and this variable, only once: before all other tests.
 */
static void
bf16_is_refused_where_it_cannot_be_had(void **state)
{
    static bytes file;
    char *folder = fsh_test_folder();
    fsh_err err = {""};
    int ended = -1;
    pid_t child;

    (void)state;
    make_network(&file, "Sigmoid");
    free(make_card(&file, folder));
    child = fork();
    if (child == 0) {
        setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
        _exit(load_bf16(folder, "", &err) == FSH_MODEL && strstr(err.text, "precision: float32")
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_int_equal(load_bf16(folder, "backend: opencv\n", &err), FSH_MODEL);
    assert_text_has(err.text, "precision: float32");
    fsh_test_remove(folder);
}

static void
trained_networks_give_what_opencv_gives_whatever_the_threads(void **state)
{
    static const struct {
        const char *name;
        fsh_model_task task;
        uint32_t outputs;
    } cards[] = {{"mobilefacenet_y1", FSH_TASK_EMBED, 1},
                 {"mobilefacenet_xiaoccer", FSH_TASK_EMBED, 1},
                 {"mobilefacenet_foamliu", FSH_TASK_EMBED, 1},
                 {"mobilefacenet_caffe", FSH_TASK_EMBED, 1},
                 {"ssd", FSH_TASK_DETECT, 2},
                 {"yunet", FSH_TASK_DETECT, 12}};
    fsh_card *card = calloc(1, sizeof *card);
    fsh_models models = {.search = ""};
    uint32_t done = 0;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cards / sizeof *cards; i++) {
        fsh_err err = {""};

        if (fsh_card_load(&models, cards[i].name, cards[i].task, card, &err)) {
            print_message("skipped: the file of %s is not here\n", cards[i].name);
            continue;
        }
        assert_alike(card, cards[i].outputs);
        done++;
    }
    free(card);
    if (!done)
        skip();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_is_refused_where_it_cannot_be_had),
        cmocka_unit_test(a_file_that_ends_early_is_refused_wherever_it_ends),
        cmocka_unit_test(a_damaged_byte_is_refused_or_read_and_harms_nothing),
        cmocka_unit_test(overlong_numbers_and_unknown_kinds_are_damage),
        cmocka_unit_test(an_operator_outside_the_list_is_refused_by_name),
        cmocka_unit_test(made_networks_give_what_opencv_gives_whatever_the_threads),
        cmocka_unit_test(several_pictures_at_once_do_not_know_of_each_other),
        cmocka_unit_test(what_onednn_can_run_is_run_by_it_unless_the_card_says_otherwise),
        cmocka_unit_test(bf16_is_near_float32_and_another_model_to_the_hash),
        cmocka_unit_test(trained_networks_give_what_opencv_gives_whatever_the_threads),
    };

    fsh_vision_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
