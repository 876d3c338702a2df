/* What the targets of readers share: a scan whose order is checked, and the loading of what it found. */
#ifndef FSH_TESTS_FUZZ_READER_FUZZING_H
#define FSH_TESTS_FUZZ_READER_FUZZING_H

#include "tests/fuzz/fuzzing.h"

#include "datasets/reader.h"

enum { FUZZ_LOADS_MAX = 32 };

typedef struct fuzz_scan {
    const fsh_reader *reader;
    const char *input;
    char identity[FSH_PATH_BYTES], sample[FSH_PATH_BYTES];
    unsigned identities, samples;
} fuzz_scan;

static inline fsh_status
fuzz_identity(void *self, const char *name, fsh_err *err)
{
    fuzz_scan *scan = self;

    (void)err;
    FUZZ_CHECK(strlen(name) < FSH_PATH_BYTES);
    FUZZ_CHECK(!scan->identities || strcmp(scan->identity, name) < 0);
    strcpy(scan->identity, name);
    scan->sample[0] = '\0';
    scan->identities++;
    return FSH_OK;
}

/* Bytes, or a reason why there are none; an error has a text. */
static inline void
fuzz_load(const fuzz_scan *scan)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason = FSH_REASON_NONE;
    fsh_err err = {""};
    fsh_status status = scan->reader->load(scan->input, scan->identity, scan->sample, &data, &bytes, &reason, &err);

    FUZZ_CHECK(status == FSH_OK ? (data != NULL) == (reason == FSH_REASON_NONE) : err.text[0] && !data);
    FUZZ_CHECK(!data || bytes > 0);
    free(data);
}

static inline fsh_status
fuzz_sample(void *self, const char *name, fsh_err *err)
{
    fuzz_scan *scan = self;
    char source[FSH_PATH_BYTES];

    FUZZ_CHECK(scan->identities && strcmp(scan->sample, name) < 0);
    if (strlen(name) >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%s: too long", scan->input);
    strcpy(scan->sample, name);
    if (fsh_reader_source(scan->reader, scan->identity, name, source, err) == FSH_OK)
        FUZZ_CHECK(!strchr(source + strlen(scan->identity), '\t') || strchr(scan->identity, '\t') ||
                   strcmp(scan->reader->format, "tar") == 0);
    if (scan->samples++ < FUZZ_LOADS_MAX)
        fuzz_load(scan);
    return FSH_OK;
}

static inline void
fuzz_ignored(void *self, const char *path, const char *why)
{
    (void)self;
    FUZZ_CHECK(path && *why);
}

/* Scans the input twice, the second time without loading: the same is found. */
static inline void
fuzz_reader(const char *format, const char *input)
{
    fuzz_scan scan = {.reader = fsh_reader_find(format), .input = input}, again = scan;
    fsh_scan_sink sink = {&scan, fuzz_identity, fuzz_sample, fuzz_ignored, NULL};
    fsh_err err = {""};
    fsh_status status = scan.reader->scan(input, &sink, &err);

    FUZZ_CHECK(status == FSH_OK || err.text[0]);
    again.samples = FUZZ_LOADS_MAX;
    sink.self = &again;
    FUZZ_CHECK(scan.reader->scan(input, &sink, &err) == status);
    FUZZ_CHECK(scan.identities == again.identities && scan.samples + FUZZ_LOADS_MAX == again.samples);
    scan.reader->fits(input);
}

#endif
