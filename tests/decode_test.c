/* Decoding, encoding and warping, on pictures made here. tests/corpus.py has the exotic formats. */
#include <stdbool.h>

#include "base/image.h"
#include "stages/vision/decode.h"
#include "tests/testing.h"

enum { WIDTH = 24, HEIGHT = 16, MANY_PIXELS = 1 << 20 };

/* Four quarters, red and green above blue and white: every turn and mirror image differs. */
static fsh_image
quarters(void)
{
    static const uint8_t colours[4][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}};
    fsh_image image;
    int x, y;

    assert_int_equal(fsh_image_init(&image, WIDTH, HEIGHT, 3), FSH_OK);
    for (y = 0; y < HEIGHT; y++)
        for (x = 0; x < WIDTH; x++)
            memcpy(fsh_image_at(&image, x, y), colours[2 * (y >= HEIGHT / 2) + (x >= WIDTH / 2)],
                   3);
    return image;
}

/* Encoded bytes with room for an EXIF segment, and what becomes of them. */
typedef struct sheet {
    uint8_t *data;
    size_t bytes;
    fsh_image out;
    fsh_reason reason;
    fsh_err err;
} sheet;

static sheet
jpeg_sheet(void)
{
    sheet s = {0};
    fsh_image image = quarters();

    assert_ok(fsh_encode_jpeg(&image, 95, &s.data, &s.bytes, &s.err), s.err);
    fsh_image_fini(&image);
    return s;
}

static sheet
png_sheet(void)
{
    sheet s = {0};
    fsh_image image = quarters();

    assert_ok(fsh_encode_png(&image, &s.data, &s.bytes, &s.err), s.err);
    fsh_image_fini(&image);
    return s;
}

static void
sheet_fini(sheet *s)
{
    free(s->data);
    fsh_image_fini(&s->out);
}

static fsh_status
decode(sheet *s)
{
    return fsh_decode(s->data, s->bytes, MANY_PIXELS, &s->out, &s->reason, &s->err);
}

static void
assert_refused(sheet *s, fsh_reason reason)
{
    assert_int_equal(decode(s), FSH_FORMAT);
    assert_string_equal(fsh_reason_code(s->reason), fsh_reason_code(reason));
    assert_true(s->err.text[0]);
}

static void
assert_colour(const fsh_image *image, int x, int y, int red, int green, int blue)
{
    const uint8_t *at = fsh_image_at(image, x, y);

    assert_true(abs(at[0] - red) < 12 && abs(at[1] - green) < 12 && abs(at[2] - blue) < 12);
}

static void
a_jpeg_comes_back(void **state)
{
    sheet s = jpeg_sheet();

    (void)state;
    assert_ok(decode(&s), s.err);
    assert_int_equal(s.reason, FSH_REASON_NONE);
    assert_int_equal(s.out.width, WIDTH);
    assert_int_equal(s.out.height, HEIGHT);
    assert_colour(&s.out, 2, 2, 255, 0, 0);
    assert_colour(&s.out, WIDTH - 3, 2, 0, 255, 0);
    assert_colour(&s.out, 2, HEIGHT - 3, 0, 0, 255);
    sheet_fini(&s);
}

static void
a_png_comes_back_exactly_and_encodes_to_the_same_bytes(void **state)
{
    sheet s = png_sheet();
    fsh_image image = quarters();
    uint8_t *again;
    size_t bytes;

    (void)state;
    assert_ok(decode(&s), s.err);
    assert_memory_equal(s.out.data, image.data, fsh_image_bytes(&image));
    assert_ok(fsh_encode_png(&s.out, &again, &bytes, &s.err), s.err);
    assert_int_equal(bytes, s.bytes);
    assert_memory_equal(again, s.data, bytes);
    free(again);
    fsh_image_fini(&image);
    sheet_fini(&s);
}

/* Puts an EXIF segment with this orientation after the first two bytes. */
static void
add_orientation(sheet *s, uint8_t orientation)
{
    const uint8_t segment[36] = {
        0xFF, 0xE1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
        0,    1,    0x01, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0};
    uint8_t *data = malloc(s->bytes + sizeof segment);

    memcpy(data, s->data, 2);
    memcpy(data + 2, segment, sizeof segment);
    memcpy(data + 2 + sizeof segment, s->data + 2, s->bytes - 2);
    free(s->data);
    s->data = data;
    s->bytes += sizeof segment;
}

/* Where the red quarter, stored in the upper left, is seen: EXIF 2.32, table of orientations. */
static void
each_orientation_is_turned_upright(void **state)
{
    static const struct {
        bool right, low, swapped;
    } red[9] = {[1] = {0, 0, 0}, [2] = {1, 0, 0}, [3] = {1, 1, 0}, [4] = {0, 1, 0},
                [5] = {0, 0, 1}, [6] = {1, 0, 1}, [7] = {1, 1, 1}, [8] = {0, 1, 1}};
    uint8_t orientation;

    (void)state;
    for (orientation = 1; orientation <= 8; orientation++) {
        sheet s = jpeg_sheet();
        int width = red[orientation].swapped ? HEIGHT : WIDTH;
        int height = red[orientation].swapped ? WIDTH : HEIGHT;

        add_orientation(&s, orientation);
        assert_ok(decode(&s), s.err);
        assert_int_equal(s.out.width, width);
        assert_int_equal(s.out.height, height);
        assert_colour(&s.out, red[orientation].right ? width - 2 : 1,
                      red[orientation].low ? height - 2 : 1, 255, 0, 0);
        sheet_fini(&s);
    }
}

static void
an_orientation_that_does_not_exist_is_ignored(void **state)
{
    sheet s = jpeg_sheet();

    (void)state;
    add_orientation(&s, 77);
    assert_ok(decode(&s), s.err);
    assert_int_equal(s.out.width, WIDTH);
    sheet_fini(&s);
}

static void
a_jpeg_cut_off_anywhere_is_refused(void **state)
{
    sheet s = jpeg_sheet();

    (void)state;
    while (s.bytes > 3) {
        s.bytes--;
        assert_refused(&s, FSH_REASON_CORRUPT);
    }
    sheet_fini(&s);
}

static void
a_png_cut_off_anywhere_is_refused(void **state)
{
    sheet s = png_sheet();

    (void)state;
    while (s.bytes > 8) {
        s.bytes--;
        assert_refused(&s, FSH_REASON_CORRUPT);
    }
    sheet_fini(&s);
}

static void
a_png_with_one_bit_turned_is_corrupt(void **state)
{
    sheet s = png_sheet();
    size_t at;

    (void)state;
    for (at = 8; at < s.bytes - 4; at++) {
        s.data[at] ^= 4;
        assert_refused(&s, FSH_REASON_CORRUPT);
        s.data[at] ^= 4;
    }
    sheet_fini(&s);
}

static void
bytes_after_the_end_do_no_harm(void **state)
{
    sheet s = jpeg_sheet();

    (void)state;
    s.data = realloc(s.data, s.bytes + 100);
    memset(s.data + s.bytes, 'x', 100);
    s.bytes += 100;
    assert_ok(decode(&s), s.err);
    sheet_fini(&s);
}

static void
no_bytes_are_empty_and_text_is_not_an_image(void **state)
{
    sheet s = {.data = malloc(100), .bytes = 0};

    (void)state;
    assert_refused(&s, FSH_REASON_EMPTY);
    memset(s.data, 'a', 100);
    s.bytes = 100;
    assert_refused(&s, FSH_REASON_NOT_AN_IMAGE);
    memcpy(s.data, "GIF89a", 6);
    assert_refused(&s, FSH_REASON_UNSUPPORTED);
    assert_text_has(s.err.text, "GIF");
    sheet_fini(&s);
}

static void
more_pixels_than_the_bound_are_refused_before_decoding(void **state)
{
    sheet s = jpeg_sheet();

    (void)state;
    assert_int_equal(fsh_decode(s.data, s.bytes, WIDTH * HEIGHT - 1, &s.out, &s.reason, &s.err),
                     FSH_FORMAT);
    assert_int_equal(s.reason, FSH_REASON_TOO_LARGE);
    assert_null(s.out.data);
    assert_ok(fsh_decode(s.data, s.bytes, WIDTH * HEIGHT, &s.out, &s.reason, &s.err), s.err);
    sheet_fini(&s);
}

/* A BMP of 2 x 2 pixels, 32 bits, whose fourth bytes are zero; blue, green, red below yellow,
 * white. */
static void
the_fourth_byte_of_a_bmp_is_padding(void **state)
{
    static const uint8_t bmp[70] = {'B', 'M', 70,  0,   0,  0,          0,   0,   0, 0, 54,  0,
                                    0,   0,   40,  0,   0,  0,          2,   0,   0, 0, 2,   0,
                                    0,   0,   1,   0,   32, [54] = 255, 0,   0,   0, 0, 255, 0,
                                    0,   0,   255, 255, 0,  255,        255, 255, 0};
    sheet s = {.data = malloc(sizeof bmp), .bytes = sizeof bmp};

    (void)state;
    memcpy(s.data, bmp, sizeof bmp);
    assert_ok(decode(&s), s.err);
    assert_int_equal(s.out.channels, 3);
    assert_colour(&s.out, 0, 0, 255, 255, 0);
    assert_colour(&s.out, 1, 0, 255, 255, 255);
    assert_colour(&s.out, 0, 1, 0, 0, 255);
    s.bytes--;
    assert_refused(&s, FSH_REASON_CORRUPT);
    sheet_fini(&s);
}

static void
transparency_is_laid_over_black_and_kept_in_templates(void **state)
{
    sheet s = {0};
    fsh_image image;

    (void)state;
    assert_int_equal(fsh_image_init(&image, 2, 1, 4), FSH_OK);
    memcpy(image.data, (uint8_t[8]){200, 100, 50, 255, 200, 100, 50, 0}, 8);
    assert_ok(fsh_encode_png(&image, &s.data, &s.bytes, &s.err), s.err);
    assert_ok(decode(&s), s.err);
    assert_memory_equal(s.out.data, ((uint8_t[6]){200, 100, 50, 0, 0, 0}), 6);
    assert_ok(fsh_decode_rgba(s.data, s.bytes, &s.out, &s.err), s.err);
    assert_int_equal(s.out.channels, 4);
    assert_memory_equal(s.out.data, image.data, 8);
    fsh_image_fini(&image);
    sheet_fini(&s);
}

static void
a_template_without_alpha_is_opaque(void **state)
{
    sheet s = png_sheet();

    (void)state;
    assert_ok(fsh_decode_rgba(s.data, s.bytes, &s.out, &s.err), s.err);
    assert_int_equal(s.out.channels, 4);
    assert_int_equal(fsh_image_at(&s.out, 0, 0)[3], 255);
    sheet_fini(&s);
}

static void
a_map_that_changes_nothing_changes_nothing(void **state)
{
    fsh_image image = quarters(), out = {0};
    const fsh_affine same = {{1, 0, 0, 0, 1, 0}}, shift = {{1, 0, 5, 0, 1, 0}};

    (void)state;
    assert_int_equal(fsh_image_warp(&image, &same, WIDTH, HEIGHT, FSH_BORDER_BLACK, &out), FSH_OK);
    assert_memory_equal(out.data, image.data, fsh_image_bytes(&image));
    assert_int_equal(fsh_image_warp(&image, &shift, WIDTH, HEIGHT, FSH_BORDER_BLACK, &out), FSH_OK);
    assert_colour(&out, 2, 2, 0, 0, 0);
    assert_colour(&out, 5, 2, 255, 0, 0);
    assert_int_equal(fsh_image_warp(&image, &shift, WIDTH, HEIGHT, FSH_BORDER_REPLICATE, &out),
                     FSH_OK);
    assert_colour(&out, 2, 2, 255, 0, 0);
    fsh_image_fini(&image);
    fsh_image_fini(&out);
}

/* Lines of one pixel, black and white: shrunk by eight they are grey, not what a few of them happen
 * to be. */
static void
shrinking_averages(void **state)
{
    const fsh_affine eighth = {{0.125, 0, -0.4375, 0, 0.125, -0.4375}};
    fsh_image lines, out = {0};
    int x, y;

    (void)state;
    assert_int_equal(fsh_image_init(&lines, 128, 128, 3), FSH_OK);
    for (y = 0; y < 128; y++)
        for (x = 0; x < 128; x++)
            memset(fsh_image_at(&lines, x, y), x & 1 ? 255 : 0, 3);
    assert_int_equal(fsh_image_warp(&lines, &eighth, 16, 16, FSH_BORDER_REPLICATE, &out), FSH_OK);
    for (x = 0; x < 16; x++)
        assert_colour(&out, x, 8, 128, 128, 128);
    assert_int_equal(fsh_image_resize(&lines, 16, 16, &out), FSH_OK);
    assert_colour(&out, 8, 8, 128, 128, 128);
    fsh_image_fini(&lines);
    fsh_image_fini(&out);
}

/* A point of the source is found where the map says, also when the source is averaged down first.
 */
static void
shrinking_does_not_shift(void **state)
{
    const fsh_affine fifth = {{0.2, 0, 3, 0, 0.2, 2}};
    fsh_image dot, out = {0};
    int x, y;

    (void)state;
    assert_int_equal(fsh_image_init(&dot, 200, 200, 3), FSH_OK);
    for (y = 96; y <= 104; y++)
        for (x = 96; x <= 104; x++)
            memset(fsh_image_at(&dot, x, y), 255, 3);
    assert_int_equal(fsh_image_warp(&dot, &fifth, 50, 50, FSH_BORDER_BLACK, &out), FSH_OK);
    assert_true(fsh_image_at(&out, 23, 22)[0] > 200);
    assert_int_equal(fsh_image_at(&out, 21, 22)[0], fsh_image_at(&out, 25, 22)[0]);
    assert_int_equal(fsh_image_at(&out, 23, 20)[0], fsh_image_at(&out, 23, 24)[0]);
    fsh_image_fini(&dot);
    fsh_image_fini(&out);
}

static void
a_map_without_inverse_fails(void **state)
{
    const fsh_affine flat = {{1, 1, 0, 1, 1, 0}};
    fsh_image image = quarters(), out = {0};

    (void)state;
    assert_int_equal(fsh_image_warp(&image, &flat, 8, 8, FSH_BORDER_BLACK, &out), FSH_FORMAT);
    fsh_image_fini(&image);
    fsh_image_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jpeg_comes_back),
        cmocka_unit_test(a_png_comes_back_exactly_and_encodes_to_the_same_bytes),
        cmocka_unit_test(each_orientation_is_turned_upright),
        cmocka_unit_test(an_orientation_that_does_not_exist_is_ignored),
        cmocka_unit_test(a_jpeg_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_png_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_png_with_one_bit_turned_is_corrupt),
        cmocka_unit_test(bytes_after_the_end_do_no_harm),
        cmocka_unit_test(no_bytes_are_empty_and_text_is_not_an_image),
        cmocka_unit_test(more_pixels_than_the_bound_are_refused_before_decoding),
        cmocka_unit_test(the_fourth_byte_of_a_bmp_is_padding),
        cmocka_unit_test(transparency_is_laid_over_black_and_kept_in_templates),
        cmocka_unit_test(a_template_without_alpha_is_opaque),
        cmocka_unit_test(a_map_that_changes_nothing_changes_nothing),
        cmocka_unit_test(shrinking_averages),
        cmocka_unit_test(shrinking_does_not_shift),
        cmocka_unit_test(a_map_without_inverse_fails),
    };

    fsh_vision_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
