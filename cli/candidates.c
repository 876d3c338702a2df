#include "cli/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

static fsh_status
out_of_memory(const fsh_candidates *c, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "out of memory for %u people", c->n);
}

/* Places are drawn from names: one person or photograph more changes at most its neighbours'. */
static uint64_t
lot_of(uint64_t seed, const char *name)
{
    return fsh_mix64(fsh_hash_key(name, strlen(name)) ^ fsh_mix64(seed));
}

static fsh_status
add_identity(void *self, const char *name, fsh_err *err)
{
    fsh_candidates *c = self;
    uint32_t room = c->room ? 2 * c->room : 64;
    fsh_candidate *grown;

    if (c->n == c->room) {
        if (!(grown = reallocarray(c->at, room, sizeof *grown)))
            return out_of_memory(c, err);
        c->at = grown;
        c->room = room;
    }
    c->at[c->n] = (fsh_candidate){.name = strdup(name), .lot = lot_of(c->seed, name)};
    return c->at[c->n++].name ? FSH_OK : out_of_memory(c, err);
}

static fsh_status
add_sample(void *self, const char *name, fsh_err *err)
{
    fsh_candidates *c = self;
    fsh_candidate *last = &c->at[c->n - 1];
    uint32_t room = last->room ? 2 * last->room : 4;
    char source[FSH_PATH_BYTES], **grown;
    fsh_status status = fsh_reader_source(c->reader, last->name, name, source, err);

    if (status)
        return status;
    if (last->n == last->room) {
        if (!(grown = reallocarray(last->sources, room, sizeof *grown)))
            return out_of_memory(c, err);
        last->sources = grown;
        last->room = room;
    }
    last->sources[last->n] = strdup(source);
    return last->sources[last->n++] ? FSH_OK : out_of_memory(c, err);
}

static void
ignore(void *self, const char *path, const char *why)
{
    (void)self;
    (void)path;
    (void)why;
}

static int
compare_lots(uint64_t a, uint64_t b, const char *name_a, const char *name_b)
{
    return a != b ? (a > b) - (a < b) : strcmp(name_a, name_b);
}

static int
compare_people(const void *a, const void *b)
{
    const fsh_candidate *x = a, *y = b;

    return compare_lots(x->lot, y->lot, x->name, y->name);
}

static int
compare_sources(const void *a, const void *b, void *seed)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;

    return compare_lots(lot_of(*(uint64_t *)seed, x), lot_of(*(uint64_t *)seed, y), x, y);
}

fsh_status
fsh_candidate_place(const fsh_candidate *person, uint32_t k, char path[FSH_PATH_BYTES],
                    fsh_err *err)
{
    const char *source = person->sources[k];

    return fsh_path_join(path, strchr(source, '/') ? "" : person->name, source, err);
}

static void
candidate_fini(fsh_candidate *candidate)
{
    while (candidate->n)
        free(candidate->sources[--candidate->n]);
    free(candidate->sources);
    free(candidate->name);
}

static void
drop_small(fsh_candidates *c, uint32_t least)
{
    uint32_t i, kept = 0;

    for (i = 0; i < c->n; i++) {
        if (c->at[i].n >= least)
            c->at[kept++] = c->at[i];
        else
            candidate_fini(&c->at[i]);
    }
    c->small_n = c->n - kept;
    c->n = kept;
}

fsh_status
fsh_candidates_draw(const char *input, const fsh_reader *reader, uint64_t seed, uint32_t least,
                    fsh_candidates *out, fsh_err *err)
{
    const fsh_scan_sink sink = {out, add_identity, add_sample, ignore, NULL};
    fsh_status status;
    uint32_t i;

    *out = (fsh_candidates){.reader = reader, .seed = seed};
    status = reader->scan(input, &sink, err);
    if (status)
        return status;
    drop_small(out, least);
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, compare_people);
    for (i = 0; i < out->n; i++)
        if (out->at[i].n)
            qsort_r(out->at[i].sources, out->at[i].n, sizeof *out->at[i].sources, compare_sources,
                    &seed);
    return FSH_OK;
}

void
fsh_candidates_fini(fsh_candidates *candidates)
{
    while (candidates->n)
        candidate_fini(&candidates->at[--candidates->n]);
    free(candidates->at);
    memset(candidates, 0, sizeof *candidates);
}
