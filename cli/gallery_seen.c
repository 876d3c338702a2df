/* The file is text: a first line, then of each picture size, time and source, ended by a zero byte,
 * which is the one that names cannot have. */
#include "cli/gallery_seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/text.h"
#include "datasets/keep.h"

static const char first_line[] = "faceshard pictures 1\n";
static const size_t file_bytes_max = (size_t)1 << 30;

static fsh_status
add(fsh_seen *seen, const char *name, const char *source, fsh_err *err)
{
    fsh_seen_picture *picture;

    if (seen->n == seen->room) {
        size_t room = seen->room ? 2 * seen->room : 64;
        fsh_seen_picture *grown = reallocarray(seen->pictures, room, sizeof *grown);

        if (!grown)
            return fsh_fail(err, FSH_MEMORY, "out of memory for %zu pictures", room);
        seen->pictures = grown;
        seen->room = room;
    }
    picture = &seen->pictures[seen->n++];
    *picture = (fsh_seen_picture){.name = name ? strdup(name) : NULL,
                                  .source = strdup(source),
                                  .bytes = -1,
                                  .changed_ns = -1};
    return picture->source && (picture->name || !name) ? FSH_OK
                                                       : fsh_fail(err, FSH_MEMORY, "out of memory");
}

void
fsh_seen_fini(fsh_seen *seen)
{
    while (seen->n) {
        free(seen->pictures[--seen->n].name);
        free(seen->pictures[seen->n].source);
    }
    free(seen->pictures);
    *seen = (fsh_seen){0};
}

/* ---- as it is now ---- */

typedef struct scanning {
    const fsh_job *job;
    fsh_seen *seen;
    char identity[FSH_PATH_BYTES];
} scanning;

static fsh_status
take_identity(void *self, const char *name, fsh_err *err)
{
    scanning *s = self;

    if (strlen(name) >= sizeof s->identity)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", name);
    strcpy(s->identity, name);
    return FSH_OK;
}

static fsh_status
take_sample(void *self, const char *name, fsh_err *err)
{
    scanning *s = self;
    char source[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_status status = fsh_reader_source(s->job->reader, s->identity, name, source, err);
    struct stat info;

    if (!status)
        status = fsh_path_join(path, s->job->input, source, err);
    if (!status)
        status = add(s->seen, s->identity, source, err);
    if (!status && stat(path, &info) == 0) {
        fsh_seen_picture *picture = &s->seen->pictures[s->seen->n - 1];

        picture->bytes = info.st_size;
        picture->changed_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    }
    return status;
}

static void
ignore(void *self, const char *path, const char *why)
{
    (void)self;
    (void)path;
    (void)why;
}

fsh_status
fsh_seen_scan(const fsh_job *job, fsh_seen *seen, fsh_err *err)
{
    scanning s = {.job = job, .seen = seen};
    const fsh_scan_sink sink = {&s, take_identity, take_sample, ignore, NULL};

    return fsh_scan_kept(job->reader, job->input, job->keep, &sink, err);
}

/* ---- as it was ---- */

static int
compare(const void *a, const void *b)
{
    const fsh_seen_picture *x = a, *y = b;

    return strcmp(x->source, y->source);
}

/* A record of the text; *whole: it is one. */
static fsh_status
read_record(fsh_seen *seen, const char *record, bool *whole, fsh_err *err)
{
    int64_t bytes, changed_ns;
    int at = 0;
    fsh_status status;

    *whole = sscanf(record, "%" SCNd64 " %" SCNd64 "%n", &bytes, &changed_ns, &at) == 2 &&
             record[at] == ' ';
    if (!*whole)
        return FSH_OK;
    status = add(seen, NULL, record + at + 1, err);
    if (!status) {
        seen->pictures[seen->n - 1].bytes = bytes;
        seen->pictures[seen->n - 1].changed_ns = changed_ns;
    }
    return status;
}

static fsh_status
read_records(fsh_seen *seen, const char *text, const char *end, fsh_err *err)
{
    bool whole = (size_t)(end - text) >= sizeof first_line - 1 &&
                 memcmp(text, first_line, sizeof first_line - 1) == 0;
    fsh_status status = FSH_OK;

    for (text += sizeof first_line - 1; whole && !status && text < end; text += strlen(text) + 1)
        status = read_record(seen, text, &whole, err);
    if (!whole)
        fsh_seen_fini(seen);
    if (!status && seen->n)
        qsort(seen->pictures, seen->n, sizeof *seen->pictures, compare);
    return status;
}

fsh_status
fsh_seen_read(const char *path, fsh_seen *seen, fsh_err *err)
{
    uint8_t *data = NULL;
    size_t bytes;
    fsh_status status;

    if (!fsh_file_exists(path) || fsh_file_read(path, file_bytes_max, &data, &bytes, NULL))
        return FSH_OK;
    status = read_records(seen, (const char *)data, (const char *)data + bytes, err);
    free(data);
    return status;
}

bool
fsh_seen_is_same(const fsh_seen *before, const fsh_seen_picture *picture)
{
    const fsh_seen_picture *found =
        before->n ? bsearch(picture, before->pictures, before->n, sizeof *picture, compare) : NULL;

    return found && picture->bytes >= 0 && found->bytes == picture->bytes &&
           found->changed_ns == picture->changed_ns;
}

fsh_status
fsh_seen_write(const char *path, const fsh_seen *seen, fsh_err *err)
{
    fsh_text text = {0};
    fsh_status status;
    size_t i;

    fsh_text_add(&text, first_line);
    for (i = 0; i < seen->n; i++) {
        const fsh_seen_picture *of = &seen->pictures[i];

        fsh_text_addf(&text, "%" PRId64 " %" PRId64 " ", of->bytes, of->changed_ns);
        fsh_text_add_bytes(&text, of->source, strlen(of->source) + 1);
    }
    status = fsh_text_ok(&text) ? fsh_file_write_private(path, fsh_text_get(&text), text.bytes, err)
                                : fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_text_fini(&text);
    return status;
}
