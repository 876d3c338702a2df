/* Whether an embeddings file is the one that a job would make. */
#include "cli/embed_known.h"

#include <string.h>

#include "base/files.h"
#include "datasets/keep.h"
#include "shards/embeddings.h"

/* The names of the input, compared with the rows of the file while they are scanned. Rows, and
 * rejected rows, are in the order of the scan. */
typedef struct comparison {
    const fsh_reader *reader;
    const fsh_embeddings *e;
    char identity[FSH_PATH_BYTES];
    uint64_t row, rejected;
    bool same;
} comparison;

static fsh_status
compare_identity(void *self, const char *name, fsh_err *err)
{
    comparison *c = self;

    if (strlen(name) >= sizeof c->identity)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", name);
    strcpy(c->identity, name);
    return FSH_OK;
}

/* Whether row i is of this picture; *i is then behind it, and behind other faces of the same
 * picture. */
static bool
take(const comparison *c, char *const *names, char *const *sources, uint64_t n, const char *source,
     uint64_t *i)
{
    uint64_t first = *i;

    while (*i < n && strcmp(sources[*i], source) == 0 && strcmp(names[*i], c->identity) == 0)
        ++*i;
    return *i > first;
}

static fsh_status
compare_sample(void *self, const char *name, fsh_err *err)
{
    comparison *c = self;
    const fsh_embeddings *e = c->e;
    char source[FSH_PATH_BYTES];
    fsh_status status = fsh_reader_source(c->reader, c->identity, name, source, err);

    if (!status && !take(c, e->names, e->sources, e->n, source, &c->row) &&
        !take(c, e->rejected_names, e->rejected_sources, e->rejected_n, source, &c->rejected))
        c->same = false;
    return status;
}

static void
ignore(void *self, const char *path, const char *why)
{
    (void)self;
    (void)path;
    (void)why;
}

static fsh_status
compare_input(const fsh_job *job, const fsh_embeddings *e, bool *same, fsh_err *err)
{
    comparison c = {.reader = job->reader, .e = e, .same = true};
    const fsh_scan_sink sink = {&c, compare_identity, compare_sample, ignore, NULL};
    fsh_status status = fsh_scan_kept(job->reader, job->input, job->keep, &sink, err);

    *same = c.same && c.row == e->n && c.rejected == e->rejected_n;
    return status;
}

static void
count(const fsh_embeddings *e, fsh_embeddings_totals *totals)
{
    uint64_t i;

    *totals =
        (fsh_embeddings_totals){.n = e->n, .rejected_n = e->rejected_n, .dimension = e->dimension};
    for (i = 0; i < e->rejected_n; i++)
        totals->rejected[e->rejected_reasons[i]]++;
}

fsh_status
fsh_embed_is_known(const fsh_job *job, const char *output, bool *known,
                   fsh_embeddings_totals *totals, fsh_err *err)
{
    fsh_embeddings e = {0};
    fsh_status status;

    *known = false;
    if (!fsh_file_exists(output))
        return FSH_OK;
    status = fsh_embeddings_read(output, &e, err);
    if (status)
        return fsh_fail_within(
            err, FSH_USAGE,
            "%s is there and is not a whole embeddings file: remove it, or choose "
            "another --output",
            output);
    if (strcmp(e.job_hash, job->hash) == 0)
        status = compare_input(job, &e, known, err);
    count(&e, totals);
    fsh_embeddings_fini(&e);
    return status;
}
