/* The suite that every stage of the table must pass, and the sums of what it makes of synthetic
 * pictures. A stage that gives other bytes than tests/golden/NAME.sum says has changed: raise its
 * version, look at its pictures, and write the sums anew with FACESHARD_GOLDEN=write. */
#include "tests/stage_testing.h"

#include <math.h>
#include <pthread.h>

#include "base/files.h"
#include "base/hash.h"
#include "stages/press.h"

enum {
    SIZE = 112,
    SAMPLES_N = 6,
    VARIANTS_N = 2,
    ITEMS_N = SAMPLES_N * VARIANTS_N,
    THREADS_MAX = 4
};
enum { GUARD_BYTES = 64, GUARD = 0xA7 };

/* ---- parameters ---- */

static void
assert_refused(const fsh_stage *stage, const fsh_arg *row, void *params, const char *text)
{
    fsh_err err = {""};

    if (!fsh_arg_set(row, params, text, &err))
        fail_msg("%s.%s takes %s, which it should refuse", stage->name, row->name, text);
    if (!err.text[0])
        fail_msg("%s.%s refuses %s without a word", stage->name, row->name, text);
}

static void
assert_taken(const fsh_stage *stage, const fsh_arg *row, void *params, const char *text)
{
    fsh_err err = {""};

    if (fsh_arg_set(row, params, text, &err))
        fail_msg("%s.%s does not take %s: %s", stage->name, row->name, text, err.text);
}

static void
check_limits(const fsh_stage *stage, const fsh_arg *row, void *params)
{
    double step = row->type == FSH_ARG_TYPE_INT ? 1 : 1e-6;
    char text[64];

    snprintf(text, sizeof text, "%.17g", row->low);
    assert_taken(stage, row, params, text);
    snprintf(text, sizeof text, "%.17g", row->high);
    assert_taken(stage, row, params, text);
    snprintf(text, sizeof text, "%.17g", row->low - step);
    assert_refused(stage, row, params, text);
    snprintf(text, sizeof text, "%.17g", row->high + step);
    assert_refused(stage, row, params, text);
}

static void
every_parameter_is_refused_just_outside_its_limits(void **state)
{
    const fsh_stage *const *stage;
    const fsh_arg *row;

    (void)state;
    for (stage = fsh_stages; *stage; stage++) {
        void *params = fsh_test_params(*stage, NULL);

        for (row = (*stage)->args; row->name; row++) {
            if (row->type == FSH_ARG_TYPE_INT || row->type == FSH_ARG_TYPE_REAL)
                check_limits(*stage, row, params);
            if (row->type != FSH_ARG_TYPE_TEXT)
                assert_refused(*stage, row, params, "no such value");
        }
        free(params);
    }
}

static void
every_parameter_says_what_it_is(void **state)
{
    const fsh_stage *const *stage;
    const fsh_arg *row;

    (void)state;
    for (stage = fsh_stages; *stage; stage++) {
        for (row = (*stage)->args; row->name; row++) {
            assert_true(row->help && row->help[0] && row->fallback);
            assert_true(row->offset < (*stage)->params_size);
            assert_ptr_equal(fsh_test_row(*stage, row->name), row); /* no name stands twice */
        }
    }
}

/* ---- table ---- */

static void
every_stage_is_whole_and_works_in_one_phase(void **state)
{
    const fsh_stage *const *at;

    (void)state;
    for (at = fsh_stages; *at; at++) {
        const fsh_stage *stage = *at;

        assert_true(stage->name[0] && stage->summary[0] && stage->id > 0 && stage->version > 0);
        assert_int_equal(stage->analyse != NULL, stage->phase == FSH_PHASE_ANALYSE);
        assert_int_equal((stage->select != NULL) + (stage->select_all != NULL), stage->phase == FSH_PHASE_SELECT);
        assert_int_equal(stage->synthesise != NULL, stage->phase == FSH_PHASE_SYNTHESISE);
        assert_int_equal(stage->needs & stage->gives, 0);
    }
}

static void
names_and_numbers_are_given_once(void **state)
{
    const fsh_stage *const *a, *const *b;

    (void)state;
    for (a = fsh_stages; *a; a++) {
        assert_ptr_equal(fsh_stage_find((*a)->name), *a);
        for (b = fsh_stages; b < a; b++)
            assert_int_not_equal((*a)->id, (*b)->id);
    }
    assert_null(fsh_stage_find("no such stage"));
}

/* ---- synthesis ---- */

/* What a stage made of one sample and variant. */
struct made {
    fsh_reason reason;
    fsh_hash hash; /* of pixels and landmarks */
};

/* One stage at work on all items, and which of them a thread takes. */
struct shift {
    const fsh_stage *stage;
    const void *params;
    void *state;
    fsh_press press; /* of every other picture */
    uint32_t thread, threads;
    bool backwards;
    struct made *made; /* ITEMS_N */
};

/* Pixels that their owner may free, with guard bytes behind them. */
static fsh_image
guarded_image(const fsh_image *source)
{
    fsh_image image = *source;
    size_t bytes = fsh_image_bytes(source);

    image.data = malloc(bytes + GUARD_BYTES);
    assert_non_null(image.data);
    memcpy(image.data, source->data, bytes);
    memset(image.data + bytes, GUARD, GUARD_BYTES);
    return image;
}

/* A stage may swap the picture with its scratch, or put another picture in the place of either. */
static void
check_guards(const fsh_stage *stage, const fsh_canvas *canvas, const fsh_image guarded[2])
{
    const fsh_image *held[2] = {&canvas->image, &canvas->scratch};
    uint32_t i, k, b;

    for (i = 0; i < 2; i++)
        for (k = 0; k < 2; k++)
            for (b = 0; held[i]->data == guarded[k].data && b < GUARD_BYTES; b++)
                if (held[i]->data[fsh_image_bytes(&guarded[k]) + b] != GUARD)
                    fail_msg("%s writes %u bytes behind a picture", stage->name, b);
}

static void
fill_face(fsh_face *face, float *embedding, uint32_t sample)
{
    memset(face, 0, sizeof *face);
    face->key = fsh_mix64(sample + 1);
    face->face = face->crop = face->landmark_box = (fsh_box){10, 20, SIZE, SIZE};
    fsh_test_landmarks(face->landmarks, SIZE, sample);
    face->has_landmarks = true;
    face->score = 0.9f;
    face->mask_class = FSH_MASK_CLASS_NO_MASK;
    embedding[0] = 1;
    face->embedding = embedding;
}

static void
check_canvas(const fsh_stage *stage, const fsh_canvas *canvas)
{
    uint32_t i;

    assert_int_equal(canvas->image.width, SIZE);
    assert_int_equal(canvas->image.height, SIZE);
    assert_int_equal(canvas->image.channels, 3);
    assert_true(canvas->has_landmarks);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        if (!isfinite(canvas->landmarks[i].x) || !isfinite(canvas->landmarks[i].y))
            fail_msg("%s leaves landmark %u without a place", stage->name, i);
}

static fsh_hash
hash_canvas(const fsh_canvas *canvas)
{
    size_t bytes = fsh_image_bytes(&canvas->image);
    int32_t places[2 * FSH_LANDMARKS_N]; /* in 1/256 px, finer than any use of them */
    fsh_hasher *hasher = NULL;
    fsh_hash hash;
    uint32_t i;

    for (i = 0; i < FSH_LANDMARKS_N; i++) {
        places[2 * i] = (int32_t)lrintf(canvas->landmarks[i].x * 256);
        places[2 * i + 1] = (int32_t)lrintf(canvas->landmarks[i].y * 256);
    }
    assert_int_equal(fsh_hasher_new(&hasher), FSH_OK);
    fsh_hasher_add(hasher, canvas->image.data, bytes);
    fsh_hasher_add(hasher, places, sizeof places);
    fsh_hasher_take(&hasher, &hash);
    return hash;
}

static void
make_item(const struct shift *shift, uint32_t item)
{
    uint32_t sample = item / VARIANTS_N, variant = item % VARIANTS_N;
    float embedding[4] = {0}, embedding_before[4];
    fsh_image source, guarded[2];
    fsh_face face, before;
    fsh_canvas canvas;

    fsh_test_paint(&source, SIZE, sample);
    fill_face(&face, embedding, sample);
    before = face;
    memcpy(embedding_before, embedding, sizeof embedding);
    memset(&canvas, 0, sizeof canvas);
    guarded[0] = canvas.image = guarded_image(&source);
    guarded[1] = canvas.scratch = guarded_image(&source);
    memcpy(canvas.landmarks, face.landmarks, sizeof canvas.landmarks);
    canvas.has_landmarks = true;
    canvas.face = &face;
    canvas.press = variant & 1 ? &shift->press : NULL;
    canvas.rng = fsh_rng_new(1, shift->stage->id, face.key, variant);

    shift->made[item].reason =
        shift->stage->synthesise(shift->state, shift->params, shift->thread, &canvas);
    check_guards(shift->stage, &canvas, guarded);
    check_canvas(shift->stage, &canvas);
    assert_memory_equal(&face, &before, sizeof face);
    assert_memory_equal(embedding, embedding_before, sizeof embedding);
    shift->made[item].hash = hash_canvas(&canvas);
    fsh_image_fini(&canvas.image);
    fsh_image_fini(&canvas.scratch);
    fsh_image_fini(&source);
}

static void *
run_shift(void *self)
{
    const struct shift *shift = self;
    uint32_t i;

    for (i = shift->thread; i < ITEMS_N; i += shift->threads)
        make_item(shift, shift->backwards ? ITEMS_N - 1 - i : i);
    return NULL;
}

static void
run_threads(const struct shift *work, uint32_t threads, struct made made[ITEMS_N])
{
    struct shift shifts[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    uint32_t i;

    memset(made, 0, ITEMS_N * sizeof *made);
    for (i = 0; i < threads; i++) {
        shifts[i] = *work;
        shifts[i].thread = i;
        shifts[i].threads = threads;
        shifts[i].made = made;
    }
    for (i = 1; i < threads; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, run_shift, &shifts[i]), 0);
    run_shift(&shifts[0]);
    for (i = 1; i < threads; i++)
        pthread_join(ids[i], NULL);
}

/* A stage opened for a number of threads, with its defaults. */
static struct shift
open_stage(const fsh_stage *stage, uint32_t threads)
{
    fsh_stage_env env = {.seed = 1,
                         .size = SIZE,
                         .threads = threads,
                         .clean_threshold = 1,
                         .templates = FSH_SOURCE_DIR "/datasets/templates"};
    void *params = fsh_test_params(stage, NULL);
    struct shift work = {.stage = stage, .params = params};
    fsh_err err = {""};
    int i;

    for (i = 0; i < 64; i++)
        work.press.light[i] = work.press.colour[i] = (float)(6 + i % 8 + i / 8);
    if (stage->open)
        assert_ok(stage->open(&env, params, &work.state, &err), err);
    return work;
}

static void
close_stage(struct shift *work)
{
    if (work->stage->close)
        work->stage->close(work->state);
    free((void *)work->params);
}

static void
assert_same(const fsh_stage *stage, const struct made *a, const struct made *b, const char *how)
{
    uint32_t i;

    for (i = 0; i < ITEMS_N; i++)
        if (a[i].reason != b[i].reason || memcmp(&a[i].hash, &b[i].hash, sizeof a[i].hash) != 0)
            fail_msg("%s makes another picture of sample %u, variant %u, %s", stage->name,
                     i / VARIANTS_N, i % VARIANTS_N, how);
}

static void
check_synthesis(const fsh_stage *stage)
{
    struct made alone[ITEMS_N], other[ITEMS_N];
    struct shift one = open_stage(stage, 1), many = open_stage(stage, THREADS_MAX);

    run_threads(&one, 1, alone);
    run_threads(&one, 1, other);
    assert_same(stage, alone, other, "the second time");
    one.backwards = true;
    run_threads(&one, 1, other);
    assert_same(stage, alone, other, "in another order");
    run_threads(&many, THREADS_MAX, other);
    assert_same(stage, alone, other, "with 4 threads");
    close_stage(&one);
    close_stage(&many);
}

static void
pictures_depend_on_nothing_but_their_keys(void **state)
{
    const fsh_stage *const *stage;

    (void)state;
    for (stage = fsh_stages; *stage; stage++)
        if ((*stage)->phase == FSH_PHASE_SYNTHESISE)
            check_synthesis(*stage);
}

/* ---- golden sums ---- */

static void
print_sums(const fsh_stage *stage, const struct made *made, fsh_text *out)
{
    char hex[FSH_HASH_HEX];
    uint32_t i;

    fsh_text_addf(out, "%s version %u\n", stage->name, stage->version);
    for (i = 0; i < ITEMS_N; i++) {
        fsh_hash_hex(&made[i].hash, hex);
        fsh_text_addf(out, "%u %u %dx%d %.32s %s\n", i / VARIANTS_N, i % VARIANTS_N, SIZE, SIZE,
                      hex, made[i].reason ? fsh_reason_code(made[i].reason) : "made");
    }
}

static void
check_sums(const fsh_stage *stage, const char *sums)
{
    const char *wish = getenv("FACESHARD_GOLDEN");
    char path[FSH_PATH_BYTES];
    fsh_err err = {""};
    uint8_t *golden;
    size_t bytes;

    snprintf(path, sizeof path, FSH_SOURCE_DIR "/tests/golden/%s.sum", stage->name);
    if (wish && strcmp(wish, "write") == 0)
        assert_ok(fsh_file_write(path, sums, strlen(sums), &err), err);
    assert_ok(fsh_file_read(path, 65536, &golden, &bytes, &err), err);
    if (strcmp((const char *)golden, sums) != 0)
        fail_msg("%s gives other bytes than %s says:\n%s", stage->name, path, sums);
    free(golden);
}

static void
other_bytes_need_another_version(void **state)
{
    const fsh_stage *const *stage;

    (void)state;
    for (stage = fsh_stages; *stage; stage++) {
        struct made made[ITEMS_N];
        struct shift work;
        fsh_text sums = {0};

        if ((*stage)->phase != FSH_PHASE_SYNTHESISE)
            continue;
        work = open_stage(*stage, 1);
        run_threads(&work, 1, made);
        print_sums(*stage, made, &sums);
        check_sums(*stage, fsh_text_get(&sums));
        fsh_text_fini(&sums);
        close_stage(&work);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_is_refused_just_outside_its_limits),
        cmocka_unit_test(every_parameter_says_what_it_is),
        cmocka_unit_test(every_stage_is_whole_and_works_in_one_phase),
        cmocka_unit_test(names_and_numbers_are_given_once),
        cmocka_unit_test(pictures_depend_on_nothing_but_their_keys),
        cmocka_unit_test(other_bytes_need_another_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
