/* The reader of folders: which entries are identities and samples, in which order, and what loading
 * says. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/text.h"
#include "datasets/reader.h"
#include "tests/testing.h"

/* What a scan gave: "[identity] sample sample [identity] ..." */
typedef struct seen {
    fsh_text order, ignored;
    uint32_t ignored_n;
} seen;

static fsh_status
see_identity(void *self, const char *name, fsh_err *err)
{
    (void)err;
    fsh_text_addf(&((seen *)self)->order, "[%s]", name);
    return FSH_OK;
}

static fsh_status
see_sample(void *self, const char *name, fsh_err *err)
{
    (void)err;
    fsh_text_addf(&((seen *)self)->order, " %s ", name);
    return FSH_OK;
}

static void
see_ignored(void *self, const char *path, const char *why)
{
    fsh_text_addf(&((seen *)self)->ignored, "%s: %s\n", path, why);
    ((seen *)self)->ignored_n++;
}

static void
make_file(const char *folder, const char *name)
{
    char path[FSH_PATH_BYTES];
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
    *strrchr(path, '/') = '\0';
    assert_ok(fsh_folder_make(path, &err), err);
    assert_ok(fsh_path_join(path, folder, name, &err), err);
    assert_ok(fsh_file_write(path, "bytes", 5, &err), err);
}

static void
make_folder(const char *folder, const char *name)
{
    char path[FSH_PATH_BYTES];
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
    assert_ok(fsh_folder_make(path, &err), err);
}

static void
make_link(const char *folder, const char *name, const char *target)
{
    char path[FSH_PATH_BYTES];
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
    assert_int_equal(symlink(target, path), 0);
}

static seen
scan(const char *folder)
{
    seen found = {{0}, {0}, 0};
    const fsh_scan_sink sink = {&found, see_identity, see_sample, see_ignored, NULL};
    fsh_err err;

    assert_ok(fsh_reader_find("folders")->scan(folder, &sink, &err), err);
    return found;
}

static void
assert_order(const char *folder, const char *order, uint32_t ignored)
{
    seen found = scan(folder);

    assert_string_equal(fsh_text_get(&found.order), order);
    if (found.ignored_n != ignored)
        fail_msg("ignored %u, not %u:\n%s", found.ignored_n, ignored, fsh_text_get(&found.ignored));
    fsh_text_fini(&found.order);
    fsh_text_fini(&found.ignored);
}

/* What loading a sample gives; the bytes are checked against what make_file writes. */
static fsh_reason
load(const char *folder, const char *identity, const char *sample)
{
    fsh_reason reason = FSH_REASON_N;
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_err err;

    assert_ok(
        fsh_reader_find("folders")->load(folder, identity, sample, &data, &bytes, &reason, &err),
        err);
    if (reason == FSH_REASON_NONE) {
        assert_int_equal(bytes, 5);
        assert_memory_equal(data, "bytes", 5);
    }
    free(data);
    return reason;
}

static int
set_up(void **state)
{
    *state = fsh_test_folder();
    return 0;
}

static int
tear_down(void **state)
{
    fsh_test_remove(*state);
    return 0;
}

static void
samples_come_in_the_byte_order_of_their_names(void **state)
{
    make_file(*state, "b/2.jpg");
    make_file(*state, "b/10.png");
    make_file(*state, "b/Z.JPEG");
    make_file(*state, "b/a.TiFf");
    make_file(*state, "b/\xff.webp");
    make_file(*state, "b/\xc3\xa9.bmp");
    make_file(*state, "B/1.tif");
    assert_order(*state, "[B] 1.tif [b] 10.png  2.jpg  Z.JPEG  a.TiFf  \xc3\xa9.bmp  \xff.webp ",
                 0);
}

static void
identities_are_ordered_as_whole_names(void **state)
{
    make_file(*state, "a/b/1.jpg");
    make_file(*state, "a/1.jpg");
    make_file(*state, "a-b/1.jpg");
    make_file(*state, "a0/1.jpg");
    make_file(*state, "a/b/c/1.jpg");
    make_file(*state, "a/b-c/1.jpg");
    assert_order(*state,
                 "[a] 1.jpg [a-b] 1.jpg [a/b] 1.jpg [a/b-c] 1.jpg [a/b/c] 1.jpg [a0] 1.jpg ", 0);
}

static void
folders_are_nested_at_most_twice(void **state)
{
    make_file(*state, "one/two/three/1.jpg");
    make_file(*state, "one/two/three/four/2.jpg");
    assert_order(*state, "[one/two/three] 1.jpg ", 1);
}

static void
an_empty_folder_is_an_identity_without_samples(void **state)
{
    make_folder(*state, "empty");
    make_folder(*state, "train/empty");
    make_file(*state, "full/1.jpg");
    assert_order(*state, "[empty][full] 1.jpg [train/empty]", 0);
}

static void
what_is_no_sample_is_told(void **state)
{
    make_file(*state, "loose.jpg");
    make_file(*state, "README");
    make_file(*state, ".hidden.jpg");
    make_file(*state, ".cache/1.jpg");
    make_file(*state, "a/1.jpg");
    make_file(*state, "a/1.txt");
    make_file(*state, "a/.1.jpg");
    make_file(*state, "notes/1.txt");
    assert_order(*state, "[a] 1.jpg ", 8);
}

static void
everything_with_a_picture_name_is_a_sample(void **state)
{
    char path[FSH_PATH_BYTES];

    make_folder(*state, "a/folder.jpg");
    make_link(*state, "a/dangling.jpg", "nowhere");
    make_link(*state, "a/loop.jpg", "loop.jpg");
    make_link(*state, "a/zero.jpg", "/dev/zero");
    snprintf(path, sizeof path, "%s/a/pipe.jpg", (char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    make_file(*state, "b/target.jpg");
    make_link(*state, "a/good.jpg", "../b/target.jpg");
    make_link(*state, "a/pipe-link.jpg", "pipe.jpg");
    assert_order(*state,
                 "[a] dangling.jpg  folder.jpg  good.jpg  loop.jpg  pipe-link.jpg  pipe.jpg "
                 " zero.jpg [b] target.jpg ",
                 0);
    assert_int_equal(load(*state, "a", "dangling.jpg"), FSH_REASON_UNREADABLE);
    assert_int_equal(load(*state, "a", "loop.jpg"), FSH_REASON_UNREADABLE);
    assert_int_equal(load(*state, "a", "folder.jpg"), FSH_REASON_NOT_A_FILE);
    assert_int_equal(load(*state, "a", "zero.jpg"), FSH_REASON_NOT_A_FILE);
    assert_int_equal(load(*state, "a", "pipe.jpg"), FSH_REASON_NOT_A_FILE);
    assert_int_equal(load(*state, "a", "pipe-link.jpg"), FSH_REASON_NOT_A_FILE);
    assert_int_equal(load(*state, "a", "good.jpg"), FSH_REASON_NONE);
}

static void
loops_of_linked_folders_end(void **state)
{
    make_file(*state, "real/1.jpg");
    make_file(*state, "real/deep/2.jpg");
    make_link(*state, "twin", "real");
    make_link(*state, "up", ".");
    make_link(*state, "real/self", ".");
    assert_order(*state, "[real] 1.jpg [real/deep] 2.jpg [real/self] 1.jpg [twin] 1.jpg ", 7);
}

static void
odd_names_are_kept_as_they_are(void **state)
{
    make_file(*state, "new\nline \xff\xfe/quote'\"\\ .jpg");
    assert_order(*state, "[new\nline \xff\xfe] quote'\"\\ .jpg ", 0);
    assert_int_equal(load(*state, "new\nline \xff\xfe", "quote'\"\\ .jpg"), FSH_REASON_NONE);
}

static void
a_file_that_is_gone_is_vanished(void **state)
{
    make_file(*state, "a/1.jpg");
    assert_int_equal(load(*state, "a", "2.jpg"), FSH_REASON_VANISHED);
    assert_int_equal(load(*state, "b", "1.jpg"), FSH_REASON_VANISHED);
    assert_int_equal(load(*state, "a/1.jpg", "1.jpg"), FSH_REASON_VANISHED);
}

static void
an_input_that_is_gone_is_no_sample_s_fault(void **state)
{
    const fsh_scan_sink sink = {NULL, see_identity, see_sample, see_ignored, NULL};
    char path[FSH_PATH_BYTES];
    fsh_reason reason;
    uint8_t *data;
    size_t bytes;
    fsh_err err;

    snprintf(path, sizeof path, "%s/gone", (char *)*state);
    assert_int_equal(
        fsh_reader_find("folders")->load(path, "a", "1.jpg", &data, &bytes, &reason, &err), FSH_IO);
    assert_text_has(err.text, path);
    assert_int_equal(fsh_reader_find("folders")->scan(path, &sink, &err), FSH_IO);
    assert_text_has(err.text, path);
}

static void
empty_and_too_large_files_are_told(void **state)
{
    char path[FSH_PATH_BYTES];

    make_file(*state, "a/empty.jpg");
    make_file(*state, "a/large.jpg");
    snprintf(path, sizeof path, "%s/a/empty.jpg", (char *)*state);
    assert_int_equal(truncate(path, 0), 0);
    snprintf(path, sizeof path, "%s/a/large.jpg", (char *)*state);
    assert_int_equal(truncate(path, (256 << 20) + 1), 0);
    assert_int_equal(load(*state, "a", "empty.jpg"), FSH_REASON_EMPTY);
    assert_int_equal(load(*state, "a", "large.jpg"), FSH_REASON_TOO_LARGE);
}

static void
a_file_without_permission_is_unreadable(void **state)
{
    char path[FSH_PATH_BYTES];

    if (geteuid() == 0) {
        print_message("skipped: root may read everything\n");
        skip();
    }
    make_file(*state, "a/1.jpg");
    snprintf(path, sizeof path, "%s/a/1.jpg", (char *)*state);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(load(*state, "a", "1.jpg"), FSH_REASON_UNREADABLE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(samples_come_in_the_byte_order_of_their_names),
        TEST(identities_are_ordered_as_whole_names),
        TEST(folders_are_nested_at_most_twice),
        TEST(an_empty_folder_is_an_identity_without_samples),
        TEST(what_is_no_sample_is_told),
        TEST(everything_with_a_picture_name_is_a_sample),
        TEST(loops_of_linked_folders_end),
        TEST(odd_names_are_kept_as_they_are),
        TEST(a_file_that_is_gone_is_vanished),
        TEST(an_input_that_is_gone_is_no_sample_s_fault),
        TEST(empty_and_too_large_files_are_told),
        TEST(a_file_without_permission_is_unreadable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
