/* A coordinator whose workers see neither input nor output, and a worker that misbehaves by script:
 * it sends stale, doubled and early pieces, asks for what it does not hold, and writes without a
 * lease. */
#include "tests/testing.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/files.h"
#include "coordinator/coordinator.h"
#include "job/paths.h"
#include "proto/link.h"
#include "proto/messages.h"

enum {
    UNITS = 3,
    PARCEL_BYTES = 3 * FSH_WINDOW_BYTES + 777,
    SHARD_BYTES = 2 * FSH_WINDOW_BYTES + 55,
    LIMIT_MS = 30000,
    REFUSED_BY_SCRIPT = 9 /* pieces that must not be taken */
};

static uint8_t
byte_of(char kind, uint32_t unit, uint64_t at)
{
    return (uint8_t)(kind + unit * 57 + at * 31 + (at >> 13));
}

/* ---- the coordinator's side ---- */

static fsh_status
read_parcel(void *self, uint64_t offset, void *data, size_t room, size_t *bytes, fsh_err *err)
{
    const uint32_t *unit = self;
    uint64_t left = offset < PARCEL_BYTES ? PARCEL_BYTES - offset : 0;
    size_t i;

    (void)err;
    *bytes = left < room ? left : room;
    for (i = 0; i < *bytes; i++)
        ((uint8_t *)data)[i] = byte_of('p', *unit, offset + i);
    return FSH_OK;
}

static void
sum_parcel(void *self, uint64_t *bytes, fsh_hash *hash)
{
    uint8_t *data = malloc(PARCEL_BYTES);
    size_t n;

    read_parcel(self, 0, data, PARCEL_BYTES, &n, NULL);
    *bytes = n;
    *hash = fsh_hash_of(data, n);
    free(data);
}

static void
close_parcel(void *self)
{
    free(self);
}

static fsh_status
open_parcel(void *self, uint32_t unit, fsh_source *source, fsh_err *err)
{
    uint32_t *kept = malloc(sizeof *kept);

    (void)self, (void)err;
    *kept = unit;
    *source = (fsh_source){kept, read_parcel, sum_parcel, close_parcel};
    return FSH_OK;
}

static const fsh_coordinator_parcels parcels = {NULL, open_parcel};

/* ---- the worker by script ---- */

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: the worker by script expected %s\n", __FILE__, __LINE__,       \
                    #condition);                                                                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

typedef struct script {
    uv_loop_t loop;
    uv_timer_t timer;
    fsh_link *link;
    fsh_message_number wanted; /* what is waited for */
    bool came;
    fsh_message message; /* the last one that was waited for; owned */
    uint8_t *parcel;
    uint64_t parcel_n; /* bytes that have come */
    uint64_t until;    /* bytes of the shard that may be sent */
    bool drained;
} script;

static void
say(script *me, const fsh_message *message)
{
    fsh_text bytes = {0};

    must(fsh_message_encode(message, FSH_FROM_WORKER, &bytes, NULL) == FSH_OK);
    must(fsh_link_send(me->link, NULL, bytes.data, bytes.bytes));
    fsh_text_fini(&bytes);
}

/* Pieces of a parcel are put together whoever waits for what. */
static void
take_piece(script *me, const fsh_message_piece *piece)
{
    must(piece->offset == me->parcel_n);
    must(piece->offset + piece->data.n <= PARCEL_BYTES);
    memcpy(me->parcel + me->parcel_n, piece->data.at, piece->data.n);
    me->parcel_n += piece->data.n;
}

static void
on_received(void *self, const fsh_peer *peer, const void *data, size_t bytes)
{
    script *me = self;
    fsh_message message;

    (void)peer;
    must(fsh_message_decode(data, bytes, FSH_FROM_COORDINATOR, &message, NULL) == FSH_OK);
    if (message.number == FSH_MESSAGE_PIECE)
        take_piece(me, &message.piece);
    if (message.number == FSH_MESSAGE_FETCH)
        me->until = message.fetch.until;
    me->drained = me->drained || message.number == FSH_MESSAGE_DRAIN;
    if (message.number != me->wanted || me->came) {
        fsh_message_fini(&message);
        return;
    }
    fsh_message_fini(&me->message);
    me->message = message;
    me->came = true;
}

static void
on_limit(uv_timer_t *timer)
{
    const script *me = timer->data;

    fprintf(stderr, "%s did not come\n", fsh_message_name(me->wanted));
    _exit(1);
}

static const fsh_message *
wait_for(script *me, fsh_message_number number)
{
    me->wanted = number;
    me->came = false;
    uv_timer_start(&me->timer, on_limit, LIMIT_MS, 0);
    while (!me->came)
        uv_run(&me->loop, UV_RUN_ONCE);
    return &me->message;
}

static void
say_hello(script *me)
{
    fsh_message hello = {
        .number = FSH_MESSAGE_HELLO,
        .hello = {
            .protocol = FSH_PROTOCOL, .version = FSH_VERSION, .host = "script", .threads = 1}};

    while (!fsh_link_send(me->link, NULL, "", 0)) /* until there is a connection */
        uv_run(&me->loop, UV_RUN_NOWAIT);
    say(me, &hello);
    must(wait_for(me, FSH_MESSAGE_WELCOME)->welcome.stream == 1);
}

static fsh_message_lease
borrow(script *me)
{
    fsh_message credit = {.number = FSH_MESSAGE_CREDIT, .credit = {1}};

    say(me, &credit);
    return wait_for(me, FSH_MESSAGE_LEASE)->lease;
}

static void
fetch(script *me, uint32_t unit, uint64_t token, uint64_t from, uint64_t until, bool again)
{
    fsh_message message = {.number = FSH_MESSAGE_FETCH, .fetch = {unit, token, from, until, again}};

    say(me, &message);
}

static void
check_parcel(const script *me, uint32_t unit, const fsh_message_end *end)
{
    fsh_hash hash = fsh_hash_of(me->parcel, me->parcel_n);

    must(end->unit == unit && end->bytes == PARCEL_BYTES && me->parcel_n == PARCEL_BYTES);
    must(memcmp(&hash, &end->hash, sizeof hash) == 0);
}

/* Asks for everything at once, and gets a window of it; asked for what it does not hold, the
 * coordinator takes that away. */
static void
fetch_parcel(script *me, const fsh_message_lease *lease)
{
    me->parcel_n = 0;
    fetch(me, lease->unit, lease->token, 0, UINT64_MAX, false);
    while (me->parcel_n < FSH_WINDOW_BYTES)
        wait_for(me, FSH_MESSAGE_PIECE);
    fetch(me, (lease->unit + 1) % UNITS, lease->token, 0, UINT64_MAX, false);
    must(wait_for(me, FSH_MESSAGE_REVOKE)->revoke.unit == (lease->unit + 1) % UNITS);
    must(me->parcel_n == FSH_WINDOW_BYTES);
    while (me->parcel_n < PARCEL_BYTES) {
        fetch(me, lease->unit, lease->token, me->parcel_n, UINT64_MAX, false);
        wait_for(me, FSH_MESSAGE_PIECE);
    }
    fetch(me, lease->unit, lease->token, me->parcel_n, UINT64_MAX, true);
    check_parcel(me, lease->unit, &wait_for(me, FSH_MESSAGE_END)->end);
}

static void
send_piece(script *me, uint32_t unit, uint64_t token, uint64_t offset, size_t bytes)
{
    uint8_t data[4096];
    fsh_message message = {.number = FSH_MESSAGE_PIECE,
                           .piece = {unit, token, offset, {bytes, data}}};
    size_t i;

    must(bytes <= sizeof data);
    for (i = 0; i < bytes; i++)
        data[i] = byte_of('s', unit, offset + i);
    say(me, &message);
}

static void
say_done(script *me, const fsh_message_lease *lease)
{
    fsh_message done = {.number = FSH_MESSAGE_DONE,
                        .done = {.unit = lease->unit,
                                 .token = lease->token,
                                 .samples = 1,
                                 .delivered = 1,
                                 .images = 1,
                                 .bytes = SHARD_BYTES}};
    uint8_t *data = malloc(SHARD_BYTES);
    size_t i;

    for (i = 0; i < SHARD_BYTES; i++)
        data[i] = byte_of('s', lease->unit, i);
    done.done.shard_hash = fsh_hash_of(data, SHARD_BYTES);
    free(data);
    say(me, &done);
}

/* Sends the shard from `from` to `to`, as it is allowed to. */
static void
send_shard(script *me, const fsh_message_lease *lease, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t left = to - from;
        size_t bytes = left < 4096 ? left : 4096;

        while (from + bytes > me->until)
            wait_for(me, FSH_MESSAGE_FETCH);
        send_piece(me, lease->unit, lease->token, from, bytes);
        from += bytes;
    }
}

static void
hand_in(script *me, const fsh_message_lease *lease)
{
    const fsh_message_fetch *asked;

    say_done(me, lease);
    asked = &wait_for(me, FSH_MESSAGE_FETCH)->fetch;
    must(asked->unit == lease->unit && asked->token == lease->token && asked->from == 0);
    must(asked->until == FSH_WINDOW_BYTES);
}

static void
hand_in_badly(script *me, const fsh_message_lease *lease)
{
    const uint64_t epoch = UINT64_C(1) << 32;

    hand_in(me, lease);
    send_piece(me, lease->unit, lease->token + epoch, 0, 100);       /* of another epoch */
    send_piece(me, lease->unit, lease->token + 1, 0, 100);           /* of another lease */
    send_piece(me, (lease->unit + 1) % UNITS, lease->token, 0, 100); /* of another unit */
    send_piece(me, lease->unit, lease->token, 4096, 100);            /* too early */
    send_piece(me, lease->unit, lease->token, 0, 4096);              /* good */
    send_piece(me, lease->unit, lease->token, 0, 4096);              /* doubled */
    send_piece(me, lease->unit, lease->token, 4000, 4096);           /* overlaps */
    send_piece(me, lease->unit, lease->token, me->until, 100);       /* not yet allowed */
    send_piece(me, lease->unit, lease->token, UINT64_MAX - 50, 100); /* over the end of numbers */
    send_shard(me, lease, 4096, SHARD_BYTES);
    must(wait_for(me, FSH_MESSAGE_COMMITTED)->committed.verdict == 0);
}

/* Gives its lease back in the middle and goes on as if nothing had been. */
static void
write_without_lease(script *me)
{
    fsh_message_lease lease = borrow(me);
    fsh_message give_back = {.number = FSH_MESSAGE_RETURN, .give_back = {lease.unit, lease.token}};

    hand_in(me, &lease);
    send_shard(me, &lease, 0, SHARD_BYTES / 2);
    say(me, &give_back);
    send_piece(me, lease.unit, lease.token, SHARD_BYTES / 2, 100);
    say_done(me, &lease);
    must(wait_for(me, FSH_MESSAGE_REVOKE)->revoke.token == lease.token);
}

static void
run_script(const char *address)
{
    script me = {.parcel = malloc(PARCEL_BYTES)};
    fsh_link_options options = {.address = address,
                                .bytes_max = FSH_MESSAGE_BYTES_MAX,
                                .self = &me,
                                .received = on_received};
    fsh_message bye = {.number = FSH_MESSAGE_BYE};
    fsh_message_lease lease;
    int i;

    uv_loop_init(&me.loop);
    uv_timer_init(&me.loop, &me.timer);
    me.timer.data = &me;
    must(fsh_link_open(&me.loop, &options, &me.link, NULL) == FSH_OK);
    say_hello(&me);
    lease = borrow(&me);
    fetch_parcel(&me, &lease);
    hand_in_badly(&me, &lease);
    write_without_lease(&me);
    for (i = 1; i < UNITS; i++) {
        lease = borrow(&me);
        hand_in(&me, &lease);
        send_shard(&me, &lease, 0, SHARD_BYTES);
        wait_for(&me, FSH_MESSAGE_COMMITTED);
    }
    if (!me.drained)
        wait_for(&me, FSH_MESSAGE_DRAIN);
    say(&me, &bye);
    fsh_link_close(&me.link);
    uv_close((uv_handle_t *)&me.timer, NULL);
    uv_run(&me.loop, UV_RUN_DEFAULT);
    fsh_message_fini(&me.message);
    free(me.parcel);
    _exit(0);
}

/* ---- the test ---- */

typedef struct watch {
    pid_t worker;
    int code;
    bool ended;
} watch;

/* A script that has failed must not be waited for. */
static void
on_told(void *self, const fsh_coordinator_event *event)
{
    watch *of = self;

    (void)event;
    if (!of->ended && waitpid(of->worker, &of->code, WNOHANG) == of->worker) {
        of->ended = true;
        if (of->code)
            raise(SIGINT);
    }
}

static pid_t
start_script(const char *address)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_script(address);
    }
    return pid;
}

static void
check_shard(const char *output, uint32_t unit)
{
    char name[64], path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes, i;
    fsh_err err;

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    snprintf(path, sizeof path, "%s/%s", output, name);
    assert_ok(fsh_file_read(path, SHARD_BYTES, &data, &bytes, &err), err);
    assert_int_equal(bytes, SHARD_BYTES);
    for (i = 0; i < bytes; i++)
        if (data[i] != byte_of('s', unit, i))
            fail_msg("unit %u differs at byte %zu", unit, i);
    free(data);
}

static void
a_worker_that_misbehaves_corrupts_nothing(void **state)
{
    static const uint32_t samples[UNITS] = {1, 1, 1};
    char *output = fsh_test_folder(), address[FSH_PATH_BYTES], folder[FSH_PATH_BYTES];
    fsh_coordinator_work work = {.output = output,
                                 .job = "job",
                                 .job_hash = "f00d",
                                 .input_hash = "beef",
                                 .units_n = UNITS,
                                 .samples = samples,
                                 .parcels = &parcels};
    fsh_coordinator_options options;
    fsh_coordinator_totals totals;
    watch of = {0};
    uint32_t i, swept = 0;
    fsh_err err;

    (void)state;
    snprintf(address, sizeof address, "ipc://%s/wire", output);
    fsh_coordinator_options_init(&options);
    options.address = address;
    options.self = &of;
    options.told = on_told;
    of.worker = start_script(address);
    assert_ok(fsh_coordinator_serve(&work, &options, &totals, &err), err);
    if (!of.ended)
        waitpid(of.worker, &of.code, 0);
    assert_int_equal(of.code, 0);
    assert_int_equal(totals.units_done, UNITS);
    assert_int_equal(totals.refused_pieces, REFUSED_BY_SCRIPT);
    for (i = 0; i < UNITS; i++)
        check_shard(output, i);
    snprintf(folder, sizeof folder, "%s/shards", output);
    fsh_folder_sweep(folder, ".shard-", ".tmp", &swept, NULL);
    assert_int_equal(swept, 0);
    fsh_test_remove(output);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_misbehaves_corrupts_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
