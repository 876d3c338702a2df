/* What runs in a process of its own. */
#include "tests/testing.h"

#include <signal.h>

#include "base/apart.h"

static fsh_status
find_fault(void *self, fsh_err *err)
{
    return fsh_fail(err, FSH_IO, "%s: cannot be read", (const char *)self);
}

static fsh_status
do_well(void *self, fsh_err *err)
{
    (void)err;
    *(int *)self = 1;
    return FSH_OK;
}

static fsh_status
crash(void *self, fsh_err *err)
{
    (void)self, (void)err;
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would have its own way to end */
    raise(SIGSEGV);
    return FSH_OK;
}

static fsh_status
spin(void *self, fsh_err *err)
{
    volatile int *turns = self;

    (void)err;
    for (;;)
        *turns = 1 - *turns;
    return FSH_OK;
}

static void
what_it_returns_comes_back_and_what_it_changes_does_not(void **state)
{
    static char name[] = "a.h5";
    fsh_err err;
    int changed = 0;

    (void)state;
    assert_ok(fsh_apart_run(do_well, &changed, "a.h5", 10, &err), err);
    assert_int_equal(changed, 0);
    assert_int_equal(fsh_apart_run(find_fault, name, "a.h5", 10, &err), FSH_IO);
    assert_string_equal(err.text, "a.h5: cannot be read");
}

static void
a_crash_and_an_endless_loop_are_the_fault_of_the_file(void **state)
{
    fsh_err err;
    int turns = 0;

    (void)state;
    assert_int_equal(fsh_apart_run(crash, NULL, "a.h5", 10, &err), FSH_FORMAT);
    assert_text_has(err.text, "a.h5: the library that reads it was ended by signal 11");
    assert_int_equal(fsh_apart_run(spin, &turns, "a.h5", 1, &err), FSH_FORMAT);
    assert_text_has(err.text, "a.h5: reading it took more than 1 s");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_returns_comes_back_and_what_it_changes_does_not),
        cmocka_unit_test(a_crash_and_an_endless_loop_are_the_fault_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
