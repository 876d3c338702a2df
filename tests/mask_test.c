/* Masks on faces: where they lie, how they are worn, and when there is none. */
#include "tests/stage_testing.h"

#include <math.h>

#include "stages/head.h"
#include "stages/mesh.h"
#include "stages/worn.h"

enum { SIZE = 160, SEEDS_N = 12 };

struct closet {
    void *params, *state;
};

static struct closet
open_mask(const char *const *settings)
{
    fsh_stage_env env = {
        .seed = 1, .size = SIZE, .threads = 1, .templates = FSH_SOURCE_DIR "/datasets/templates"};
    struct closet closet = {.params = fsh_test_params(&fsh_stage_mask, settings)};
    fsh_err err = {""};

    assert_ok(fsh_stage_mask.open(&env, closet.params, &closet.state, &err), err);
    return closet;
}

static void
close_mask(struct closet *closet)
{
    fsh_stage_mask.close(closet->state);
    free(closet->params);
}

/* Landmarks of the generic head in the middle of the picture, turned. */
static void
turned_landmarks(float yaw, float roll, fsh_point shift, fsh_point landmarks[FSH_LANDMARKS_N])
{
    fsh_head head = {.scale = 0.0038f * SIZE, .wide = 1};
    int i;

    head.centre = (fsh_point){SIZE / 2 + shift.x, SIZE * 0.4f + shift.y};
    fsh_head_shape(&head);
    fsh_head_turn(&head, yaw, 0, roll);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        landmarks[i] = fsh_head_see(&head, head.points[i]);
}

/* The mask on a picture of one brightness. */
static fsh_reason
wear(const struct closet *closet, const fsh_point landmarks[FSH_LANDMARKS_N], uint64_t key,
     int brightness, fsh_image *image)
{
    fsh_canvas canvas = {.has_landmarks = true, .rng = fsh_rng_new(1, 20, key, 0)};
    fsh_reason reason;

    assert_int_equal(fsh_image_init(&canvas.image, SIZE, SIZE, 3), FSH_OK);
    memset(canvas.image.data, brightness, fsh_image_bytes(&canvas.image));
    memcpy(canvas.landmarks, landmarks, sizeof canvas.landmarks);
    reason = fsh_stage_mask.synthesise(closet->state, closet->params, 0, &canvas);
    *image = canvas.image;
    return reason;
}

/* Alpha of a mask: what it leaves of white and adds to black, without light and shadow. */
static fsh_image
alpha_of(const struct closet *closet, const fsh_point landmarks[FSH_LANDMARKS_N], uint64_t key)
{
    fsh_image black, white;
    size_t i;

    assert_int_equal(wear(closet, landmarks, key, 0, &black), FSH_REASON_NONE);
    assert_int_equal(wear(closet, landmarks, key, 255, &white), FSH_REASON_NONE);
    for (i = 0; i < fsh_image_bytes(&black); i++)
        black.data[i] = (uint8_t)(255 - white.data[i] + black.data[i]);
    fsh_image_fini(&white);
    return black;
}

/* How many of landmarks first to last are under the mask. */
static int
covered(const fsh_image *alpha, const fsh_point *landmarks, int first, int last)
{
    int i, n = 0;

    for (i = first; i <= last; i++)
        n += fsh_image_at(alpha, (int32_t)lroundf(landmarks[i].x),
                          (int32_t)lroundf(landmarks[i].y))[1] >= 128;
    return n;
}

static const char *const plain[] = {"light", "0", "shadow", "0", NULL};

static void
a_mask_covers_mouth_and_nose_and_no_eye_however_the_head_is_turned(void **state)
{
    static const float angles[][2] = {{0, 0},   {0, 25},  {20, 0},  {-20, -15},
                                      {40, 10}, {-40, 0}, {44, -30}};
    struct closet closet = open_mask(plain);
    fsh_point landmarks[FSH_LANDMARKS_N];
    uint64_t i, key;

    (void)state;
    for (i = 0; i < sizeof angles / sizeof *angles; i++)
        for (key = 0; key < SEEDS_N; key++) {
            fsh_image alpha;

            turned_landmarks(angles[i][0], angles[i][1], (fsh_point){0, 0}, landmarks);
            alpha = alpha_of(&closet, landmarks, key);
            assert_int_equal(covered(&alpha, landmarks, 48, 67), 20);
            assert_int_equal(covered(&alpha, landmarks, 30, 30), 1);
            assert_int_equal(covered(&alpha, landmarks, 36, 47), 0);
            fsh_image_fini(&alpha);
        }
    close_mask(&closet);
}

static void
under_the_nose_the_nose_is_bare_and_under_the_chin_the_mouth_too(void **state)
{
    const char *const nose[] = {"light", "0", "shadow", "0", "under_nose", "1", NULL};
    const char *const chin[] = {"light", "0", "shadow", "0", "under_chin", "1", NULL};
    struct closet closets[2] = {open_mask(nose), open_mask(chin)};
    fsh_point landmarks[FSH_LANDMARKS_N];
    uint64_t key;

    (void)state;
    turned_landmarks(15, 0, (fsh_point){0, 0}, landmarks);
    for (key = 0; key < SEEDS_N; key++) {
        fsh_image under_nose = alpha_of(&closets[0], landmarks, key),
                  under_chin = alpha_of(&closets[1], landmarks, key);

        assert_int_equal(covered(&under_nose, landmarks, 28, 30), 0);
        assert_true(covered(&under_nose, landmarks, 54, 60) >= 6); /* the lower lip */
        assert_int_equal(covered(&under_chin, landmarks, 28, 67), 0);
        fsh_image_fini(&under_nose);
        fsh_image_fini(&under_chin);
    }
    close_mask(&closets[0]);
    close_mask(&closets[1]);
}

static void
what_cannot_be_worn_has_a_reason_and_leaves_the_picture(void **state)
{
    struct closet closet = open_mask(plain);
    fsh_point landmarks[FSH_LANDMARKS_N];
    fsh_image image;
    size_t i;

    (void)state;
    turned_landmarks(0, 0, (fsh_point){0, 0.75f * SIZE}, landmarks);
    assert_int_equal(wear(&closet, landmarks, 1, 77, &image), FSH_REASON_OUT_OF_FRAME);
    for (i = 0; i < fsh_image_bytes(&image); i++)
        assert_int_equal(image.data[i], 77);
    fsh_image_fini(&image);
    turned_landmarks(70, 0, (fsh_point){0, 0}, landmarks);
    assert_int_equal(wear(&closet, landmarks, 1, 77, &image), FSH_REASON_TOO_TURNED);
    fsh_image_fini(&image);
    turned_landmarks(0, 0, (fsh_point){0, 0}, landmarks);
    for (i = 0; i < FSH_LANDMARKS_N; i += 2) /* no face has its left on its right */
        landmarks[i].x = SIZE - landmarks[i].x;
    assert_int_equal(wear(&closet, landmarks, 1, 77, &image), FSH_REASON_BAD_LANDMARKS);
    fsh_image_fini(&image);
    close_mask(&closet);
}

static void
what_was_drawn_before_does_not_matter(void **state)
{
    struct closet closet = open_mask(NULL);
    fsh_point landmarks[FSH_LANDMARKS_N], others[FSH_LANDMARKS_N];
    fsh_image first, other, again;
    uint64_t key;

    (void)state;
    turned_landmarks(25, 0, (fsh_point){0, 0}, landmarks);
    turned_landmarks(-10, 40, (fsh_point){8, -12}, others);
    for (key = 0; key < SEEDS_N; key++) {
        assert_int_equal(wear(&closet, landmarks, key, 150, &first), FSH_REASON_NONE);
        assert_int_equal(wear(&closet, others, key, 90, &other), FSH_REASON_NONE);
        assert_int_equal(wear(&closet, landmarks, key, 150, &again), FSH_REASON_NONE);
        assert_memory_equal(first.data, again.data, fsh_image_bytes(&first));
        fsh_image_fini(&first);
        fsh_image_fini(&other);
        fsh_image_fini(&again);
    }
    close_mask(&closet);
}

/* A mesh that is flat, or rolled so that its far half looks away. */
static void
set_mesh(fsh_mesh *mesh, float radians)
{
    int row, column;

    for (row = 0; row < FSH_MESH_ROWS; row++)
        for (column = 0; column < FSH_MESH_COLUMNS; column++) {
            float u = (float)column / (FSH_MESH_COLUMNS - 1), v = (float)row / (FSH_MESH_ROWS - 1);
            float x = radians > 0 ? sinf(radians * u) / radians : u;

            mesh->vertices[row][column] =
                (fsh_mesh_vertex){{10 + 60 * x, 20.3f + 40 * v + 3 * u}, {7 * u, 7 * v}, {1, 1, 1}};
        }
    mesh->left_is_near = true;
    mesh->saturation = 1;
}

static fsh_template
white_template(void)
{
    fsh_template template = {.width = 8, .height = 8, .levels_n = 1};

    assert_int_equal(fsh_image_init(&template.levels[0], 8, 8, 4), FSH_OK);
    memset(template.levels[0].data, 255, fsh_image_bytes(&template.levels[0]));
    return template;
}

static void
neighbouring_triangles_leave_no_pixel_out(void **state)
{
    fsh_template template = white_template();
    fsh_layer layer;
    fsh_mesh mesh;
    int32_t x, y;

    (void)state;
    assert_int_equal(fsh_layer_init(&layer, SIZE), FSH_OK);
    set_mesh(&mesh, 0);
    fsh_layer_mesh(&layer, &template, &mesh, 0);
    for (y = 26; y < 57; y++)
        for (x = 13; x < 67; x++)
            assert_int_equal(fsh_image_at(&layer.colour, x, y)[3], 255);
    assert_int_equal(fsh_image_at(&layer.colour, 5, 40)[3], 0);
    fsh_layer_fini(&layer);
    fsh_image_fini(&template.levels[0]);
}

static void
what_looks_away_is_not_drawn_and_its_edge_is_soft(void **state)
{
    fsh_template template = white_template();
    fsh_layer layer;
    fsh_mesh mesh;
    int edge;

    (void)state;
    assert_int_equal(fsh_layer_init(&layer, SIZE), FSH_OK);
    set_mesh(&mesh, 2.4f); /* furthest out at 10 + 60 / 2.4 */
    fsh_layer_mesh(&layer, &template, &mesh, 0);
    edge = fsh_image_at(&layer.colour, 34, 45)[3];
    assert_int_equal(fsh_image_at(&layer.colour, 30, 45)[3], 255);
    assert_in_range(edge, 100, 220);
    assert_int_equal(fsh_image_at(&layer.colour, 36, 45)[3], 0);
    fsh_layer_fini(&layer);
    fsh_image_fini(&template.levels[0]);
}

/* Skin of this colour that shines at a few places, before a dark wall, all in so much light. */
static fsh_light
light_on(const float skin[3], float amount)
{
    fsh_canvas canvas = {.has_landmarks = true};
    fsh_light light;
    fsh_pose pose;
    int32_t i, c;

    turned_landmarks(0, 0, (fsh_point){0, 0}, canvas.landmarks);
    assert_int_equal(fsh_image_init(&canvas.image, SIZE, SIZE, 3), FSH_OK);
    for (i = 0; i < SIZE * SIZE; i++)
        for (c = 0; c < 3; c++)
            canvas.image.data[3 * i + c] =
                (uint8_t)(amount * (i / SIZE < 30 ? 15
                                    : i % 5 == 0  ? fminf(2.1f * skin[1], 240)
                                                  : skin[c]));
    assert_int_equal(fsh_pose_measure(&canvas, &pose), FSH_REASON_NONE);
    light = fsh_light_measure(&canvas, &pose, 1);
    fsh_image_fini(&canvas.image);
    return light;
}

static void
white_cloth_is_white_on_dark_skin_too_and_not_in_a_dark_room(void **state)
{
    static const float fair[3] = {205, 155, 130}, dark[3] = {115, 78, 60};
    fsh_light on_fair = light_on(fair, 1), on_dark = light_on(dark, 1),
              at_night = light_on(dark, 0.4f);

    (void)state;
    assert_true(on_fair.gain[0][1] > 0.9f && on_fair.gain[0][1] <= 1.12f);
    assert_true(on_dark.gain[0][1] > 0.72f);
    assert_true(at_night.gain[0][1] < on_dark.gain[0][1] - 0.15f);
    assert_true(fabsf(on_dark.gain[0][0] / on_dark.gain[0][2] - 1) < 0.1f);
}

static void
stages_that_open_the_same_templates_share_them(void **state)
{
    static const fsh_anchor anchors[] = {{"left_lens", 0, 0},   {"right_lens", 1, 0},
                                         {"bridge", 0.5f, 0},   {"left_hinge", 0, 0},
                                         {"right_hinge", 1, 0}, {"lens_end", 1, 1}};
    static const fsh_template_kind poor = {"glasses", "arm", anchors, 1},
                                   kind = {"glasses", "arm", anchors, 6};
    const char *root = FSH_SOURCE_DIR "/datasets/templates";
    fsh_templates *first, *second, *larger;
    fsh_err err = {""};

    (void)state;
    /* The cards name more points than this kind has: nothing that failed is kept. */
    assert_int_equal(fsh_templates_open(root, &poor, 8, &first, &err), FSH_USAGE);
    assert_int_equal(fsh_templates_open(root, &kind, 8, &first, &err), FSH_OK);
    assert_int_equal(fsh_templates_open(root, &kind, 8, &second, &err), FSH_OK);
    assert_int_equal(fsh_templates_open(root, &kind, 64, &larger, &err), FSH_OK);
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, larger);
    fsh_templates_close(first);
    assert_true(fsh_templates_count(second) > 0);
    fsh_templates_close(second);
    fsh_templates_close(larger);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_covers_mouth_and_nose_and_no_eye_however_the_head_is_turned),
        cmocka_unit_test(under_the_nose_the_nose_is_bare_and_under_the_chin_the_mouth_too),
        cmocka_unit_test(what_cannot_be_worn_has_a_reason_and_leaves_the_picture),
        cmocka_unit_test(what_was_drawn_before_does_not_matter),
        cmocka_unit_test(neighbouring_triangles_leave_no_pixel_out),
        cmocka_unit_test(what_looks_away_is_not_drawn_and_its_edge_is_soft),
        cmocka_unit_test(white_cloth_is_white_on_dark_skin_too_and_not_in_a_dark_room),
        cmocka_unit_test(stages_that_open_the_same_templates_share_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
