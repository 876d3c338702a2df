/* What a worker may try that has come in: lies, messages of an older epoch, the name of another worker, floods.
 * The coordinator is real and runs in a thread of its own; the rogue speaks over a real connection. */
#include "tests/testing.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/files.h"
#include "coordinator/coordinator.h"
#include "job/paths.h"
#include "proto/link.h"
#include "proto/messages.h"

enum { UNITS = 4, SAMPLES = 10, LIMIT_MS = 30000, FLOOD = 60000 };

/* ---- the coordinator ---- */

typedef struct scene {
    char *output, address[FSH_PATH_BYTES];
    uint32_t samples[UNITS], seen[FSH_COORDINATOR_ENDED + 1];
    fsh_coordinator_work work;
    fsh_coordinator_options options;
    fsh_coordinator_totals totals;
    fsh_status status;
    fsh_err err;
    pthread_t thread;
} scene;

static void
on_told(void *self, const fsh_coordinator_event *event)
{
    ((scene *)self)->seen[event->kind]++;
}

static void *
serve(void *self)
{
    scene *of = self;

    of->status = fsh_coordinator_serve(&of->work, &of->options, &of->totals, &of->err);
    return NULL;
}

static scene *
open_scene(void)
{
    scene *of = calloc(1, sizeof *of);
    uint32_t i;

    of->output = fsh_test_folder();
    snprintf(of->address, sizeof of->address, "ipc://%s/wire", of->output);
    for (i = 0; i < UNITS; i++)
        of->samples[i] = SAMPLES;
    of->work = (fsh_coordinator_work){.output = of->output,
                                      .job = "a job",
                                      .job_hash = "f00d",
                                      .input_hash = "beef",
                                      .units_n = UNITS,
                                      .samples = of->samples};
    fsh_coordinator_options_init(&of->options);
    of->options.address = of->address;
    of->options.self = of;
    of->options.told = on_told;
    assert_int_equal(pthread_create(&of->thread, NULL, serve, of), 0);
    return of;
}

/* The job has ended well: everything is there, once, and no unit has failed. */
static void
close_scene(scene *of)
{
    assert_int_equal(pthread_join(of->thread, NULL), 0);
    assert_ok(of->status, of->err);
    assert_int_equal(of->totals.units_done, UNITS);
    assert_int_equal(of->totals.samples_done, UNITS * SAMPLES);
    assert_int_equal(of->seen[FSH_COORDINATOR_UNIT_FAILED], 0);
    fsh_test_remove(of->output);
    free(of);
}

/* ---- somebody who is in ---- */

typedef struct rogue {
    uv_loop_t loop;
    uv_timer_t limit;
    fsh_link *link;
    fsh_message last; /* of the number that is waited for */
    uint32_t waited, counts[64];
    bool late;
} rogue;

static void
on_received(void *self, const fsh_peer *peer, const void *data, size_t bytes)
{
    rogue *of = self;
    fsh_message message;

    (void)peer;
    assert_int_equal(fsh_message_decode(data, bytes, FSH_FROM_COORDINATOR, &message, NULL), FSH_OK);
    of->counts[message.number]++;
    if (message.number != of->waited) {
        fsh_message_fini(&message);
        return;
    }
    of->last = message;
    of->waited = 0;
    uv_stop(&of->loop);
}

static void
on_limit(uv_timer_t *timer)
{
    ((rogue *)timer->data)->late = true;
    uv_stop(timer->loop);
}

static rogue *
open_rogue(const scene *of)
{
    rogue *opened = calloc(1, sizeof *opened);
    fsh_link_options options = {.address = of->address,
                                .bytes_max = FSH_MESSAGE_BYTES_MAX,
                                .self = opened,
                                .received = on_received};
    fsh_err err;

    uv_loop_init(&opened->loop);
    uv_timer_init(&opened->loop, &opened->limit);
    opened->limit.data = opened;
    assert_ok(fsh_link_open(&opened->loop, &options, &opened->link, &err), err);
    return opened;
}

static void
close_rogue(rogue *of)
{
    fsh_message_fini(&of->last);
    fsh_link_close(&of->link);
    uv_close((uv_handle_t *)&of->limit, NULL);
    uv_run(&of->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&of->loop), 0);
    free(of);
}

static bool
say(rogue *of, const fsh_message *message)
{
    fsh_text bytes = {0};
    bool sent;

    assert_int_equal(fsh_message_encode(message, FSH_FROM_WORKER, &bytes, NULL), FSH_OK);
    sent = fsh_link_send(of->link, NULL, bytes.data, bytes.bytes);
    fsh_text_fini(&bytes);
    return sent;
}

static void
turn(rogue *of)
{
    uv_run(&of->loop, UV_RUN_NOWAIT);
}

/* Waits for a message of this number. */
static const fsh_message *
wait_for(rogue *of, uint32_t number)
{
    fsh_message_fini(&of->last);
    of->waited = number;
    uv_timer_start(&of->limit, on_limit, LIMIT_MS, 0);
    while (of->waited && !of->late)
        uv_run(&of->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&of->limit);
    if (of->late)
        fail_msg("no %s has come", fsh_message_name((fsh_message_number)number));
    return &of->last;
}

static fsh_message
hello_with(const char *version, const char *job)
{
    return (fsh_message){.number = FSH_MESSAGE_HELLO,
                         .hello = {.protocol = FSH_PROTOCOL,
                                   .version = version,
                                   .host = "here",
                                   .threads = 1,
                                   .job = job}};
}

/* Said again until it is sent: there is no connection at first. */
static uint32_t
come_in(rogue *of, const char *version, const char *job, uint32_t answer)
{
    fsh_message hello = hello_with(version, job);

    while (!say(of, &hello))
        turn(of);
    wait_for(of, answer);
    return answer == FSH_MESSAGE_WELCOME ? of->last.welcome.epoch : 0;
}

static fsh_message
done_of(uint32_t unit, uint64_t token, const char *text)
{
    fsh_report report = {.unit = unit, .samples = SAMPLES, .delivered = SAMPLES, .images = SAMPLES};
    fsh_message message;

    report.bytes = strlen(text);
    report.shard_hash = fsh_hash_of(text, strlen(text));
    fsh_message_from_report(&report, token, &message);
    return message;
}

static void
write_shard(const scene *of, uint32_t unit, const char *text)
{
    char name[64], path[FSH_PATH_BYTES];

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    fsh_path_join(path, of->output, name, NULL);
    assert_int_equal(fsh_file_write(path, text, strlen(text), NULL), FSH_OK);
}

/* Does the whole job as a good worker does. */
static void
work(rogue *of, const scene *in)
{
    fsh_message credit = {.number = FSH_MESSAGE_CREDIT, .credit = {1}};
    uint32_t i;

    for (i = 0; i < UNITS; i++) {
        fsh_message done;

        say(of, &credit);
        wait_for(of, FSH_MESSAGE_LEASE);
        write_shard(in, of->last.lease.unit, "a shard");
        done = done_of(of->last.lease.unit, of->last.lease.token, "a shard");
        say(of, &done);
        wait_for(of, FSH_MESSAGE_COMMITTED);
        assert_int_equal(of->last.committed.verdict, 0);
    }
    if (!of->counts[FSH_MESSAGE_DRAIN]) /* it may have come with the last COMMITTED */
        wait_for(of, FSH_MESSAGE_DRAIN);
}

static void
leave(rogue *of)
{
    fsh_message bye = {.number = FSH_MESSAGE_BYE, .bye = {FSH_OK, ""}};

    say(of, &bye);
    close_rogue(of);
}

/* ---- what is tried ---- */

static void
another_version_and_another_job_are_refused_and_counted(void **state)
{
    scene *of = open_scene();
    rogue *bad = open_rogue(of), *good = open_rogue(of);

    (void)state;
    come_in(bad, "9.9", "", FSH_MESSAGE_REFUSE);
    assert_text_has(bad->last.refuse.why, "install the same version");
    come_in(bad, FSH_VERSION, "another", FSH_MESSAGE_REFUSE);
    assert_text_has(bad->last.refuse.why, "another");
    close_rogue(bad);
    come_in(good, FSH_VERSION, "f00d", FSH_MESSAGE_WELCOME);
    work(good, of);
    leave(good);
    pthread_join(of->thread, NULL);
    assert_int_equal(of->totals.refused_workers, 2);
    pthread_create(&of->thread, NULL, serve, of); /* joined by close_scene; the job is done */
    close_scene(of);
}

/* A DONE of an older epoch, of another worker, and of no lease at all: each is compared with what lies
 * there, and no unit loses an attempt or its worker by it. */
static void
a_done_from_who_has_no_lease_changes_nothing(void **state)
{
    scene *of = open_scene();
    rogue *bad = open_rogue(of), *good = open_rogue(of);
    uint32_t epoch, i;

    (void)state;
    epoch = come_in(bad, FSH_VERSION, "", FSH_MESSAGE_WELCOME);
    come_in(good, FSH_VERSION, "", FSH_MESSAGE_WELCOME);
    for (i = 0; i < 5 * UNITS; i++) {
        uint64_t token = i % 2 ? (uint64_t)epoch << 32 | (i + 1) : (uint64_t)(epoch - 1) << 32 | (i + 1);
        fsh_message lie = done_of(i % UNITS, token, "a lie");

        say(bad, &lie);
        wait_for(bad, FSH_MESSAGE_COMMITTED);
        assert_int_equal(bad->last.committed.verdict, 2);
    }
    work(good, of);
    leave(good);
    leave(bad);
    close_scene(of);
}

static void
numbers_that_name_nothing_are_ignored(void **state)
{
    scene *of = open_scene();
    rogue *bad = open_rogue(of);
    fsh_message message = {.number = FSH_MESSAGE_FAILED,
                           .failed = {UINT32_MAX, 7, FSH_IO, 0, .text = "../../etc"}};

    (void)state;
    come_in(bad, FSH_VERSION, "", FSH_MESSAGE_WELCOME);
    say(bad, &message);
    message = done_of(UINT32_MAX, 7, "a lie");
    say(bad, &message);
    message = (fsh_message){.number = FSH_MESSAGE_RETURN, .give_back = {UNITS, UINT64_MAX}};
    say(bad, &message);
    fsh_link_send(bad->link, NULL, "\x93\x01garbage", 9);
    work(bad, of);
    leave(bad);
    close_scene(of);
}

/* The answer to a good worker comes in spite of the flood: its messages have their turn. */
static void
a_flood_is_refused_and_counted_and_holds_up_nobody(void **state)
{
    scene *of = open_scene();
    rogue *bad = open_rogue(of), *good = open_rogue(of);
    fsh_message hello = hello_with(FSH_VERSION, ""), renew = {.number = FSH_MESSAGE_RENEW};
    uint32_t i;

    (void)state;
    come_in(bad, FSH_VERSION, "", FSH_MESSAGE_WELCOME);
    for (i = 0; i < FLOOD; i++) {
        while (!say(bad, i % 2 ? &hello : &renew))
            turn(bad);
        if (i % 64 == 0)
            turn(bad);
    }
    come_in(good, FSH_VERSION, "", FSH_MESSAGE_WELCOME);
    work(good, of);
    assert_true(bad->counts[FSH_MESSAGE_WELCOME] < 100);
    leave(good);
    leave(bad);
    pthread_join(of->thread, NULL);
    assert_true(of->totals.refused_messages > FLOOD / 100);
    pthread_create(&of->thread, NULL, serve, of); /* joined by close_scene; the job is done */
    close_scene(of);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_version_and_another_job_are_refused_and_counted),
        cmocka_unit_test(a_done_from_who_has_no_lease_changes_nothing),
        cmocka_unit_test(numbers_that_name_nothing_are_ignored),
        cmocka_unit_test(a_flood_is_refused_and_counted_and_holds_up_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
