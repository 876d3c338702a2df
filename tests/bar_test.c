#include "tests/testing.h"

#include "cli/bar.h"

static uint32_t
columns_of(const char *text)
{
    uint32_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void
a_line_never_is_wider_than_the_terminal(void **state)
{
    fsh_bar bar = {0.63, 312000, 494414, 12345, 280.4, 1100, 651, 16, false, NULL};
    uint32_t columns;

    (void)state;
    for (columns = 4; columns < 200; columns++) {
        fsh_text line = {0};

        fsh_bar_line(&bar, columns, &line);
        assert_true(columns_of(fsh_text_get(&line)) <= columns);
        assert_text_has(fsh_text_get(&line), " 63%");
        fsh_text_fini(&line);
    }
}

static void
a_wide_line_says_everything(void **state)
{
    fsh_bar bar = {0.5, 50, 100, 3, 9.5, 5, 3661, 2, false, NULL};
    fsh_text line = {0};

    (void)state;
    fsh_bar_line(&bar, 120, &line);
    assert_text_has(fsh_text_get(&line), "50/100");
    assert_text_has(fsh_text_get(&line), "9.5/s");
    assert_text_has(fsh_text_get(&line), "ETA 1:01:01");
    assert_text_has(fsh_text_get(&line), "rejected 3");
    assert_text_has(fsh_text_get(&line), "workers 2");
    fsh_text_fini(&line);
}

static void
a_generator_has_neither_rejected_ones_nor_workers(void **state)
{
    fsh_bar bar = {0.5, 50, 100, 0, 9.5, 5, 5, 0, true, NULL};
    fsh_text line = {0};

    (void)state;
    fsh_bar_line(&bar, 120, &line);
    assert_text_has(fsh_text_get(&line), "50/100");
    assert_null(strstr(fsh_text_get(&line), "rejected"));
    assert_null(strstr(fsh_text_get(&line), "workers"));
    fsh_text_fini(&line);
}

static void
what_is_unknown_is_not_told(void **state)
{
    fsh_bar bar = {0, 0, 100, 0, 0, 0, -1, 1, false, NULL};
    fsh_text line = {0};

    (void)state;
    fsh_bar_line(&bar, 120, &line);
    assert_null(strstr(fsh_text_get(&line), "ETA"));
    assert_null(strstr(fsh_text_get(&line), "/s"));
    fsh_text_fini(&line);
}

static void
a_step_stands_in_front_and_the_line_still_fits(void **state)
{
    fsh_bar bar = {0.5, 50, 100, 0, 0, 5, 5, 0, true, "joining the shards"};
    uint32_t columns;

    (void)state;
    for (columns = 24; columns < 200; columns++) {
        fsh_text line = {0};

        fsh_bar_line(&bar, columns, &line);
        assert_true(columns_of(fsh_text_get(&line)) <= columns);
        assert_text_has(fsh_text_get(&line), "joining the shards  50%");
        fsh_text_fini(&line);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_never_is_wider_than_the_terminal),
        cmocka_unit_test(a_wide_line_says_everything),
        cmocka_unit_test(a_generator_has_neither_rejected_ones_nor_workers),
        cmocka_unit_test(what_is_unknown_is_not_told),
        cmocka_unit_test(a_step_stands_in_front_and_the_line_still_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
