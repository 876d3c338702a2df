/* What is put on a photograph is compressed as the photograph was; libjpeg, at full resolution of
 * colour, says what that is. */
#include "stages/press.h"
#include "tests/testing.h"

enum { SIZE = 61 /* no whole blocks */, BLOCK = 8 };

static const fsh_affine same_scale = {{1, 0, 3, 0, 1, -5}};

/* Slopes, an edge and noise, in colours. (Without noise coefficients lie half way between steps.)
 */
static fsh_image
painted(int32_t size)
{
    static const int32_t slopes[3][3] = {{40, 1, 1}, {90, -1, 1}, {60, 1, 0}};
    uint32_t bits = 1;
    fsh_image image;
    int32_t x, y, c;

    assert_int_equal(fsh_image_init(&image, size, size, 3), FSH_OK);
    for (y = 0; y < size; y++)
        for (x = 0; x < size; x++)
            for (c = 0; c < 3; c++) {
                int32_t even = slopes[c][0] + slopes[c][1] * x + slopes[c][2] * y;

                bits = bits * 1664525u + 1013904223u;
                fsh_image_at(&image, x, y)[c] =
                    (uint8_t)(even + (x > y && c != 1 ? 40 : 0) + (int32_t)(bits >> 27));
            }
    return image;
}

/* The picture as a JPEG, and how that was compressed. */
static fsh_jpeg_tables
tables_of(const fsh_image *image, int quality, fsh_image *decoded)
{
    fsh_jpeg_tables tables;
    fsh_reason reason;
    fsh_err err = {""};
    uint8_t *data;
    size_t bytes;

    assert_ok(fsh_encode_jpeg(image, quality, &data, &bytes, &err), err);
    assert_true(fsh_jpeg_tables_read(data, bytes, &tables));
    if (decoded)
        assert_ok(fsh_decode(data, bytes, 1 << 20, decoded, &reason, &err), err);
    free(data);
    return tables;
}

/* A layer that shows something in a box. */
static fsh_layer
layer_with(int32_t size, fsh_box box)
{
    fsh_layer layer;
    int32_t x, y;

    assert_int_equal(fsh_layer_init(&layer, size), FSH_OK);
    box = fsh_layer_touch(&layer, &box);
    for (y = box.y; y < box.y + box.height; y++)
        for (x = box.x; x < box.x + box.width; x++)
            fsh_image_at(&layer.colour, x, y)[3] = 1;
    return layer;
}

static double
mean_difference(const fsh_image *a, const fsh_image *b)
{
    size_t n = fsh_image_bytes(a), i;
    double sum = 0;

    for (i = 0; i < n; i++)
        sum += abs(a->data[i] - b->data[i]);
    return sum / (double)n;
}

static void
tables_are_those_of_the_file(void **state)
{
    fsh_image image = painted(SIZE);
    fsh_jpeg_tables fine = tables_of(&image, 90, NULL), coarse = tables_of(&image, 50, NULL);

    (void)state;
    /* Annex K of T.81 at quality 50, and a fifth of it at 90. */
    assert_int_equal(coarse.light[0], 16);
    assert_int_equal(coarse.light[1], 11);
    assert_int_equal(coarse.light[BLOCK], 12);
    assert_int_equal(coarse.light[63], 99);
    assert_int_equal(coarse.colour[0], 17);
    assert_int_equal(coarse.across, 2);
    assert_int_equal(coarse.down, 2);
    assert_int_equal(fine.light[0], 3);
    assert_int_equal(fine.across, 1);
    fsh_image_fini(&image);
}

static void
files_that_are_cut_off_or_damaged_have_no_tables(void **state)
{
    fsh_image image = painted(SIZE);
    fsh_jpeg_tables tables;
    fsh_err err = {""};
    uint8_t *data;
    size_t bytes, n;

    (void)state;
    assert_ok(fsh_encode_jpeg(&image, 75, &data, &bytes, &err), err);
    for (n = 0; n < 300; n++)
        assert_false(fsh_jpeg_tables_read(data, n, &tables));
    data[25] = 0; /* a step of the first table */
    assert_false(fsh_jpeg_tables_read(data, bytes, &tables));
    free(data);
    assert_ok(fsh_encode_png(&image, &data, &bytes, &err), err);
    assert_false(fsh_jpeg_tables_read(data, bytes, &tables));
    free(data);
    fsh_image_fini(&image);
}

/* How far what we make is from what libjpeg makes, in shares of how far that is from the picture.
 */
static double
share_of_libjpeg(fsh_image *image, int quality)
{
    fsh_image decoded = {0}, before;
    fsh_jpeg_tables tables = tables_of(image, quality, &decoded);
    fsh_layer layer = layer_with(SIZE, (fsh_box){0, 0, SIZE, SIZE});
    fsh_press press;
    double share;

    assert_int_equal(fsh_image_init(&before, SIZE, SIZE, 3), FSH_OK);
    memcpy(before.data, image->data, fsh_image_bytes(image));
    fsh_press_make(&tables, &same_scale, &press);
    fsh_press_layer(&press, 1, &layer, image);
    share = mean_difference(image, &decoded) / mean_difference(&before, &decoded);
    fsh_layer_fini(&layer);
    fsh_image_fini(&before);
    fsh_image_fini(&decoded);
    return share;
}

static void
a_picture_at_the_scale_of_its_photograph_becomes_what_libjpeg_makes_of_it(void **state)
{
    fsh_image image = painted(SIZE), grey = painted(SIZE);
    size_t i;

    (void)state;
    for (i = 0; i < fsh_image_bytes(&grey); i++)
        grey.data[i] = grey.data[i - i % 3];
    assert_true(share_of_libjpeg(&grey, 50) < 0.15);
    /* libjpeg rounds brightness and colours before it goes on, which tips small steps over. */
    assert_true(share_of_libjpeg(&image, 90) < 0.45);
    fsh_image_fini(&grey);
    fsh_image_fini(&image);
}

static void
only_blocks_in_which_the_layer_shows_something_change(void **state)
{
    fsh_image image = painted(SIZE), before = painted(SIZE);
    fsh_jpeg_tables tables = tables_of(&image, 30, NULL);
    fsh_layer layer = layer_with(SIZE, (fsh_box){18, 30, 13, 2});
    fsh_press press;
    int32_t x, y, changed = 0;

    (void)state;
    fsh_press_make(&tables, &same_scale, &press);
    fsh_press_layer(&press, 0, &layer, &image);
    assert_memory_equal(image.data, before.data, fsh_image_bytes(&image));
    fsh_press_layer(&press, 1, &layer, &image);
    for (y = 0; y < SIZE; y++)
        for (x = 0; x < SIZE; x++) {
            bool inside = x >= 16 && x < 32 && y >= 24 && y < 32;
            bool differs = memcmp(fsh_image_at(&image, x, y), fsh_image_at(&before, x, y), 3) != 0;

            assert_true(inside || !differs);
            changed += differs;
        }
    assert_true(changed > 100);
    fsh_layer_fini(&layer);
    fsh_image_fini(&before);
    fsh_image_fini(&image);
}

static void
a_picture_shows_less_of_the_compression_the_smaller_it_shows_the_photograph(void **state)
{
    static const fsh_affine half = {{0.5, 0, 0, 0, 0.5, 0}}, twice = {{0, 2, 0, -2, 0, 0}};
    fsh_image image = painted(SIZE);
    fsh_jpeg_tables tables = tables_of(&image, 75, NULL);
    fsh_press small, equal, large;
    int i;

    (void)state;
    fsh_press_make(&tables, &half, &small);
    fsh_press_make(&tables, &same_scale, &equal);
    fsh_press_make(&tables, &twice, &large);
    assert_float_equal(equal.light[0], tables.light[0], 1e-3);
    assert_float_equal(equal.light[63], tables.light[63], 1e-3);
    for (i = 0; i < 64; i++) {
        assert_true(small.light[i] < equal.light[i] && small.colour[i] < 1e6);
        assert_true(large.light[i] > equal.light[i]);
    }
    /* What is finer than the photograph's own pixels, or samples of colour, is not there. */
    assert_true(large.light[5] > 1e6 && equal.colour[5] > 1e6 && equal.light[5] < 200);
    fsh_image_fini(&image);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_those_of_the_file),
        cmocka_unit_test(files_that_are_cut_off_or_damaged_have_no_tables),
        cmocka_unit_test(a_picture_at_the_scale_of_its_photograph_becomes_what_libjpeg_makes_of_it),
        cmocka_unit_test(only_blocks_in_which_the_layer_shows_something_change),
        cmocka_unit_test(
            a_picture_shows_less_of_the_compression_the_smaller_it_shows_the_photograph),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
