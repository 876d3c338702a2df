/* Lists of pictures: names come in order, no path twice; a list that is refused gives nothing, and
 * has a text that names it. */
#include "tests/fuzz/fuzzing.h"

#include "datasets/reader.h"

typedef struct seen {
    char identity[FSH_PATH_BYTES], sample[FSH_PATH_BYTES];
    unsigned identities, samples;
} seen;

static void
remember(char place[FSH_PATH_BYTES], const char *name)
{
    snprintf(place, FSH_PATH_BYTES, "%s", name);
}

static fsh_status
see_identity(void *self, const char *name, fsh_err *err)
{
    seen *found = self;

    (void)err;
    FUZZ_CHECK(*name && (!found->identities || strlen(name) >= FSH_PATH_BYTES ||
                         strcmp(found->identity, name) < 0));
    remember(found->identity, name);
    found->sample[0] = '\0';
    found->identities++;
    return FSH_OK;
}

static fsh_status
see_sample(void *self, const char *name, fsh_err *err)
{
    seen *found = self;

    (void)err;
    FUZZ_CHECK(*name && found->identities && !strchr(name, '\n') && !strchr(name, '\t'));
    FUZZ_CHECK(strlen(name) >= FSH_PATH_BYTES || strcmp(found->sample, name) < 0);
    remember(found->sample, name);
    found->samples++;
    return FSH_OK;
}

static void
see_ignored(void *self, const char *path, const char *why)
{
    (void)self;
    (void)path;
    (void)why;
}

static void
scan_list(const char *path)
{
    seen found = {{0}, {0}, 0, 0};
    const fsh_scan_sink sink = {&found, see_identity, see_sample, see_ignored, NULL};
    fsh_err err = {""};

    if (fsh_reader_find("list")->scan(path, &sink, &err) != FSH_OK)
        FUZZ_CHECK(strstr(err.text, path) && !found.samples);
}

/* As a text with tabs, and as CSV. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64], csv[80];

    fuzz_file(data, bytes, path);
    scan_list(path);
    snprintf(csv, sizeof csv, "%s.csv", path);
    FUZZ_CHECK(rename(path, csv) == 0);
    scan_list(csv);
    unlink(csv);
    return 0;
}
