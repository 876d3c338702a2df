/* An outflow and an inflow on one loop, with a bad connection between them. */
#include "tests/testing.h"

#include <sys/stat.h>

#include "base/files.h"
#include "base/rng.h"
#include "proto/inflow.h"
#include "proto/outflow.h"

enum { STREAM_BYTES = 5 * 1000 * 1000, QUEUE_MAX = 256, CUT_AT = 2000000 };

typedef struct letter {
    bool request, again, end;
    uint64_t a, b; /* from and until, or offset and bytes */
    uint8_t *data;
    fsh_hash hash;
} letter;

/* One stream on its way. Letters go through a queue that an idle handle delivers, so that faults
 * are the same in every run. */
typedef struct scene {
    char *folder, path[FSH_PATH_BYTES], final[FSH_PATH_BYTES];
    uint8_t *bytes;
    uint64_t bytes_n;
    uv_loop_t loop;
    uv_idle_t postman;
    fsh_inflow *inflow;
    fsh_outflow *outflow;
    letter queue[QUEUE_MAX];
    uint32_t queue_n;
    fsh_rng rng;
    uint32_t lost, doubled, reordered; /* percent */
    bool known;                        /* length and sum are told at the beginning */
    bool damaged;                      /* the sum that is told is another */
    bool gone;                         /* the source fails */
    uint32_t closed, refused, ends;
    fsh_status status;
    fsh_err err;
} scene;

static void
post(scene *of, letter message)
{
    assert_true(of->queue_n < QUEUE_MAX);
    of->queue[of->queue_n++] = message;
}

/* ---- the source ---- */

static fsh_status
read_bytes(void *self, uint64_t offset, void *data, size_t room, size_t *bytes, fsh_err *err)
{
    const scene *of = self;
    uint64_t left = offset < of->bytes_n ? of->bytes_n - offset : 0;

    if (of->gone && offset > CUT_AT)
        return fsh_fail(err, FSH_IO, "the input is gone");
    *bytes = left < room ? left : room;
    memcpy(data, of->bytes + offset, *bytes);
    return FSH_OK;
}

static void
sum_bytes(void *self, uint64_t *bytes, fsh_hash *hash)
{
    const scene *of = self;

    *bytes = of->bytes_n;
    *hash = fsh_hash_of(of->bytes, of->bytes_n);
    hash->bytes[0] ^= of->damaged;
}

static void
close_bytes(void *self)
{
    ((scene *)self)->closed++;
}

/* ---- the two ends ---- */

static bool
on_send(void *self, uint64_t offset, const void *data, size_t bytes)
{
    scene *of = self;
    uint8_t *copy = malloc(bytes);

    memcpy(copy, data, bytes);
    post(of, (letter){.a = offset, .b = bytes, .data = copy});
    return true;
}

static void
on_end(void *self, uint64_t bytes, const fsh_hash *hash)
{
    post(self, (letter){.end = true, .a = bytes, .hash = *hash});
}

static void
stop(scene *of)
{
    uv_close((uv_handle_t *)&of->postman, NULL);
    fsh_inflow_close(&of->inflow);
    fsh_outflow_close(&of->outflow);
}

static void
on_failed(void *self, fsh_status status, const fsh_err *err)
{
    scene *of = self;

    of->status = status;
    of->err = *err;
    stop(of);
}

static void
on_fetch(void *self, uint64_t from, uint64_t until, bool again)
{
    post(self, (letter){.request = true, .again = again, .a = from, .b = until});
}

static void
on_ended(void *self, fsh_status status, const fsh_err *err)
{
    scene *of = self;

    of->ends++;
    of->status = status;
    of->err = *err;
    stop(of);
}

/* ---- the way between them ---- */

static void
deliver(scene *of, const letter *message)
{
    if (message->request)
        fsh_outflow_fetch(of->outflow, message->a, message->b, message->again);
    else if (message->end)
        fsh_inflow_end(of->inflow, message->a, &message->hash);
    else if (!fsh_inflow_piece(of->inflow, message->a, message->data, message->b))
        of->refused++;
}

static letter
take(scene *of, uint32_t at)
{
    letter message = of->queue[at];

    of->queue_n--;
    memmove(&of->queue[at], &of->queue[at + 1], (of->queue_n - at) * sizeof *of->queue);
    return message;
}

static bool
chance(scene *of, uint32_t percent)
{
    return fsh_rng_below(&of->rng, 100) < percent;
}

/* Delivers one letter a turn of the loop. Nothing on the way and nothing for two milliseconds: the
 * receiver is told to ask again, as the timer of its owner would. */
static void
on_turn(uv_idle_t *idle)
{
    scene *of = idle->data;
    letter message;

    if (of->queue_n == 0) {
        uv_sleep(2);
        if (of->lost)
            fsh_inflow_resume(of->inflow);
        return;
    }
    message = take(of, chance(of, of->reordered) ? fsh_rng_below(&of->rng, of->queue_n) : 0);
    if (!chance(of, of->lost)) {
        bool twice = chance(of, of->doubled);

        deliver(of, &message);
        if (twice && of->inflow && of->outflow)
            deliver(of, &message);
    }
    free(message.data);
}

static scene *
new_scene(uint64_t bytes_n)
{
    scene *of = calloc(1, sizeof *of);
    uint64_t i;

    of->folder = fsh_test_folder();
    snprintf(of->path, sizeof of->path, "%s/.coming.tmp", of->folder);
    snprintf(of->final, sizeof of->final, "%s/here", of->folder);
    of->bytes = malloc(bytes_n + 1);
    of->bytes_n = bytes_n;
    for (i = 0; i < bytes_n; i++)
        of->bytes[i] = (uint8_t)(i * 31 + (i >> 12));
    of->rng = fsh_rng_new(1, 1, 1, 0);
    return of;
}

static void
run(scene *of)
{
    fsh_inflow_options in = {of->path, of->final, of, on_fetch, on_ended};
    fsh_outflow_options out = {{of, read_bytes, of->known ? NULL : sum_bytes, close_bytes},
                               of,
                               on_send,
                               on_end,
                               on_failed};
    fsh_err err;
    fsh_hash hash;
    uint64_t bytes;

    uv_loop_init(&of->loop);
    uv_idle_init(&of->loop, &of->postman);
    of->postman.data = of;
    uv_idle_start(&of->postman, on_turn);
    assert_ok(fsh_inflow_open(&of->loop, &in, &of->inflow, &err), err);
    assert_ok(fsh_outflow_open(&of->loop, &out, &of->outflow, &err), err);
    sum_bytes(of, &bytes, &hash);
    if (of->known)
        fsh_inflow_end(of->inflow, bytes, &hash);
    uv_run(&of->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&of->loop), 0);
    while (of->queue_n)
        free(take(of, 0).data);
    assert_int_equal(of->closed, 1);
    of->closed = 0;
}

static void
check_arrived(const scene *of)
{
    uint8_t *data;
    size_t bytes;

    assert_ok(of->status, of->err);
    assert_int_equal(of->ends, 1);
    assert_false(fsh_file_exists(of->path));
    assert_int_equal(fsh_file_read(of->final, STREAM_BYTES, &data, &bytes, NULL), FSH_OK);
    assert_int_equal(bytes, of->bytes_n);
    assert_memory_equal(data, of->bytes, bytes);
    free(data);
}

static void
check_nothing_left(const scene *of)
{
    assert_false(fsh_file_exists(of->path));
    assert_false(fsh_file_exists(of->final));
}

static void
free_scene(scene *of)
{
    fsh_test_remove(of->folder);
    free(of->bytes);
    free(of);
}

static void
a_stream_becomes_a_file(void **state)
{
    static const uint64_t sizes[] = {0, 1, FSH_PIECE_BYTES, FSH_WINDOW_BYTES, STREAM_BYTES};
    uint32_t i;

    (void)state;
    for (i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        scene *of = new_scene(sizes[i / 2]);

        of->known = i % 2;
        run(of);
        check_arrived(of);
        assert_int_equal(of->refused, 0);
        free_scene(of);
    }
}

static void
a_bad_connection_changes_nothing(void **state)
{
    static const uint32_t faults[][3] = {{15, 0, 0}, {0, 40, 0}, {0, 0, 40}, {15, 20, 30}};
    uint32_t i;

    (void)state;
    for (i = 0; i < 2 * sizeof faults / sizeof *faults; i++) {
        scene *of = new_scene(STREAM_BYTES);

        of->rng = fsh_rng_new(i, 1, 1, 0);
        of->known = i % 2;
        of->lost = faults[i / 2][0];
        of->doubled = faults[i / 2][1];
        of->reordered = faults[i / 2][2];
        run(of);
        check_arrived(of);
        free_scene(of);
    }
}

static void
what_is_not_what_was_told_does_not_get_its_name(void **state)
{
    scene *of = new_scene(STREAM_BYTES);

    (void)state;
    of->damaged = true;
    run(of);
    assert_int_equal(of->status, FSH_FORMAT);
    assert_text_has(of->err.text, "SHA-256");
    check_nothing_left(of);
    free_scene(of);
}

static void
a_source_that_fails_ends_the_stream(void **state)
{
    scene *of = new_scene(STREAM_BYTES);

    (void)state;
    of->gone = true;
    run(of);
    assert_int_equal(of->status, FSH_IO);
    assert_text_has(of->err.text, "gone");
    check_nothing_left(of);
    free_scene(of);
}

static void
a_file_that_cannot_be_made_is_named(void **state)
{
    scene *of = new_scene(STREAM_BYTES);

    (void)state;
    snprintf(of->path, sizeof of->path, "%s/none/file", of->folder);
    run(of);
    assert_int_equal(of->status, FSH_IO);
    assert_text_has(of->err.text, of->path);
    free_scene(of);
}

/* A receiver that knows the length takes no byte beyond it. */
static void
a_sender_that_sends_more_than_it_told_is_refused(void **state)
{
    scene *of = new_scene(0);
    fsh_inflow_options in = {of->path, of->final, of, on_fetch, on_ended};
    fsh_hash hash = fsh_hash_of("abc", 3);
    fsh_err err;

    (void)state;
    uv_loop_init(&of->loop);
    assert_ok(fsh_inflow_open(&of->loop, &in, &of->inflow, &err), err);
    fsh_inflow_end(of->inflow, 3, &hash);
    assert_false(fsh_inflow_piece(of->inflow, 0, "abcd", 4));
    assert_true(fsh_inflow_piece(of->inflow, 0, "ab", 2));
    assert_false(fsh_inflow_piece(of->inflow, 2, "cd", 2));
    assert_false(fsh_inflow_piece(of->inflow, UINT64_MAX, "cd", 2));
    assert_int_equal(fsh_inflow_bytes(of->inflow), 2);
    fsh_inflow_close(&of->inflow);
    uv_run(&of->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&of->loop), 0);
    check_nothing_left(of);
    free_scene(of);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_becomes_a_file),
        cmocka_unit_test(a_bad_connection_changes_nothing),
        cmocka_unit_test(what_is_not_what_was_told_does_not_get_its_name),
        cmocka_unit_test(a_source_that_fails_ends_the_stream),
        cmocka_unit_test(a_file_that_cannot_be_made_is_named),
        cmocka_unit_test(a_sender_that_sends_more_than_it_told_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
