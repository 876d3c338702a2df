/* Every k-th message between a coordinator and its workers is lost, doubled, cut short, overtaken
 * by the next one, or followed by one from an earlier epoch. Coordinator, workers and compute
 * children run the real code; between them stands a thread of this program, as ROUTER to the
 * workers and as DEALER to the coordinator. The job ends all the same, and every shard is there,
 * counted once.
 *
 * The short form takes SHORT pairs of a message and a fault, others every time (the seed is
 * printed; FSH_WIRE_SEED=N: as asked for); FSH_LONG=1 takes all. */
#include "tests/queue_testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#include "proto/link.h"
#include "proto/messages.h"

enum { UNITS = 5, WORKERS = 2, SHORT = 24, RUN_S = 90, PEERS_MAX = 64, RECORDS_MAX = 1024 };

typedef enum fault { LOST, DOUBLED, CUT, OVERTAKEN, OLD, FAULTS_N } fault;

static const char *const fault_names[FAULTS_N] = {"lost", "doubled", "cut", "overtaken", "old"};

typedef struct letter {
    uint8_t *data; /* owned; NULL: none */
    size_t bytes;
} letter;

typedef struct peer {
    fsh_peer name;
    void *dealer;
    letter held[2]; /* to the coordinator, to the worker: overtaken by the next one */
} peer;

/* What stands between. Belongs to its thread while it runs. */
typedef struct between {
    char workers_at[FSH_PATH_BYTES], coordinator_at[FSH_PATH_BYTES];
    void *context, *router;
    peer peers[PEERS_MAX];
    uint32_t peers_n;
    uint64_t seen, at; /* messages so far; the one that is harmed, 0: none */
    fault fault;
    bool cut_for_coordinator;
    letter records[2][RECORDS_MAX]; /* of an earlier epoch */
    uint32_t records_n[2];
    bool recording;
    pid_t workers[WORKERS];
    pthread_t thread;
    atomic_bool stop;
} between;

/* ---- passing on ---- */

static letter
copy(const void *data, size_t bytes)
{
    letter of = {malloc(bytes), bytes};

    if (!of.data)
        abort();
    memcpy(of.data, data, bytes);
    return of;
}

static void
deliver(between *me, peer *of, bool to_worker, const void *data, size_t bytes)
{
    if (to_worker)
        zmq_send(me->router, &of->name, sizeof of->name, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    zmq_send(to_worker ? me->router : of->dealer, data, bytes, ZMQ_DONTWAIT);
}

static void
deliver_old(between *me, peer *of, bool to_worker)
{
    const letter *old;

    if (!me->records_n[to_worker])
        return;
    old = &me->records[to_worker][me->at * 7919 % me->records_n[to_worker]];
    deliver(me, of, to_worker, old->data, old->bytes);
}

static void
harm(between *me, peer *of, bool to_worker, const void *data, size_t bytes)
{
    switch (me->fault) {
    case LOST: break;
    case CUT:
        me->cut_for_coordinator = !to_worker;
        deliver(me, of, to_worker, data, bytes / 2);
        break;
    case OVERTAKEN: of->held[to_worker] = copy(data, bytes); break;
    case DOUBLED:
        deliver(me, of, to_worker, data, bytes);
        deliver(me, of, to_worker, data, bytes);
        break;
    default: deliver(me, of, to_worker, data, bytes); deliver_old(me, of, to_worker);
    }
}

static void
pass(between *me, peer *of, bool to_worker, const void *data, size_t bytes)
{
    letter *held = &of->held[to_worker];

    if (me->recording && me->records_n[to_worker] < RECORDS_MAX)
        me->records[to_worker][me->records_n[to_worker]++] = copy(data, bytes);
    if (++me->seen == me->at) {
        harm(me, of, to_worker, data, bytes);
        return;
    }
    deliver(me, of, to_worker, data, bytes);
    if (held->data)
        deliver(me, of, to_worker, held->data, held->bytes);
    free(held->data);
    *held = (letter){0};
}

/* ---- peers ---- */

static void *
open_socket(between *me, int type, const fsh_peer *name, const char *address)
{
    void *socket = zmq_socket(me->context, type);
    int none = 0, yes = 1;

    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (name)
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, name, sizeof *name);
    if (type == ZMQ_ROUTER)
        zmq_setsockopt(socket, ZMQ_ROUTER_HANDOVER, &yes, sizeof yes);
    if ((type == ZMQ_ROUTER ? zmq_bind : zmq_connect)(socket, address) != 0)
        abort();
    return socket;
}

static peer *
find_peer(between *me, const fsh_peer *name)
{
    uint32_t i;
    peer *of;

    for (i = 0; i < me->peers_n; i++)
        if (memcmp(&me->peers[i].name, name, sizeof *name) == 0)
            return &me->peers[i];
    if (me->peers_n == PEERS_MAX)
        abort();
    of = &me->peers[me->peers_n++];
    *of = (peer){.name = *name};
    of->dealer = open_socket(me, ZMQ_DEALER, name, me->coordinator_at);
    return of;
}

static void
pass_to_coordinator(between *me)
{
    zmq_msg_t name, message;

    zmq_msg_init(&name);
    while (zmq_msg_recv(&name, me->router, ZMQ_DONTWAIT) == (int)sizeof(fsh_peer)) {
        zmq_msg_init(&message);
        zmq_msg_recv(&message, me->router, 0);
        pass(me, find_peer(me, zmq_msg_data(&name)), false, zmq_msg_data(&message),
             zmq_msg_size(&message));
        zmq_msg_close(&message);
    }
    zmq_msg_close(&name);
}

static void
pass_to_worker(between *me, peer *of)
{
    zmq_msg_t message;

    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, of->dealer, ZMQ_DONTWAIT) >= 0)
        pass(me, of, true, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
}

/* ---- the thread ---- */

/* A worker may be sent home by an old DRAIN: an engine starts another. */
static void
mind_workers(between *me)
{
    uint32_t i;

    for (i = 0; i < WORKERS; i++)
        if (!me->workers[i] || waitpid(me->workers[i], NULL, WNOHANG) == me->workers[i])
            me->workers[i] = start("worker", me->workers_at, NULL, NULL);
}

static void
turn(between *me)
{
    zmq_pollitem_t items[1 + PEERS_MAX] = {{.socket = me->router, .events = ZMQ_POLLIN}};
    uint32_t i;

    for (i = 0; i < me->peers_n; i++)
        items[1 + i] = (zmq_pollitem_t){.socket = me->peers[i].dealer, .events = ZMQ_POLLIN};
    zmq_poll(items, 1 + (int)me->peers_n, 10);
    pass_to_coordinator(me);
    for (i = 0; i < me->peers_n; i++)
        pass_to_worker(me, &me->peers[i]);
}

static void
close_peers(between *me)
{
    uint32_t i;

    for (i = 0; i < me->peers_n; i++) {
        free(me->peers[i].held[0].data);
        free(me->peers[i].held[1].data);
        zmq_close(me->peers[i].dealer);
    }
    me->peers_n = 0;
}

static void *
stand_between(void *self)
{
    between *me = self;
    uint32_t i;

    me->context = zmq_ctx_new();
    me->router = open_socket(me, ZMQ_ROUTER, NULL, me->workers_at);
    while (!atomic_load(&me->stop)) {
        mind_workers(me);
        turn(me);
    }
    close_peers(me);
    zmq_close(me->router);
    zmq_ctx_term(me->context);
    for (i = 0; i < WORKERS; i++) {
        kill(me->workers[i], SIGKILL);
        waitpid(me->workers[i], NULL, 0);
        me->workers[i] = 0;
    }
    return NULL;
}

/* ---- runs ---- */

static uint64_t
run(between *me, scene *of)
{
    fsh_status status;

    snprintf(me->workers_at, sizeof me->workers_at, "ipc://%s/between", of->output);
    snprintf(me->coordinator_at, sizeof me->coordinator_at, "ipc://%s/wire", of->output);
    of->options.address = me->coordinator_at;
    of->options.losses_max = 0;
    me->seen = 0;
    atomic_store(&me->stop, false);
    alarm(RUN_S); /* a job that does not end fails the test */
    assert_int_equal(pthread_create(&me->thread, NULL, stand_between, me), 0);
    status = serve(of);
    atomic_store(&me->stop, true);
    pthread_join(me->thread, NULL);
    alarm(0);
    if (status)
        fail_msg("message %llu %s: %s", (unsigned long long)me->at, fault_names[me->fault],
                 of->err.text);
    check_whole(of);
    return me->seen;
}

static void
remove_shards(const scene *of)
{
    char name[64], path[FSH_PATH_BYTES];
    uint32_t i;

    for (i = 0; i < UNITS; i++) {
        snprintf(name, sizeof name, FSH_PATH_SHARD, i);
        snprintf(path, sizeof path, "%s/%s", of->output, name);
        assert_int_equal(unlink(path), 0);
    }
}

static void
forget_records(between *me)
{
    uint32_t i, side;

    for (side = 0; side < 2; side++) {
        for (i = 0; i < me->records_n[side]; i++)
            free(me->records[side][i].data);
        me->records_n[side] = 0;
    }
}

/* For messages of an earlier epoch the job is run before, and its shards are taken away. */
static void
run_with(fault what, uint64_t at)
{
    between *me = calloc(1, sizeof *me);
    scene *of = new_scene(UNITS, 0);

    if (what == OLD) {
        me->recording = true;
        run(me, of);
        me->recording = false;
        remove_shards(of);
    }
    me->fault = what;
    me->at = at;
    run(me, of);
    if (me->cut_for_coordinator)
        assert_int_equal(of->totals.broken_messages, 1);
    forget_records(me);
    free_scene(of);
    free(me);
}

static uint64_t
count_messages(void)
{
    between *me = calloc(1, sizeof *me);
    scene *of = new_scene(UNITS, 0);
    uint64_t n = run(me, of);

    free_scene(of);
    free(me);
    return n;
}

static void
no_message_is_needed_once_and_none_harms_twice(void **state)
{
    const char *asked = getenv("FSH_WIRE_SEED");
    unsigned seed = asked ? (unsigned)atoi(asked) : (unsigned)time(NULL);
    uint64_t n = count_messages(), pairs = n * FAULTS_N, i, runs = 0;

    (void)state;
    assert_true(n > 4 * UNITS);
    print_message("%llu messages, FSH_WIRE_SEED=%u\n", (unsigned long long)n, seed);
    srand(seed);
    for (i = 0; getenv("FSH_LONG") ? i < pairs : i < SHORT; i++, runs++) {
        uint64_t pair = getenv("FSH_LONG") ? i : (uint64_t)rand() % pairs;

        run_with((fault)(pair % FAULTS_N), 1 + pair / FAULTS_N);
    }
    print_message("%llu faults on the wire survived\n", (unsigned long long)runs);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_is_needed_once_and_none_harms_twice),
    };

    if (argc > 1)
        return role_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
