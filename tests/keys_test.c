/* Folders of keys, the list of those that may join, and the limits of a coordinator's address. */
#include "tests/testing.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/rate.h"
#include "proto/crowd.h"
#include "proto/keys.h"

typedef struct place {
    char *folder;
    char keys[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_err err;
} place;

static void
open_place(place *of)
{
    *of = (place){.folder = fsh_test_folder()};
    fsh_path_join(of->keys, of->folder, "keys", NULL);
}

static const char *
path_of(place *of, const char *name)
{
    fsh_path_join(of->path, of->keys, name, NULL);
    return of->path;
}

static mode_t
mode_of(place *of, const char *name)
{
    struct stat info;

    assert_int_equal(stat(path_of(of, name), &info), 0);
    return info.st_mode & 0777;
}

static void
write_file(place *of, const char *name, const char *text)
{
    assert_int_equal(fsh_file_write(path_of(of, name), text, strlen(text), NULL), FSH_OK);
    chmod(of->path, 0644);
}

static void
keys_are_made_for_both_sides_and_secrets_are_for_nobody_else(void **state)
{
    place of;
    fsh_keys coordinator, worker, other;
    fsh_allowed *allowed;

    (void)state;
    open_place(&of);
    assert_ok(fsh_keys_make_coordinator(of.keys, &of.err), of.err);
    assert_ok(fsh_keys_make_worker(of.keys, "host-7", &of.err), of.err);
    assert_int_equal(mode_of(&of, ""), 0700);
    assert_int_equal(mode_of(&of, "host-7"), 0700);
    assert_int_equal(mode_of(&of, "coordinator.secret"), 0600);
    assert_int_equal(mode_of(&of, "worker.secret"), 0600);
    assert_int_equal(mode_of(&of, "host-7/worker.secret"), 0600);
    assert_ok(fsh_keys_read(of.keys, FSH_KEYS_COORDINATOR, &coordinator, &of.err), of.err);
    assert_ok(fsh_keys_read(of.keys, FSH_KEYS_WORKER, &worker, &of.err), of.err);
    assert_ok(fsh_keys_read(path_of(&of, "host-7"), FSH_KEYS_WORKER, &other, &of.err), of.err);
    assert_string_equal(worker.coordinator.letters, coordinator.own_public.letters);
    assert_string_equal(other.coordinator.letters, coordinator.own_public.letters);
    assert_string_not_equal(worker.own_public.letters, other.own_public.letters);
    assert_ok(fsh_allowed_open(coordinator.allowed, &allowed, &of.err), of.err);
    assert_true(fsh_allowed_has(allowed, worker.own_public.letters));
    assert_true(fsh_allowed_has(allowed, other.own_public.letters));
    assert_false(fsh_allowed_has(allowed, coordinator.own_public.letters));
    fsh_allowed_close(&allowed);
    fsh_test_remove(of.folder);
}

static void
keys_are_never_overwritten(void **state)
{
    place of;

    (void)state;
    open_place(&of);
    assert_ok(fsh_keys_make_coordinator(of.keys, &of.err), of.err);
    assert_int_equal(fsh_keys_make_coordinator(of.keys, &of.err), FSH_USAGE);
    assert_text_has(of.err.text, "never overwritten");
    assert_ok(fsh_keys_make_worker(of.keys, "a", &of.err), of.err);
    assert_int_equal(fsh_keys_make_worker(of.keys, "a", &of.err), FSH_USAGE);
    assert_text_has(of.err.text, "never overwritten");
    fsh_test_remove(of.folder);
}

static void
a_worker_has_no_name_that_leads_elsewhere(void **state)
{
    static const char *const names[] = {"", "..", "../x", "a/b", ".a", "-a", "a b", "a\n"};
    place of;
    uint32_t i;

    (void)state;
    open_place(&of);
    assert_ok(fsh_keys_make_coordinator(of.keys, &of.err), of.err);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(fsh_keys_make_worker(of.keys, names[i], &of.err), FSH_USAGE);
    fsh_test_remove(of.folder);
}

static void
what_others_may_read_or_change_is_refused_with_the_remedy(void **state)
{
    place of;
    fsh_keys keys;
    fsh_allowed *allowed;

    (void)state;
    open_place(&of);
    assert_ok(fsh_keys_make_coordinator(of.keys, &of.err), of.err);
    chmod(path_of(&of, "coordinator.secret"), 0640);
    assert_int_equal(fsh_keys_read(of.keys, FSH_KEYS_COORDINATOR, &keys, &of.err), FSH_USAGE);
    assert_text_has(of.err.text, "run: chmod 600");
    chmod(path_of(&of, "coordinator.secret"), 0600);
    chmod(of.keys, 0770);
    assert_int_equal(fsh_keys_read(of.keys, FSH_KEYS_COORDINATOR, &keys, &of.err), FSH_USAGE);
    assert_text_has(of.err.text, "run: chmod 700");
    chmod(of.keys, 0700);
    chmod(path_of(&of, "allowed"), 0666);
    assert_int_equal(fsh_allowed_open(of.path, &allowed, &of.err), FSH_USAGE);
    assert_text_has(of.err.text, "run: chmod go-w");
    fsh_test_remove(of.folder);
}

static void
halves_of_two_pairs_are_no_pair(void **state)
{
    place of;
    fsh_keys keys;

    (void)state;
    open_place(&of);
    assert_ok(fsh_keys_make_coordinator(of.keys, &of.err), of.err);
    assert_ok(fsh_keys_make_worker(of.keys, "a", &of.err), of.err);
    assert_int_equal(unlink(path_of(&of, "worker.public")), 0);
    assert_int_equal(fsh_keys_read(of.keys, FSH_KEYS_WORKER, &keys, &of.err), FSH_IO);
    assert_text_has(of.err.text, "worker.public");
    write_file(&of, "worker.public", "short\n");
    assert_int_equal(fsh_keys_read(of.keys, FSH_KEYS_WORKER, &keys, &of.err), FSH_FORMAT);
    write_file(&of, "worker.public", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7 w\n");
    assert_int_equal(fsh_keys_read(of.keys, FSH_KEYS_WORKER, &keys, &of.err), FSH_FORMAT);
    assert_text_has(of.err.text, "different pairs");
    fsh_test_remove(of.folder);
}

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define OTHER_KEY "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

static void
the_list_is_read_again_when_it_changes_and_a_broken_one_lets_nobody_in(void **state)
{
    place of;
    fsh_allowed *allowed;

    (void)state;
    open_place(&of);
    mkdir(of.keys, 0700);
    write_file(&of, "allowed", "# a comment\n#another\n\n" KEY " a\r\n#\n");
    assert_ok(fsh_allowed_open(of.path, &allowed, &of.err), of.err);
    assert_true(fsh_allowed_has_new(allowed, KEY));
    assert_false(fsh_allowed_has_new(allowed, OTHER_KEY));
    write_file(&of, "allowed", KEY " a\n" OTHER_KEY " b");
    assert_ok(fsh_allowed_refresh(allowed, &of.err), of.err);
    assert_true(fsh_allowed_has_new(allowed, OTHER_KEY));
    write_file(&of, "allowed", KEY " a\nrq:rM short\n");
    assert_int_equal(fsh_allowed_refresh(allowed, &of.err), FSH_FORMAT);
    assert_text_has(of.err.text, "line 2");
    assert_int_equal(fsh_allowed_refresh(allowed, &of.err), FSH_FORMAT);
    assert_false(fsh_allowed_has_new(allowed, KEY));
    assert_true(fsh_allowed_has(allowed, KEY));
    write_file(&of, "allowed", "");
    assert_ok(fsh_allowed_refresh(allowed, &of.err), of.err);
    assert_false(fsh_allowed_has(allowed, KEY));
    assert_int_equal(unlink(of.path), 0);
    assert_int_equal(fsh_allowed_refresh(allowed, &of.err), FSH_IO);
    fsh_allowed_close(&allowed);
    fsh_test_remove(of.folder);
}

static void
a_rate_lets_so_many_through_and_no_more(void **state)
{
    static const fsh_rate_limit limit = {3, 10};
    fsh_rate rate = {0};
    uint32_t i, n = 0;

    (void)state;
    for (i = 0; i < 100; i++)
        n += fsh_rate_take(&rate, &limit, 5000);
    assert_int_equal(n, 3);
    for (i = 0; i < 1000; i++)
        n += fsh_rate_take(&rate, &limit, 5000 + i);
    assert_int_equal(n, 3 + 9);
    assert_true(fsh_rate_take(&rate, &limit, UINT64_C(1) << 40));
}

static int
listen_somewhere(struct sockaddr_in *address)
{
    socklen_t bytes = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(bind(listener, (struct sockaddr *)address, bytes), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &bytes), 0);
    return listener;
}

static bool
connects_within(int end, int ms)
{
    struct pollfd wait = {end, POLLOUT, 0};

    return poll(&wait, 1, ms) == 1;
}

static void
a_crowd_keeps_others_waiting_until_some_have_gone(void **state)
{
    struct sockaddr_in address;
    fsh_crowd crowd;
    fsh_err err;
    int end = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uint32_t i;

    (void)state;
    assert_ok(fsh_crowd_init(&crowd, 8, &err), err);
    crowd.listener = listen_somewhere(&address);
    for (i = 0; i < 8; i++)
        fsh_crowd_come(&crowd, 100 + i);
    fsh_crowd_come(&crowd, 107); /* a descriptor that has come twice has gone between */
    assert_int_equal(crowd.n, 8);
    assert_true(crowd.shut);
    connect(end, (struct sockaddr *)&address, sizeof address);
    assert_false(connects_within(end, 100));
    for (i = 0; i < 3; i++)
        fsh_crowd_go(&crowd, 100 + i);
    fsh_crowd_go(&crowd, 1000000); /* no descriptor of ours */
    assert_int_equal(crowd.n, 5);
    assert_false(crowd.shut);
    assert_true(connects_within(end, 10000));
    assert_int_equal(crowd.shut_n, 1);
    close(end);
    close(crowd.listener);
    fsh_crowd_fini(&crowd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_made_for_both_sides_and_secrets_are_for_nobody_else),
        cmocka_unit_test(keys_are_never_overwritten),
        cmocka_unit_test(a_worker_has_no_name_that_leads_elsewhere),
        cmocka_unit_test(what_others_may_read_or_change_is_refused_with_the_remedy),
        cmocka_unit_test(halves_of_two_pairs_are_no_pair),
        cmocka_unit_test(the_list_is_read_again_when_it_changes_and_a_broken_one_lets_nobody_in),
        cmocka_unit_test(a_rate_lets_so_many_through_and_no_more),
        cmocka_unit_test(a_crowd_keeps_others_waiting_until_some_have_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
