/* Embeddings: what the project's own network must and must not see, and other networks where
 * ../shared has them. */
#include <math.h>

#include "base/files.h"
#include "stages/align.h"
#include "stages/models.h"
#include "stages/vision/decode.h"
#include "tests/stage_testing.h"

#define PEOPLE FSH_SOURCE_DIR "/../shared/data/lfw_eval/images"

static const char own[] = "faceshard_mobile";

enum { SIDE = 240 };

typedef struct embedder {
    fsh_models models;
    fsh_stage_env env;
    void *params, *state;
} embedder;

static fsh_status
embedder_open(embedder *e, const char *card, fsh_err *err)
{
    memset(e, 0, sizeof *e);
    strcpy(e->models.detector, "yunet");
    strcpy(e->models.embedder, card);
    e->env = (fsh_stage_env){.size = 112, .threads = 1, .models = &e->models};
    e->params = fsh_test_params(&fsh_stage_embed, NULL);
    return fsh_stage_embed.open(&e->env, e->params, &e->state, err);
}

static void
embedder_close(embedder *e)
{
    fsh_stage_embed.close(e->state);
    free(e->params);
}

static void
finish(embedder *e, fsh_photo *const *photos, uint32_t n)
{
    fsh_err err = {""};

    assert_ok(fsh_stage_embed.finish(e->state, e->params, 0, photos, n, &err), err);
}

static void
look_at(embedder *e, fsh_photo *photo)
{
    fsh_err err = {""};

    assert_ok(fsh_stage_embed.analyse(e->state, e->params, 0, photo, &err), err);
}

static void
embed(embedder *e, fsh_photo *photo)
{
    look_at(e, photo);
    finish(e, &photo, 1);
}

/* A photo with one face whose points lie on the template, moved by map. */
static fsh_photo
photo_of(const fsh_image *image, const fsh_affine *map)
{
    fsh_photo photo = {.image = image};
    fsh_face *face = fsh_photo_add_face(&photo);
    int i;

    assert_non_null(face);
    fsh_arcface_template(SIDE, face->five);
    for (i = 0; i < 5; i++)
        face->five[i] = fsh_affine_apply(map, face->five[i]);
    face->has_five = true;
    face->crop = (fsh_box){0, 0, image->width, image->height};
    return photo;
}

static double
distance(const fsh_photo *a, const fsh_photo *b, uint32_t dimension)
{
    double sum = 0;
    uint32_t i;

    for (i = 0; i < dimension; i++)
        sum += pow(a->faces[0].embedding[i] - b->faces[0].embedding[i], 2);
    return sqrt(sum);
}

static const fsh_affine same = {{1, 0, 0, 0, 1, 0}};

static void
an_embedding_has_length_one_and_env_knows_its_size(void **state)
{
    fsh_err err = {""};
    fsh_image image;
    fsh_photo photo;
    embedder e;
    double sum = 0;
    uint32_t i;

    (void)state;
    assert_ok(embedder_open(&e, own, &err), err);
    assert_int_equal(e.env.dimension, 128);
    assert_true(e.env.clean_threshold > 0);
    fsh_test_paint(&image, SIDE, 1);
    photo = photo_of(&image, &same);
    embed(&e, &photo);
    for (i = 0; i < e.env.dimension; i++)
        sum += photo.faces[0].embedding[i] * photo.faces[0].embedding[i];
    assert_true(fabs(sum - 1) < 1e-5);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
    embedder_close(&e);
}

/* Turned, shrunk and shifted, with its points: alignment undoes it. Another picture stays far away.
 */
static void
where_the_face_is_does_not_matter_and_what_it_is_does(void **state)
{
    static const fsh_affine moved = {{0.8, 0.3, 30, -0.3, 0.8, 90}};
    fsh_err err = {""};
    fsh_image image, other, turned = {0};
    fsh_photo a, b, c;
    embedder e;

    (void)state;
    assert_ok(embedder_open(&e, own, &err), err);
    fsh_test_paint(&image, SIDE, 1);
    fsh_test_paint(&other, SIDE, 2);
    assert_int_equal(fsh_image_warp(&image, &moved, 300, 300, FSH_BORDER_BLACK, &turned), FSH_OK);
    a = photo_of(&image, &same);
    b = photo_of(&turned, &moved);
    c = photo_of(&other, &same);
    embed(&e, &a);
    embed(&e, &b);
    embed(&e, &c);
    assert_true(2 * distance(&a, &b, e.env.dimension) < distance(&a, &c, e.env.dimension));
    fsh_photo_fini(&a);
    fsh_photo_fini(&b);
    fsh_photo_fini(&c);
    fsh_image_fini(&image);
    fsh_image_fini(&other);
    fsh_image_fini(&turned);
    embedder_close(&e);
}

/* A picture as large as the model's input, whose points are those of the template: it is embedded as it is. */
static fsh_photo
photo_as_input(const fsh_image *image)
{
    fsh_photo photo = photo_of(image, &same);

    fsh_arcface_template(112, photo.faces[0].five);
    return photo;
}

/* How far a picture is from its mirror image, with and without `flip`. */
static double
distance_to_mirror(const char *flip)
{
    static const fsh_affine map = {{-1, 0, 111, 0, 1, 0}};
    fsh_err err = {""};
    fsh_image image, mirrored = {0};
    fsh_photo a, b;
    embedder e;
    double apart;

    assert_ok(embedder_open(&e, own, &err), err);
    free(e.params);
    e.params = fsh_test_params(&fsh_stage_embed, (const char *const[]){"flip", flip, NULL});
    fsh_test_paint(&image, 112, 1);
    assert_int_equal(fsh_image_warp(&image, &map, 112, 112, FSH_BORDER_BLACK, &mirrored), FSH_OK);
    a = photo_as_input(&image);
    b = photo_as_input(&mirrored);
    embed(&e, &a);
    embed(&e, &b);
    apart = distance(&a, &b, e.env.dimension);
    fsh_photo_fini(&a);
    fsh_photo_fini(&b);
    fsh_image_fini(&image);
    fsh_image_fini(&mirrored);
    embedder_close(&e);
    return apart;
}

static void
with_flip_a_picture_and_its_mirror_image_are_one(void **state)
{
    (void)state;
    assert_true(distance_to_mirror("no") > 0.1);
    assert_true(distance_to_mirror("yes") < 1e-6);
}

enum { TOGETHER = 5 };

static void
make_photos(fsh_image *images, fsh_photo *photos, embedder *e)
{
    uint32_t i;

    for (i = 0; i < TOGETHER; i++) {
        fsh_test_paint(&images[i], SIDE, i + 1);
        photos[i] = photo_of(&images[i], &same);
        look_at(e, &photos[i]);
        fsh_image_fini(&images[i]); /* a photograph that waits is not held */
    }
    photos[2].faces[0].reason = FSH_REASON_NO_FACE;
}

static void
assert_same_alone_and_together(embedder *e)
{
    fsh_image images[TOGETHER];
    fsh_photo alone[TOGETHER], together[TOGETHER], *all[TOGETHER];
    size_t bytes = e->env.dimension * sizeof(float);
    uint32_t i;

    make_photos(images, alone, e);
    make_photos(images, together, e);
    for (i = 0; i < TOGETHER; i++) {
        fsh_photo *one = &alone[i];

        finish(e, &one, 1);
        all[i] = &together[TOGETHER - 1 - i];
    }
    finish(e, all, TOGETHER);
    for (i = 0; i < TOGETHER; i++) {
        assert_memory_equal(alone[i].faces[0].embedding, together[i].faces[0].embedding, bytes);
        fsh_photo_fini(&alone[i]);
        fsh_photo_fini(&together[i]);
    }
}

/* A network under a card of its own. */
static void
write_card(const char *path, const char *file, const char *keys)
{
    char text[512];
    fsh_err err = {""};

    snprintf(text, sizeof text,
             "{name: other, file: %s, width: 112, height: 112, mean: 127.5, scale: 0.0078125,"
             " dimension: 128, %s}\n",
             file, keys);
    assert_ok(fsh_file_write(path, text, strlen(text), &err), err);
}

static void
clear(uint8_t *file, size_t n, const char *head, size_t bytes)
{
    uint8_t *at = memmem(file, n, head, strlen(head));

    assert_non_null(at);
    memset(at + strlen(head), 0, bytes);
}

/* Our network with nothing but zeros in its last layer. Heads are of ONNX: name, kind and length of
 * what follows. */
static void
write_silent(const char *path)
{
    fsh_err err = {""};
    uint8_t *data;
    size_t n;

    assert_ok(fsh_file_read(FSH_SOURCE_DIR "/models/faceshard_mobile.onnx", 1 << 24, &data, &n, &err), err);
    clear(data, n, "embed.weight\x4a\x80\x80\x10", 262144);
    clear(data, n, "embed.bias\x4a\x80\x04", 512);
    assert_ok(fsh_file_write(path, (const char *)data, n, &err), err);
    free(data);
}

/* The same bytes with whomever, in whatever order and place: four faces in runs of three. */
static void
an_embedding_does_not_depend_on_who_is_embedded_with_it(void **state)
{
    static const char *const backends[] = {"onednn", "opencv"};
    char keys[64], card[] = "/tmp/faceshard-card-XXXXXX.yaml";
    fsh_err err = {""};
    embedder e;
    uint32_t i;

    (void)state;
    close(mkstemps(card, 5));
    for (i = 0; i < 2; i++) {
        snprintf(keys, sizeof keys, "at_once: 3, backend: %s", backends[i]);
        write_card(card, "faceshard_mobile.onnx", keys);
        assert_ok(embedder_open(&e, card, &err), err);
        assert_int_equal(fsh_stage_embed.together(e.state), 3);
        assert_same_alone_and_together(&e);
        embedder_close(&e);
    }
    unlink(card);
}

static void
a_vector_of_no_length_is_no_embedding_and_a_face_without_points_has_bad_landmarks(void **state)
{
    char card[] = "/tmp/faceshard-card-XXXXXX.yaml", network[] = "/tmp/faceshard-card-XXXXXX.onnx";
    fsh_err err = {""};
    fsh_image image;
    fsh_photo photo;
    embedder e;

    (void)state;
    close(mkstemps(card, 5));
    close(mkstemps(network, 5));
    write_silent(network);
    write_card(card, network, "backend: onednn");
    assert_ok(embedder_open(&e, card, &err), err);
    fsh_test_paint(&image, SIDE, 1);
    photo = photo_of(&image, &same);
    embed(&e, &photo);
    assert_int_equal(photo.faces[0].reason, FSH_REASON_NO_EMBEDDING);
    fsh_photo_fini(&photo);
    photo = photo_of(&image, &same);
    photo.faces[0].has_five = false;
    embed(&e, &photo);
    assert_int_equal(photo.faces[0].reason, FSH_REASON_BAD_LANDMARKS);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
    embedder_close(&e);
    unlink(card);
    unlink(network);
}

static void
embed_file(embedder *e, const char *name, fsh_image *image, fsh_photo *photo)
{
    fsh_err err = {""};
    fsh_reason reason;
    void *params = fsh_test_params(&fsh_stage_detect, (const char *const[]){"min_side", "0", NULL});
    void *state;
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;

    assert_ok(fsh_path_join(path, PEOPLE, name, &err), err);
    assert_ok(fsh_file_read(path, 1 << 24, &data, &bytes, &err), err);
    assert_ok(fsh_decode(data, bytes, 1 << 24, image, &reason, &err), err);
    free(data);
    *photo = (fsh_photo){.image = image};
    assert_ok(fsh_stage_detect.open(&e->env, params, &state, &err), err);
    assert_ok(fsh_stage_detect.analyse(state, params, 0, photo, &err), err);
    fsh_stage_detect.close(state);
    free(params);
    embed(e, photo);
    assert_non_null(photo->faces[0].embedding);
}

static void
trained_networks_know_a_person_again(void **state)
{
    static const char *const cards[] = {own, "mobilefacenet_y1", "mobilefacenet_caffe",
                                        "mobilefacenet_xiaoccer", "mobilefacenet_foamliu"};
    static const char *const names[] = {"Abel_Pacheco/Abel_Pacheco_0001.jpg",
                                        "Abel_Pacheco/Abel_Pacheco_0004.jpg",
                                        "Abbas_Kiarostami/Abbas_Kiarostami_0001.jpg"};
    fsh_image image = {0};
    size_t i, k;

    (void)state;
    if (!fsh_file_exists(PEOPLE)) {
        print_message("skipped: no photographs in ../shared\n");
        skip();
    }
    for (i = 0; i < sizeof cards / sizeof *cards; i++) {
        fsh_err err = {""};
        fsh_photo photos[3];
        embedder e;

        assert_ok(embedder_open(&e, cards[i], &err), err);
        for (k = 0; k < 3; k++)
            embed_file(&e, names[k], &image, &photos[k]);
        assert_true(distance(&photos[0], &photos[1], e.env.dimension) < 1.1);
        assert_true(distance(&photos[0], &photos[2], e.env.dimension) > 1.2);
        for (k = 0; k < 3; k++)
            fsh_photo_fini(&photos[k]);
        embedder_close(&e);
    }
    fsh_image_fini(&image);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_embedding_has_length_one_and_env_knows_its_size),
        cmocka_unit_test(where_the_face_is_does_not_matter_and_what_it_is_does),
        cmocka_unit_test(an_embedding_does_not_depend_on_who_is_embedded_with_it),
        cmocka_unit_test(with_flip_a_picture_and_its_mirror_image_are_one),
        cmocka_unit_test(a_vector_of_no_length_is_no_embedding_and_a_face_without_points_has_bad_landmarks),
        cmocka_unit_test(trained_networks_know_a_person_again),
    };

    fsh_vision_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
