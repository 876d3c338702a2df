/* Landmarks: a predictor of one level and two trees, as dlib would write it, whose points are
 * known; and what is none. */
#include "tests/testing.h"

#include "base/files.h"
#include "stages/vision/dlib.h"

enum { POINTS = 68, SIDE = 100 };

typedef struct model {
    uint8_t bytes[1 << 16];
    size_t n;
    char *folder;
    char path[FSH_PATH_BYTES];
} model;

static void
put(model *m, int64_t value)
{
    uint64_t left = (uint64_t)(value < 0 ? -value : value);
    uint8_t *head = &m->bytes[m->n++];

    *head = value < 0 ? 0x80 : 0;
    do {
        m->bytes[m->n++] = (uint8_t)left;
        ++*head;
    } while (left >>= 8);
}

/* In sixteenths. */
static void
put_real(model *m, int64_t sixteenths)
{
    put(m, sixteenths);
    put(m, -4);
}

static void
put_column(model *m, int64_t x, int64_t y)
{
    int i;

    put(m, -2 * POINTS);
    put(m, -1);
    for (i = 0; i < POINTS; i++) {
        put_real(m, x);
        put_real(m, y);
    }
}

/* To the left, by 1/16 of the box, where pixel `first` is brighter than `second`; otherwise down.
 */
static void
put_tree(model *m, int64_t first, int64_t second)
{
    put(m, 1);
    put(m, first);
    put(m, second);
    put_real(m, 0);
    put(m, 2);
    put_column(m, -1, 0);
    put_column(m, 0, 1);
}

/* All points in the middle of the box; one pixel right and one left of it. */
static void
make_model(model *m)
{
    fsh_err err = {""};

    memset(m, 0, sizeof *m);
    m->folder = fsh_test_folder();
    assert_ok(fsh_path_join(m->path, m->folder, "shape.dat", &err), err);
    put(m, 1);
    put_column(m, 8, 8);
    put(m, 1);
    put(m, 2);
    put_tree(m, 0, 1);
    put_tree(m, 1, 0);
    put(m, 1);
    put(m, 2);
    put(m, 0);
    put(m, 67);
    put(m, 1);
    put(m, 2);
    put_real(m, 4);
    put_real(m, 0);
    put_real(m, -4);
    put_real(m, 0);
}

static fsh_status
open_model(model *m, size_t n, fsh_shape **shape, fsh_err *err)
{
    assert_ok(fsh_file_write(m->path, m->bytes, n, err), *err);
    return fsh_shape_open(m->path, shape, err);
}

static void
every_tree_moves_the_points_by_the_leaf_that_its_pixels_choose(void **state)
{
    fsh_box box = {10, 10, 65, 65}; /* 64 px from the first pixel's middle to the last one's */
    fsh_point points[POINTS];
    fsh_err err = {""};
    fsh_image image;
    fsh_shape *shape;
    model m;

    (void)state;
    make_model(&m);
    assert_ok(open_model(&m, m.n, &shape, &err), err);
    assert_int_equal(fsh_image_init(&image, SIDE, SIDE, 3), FSH_OK);
    memset(fsh_image_at(&image, 10 + 32 + 16, 10 + 32), 200, 3);
    assert_ok(fsh_shape_run(shape, &image, &box, points, &err), err);
    assert_int_equal((int)points[0].x, 10 + 32 - 4);
    assert_int_equal((int)points[67].y, 10 + 32 + 4);
    memset(image.data, 0, fsh_image_bytes(&image));
    assert_ok(fsh_shape_run(shape, &image, &box, points, &err), err);
    assert_int_equal((int)points[0].x, 10 + 32);
    assert_int_equal((int)points[67].y, 10 + 32 + 8);
    fsh_image_fini(&image);
    fsh_shape_close(shape);
    fsh_test_remove(m.folder);
}

static void
a_file_that_is_cut_off_or_longer_or_points_elsewhere_is_refused(void **state)
{
    fsh_err err = {""};
    fsh_shape *shape;
    model m;
    size_t n;

    (void)state;
    make_model(&m);
    for (n = 0; n < m.n; n += 1 + n / 50)
        assert_int_equal(open_model(&m, n, &shape, &err), FSH_MODEL);
    assert_text_has(err.text, "shape.dat: is no shape predictor of dlib");
    assert_int_equal(open_model(&m, m.n + 1, &shape, &err), FSH_MODEL);
    m.n = 0;
    put(&m, 1);
    put(&m, -2 * 5);
    assert_int_equal(open_model(&m, m.n, &shape, &err), FSH_MODEL);
    assert_text_has(err.text, "has not 68 points");
    fsh_test_remove(m.folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tree_moves_the_points_by_the_leaf_that_its_pixels_choose),
        cmocka_unit_test(a_file_that_is_cut_off_or_longer_or_points_elsewhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
