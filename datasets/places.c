#include "datasets/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1 << 10, TOLD_SAMPLES = 1 << 16 };

static const char *
identity_name(const fsh_places *places, uint32_t identity)
{
    return places->names.data + places->starts[identity];
}

/* ---- identities by name ---- */

static uint32_t
hash_of(const char *name, size_t bytes) /* FNV-1a */
{
    uint32_t hash = 2166136261u;

    while (bytes--)
        hash = (hash ^ (uint8_t)*name++) * 16777619u;
    return hash ^ hash >> 15;
}

/* The slot of a name: it holds the name's identity, or is empty. */
static uint32_t
find_slot(const fsh_places *places, const char *name, size_t bytes)
{
    uint32_t mask = places->slots_n - 1, at = hash_of(name, bytes) & mask;

    while (places->slots[at]) {
        const char *there = identity_name(places, places->slots[at] - 1);

        if (strncmp(there, name, bytes) == 0 && there[bytes] == '\0')
            break;
        at = (at + 1) & mask;
    }
    return at;
}

/* At most half of the slots are taken. */
static fsh_status
grow_table(fsh_places *places, fsh_err *err)
{
    uint32_t n = places->slots_n ? 2 * places->slots_n : ROOM_FIRST, i;
    uint32_t *slots = calloc(n, sizeof *slots);

    if (!slots || n == 0) {
        free(slots);
        return fsh_fail(err, FSH_MEMORY, "out of memory for %u identities", places->identities_n);
    }
    free(places->slots);
    places->slots = slots;
    places->slots_n = n;
    for (i = 0; i < places->identities_n; i++) {
        const char *name = identity_name(places, i);

        slots[find_slot(places, name, strlen(name))] = i + 1;
    }
    return FSH_OK;
}

static fsh_status
grow_starts(fsh_places *places, fsh_err *err)
{
    uint32_t room = places->identities_room ? 2 * places->identities_room : ROOM_FIRST;
    uint64_t *grown = reallocarray(places->starts, room, sizeof *grown);

    if (!grown)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %u identities", places->identities_n);
    places->starts = grown;
    places->identities_room = room;
    return FSH_OK;
}

fsh_status
fsh_places_identity(fsh_places *places, const char *name, size_t bytes, uint32_t *identity,
                    fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t slot;

    if (places->identities_n >= places->slots_n / 2)
        status = grow_table(places, err);
    if (!status && places->identities_n == places->identities_room)
        status = grow_starts(places, err);
    if (status)
        return status;
    slot = find_slot(places, name, bytes);
    if (!places->slots[slot]) {
        places->starts[places->identities_n] = places->names.bytes;
        fsh_text_add_bytes(&places->names, name, bytes);
        fsh_text_add_bytes(&places->names, "", 1);
        if (!fsh_text_ok(&places->names))
            return fsh_fail(err, FSH_MEMORY, "out of memory for %u identities",
                            places->identities_n);
        places->slots[slot] = ++places->identities_n;
    }
    *identity = places->slots[slot] - 1;
    return FSH_OK;
}

/* ---- samples ---- */

fsh_status
fsh_places_add(fsh_places *places, fsh_place place, fsh_err *err)
{
    uint64_t room = places->room ? places->room + places->room / 2 : ROOM_FIRST;
    fsh_place *grown;

    if (places->n == places->room) {
        if (!(grown = reallocarray(places->at, room, sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "out of memory for %llu samples",
                            (unsigned long long)places->n);
        places->at = grown;
        places->room = room;
    }
    places->at[places->n++] = place;
    if (places->n % TOLD_SAMPLES == 0 && places->sink && places->sink->found)
        places->sink->found(places->sink->self, places->n, places->identities_n);
    return FSH_OK;
}

static int
compare_names(const void *a, const void *b, void *self)
{
    const fsh_places *places = self;

    return strcmp(identity_name(places, *(const uint32_t *)a),
                  identity_name(places, *(const uint32_t *)b));
}

/* Where the samples of each identity begin once they lie together, and one more. */
static void
count(const fsh_places *places, uint64_t *begin)
{
    uint64_t i, sum = 0;

    for (i = 0; i < places->n; i++)
        begin[places->at[i].identity + 1]++;
    for (i = 0; i <= places->identities_n; i++) {
        sum += begin[i];
        begin[i] = sum;
    }
}

/* Puts samples of one identity together, in place: sorting them all would take as much memory
 * again. Each lands in one move; next is where the next of an identity goes. */
static void
gather(fsh_places *places, const uint64_t *begin, uint64_t *next)
{
    uint32_t i;

    for (i = 0; i < places->identities_n; i++) {
        while (next[i] < begin[i + 1]) {
            fsh_place *here = &places->at[next[i]], kept = *here, *there;

            if (kept.identity == i) {
                next[i]++;
                continue;
            }
            there = &places->at[next[kept.identity]++];
            *here = *there;
            *there = kept;
        }
    }
}

typedef struct giving {
    fsh_places *places;
    const fsh_place_kind *kind;
    void *self;
    const fsh_scan_sink *sink;
    fsh_text last, name, whole; /* names of the last sample and of this one; and its places too */
    uint32_t again;             /* so many samples of this name before */
} giving;

static fsh_status
give_sample(giving *g, const fsh_place *place, fsh_err *err)
{
    fsh_text last = g->name;

    g->name = g->last;
    g->last = last;
    fsh_text_clear(&g->name);
    fsh_text_clear(&g->whole);
    g->kind->name(g->self, place, &g->name);
    g->again = strcmp(fsh_text_get(&g->name), fsh_text_get(&g->last)) == 0 ? g->again + 1 : 0;
    fsh_text_add(&g->whole, fsh_text_get(&g->name));
    if (g->again)
        fsh_text_addf(&g->whole, " %06u", g->again + 1);
    fsh_text_addf(&g->whole, "\t%llu\t", (unsigned long long)place->at);
    g->kind->more(g->self, place, &g->whole);
    if (!fsh_text_ok(&g->whole) || !fsh_text_ok(&g->name))
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    return g->sink->sample(g->sink->self, fsh_text_get(&g->whole), err);
}

static fsh_status
give_identity(giving *g, uint32_t identity, uint64_t from, uint64_t to, fsh_err *err)
{
    fsh_place *at = g->places->at;
    fsh_status status = g->sink->identity(g->sink->self, identity_name(g->places, identity), err);

    if (!status && g->kind->give)
        return g->kind->give(g->self, at + from, to - from, g->sink, err);
    if (to - from > 1)
        qsort_r(at + from, (size_t)(to - from), sizeof *at, g->kind->compare, g->self);
    fsh_text_clear(&g->last);
    fsh_text_clear(&g->name);
    for (; from < to && !status; from++)
        status = give_sample(g, &at[from], err);
    return status;
}

static fsh_status
give_all(giving *g, uint32_t *order, uint64_t *begin, uint64_t *next, fsh_err *err)
{
    uint32_t n = g->places->identities_n, i;
    fsh_status status = FSH_OK;

    for (i = 0; i < n; i++)
        order[i] = i;
    if (n)
        qsort_r(order, n, sizeof *order, compare_names, g->places);
    count(g->places, begin);
    memcpy(next, begin, n * sizeof *next);
    gather(g->places, begin, next);
    for (i = 0; i < n && !status; i++)
        status = give_identity(g, order[i], begin[order[i]], begin[order[i] + 1], err);
    return status;
}

fsh_status
fsh_places_give(fsh_places *places, const fsh_place_kind *kind, void *self,
                const fsh_scan_sink *sink, fsh_err *err)
{
    giving g = {.places = places, .kind = kind, .self = self, .sink = sink};
    size_t n = places->identities_n;
    uint32_t *order = calloc(n + 1, sizeof *order);
    uint64_t *begin = calloc(n + 2, sizeof *begin), *next = calloc(n + 1, sizeof *next);
    fsh_status status = order && begin && next
                            ? give_all(&g, order, begin, next, err)
                            : fsh_fail(err, FSH_MEMORY, "out of memory for %zu identities", n);

    free(order);
    free(begin);
    free(next);
    fsh_text_fini(&g.last);
    fsh_text_fini(&g.name);
    fsh_text_fini(&g.whole);
    return status;
}

void
fsh_places_fini(fsh_places *places)
{
    free(places->at);
    free(places->starts);
    free(places->slots);
    fsh_text_fini(&places->names);
    memset(places, 0, sizeof *places);
}

/* ---- names ---- */

fsh_status
fsh_place_parse(const char *sample, fsh_place_name *name, fsh_err *err)
{
    const char *more = strrchr(sample, '\t'), *at = more;
    char *end = NULL;

    while (at && at > sample && *--at != '\t')
        ;
    if (at && *at == '\t')
        name->at = strtoull(at + 1, &end, 10);
    if (!end || end == at + 1 || end != more)
        return fsh_fail(err, FSH_FORMAT, "%s: names no place in a file: plan again", sample);
    name->bytes = (size_t)(at - sample);
    name->more = more + 1;
    return FSH_OK;
}

fsh_status
fsh_place_source(const char *identity, const char *sample, char path[FSH_PATH_BYTES], fsh_err *err)
{
    fsh_place_name name;
    fsh_status status = fsh_place_parse(sample, &name, err);

    if (!status && snprintf(path, FSH_PATH_BYTES, "%s/%.*s", identity, (int)name.bytes, sample) >=
                       FSH_PATH_BYTES)
        status = fsh_fail(err, FSH_USAGE, "%.80s...: path too long", sample);
    return status;
}
