/* What the tests of readers share: a scan as text, files, and what loading gives. */
#ifndef FSH_TESTS_READER_TESTING_H
#define FSH_TESTS_READER_TESTING_H

#include "base/files.h"
#include "base/text.h"
#include "datasets/reader.h"
#include "tests/testing.h"

/* What a scan gave: "[identity] sample sample [identity] ...", and the sources, a line each. */
typedef struct seen {
    const fsh_reader *reader;
    fsh_text order, sources, ignored;
    char identity[FSH_PATH_BYTES], last[FSH_PATH_BYTES];
    uint32_t samples_n;
} seen;

static inline fsh_status
see_identity(void *self, const char *name, fsh_err *err)
{
    seen *found = self;

    (void)err;
    assert_true(strcmp(found->identity, name) < 0); /* byte order, none twice */
    strcpy(found->identity, name);
    found->last[0] = '\0';
    fsh_text_addf(&found->order, "[%s]", name);
    return FSH_OK;
}

static inline fsh_status
see_sample(void *self, const char *name, fsh_err *err)
{
    seen *found = self;
    char source[FSH_PATH_BYTES];

    assert_true(strcmp(found->last, name) < 0);
    strcpy(found->last, name);
    assert_ok(fsh_reader_source(found->reader, found->identity, name, source, err), *err);
    fsh_text_addf(&found->order, " %s ", name);
    fsh_text_addf(&found->sources, "%s\n", source);
    found->samples_n++;
    return FSH_OK;
}

static inline void
see_ignored(void *self, const char *path, const char *why)
{
    fsh_text_addf(&((seen *)self)->ignored, "%s: %s\n", path, why);
}

static inline fsh_status
scan(const char *format, const char *input, seen *found, fsh_err *err)
{
    const fsh_scan_sink sink = {found, see_identity, see_sample, see_ignored, NULL};

    memset(found, 0, sizeof *found);
    found->reader = fsh_reader_find(format);
    assert_non_null(found->reader);
    return found->reader->scan(input, &sink, err);
}

static inline void
seen_fini(seen *found)
{
    fsh_text_fini(&found->order);
    fsh_text_fini(&found->sources);
    fsh_text_fini(&found->ignored);
}

static inline void
write_file(const char *folder, const char *name, const char *text)
{
    char path[FSH_PATH_BYTES];
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
    *strrchr(path, '/') = '\0';
    assert_ok(fsh_folder_make(path, &err), err);
    assert_ok(fsh_path_join(path, folder, name, &err), err);
    assert_ok(fsh_file_write(path, text, strlen(text), &err), err);
}

static inline void
path_in(char path[FSH_PATH_BYTES], const char *folder, const char *name)
{
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
}

static inline void
assert_loads(const char *format, const char *input, const char *identity, const char *sample,
             fsh_reason expected, const char *text)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason = FSH_REASON_NONE;
    fsh_err err = {""};

    assert_ok(fsh_reader_find(format)->load(input, identity, sample, &data, &bytes, &reason, &err),
              err);
    assert_int_equal(reason, expected);
    if (expected == FSH_REASON_NONE) {
        assert_int_equal(bytes, strlen(text));
        assert_memory_equal(data, text, bytes);
    }
    free(data);
}

/* The whole name of a sample, with its place, of the names that begin so; borrowed until the next call. */
static inline const char *
seen_sample(const seen *found, const char *identity, const char *name)
{
    static char sample[FSH_PATH_BYTES];
    char heading[FSH_PATH_BYTES], wanted[FSH_PATH_BYTES];
    const char *at, *end;

    snprintf(heading, sizeof heading, "[%s]", identity);
    snprintf(wanted, sizeof wanted, " %s", name);
    at = strstr(fsh_text_get(&found->order), heading);
    at = at ? strstr(at, wanted) : NULL;
    if (!at)
        fail_msg("%s/%s is not there", identity, name);
    at++;
    end = strchr(strchr(at, '\t') + 1, '\t');
    end += strcspn(end, " [");
    snprintf(sample, sizeof sample, "%.*s", (int)(end - at), at);
    return sample;
}

/* An input made by hand, byte by byte, and what a scan of it found. */
typedef struct made_file {
    const char *format;
    fsh_text bytes;
    char *folder, input[FSH_PATH_BYTES];
    seen found;
} made_file;

static inline void
begin_made(made_file *m, const char *format, const char *file)
{
    memset(m, 0, sizeof *m);
    m->format = format;
    m->folder = fsh_test_folder();
    path_in(m->input, m->folder, file);
}

static inline void
scan_input(made_file *m, const char *sources)
{
    fsh_err err;

    seen_fini(&m->found);
    assert_ok(scan(m->format, m->input, &m->found, &err), err);
    assert_string_equal(fsh_text_get(&m->found.sources), sources);
}

/* What was made is written first. */
static inline void
scan_made(made_file *m, const char *sources)
{
    fsh_err err;

    assert_ok(fsh_file_write(m->input, fsh_text_get(&m->bytes), m->bytes.bytes, &err), err);
    scan_input(m, sources);
}

static inline void
assert_made(made_file *m, const char *identity, const char *name, fsh_reason expected, const char *bytes)
{
    assert_loads(m->format, m->input, identity, seen_sample(&m->found, identity, name), expected, bytes);
}

static inline void
end_made(made_file *m)
{
    seen_fini(&m->found);
    fsh_text_fini(&m->bytes);
    fsh_test_remove(m->folder);
}

#endif
