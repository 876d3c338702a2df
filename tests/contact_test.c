/* Contact sheets: every sample once, its variants side by side, gaps where one is missing. */
#include <math.h>

#include "base/files.h"
#include "evaluate/contact.h"
#include "shards/shard.h"
#include "stages/vision/decode.h"
#include "tests/testing.h"

enum { SIZE = 8 };

/* Five samples of two variants; the second sample has the first variant only. Pictures are plain:
 * red is ten times the sample, green ten times the variant. */
static void
write_shard(const char *path, fsh_encoding encoding)
{
    fsh_shard_meta meta = {"aaaa", 1, "", "", "original\nmask", "0.1.0", 0, SIZE, encoding, 0};
    fsh_shard *shard = NULL;
    uint32_t sample, variant, i;
    char source[32];
    fsh_image image;
    fsh_err err;

    assert_int_equal(fsh_image_init(&image, SIZE, SIZE, 3), FSH_OK);
    assert_ok(fsh_shard_create(path, &meta, &shard, &err), err);
    assert_ok(fsh_shard_add_identity(shard, 0, "a", &err), err);
    for (sample = 0; sample < 5; sample++) {
        for (variant = 0; variant < (sample == 1 ? 1u : 2u); variant++) {
            fsh_shard_row row = {.bytes = image.data,
                                 .bytes_n = fsh_image_bytes(&image),
                                 .variant = (uint8_t)variant,
                                 .sample_id = sample,
                                 .source = source,
                                 .mean_distance = NAN};
            uint8_t *encoded = NULL;

            snprintf(source, sizeof source, "a/%u.jpg", sample);
            for (i = 0; i < SIZE * SIZE; i++) {
                image.data[3 * i] = (uint8_t)(10 * sample);
                image.data[3 * i + 1] = (uint8_t)(10 * variant);
            }
            if (encoding == FSH_ENCODING_PNG) {
                assert_ok(fsh_encode_png(&image, &encoded, &row.bytes_n, &err), err);
                row.bytes = encoded;
            }
            assert_ok(fsh_shard_add(shard, &row, &err), err);
            free(encoded);
        }
    }
    assert_ok(fsh_shard_finish(&shard, &err), err);
    fsh_image_fini(&image);
}

static fsh_status
draw(const char *folder, fsh_encoding encoding, const fsh_contact_params *params, fsh_image *page,
     fsh_err *err)
{
    char shard[FSH_PATH_BYTES], png[FSH_PATH_BYTES];
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason;
    fsh_status status;

    snprintf(shard, sizeof shard, "%s/a.h5", folder);
    snprintf(png, sizeof png, "%s/a.png", folder);
    write_shard(shard, encoding);
    status = fsh_contact_sheet(shard, png, params, err);
    if (!status)
        status = fsh_file_read(png, 1 << 20, &data, &bytes, err);
    if (!status)
        status = fsh_decode(data, bytes, 1 << 20, page, &reason, err);
    free(data);
    return status;
}

/* Colour in the middle of the cell of side `side` at this place. */
static void
assert_cell(const fsh_image *page, int32_t side, int32_t column, int32_t row, int red, int green)
{
    const uint8_t *at =
        fsh_image_at(page, 4 + column * (side + 4) + side / 2, 4 + row * (side + 4) + side / 2);

    assert_int_equal(at[0], red);
    assert_int_equal(at[1], green);
}

static int
set_up(void **state)
{
    *state = fsh_test_folder();
    return 0;
}

static int
tear_down(void **state)
{
    fsh_test_remove(*state);
    return 0;
}

static void
a_line_shows_a_sample_with_its_variants(void **state)
{
    const fsh_contact_params params = {.rows = 12, .columns = 1, .variant = -1};
    fsh_image page = {0};
    fsh_err err;

    assert_ok(draw(*state, FSH_ENCODING_RAW, &params, &page, &err), err);
    assert_int_equal(page.width, 2 * (SIZE + 4) + 4);
    assert_int_equal(page.height, 5 * (SIZE + 4) + 4);
    assert_cell(&page, SIZE, 0, 0, 0, 0);
    assert_cell(&page, SIZE, 1, 0, 0, 10);
    assert_cell(&page, SIZE, 0, 1, 10, 0);
    assert_cell(&page, SIZE, 1, 1, 224, 224);
    assert_cell(&page, SIZE, 1, 4, 40, 10);
    fsh_image_fini(&page);
}

static void
as_many_lines_as_samples_show_every_sample(void **state)
{
    const fsh_contact_params params = {.rows = 5, .columns = 1, .variant = -1};
    fsh_image page = {0};
    int32_t sample;
    fsh_err err;

    assert_ok(draw(*state, FSH_ENCODING_RAW, &params, &page, &err), err);
    assert_int_equal(page.height, 5 * (SIZE + 4) + 4);
    for (sample = 0; sample < 5; sample++)
        assert_cell(&page, SIZE, 0, sample, 10 * sample, 0);
    fsh_image_fini(&page);
}

static void
one_variant_makes_a_grid(void **state)
{
    const fsh_contact_params params = {.rows = 2, .columns = 1, .cell = 16, .variant = 1};
    fsh_image page = {0};
    fsh_err err;

    assert_ok(draw(*state, FSH_ENCODING_PNG, &params, &page, &err), err);
    assert_int_equal(page.height, 2 * (16 + 4) + 4);
    assert_cell(&page, 16, 0, 0, 0, 10);
    assert_cell(&page, 16, 0, 1, 20, 10);
    fsh_image_fini(&page);
}

static void
a_sheet_that_is_too_large_is_refused(void **state)
{
    const fsh_contact_params params = {.rows = 1000, .columns = 1000, .cell = 4096, .variant = -1};
    fsh_image page = {0};
    fsh_err err;

    assert_int_equal(draw(*state, FSH_ENCODING_RAW, &params, &page, &err), FSH_USAGE);
    assert_text_has(err.text, "too large");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_line_shows_a_sample_with_its_variants),
        TEST(as_many_lines_as_samples_show_every_sample),
        TEST(one_variant_makes_a_grid),
        TEST(a_sheet_that_is_too_large_is_refused),
    };

    fsh_vision_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
