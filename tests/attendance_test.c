/* attendance.csv: what is in it after kills, full disks, editors and a second writer. */
#include "door/attendance.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/files.h"
#include "tests/testing.h"

typedef struct desk {
    char *folder;
    char path[FSH_PATH_BYTES], journal[FSH_PATH_BYTES];
    fsh_attendance *attendance;
    fsh_attendance_found found;
} desk;

static int
set_up(void **state)
{
    desk *d = calloc(1, sizeof *d);

    d->folder = fsh_test_folder();
    snprintf(d->path, sizeof d->path, "%s/attendance.csv", d->folder);
    snprintf(d->journal, sizeof d->journal, "%s/attendance.csv.open", d->folder);
    *state = d;
    return 0;
}

static int
tear_down(void **state)
{
    desk *d = *state;

    fsh_attendance_close(&d->attendance);
    fsh_test_remove(d->folder);
    free(d);
    return 0;
}

static void
open_it(desk *d)
{
    fsh_err err;

    assert_ok(fsh_attendance_open(d->path, true, &d->attendance, &d->found, &err), err);
}

static fsh_status
write_rows(desk *d, const char *ended, const char *under_way, fsh_err *err)
{
    fsh_text past = {0}, now = {0};
    fsh_status status;

    fsh_text_add(&past, ended);
    fsh_text_add(&now, under_way);
    status = fsh_attendance_write(d->attendance, &past, &now, err);
    fsh_text_fini(&past);
    fsh_text_fini(&now);
    return status;
}

static void
write_it(desk *d, const char *ended, const char *under_way)
{
    fsh_err err;

    assert_ok(write_rows(d, ended, under_way, &err), err);
}

static void
assert_rows(const char *path, const char *rows)
{
    uint8_t *data;
    size_t bytes;
    fsh_err err;
    char expected[4096];

    snprintf(expected, sizeof expected, "%s%s", FSH_ATTENDANCE_HEADER, rows);
    assert_ok(fsh_file_read(path, 1 << 20, &data, &bytes, &err), err);
    assert_string_equal((char *)data, expected);
    free(data);
}

static void
append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
rows_under_way_are_in_the_file_and_are_replaced_by_what_becomes_of_them(void **state)
{
    desk *d = *state;

    open_it(d);
    write_it(d, "", "anna,1\nbert,1\n");
    assert_rows(d->path, "anna,1\nbert,1\n");
    write_it(d, "anna,12\n", "bert,2\n");
    assert_rows(d->path, "anna,12\nbert,2\n");
    write_it(d, "", "bert,3\ncarla,1\n");
    assert_rows(d->path, "anna,12\nbert,3\ncarla,1\n");
    assert_true(fsh_file_exists(d->journal));
    write_it(d, "bert,3\ncarla,9\n", "");
    assert_rows(d->path, "anna,12\nbert,3\ncarla,9\n");
    assert_false(fsh_file_exists(d->journal));
}

static void
both_files_are_for_their_owner_only(void **state)
{
    desk *d = *state;
    struct stat info;
    mode_t before = umask(0);

    open_it(d);
    write_it(d, "", "anna,1\n");
    umask(before);
    assert_int_equal(stat(d->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(d->journal, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* A child writes, and is gone without an end. */
static void
write_and_die(desk *d, const char *ended, const char *under_way)
{
    pid_t child = fork();
    int how;

    if (child == 0) {
        fsh_err err;
        bool done = !fsh_attendance_open(d->path, true, &d->attendance, NULL, &err) &&
                    !write_rows(d, ended, under_way, &err);

        _exit(done ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void
what_was_under_way_when_a_run_was_killed_is_kept(void **state)
{
    desk *d = *state;

    write_and_die(d, "anna,12\n", "bert,2\n");
    open_it(d);
    assert_int_equal(d->found.recovered, 1);
    assert_int_equal(d->found.rows, 2);
    write_it(d, "", "carla,1\n");
    assert_rows(d->path, "anna,12\nbert,2\ncarla,1\n");
}

/* Every length that a write which was broken off may leave behind the first `settled` bytes. */
static void
a_file_that_was_written_in_part_is_put_right_from_the_journal(void **state)
{
    static const char after[] = "anna,12\nbert,2\ncarla,1\n";
    desk *d = *state;
    char journal[FSH_PATH_BYTES];
    size_t header = sizeof FSH_ATTENDANCE_HEADER - 1, cut;

    snprintf(journal, sizeof journal, "%s/kept", d->folder);
    write_and_die(d, "", after);
    assert_int_equal(rename(d->journal, journal), 0);
    for (cut = 0; cut < sizeof after; cut++) {
        assert_int_equal(truncate(d->path, (off_t)(header + cut)), 0);
        assert_int_equal(link(journal, d->journal), 0);
        open_it(d);
        assert_int_equal(d->found.recovered, 3);
        fsh_attendance_close(&d->attendance);
        assert_rows(d->path, after);
        assert_false(fsh_file_exists(d->journal));
    }
}

static void
rows_that_others_add_are_kept(void **state)
{
    desk *d = *state;

    open_it(d);
    write_it(d, "anna,12\n", "");
    append(d->path, "the postman,1\n");
    write_it(d, "", "bert,1\n");
    write_it(d, "bert,2\n", "");
    assert_rows(d->path, "anna,12\nthe postman,1\nbert,2\n");
}

static void
a_file_that_an_editor_has_replaced_is_gone_on_with(void **state)
{
    desk *d = *state;
    char other[FSH_PATH_BYTES];

    open_it(d);
    write_it(d, "anna,12\n", "bert,1\n");
    snprintf(other, sizeof other, "%s/new", d->folder);
    append(other, FSH_ATTENDANCE_HEADER "anna,13");
    assert_int_equal(rename(other, d->path), 0);
    write_it(d, "", "bert,2\n");
    assert_rows(d->path, "anna,13\nbert,2\n");
}

static void
a_second_writer_is_refused(void **state)
{
    desk *d = *state;
    fsh_attendance *second = NULL;
    fsh_err err;

    open_it(d);
    assert_int_equal(fsh_attendance_open(d->path, true, &second, NULL, &err), FSH_BUSY);
    assert_text_has(err.text, "another faceshard");
    assert_null(second);
}

static void
rows_are_not_added_to_unless_that_is_said(void **state)
{
    desk *d = *state;
    fsh_err err;

    open_it(d);
    fsh_attendance_close(&d->attendance);
    assert_ok(fsh_attendance_open(d->path, false, &d->attendance, NULL, &err), err);
    write_it(d, "anna,12\n", "");
    fsh_attendance_close(&d->attendance);
    assert_int_equal(fsh_attendance_open(d->path, false, &d->attendance, NULL, &err), FSH_USAGE);
    assert_text_has(err.text, "1 rows");
    assert_text_has(err.text, "--add");
}

static void
a_file_of_another_kind_and_a_damaged_journal_are_refused_and_left_alone(void **state)
{
    desk *d = *state;
    fsh_err err;

    append(d->path, "shopping list\n");
    assert_int_equal(fsh_attendance_open(d->path, true, &d->attendance, NULL, &err), FSH_FORMAT);
    assert_text_has(err.text, "another --attendance");
    assert_int_equal(unlink(d->path), 0);
    append(d->journal, "faceshard visits under way 1 0 0 abc\nanna,1\n");
    assert_int_equal(fsh_attendance_open(d->path, true, &d->attendance, NULL, &err), FSH_FORMAT);
    assert_text_has(err.text, "damaged");
    assert_true(fsh_file_exists(d->journal));
}

static void
names_are_quoted_where_they_have_to_be(void **state)
{
    const fsh_attendance_entry plain = {"Zoë Ünlü", "1", "2", 3, 0.71249, 1};
    const fsh_attendance_entry odd = {"O\"Hara, \nJr.", "1", "2", 3, INFINITY, -1};
    fsh_text text = {0};

    (void)state;
    fsh_attendance_row(&plain, &text);
    fsh_attendance_row(&odd, &text);
    assert_string_equal(fsh_text_get(&text),
                        "Zoë Ünlü,1,2,3,0.712,yes\n\"O\"\"Hara, \nJr.\",1,2,3,,\n");
    fsh_text_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_under_way_are_in_the_file_and_are_replaced_by_what_becomes_of_them),
        TEST(both_files_are_for_their_owner_only),
        TEST(what_was_under_way_when_a_run_was_killed_is_kept),
        TEST(a_file_that_was_written_in_part_is_put_right_from_the_journal),
        TEST(rows_that_others_add_are_kept),
        TEST(a_file_that_an_editor_has_replaced_is_gone_on_with),
        TEST(a_second_writer_is_refused),
        TEST(rows_are_not_added_to_unless_that_is_said),
        TEST(a_file_of_another_kind_and_a_damaged_journal_are_refused_and_left_alone),
        cmocka_unit_test(names_are_quoted_where_they_have_to_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
