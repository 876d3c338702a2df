#include "tests/testing.h"

#include <msgpack.h>

#include "base/files.h"
#include "base/rng.h"
#include "proto/messages.h"
#include "proto/states.h"

static const fsh_sender all_senders[] = {FSH_FROM_COORDINATOR, FSH_FROM_WORKER, FSH_FROM_SUPERVISOR,
                                         FSH_FROM_CHILD};

/* Each message once, with fields of every length that matters. */
static const struct {
    fsh_sender sender;
    fsh_message message;
} examples[] = {
    {FSH_FROM_WORKER,
     {.number = FSH_MESSAGE_HELLO,
      .hello = {1, "0.1.0", "node17", 4711, 8, "f00d", {2, {7, 70000}}, {2, {UINT64_C(0x300000001), 9}}}}},
    {FSH_FROM_COORDINATOR,
     {.number = FSH_MESSAGE_WELCOME,
      .welcome = {3, 1000, "input:\n  path: /a folder with a name of more than 31 bytes\n", "0f3a",
                  "size 112\n", 1}}},
    {FSH_FROM_COORDINATOR, {.number = FSH_MESSAGE_REFUSE, .refuse = {"another version"}}},
    {FSH_FROM_WORKER, {.number = FSH_MESSAGE_CREDIT, .credit = {2}}},
    {FSH_FROM_COORDINATOR,
     {.number = FSH_MESSAGE_LEASE,
      .lease = {7, UINT64_C(0x300000001), 1, 15000, {1, {17}}, {1, {0}}, {1, {0}}}}},
    {FSH_FROM_WORKER,
     {.number = FSH_MESSAGE_RENEW,
      .renew =
          {{1, {7}}, {1, {UINT64_C(0x300000001)}}, {1, {300}}, {1, {1000}}, UINT64_C(1) << 33}}},
    {FSH_FROM_COORDINATOR, {.number = FSH_MESSAGE_PONG, .pong = {1}}},
    {FSH_FROM_WORKER,
     {.number = FSH_MESSAGE_DONE,
      .done = {7,
               UINT64_C(0x300000001),
               500,
               480,
               2880,
               123456789,
               {{1, 2, 3, 255}},
               {3, {0, 20, 0}},
               {2, {5, 6}}}}},
    {FSH_FROM_CHILD,
     {.number = FSH_MESSAGE_FAILED,
      .failed = {7, 9, FSH_INTERNAL, 11, FSH_REASON_CRASHED, {2, {17, 18}}, "ended by signal 11"}}},
    {FSH_FROM_COORDINATOR, {.number = FSH_MESSAGE_COMMITTED, .committed = {7, 9, 1}}},
    {FSH_FROM_WORKER, {.number = FSH_MESSAGE_RETURN, .give_back = {7, 9}}},
    {FSH_FROM_COORDINATOR, {.number = FSH_MESSAGE_REVOKE, .revoke = {7, 9}}},
    {FSH_FROM_COORDINATOR, {.number = FSH_MESSAGE_DRAIN, .drain = {20000, 1}}},
    {FSH_FROM_WORKER, {.number = FSH_MESSAGE_BYE, .bye = {FSH_MODEL, "no such model"}}},
    {FSH_FROM_WORKER, {.number = FSH_MESSAGE_FETCH, .fetch = {7, 9, 262144, 1310720, 1}}},
    {FSH_FROM_COORDINATOR,
     {.number = FSH_MESSAGE_PIECE, .piece = {7, 9, UINT64_C(1) << 33, {5, "a\0\xff\0b"}}}},
    {FSH_FROM_COORDINATOR, {.number = FSH_MESSAGE_END, .end = {7, 9, 300000, {{1, 2, 255}}}}},
    {FSH_FROM_SUPERVISOR,
     {.number = FSH_MESSAGE_JOB,
      .job = {2, "seed: 1\n", "0f3a", "size 112\n", "/tmp/spool", "/models", "/templates"}}},
    {FSH_FROM_CHILD, {.number = FSH_MESSAGE_READY, .ready = {4712, 120000}}},
    {FSH_FROM_CHILD, {.number = FSH_MESSAGE_BROKEN, .broken = {FSH_MODEL, "no such model"}}},
    {FSH_FROM_SUPERVISOR,
     {.number = FSH_MESSAGE_WORK, .work = {7, 9, {2, {17, 18}}, {2, {0, 16}}, {2, {0, 11}}}}},
    {FSH_FROM_CHILD, {.number = FSH_MESSAGE_TICK, .tick = {9, 300, 1000}}},
};

enum { EXAMPLES_N = sizeof examples / sizeof *examples };

static fsh_text
encode(int i)
{
    fsh_text bytes = {0};
    fsh_err err;

    assert_ok(fsh_message_encode(&examples[i].message, examples[i].sender, &bytes, &err), err);
    return bytes;
}

static void
every_message_survives_the_way(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < EXAMPLES_N; i++) {
        fsh_text bytes = encode(i), again = {0};
        fsh_message message;
        fsh_err err;

        assert_ok(fsh_message_decode(bytes.data, bytes.bytes, examples[i].sender, &message, &err),
                  err);
        assert_ok(fsh_message_encode(&message, examples[i].sender, &again, &err), err);
        assert_int_equal(bytes.bytes, again.bytes);
        assert_memory_equal(bytes.data, again.data, bytes.bytes);
        fsh_message_fini(&message);
        fsh_text_fini(&bytes);
        fsh_text_fini(&again);
    }
}

/* MessagePack-C, which has not written our reader, finds one array in every message. */
static void
every_message_is_messagepack(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < EXAMPLES_N; i++) {
        fsh_text bytes = encode(i);
        msgpack_unpacked unpacked;
        size_t used = 0;

        msgpack_unpacked_init(&unpacked);
        assert_int_equal(msgpack_unpack_next(&unpacked, bytes.data, bytes.bytes, &used),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(used, bytes.bytes);
        assert_int_equal(unpacked.data.type, MSGPACK_OBJECT_ARRAY);
        assert_int_equal(unpacked.data.via.array.ptr[0].via.u64, examples[i].message.number);
        msgpack_unpacked_destroy(&unpacked);
        fsh_text_fini(&bytes);
    }
}

/* Decodes from a block of exactly this size, so that a sanitizer sees any byte read beyond it. */
static int
is_taken(const char *data, size_t n, fsh_sender sender)
{
    char *copy = malloc(n ? n : 1);
    fsh_message message;
    fsh_status status;
    fsh_text again = {0};

    memcpy(copy, data, n);
    status = fsh_message_decode(copy, n, sender, &message, NULL);
    if (!status) {
        fsh_err err;

        assert_ok(fsh_message_encode(&message, sender, &again, &err), err);
        fsh_text_fini(&again);
        fsh_message_fini(&message);
    }
    free(copy);
    return status == FSH_OK;
}

static void
a_message_cut_short_or_with_bytes_behind_is_refused(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < EXAMPLES_N; i++) {
        fsh_text bytes = encode(i);
        size_t n;

        for (n = 0; n < bytes.bytes; n++)
            assert_false(is_taken(bytes.data, n, examples[i].sender));
        fsh_text_add(&bytes, "x");
        assert_false(is_taken(bytes.data, bytes.bytes, examples[i].sender));
        fsh_text_fini(&bytes);
    }
}

/* What is taken in spite of a changed byte is itself within all limits: is_taken encodes it again.
 */
static void
no_changed_byte_breaks_a_limit(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < EXAMPLES_N; i++) {
        fsh_text bytes = encode(i);
        size_t at;
        int value;

        for (at = 0; at < bytes.bytes; at++) {
            char kept = bytes.data[at];

            for (value = 0; value < 256; value++) {
                bytes.data[at] = (char)value;
                is_taken(bytes.data, bytes.bytes, examples[i].sender);
            }
            bytes.data[at] = kept;
        }
        fsh_text_fini(&bytes);
    }
}

static void
random_bytes_are_never_more_than_refused(void **state)
{
    fsh_rng rng = fsh_rng_new(1, 1, 1, 0);
    char data[64];
    int i, k;

    (void)state;
    for (i = 0; i < 20000; i++) {
        uint32_t n = fsh_rng_below(&rng, sizeof data);

        for (k = 0; k < (int)sizeof data; k++)
            data[k] = (char)fsh_rng_u32(&rng);
        data[0] = (char)(0x90 | fsh_rng_below(&rng, 16));
        data[1] = (char)fsh_rng_below(&rng, 25);
        is_taken(data, n, all_senders[fsh_rng_below(&rng, 4)]);
    }
}

static void
a_message_from_the_wrong_side_is_refused(void **state)
{
    fsh_text lease = encode(4), done = encode(7);

    (void)state;
    assert_true(is_taken(lease.data, lease.bytes, FSH_FROM_COORDINATOR));
    assert_false(is_taken(lease.data, lease.bytes, FSH_FROM_WORKER));
    assert_true(is_taken(done.data, done.bytes, FSH_FROM_WORKER));
    assert_true(is_taken(done.data, done.bytes, FSH_FROM_CHILD));
    assert_false(is_taken(done.data, done.bytes, FSH_FROM_COORDINATOR));
    fsh_text_fini(&lease);
    fsh_text_fini(&done);
}

static void
limits_are_kept_by_the_sender_too(void **state)
{
    fsh_message credit = {.number = FSH_MESSAGE_CREDIT, .credit = {FSH_HELD_MAX + 1}};
    fsh_message refuse = {.number = FSH_MESSAGE_REFUSE, .refuse = {""}};
    fsh_message renew = {.number = FSH_MESSAGE_RENEW, .renew = {.units = {.n = FSH_HELD_MAX + 1}}};
    fsh_text bytes = {0};
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_message_encode(&credit, FSH_FROM_WORKER, &bytes, &err), FSH_INTERNAL);
    assert_text_has(err.text, "CREDIT: units is 17, allowed is 1 to");
    assert_int_equal(fsh_message_encode(&refuse, FSH_FROM_COORDINATOR, &bytes, &err), FSH_INTERNAL);
    assert_int_equal(fsh_message_encode(&renew, FSH_FROM_WORKER, &bytes, &err), FSH_INTERNAL);
    credit.credit.units = 1;
    assert_int_equal(fsh_message_encode(&credit, FSH_FROM_COORDINATOR, &bytes, &err), FSH_INTERNAL);
    assert_int_equal(bytes.bytes, 0);
}

/* Five bytes that announce a list of 268 million numbers. */
static void
an_announced_length_allocates_nothing(void **state)
{
    static const char huge[] = "\xdd\x0f\xff\xff\xff";

    (void)state;
    assert_false(is_taken(huge, 5, FSH_FROM_WORKER));
}

static void
a_report_comes_back_from_its_message(void **state)
{
    fsh_report report = {.unit = 3, .samples = 10, .delivered = 9, .images = 54, .bytes = 99}, back;
    fsh_message message;

    (void)state;
    report.rejected[FSH_REASON_NO_FACE] = 1;
    report.times_ns[FSH_REPORT_TIMES_MAX - 1] = 12;
    report.shard_hash.bytes[31] = 7;
    fsh_message_from_report(&report, 5, &message);
    fsh_message_to_report(&message.done, &back);
    assert_memory_equal(&report, &back, sizeof report);
}

/* docs/wire.md holds what the tables print: FSH_UPDATE_DOCS=1 writes it. */
static void
the_document_is_the_table(void **state)
{
    static const char path[] = FSH_SOURCE_DIR "/docs/wire.md";
    static const char mark[] =
        "<!-- from here on printed from proto/messages.def and proto/states.def -->\n";
    uint8_t *data;
    size_t bytes;
    char *tables;
    fsh_text text = {0}, whole = {0};
    fsh_err err;

    (void)state;
    fsh_text_add(&text, "\n## Messages\n\n");
    fsh_messages_print(&text);
    fsh_text_add(&text, "## Life of a unit\n\n");
    fsh_states_print(&text);
    assert_ok(fsh_file_read(path, 1 << 20, &data, &bytes, &err), err);
    tables = strstr((char *)data, mark);
    assert_non_null(tables);
    tables += strlen(mark);
    if (getenv("FSH_UPDATE_DOCS")) {
        fsh_text_add_bytes(&whole, data, (size_t)(tables - (char *)data));
        fsh_text_add(&whole, fsh_text_get(&text));
        assert_ok(fsh_file_write(path, fsh_text_get(&whole), whole.bytes, &err), err);
    } else {
        assert_string_equal(tables, fsh_text_get(&text));
    }
    fsh_text_fini(&text);
    fsh_text_fini(&whole);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_the_way),
        cmocka_unit_test(every_message_is_messagepack),
        cmocka_unit_test(a_message_cut_short_or_with_bytes_behind_is_refused),
        cmocka_unit_test(no_changed_byte_breaks_a_limit),
        cmocka_unit_test(random_bytes_are_never_more_than_refused),
        cmocka_unit_test(a_message_from_the_wrong_side_is_refused),
        cmocka_unit_test(limits_are_kept_by_the_sender_too),
        cmocka_unit_test(an_announced_length_allocates_nothing),
        cmocka_unit_test(a_report_comes_back_from_its_message),
        cmocka_unit_test(the_document_is_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
