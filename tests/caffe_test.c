/* Caffe files read strictly, and the same numbers as OpenCV from the same file. */
#include <stdarg.h>

#include "base/files.h"
#include "stages/inference/caffe.h"
#include "stages/vision/decode.h"
#include "tests/network_testing.h"

/* ---- a writer of Caffe files ---- */

/* The network in both forms: OpenCV reads the text, onednn does not. */
typedef struct made {
    bytes file;
    char text[16384];
    bytes layer, settings; /* of the layer that is being written */
    char about[2048];
} made;

static void
add_text(char *text, size_t room, const char *format, ...)
{
    va_list list;
    size_t n = strlen(text);

    va_start(list, format);
    vsnprintf(text + n, room - n, format, list);
    va_end(list);
}

/* bottoms and tops are separated by blanks. */
static void
put_names(made *m, unsigned field, const char *what, const char *names)
{
    while (*names) {
        size_t n = strcspn(names, " ");

        put_bytes(&m->layer, field, names, n);
        add_text(m->text, sizeof m->text, " %s: \"%.*s\"", what, (int)n, names);
        names += n + (names[n] == ' ');
    }
}

static void
start_layer(made *m, const char *name, const char *type, const char *bottoms, const char *tops)
{
    m->layer.n = m->settings.n = 0;
    m->about[0] = '\0';
    add_text(m->text, sizeof m->text, "layer { name: \"%s\" type: \"%s\"", name, type);
    put_text(&m->layer, 1, name);
    put_text(&m->layer, 2, type);
    put_names(m, 3, "bottom", bottoms);
    put_names(m, 4, "top", tops);
}

static void
set_whole(made *m, const char *name, unsigned field, int64_t value)
{
    put_whole(&m->settings, field, (uint64_t)value);
    add_text(m->about, sizeof m->about, " %s: %d", name, (int)value);
}

static void
set_shape(made *m, const int *dims, int n)
{
    bytes *packed = calloc(1, sizeof *packed), *shape = calloc(1, sizeof *shape);
    int i;

    add_text(m->about, sizeof m->about, " shape {");
    for (i = 0; i < n; i++) {
        put_varint(packed, (uint64_t)(int64_t)dims[i]);
        add_text(m->about, sizeof m->about, " dim: %d", dims[i]);
    }
    add_text(m->about, sizeof m->about, " }");
    put_bytes(shape, 1, packed->at, packed->n);
    put_bytes(&m->settings, 1, shape->at, shape->n);
    free(packed);
    free(shape);
}

static void
put_shape(bytes *blob, const int *dims, int rank)
{
    bytes packed = {.n = 0}, shape = {.n = 0};
    int i;

    for (i = 0; i < rank; i++)
        put_varint(&packed, (uint64_t)dims[i]);
    put_bytes(&shape, 1, packed.at, packed.n);
    put_bytes(blob, 7, shape.at, shape.n);
}

/* Numbers around middle. */
static void
put_blob(made *m, const int *dims, int rank, float middle, float size)
{
    bytes *blob = calloc(1, sizeof *blob), *data = calloc(1, sizeof *data);
    int n = 1, i;

    for (i = 0; i < rank; i++)
        n *= dims[i];
    for (i = 0; i < n; i++) {
        float value = middle + size * sinf((float)(i + 1) * 1.3f + (float)rank);

        memcpy(data->at + data->n, &value, sizeof value);
        data->n += sizeof value;
    }
    put_shape(blob, dims, rank);
    put_bytes(blob, 5, data->at, data->n);
    put_bytes(&m->layer, 7, blob->at, blob->n);
    free(blob);
    free(data);
}

static void
end_layer(made *m, const char *settings, unsigned field)
{
    if (settings)
        put_bytes(&m->layer, field, m->settings.at, m->settings.n);
    if (settings)
        add_text(m->text, sizeof m->text, " %s {%s }", settings, m->about);
    add_text(m->text, sizeof m->text, " }\n");
    put_bytes(&m->file, 100, m->layer.at, m->layer.n);
}

static void
put_plain(made *m, const char *name, const char *type, const char *bottoms, const char *tops)
{
    start_layer(m, name, type, bottoms, tops);
    end_layer(m, NULL, 0);
}

static void
put_conv(made *m, const char *name, const char *bottom, int outputs, int inputs, int kernel,
         bool bias)
{
    int groups = inputs == 1 ? outputs : 1;

    start_layer(m, name, "Convolution", bottom, name);
    put_blob(m, (int[]){outputs, inputs, kernel, kernel}, 4, 0, 0.4f);
    if (bias)
        put_blob(m, &outputs, 1, 0, 0.2f);
    set_whole(m, "num_output", 1, outputs);
    set_whole(m, "bias_term", 2, bias);
    set_whole(m, "pad", 3, kernel / 2);
    set_whole(m, "kernel_size", 4, kernel);
    set_whole(m, "group", 5, groups);
    end_layer(m, "convolution_param", 106);
}

static void
put_pool(made *m, const char *name, const char *bottom, int kind, int kernel, int pad)
{
    start_layer(m, name, "Pooling", bottom, name);
    put_whole(&m->settings, 1, (uint64_t)kind);
    add_text(m->about, sizeof m->about, " pool: %s", kind ? "AVE" : "MAX");
    set_whole(m, "kernel_size", 2, kernel);
    set_whole(m, "stride", 3, 2);
    set_whole(m, "pad", 4, pad);
    end_layer(m, "pooling_param", 121);
}

static void
put_normalised(made *m, const char *top)
{
    start_layer(m, "norm", "BatchNorm", top, top);
    put_blob(m, (int[]){8}, 1, 0.1f, 0.1f);
    put_blob(m, (int[]){8}, 1, 2, 0.5f);
    put_blob(m, (int[]){1}, 1, 2, 0);
    end_layer(m, NULL, 0);
    start_layer(m, "scale", "Scale", top, top);
    put_blob(m, (int[]){8}, 1, 1, 0.5f);
    put_blob(m, (int[]){8}, 1, 0, 0.3f);
    set_whole(m, "bias_term", 4, 1);
    end_layer(m, "scale_param", 142);
}

static void
put_head(made *m)
{
    start_layer(m, "both", "Concat", "pool2 conv2", "both");
    set_whole(m, "axis", 2, 1);
    end_layer(m, "concat_param", 104);
    start_layer(m, "turned", "Permute", "both", "turned");
    set_whole(m, "order", 1, 0);
    set_whole(m, "order", 1, 2);
    set_whole(m, "order", 1, 3);
    set_whole(m, "order", 1, 1);
    end_layer(m, "permute_param", 202);
    start_layer(m, "rows", "Reshape", "turned", "rows");
    set_shape(m, (int[]){0, -1, 4}, 3);
    end_layer(m, "reshape_param", 133);
    start_layer(m, "soft", "Softmax", "rows", "soft");
    set_whole(m, "axis", 2, 2);
    end_layer(m, "softmax_param", 125);
    put_plain(m, "flat", "Flatten", "both", "flat");
    start_layer(m, "inner", "InnerProduct", "flat", "inner");
    put_blob(m, (int[]){5, 108}, 2, 0, 0.1f);
    set_whole(m, "num_output", 1, 5);
    set_whole(m, "bias_term", 2, 0);
    end_layer(m, "inner_product_param", 117);
}

/* Every type of layer of ops.def but DepthwiseConvolution, which OpenCV does not know. */
static void
make_network(made *m)
{
    memset(m, 0, sizeof *m);
    start_layer(m, "input", "Input", "", "data");
    set_shape(m, (int[]){1, 3, 9, 9}, 4);
    end_layer(m, "input_param", 143);
    put_conv(m, "conv1", "data", 8, 3, 3, false);
    put_normalised(m, "conv1");
    put_plain(m, "relu", "ReLU", "conv1", "conv1");
    put_pool(m, "pool1", "conv1", 0, 2, 0);
    put_plain(m, "split", "Split", "pool1", "pool1a pool1b");
    put_conv(m, "deep", "pool1a", 8, 1, 3, true);
    start_layer(m, "prelu", "PReLU", "deep", "deep");
    put_blob(m, (int[]){8}, 1, 0.2f, 0.1f);
    end_layer(m, NULL, 0);
    put_plain(m, "sum", "Eltwise", "pool1b deep", "sum");
    put_plain(m, "drop", "Dropout", "sum", "sum");
    put_pool(m, "pool2", "sum", 1, 3, 1);
    put_conv(m, "conv2", "pool2", 4, 8, 1, true);
    put_plain(m, "sigmoid", "Sigmoid", "conv2", "conv2");
    put_head(m);
}

/* ---- tests ---- */

static fsh_status
read_copy(const uint8_t *at, size_t n, fsh_graph *graph, fsh_err *err)
{
    uint8_t *copy = malloc(n + 1);

    memcpy(copy, at, n);
    return fsh_caffe_read(copy, n, graph, err);
}

static void
a_made_network_gives_what_opencv_gives_whatever_the_threads(void **state)
{
    made *m = malloc(sizeof *m);
    fsh_card *card = calloc(1, sizeof *card);
    fsh_err err = {""};
    char *folder = fsh_test_folder();

    (void)state;
    make_network(m);
    assert_ok(fsh_path_join(card->file_path, folder, "made.caffemodel", &err), err);
    assert_ok(fsh_path_join(card->config_path, folder, "made.prototxt", &err), err);
    assert_ok(fsh_file_write(card->file_path, m->file.at, m->file.n, &err), err);
    assert_ok(fsh_file_write(card->config_path, m->text, strlen(m->text), &err), err);
    strcpy(card->name, "made");
    strcpy(card->outputs, "soft,inner");
    card->width = card->height = 9;
    card->mean = (fsh_reals){.at = {100}, .n = 1};
    card->scale = (fsh_reals){.at = {0.01}, .n = 1};
    assert_alike(card, 2);
    fsh_test_remove(folder);
    free(card);
    free(m);
}

/* A file that ends between two layers is a shorter network: the card's output is not in it. */
static void
a_file_that_ends_early_is_refused_or_lacks_its_output(void **state)
{
    made *m = malloc(sizeof *m);
    fsh_graph graph;
    fsh_err err = {""};
    uint32_t shorter = 0;
    size_t n;

    (void)state;
    make_network(m);
    for (n = 0; n < m->file.n; n++)
        if (!read_copy(m->file.at, n, &graph, &err)) {
            shorter++;
            assert_int_equal(fsh_graph_choose(&graph, "inner", &err), FSH_MODEL);
            assert_text_has(err.text, "'inner'");
            fsh_graph_fini(&graph);
        }
    assert_true(shorter > 10 && shorter < 25);
    free(m);
}

static void
a_damaged_byte_is_refused_or_read_and_harms_nothing(void **state)
{
    made *m = malloc(sizeof *m);
    fsh_graph graph;
    fsh_err err = {""};
    uint32_t refused = 0;
    size_t i;

    (void)state;
    make_network(m);
    for (i = 0; i < m->file.n; i++) {
        m->file.at[i] ^= 0xff;
        if (read_copy(m->file.at, m->file.n, &graph, &err))
            refused++;
        else
            fsh_graph_fini(&graph);
        m->file.at[i] ^= 0xff;
    }
    assert_true(refused > 100);
    free(m);
}

static void
assert_refused(made *m, const char *what)
{
    fsh_graph graph;
    fsh_err err = {""};

    assert_int_equal(read_copy(m->file.at, m->file.n, &graph, &err), FSH_MODEL);
    assert_text_has(err.text, what);
}

static void
what_is_not_run_is_refused_by_name(void **state)
{
    made *m = malloc(sizeof *m);

    (void)state;
    make_network(m);
    put_plain(m, "odd", "LRN", "inner", "odd");
    assert_refused(m, "'LRN'");
    make_network(m);
    start_layer(m, "odd", "ReLU", "inner", "odd");
    set_whole(m, "other", 9, 1);
    end_layer(m, "relu_param", 123);
    assert_refused(m, "setting 9");
    make_network(m);
    start_layer(m, "odd", "Eltwise", "inner flat", "odd");
    set_whole(m, "operation", 1, 2);
    end_layer(m, "eltwise_param", 110);
    assert_refused(m, "Eltwise");
    make_network(m);
    put_plain(m, "odd", "Sigmoid", "nobody", "odd");
    assert_refused(m, "'odd'");
    free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_network_gives_what_opencv_gives_whatever_the_threads),
        cmocka_unit_test(a_file_that_ends_early_is_refused_or_lacks_its_output),
        cmocka_unit_test(a_damaged_byte_is_refused_or_read_and_harms_nothing),
        cmocka_unit_test(what_is_not_run_is_refused_by_name),
    };

    fsh_vision_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
