/* Near-duplicates within a set of embeddings, and with another set. */
#include <stdlib.h>

#include "evaluate/cleaning_parts.h"
#include "stages/cleaning/nearest.h"

typedef struct nearing {
    fsh_cleaning_pair *pairs; /* by row */
    uint32_t n, room;
    uint32_t *above; /* duplicates: towards the row that stands for the group of each row */
} nearing;

static fsh_status
add_pair(nearing *of, uint32_t a, uint32_t b, float distance)
{
    if (of->n == of->room) {
        uint32_t room = of->room ? 2 * of->room : 64;
        fsh_cleaning_pair *more = realloc(of->pairs, room * sizeof *more);

        if (!more)
            return FSH_MEMORY;
        of->pairs = more;
        of->room = room;
    }
    of->pairs[of->n++] = (fsh_cleaning_pair){a, b, distance};
    return FSH_OK;
}

/* Whoever is on the way gets a shorter one. */
static uint32_t
find_root(uint32_t *above, uint32_t row)
{
    while (above[row] != row)
        row = above[row] = above[above[row]];
    return row;
}

/* A thousand equal pictures are half a million pairs: a pair counts where it joins two groups. */
static fsh_status
take_duplicate(void *self, uint32_t a, uint32_t b, float distance)
{
    nearing *of = self;
    uint32_t x = find_root(of->above, a), y = find_root(of->above, b);

    if (x == y)
        return FSH_OK;
    of->above[x > y ? x : y] = x > y ? y : x;
    return add_pair(of, a, b, distance);
}

/* The nearest of the other set for each row: pairs of one row may come in any distance. */
static fsh_status
take_copy(void *self, uint32_t a, uint32_t b, float distance)
{
    nearing *of = self;
    uint32_t at = of->above[a];

    if (at == UINT32_MAX) {
        of->above[a] = of->n;
        return add_pair(of, a, b, distance);
    }
    if (distance < of->pairs[at].distance) {
        of->pairs[at].b = b;
        of->pairs[at].distance = distance;
    }
    return FSH_OK;
}

static int
compare_pairs(const void *a, const void *b)
{
    const fsh_cleaning_pair *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a) : (x->b > y->b) - (x->b < y->b);
}

/* Rows become places among the pictures: `a` always, `b` where it is of the same set. */
static fsh_status
place_pairs(const fsh_cleaning *of, nearing *found, bool both)
{
    uint32_t *places = malloc(((size_t)of->n + 1) * sizeof *places), i;

    if (!places)
        return FSH_MEMORY;
    for (i = 0; i < of->n; i++)
        places[of->pictures[i].row] = i;
    for (i = 0; i < found->n; i++) {
        fsh_cleaning_pair *pair = &found->pairs[i];
        uint32_t a = places[pair->a], b = both ? places[pair->b] : pair->b;

        pair->a = both && b < a ? b : a;
        pair->b = both && b < a ? a : b;
    }
    free(places);
    if (found->n)
        qsort(found->pairs, found->n, sizeof *found->pairs, compare_pairs);
    return FSH_OK;
}

static fsh_status
find_pairs(const fsh_cleaning *of, const fsh_embeddings *other, nearing *found, bool both)
{
    const fsh_embeddings *e = of->embeddings;
    fsh_directions ours = {of->n, e->vectors, NULL},
                   theirs = {(uint32_t)other->n, other->vectors, NULL};
    fsh_listener step = fsh_listener_at(of->options.steps, both ? "looking for near-duplicates"
                                                          : "looking for copies in the other set");
    fsh_status status = FSH_MEMORY;
    uint32_t i;

    found->above = malloc(((size_t)of->n + 1) * sizeof *found->above);
    for (i = 0; found->above && i < of->n; i++)
        found->above[i] = both ? i : UINT32_MAX;
    if (found->above)
        status = fsh_nearest_pairs(&ours, &theirs, e->dimension, (float)of->options.near, &step,
                                   both ? take_duplicate : take_copy, found);
    free(found->above);
    return status ? status : place_pairs(of, found, both);
}

fsh_status
fsh_cleaning_find_near(fsh_cleaning *of, fsh_err *err)
{
    nearing duplicates = {0}, copies = {0};
    fsh_status status = find_pairs(of, of->embeddings, &duplicates, true);

    if (!status && of->against)
        status = find_pairs(of, of->against, &copies, false);
    of->duplicates = duplicates.pairs;
    of->duplicates_n = duplicates.n;
    of->copies = copies.pairs;
    of->copies_n = copies.n;
    return status ? fsh_fail(err, status, "out of memory for near-duplicates of %u pictures", of->n)
                  : FSH_OK;
}
