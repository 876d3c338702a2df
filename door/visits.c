#include "door/visits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "door/ballot.h"
#include "door/strangers.h"
#include "stages/stage.h"

/* The track of a face that was in sight within the pause. */
typedef struct look {
    uint64_t track, visit; /* numbers; visit 0: none yet */
    double first_s, last_s;
    uint64_t frames, masked, unmasked;
    fsh_ballot ballot;
    float *sum; /* of the embeddings; NULL before the first */
} look;

/* A visit without what is still in looks. */
typedef struct entry {
    uint64_t number;
    fsh_visit past;
} entry;

struct fsh_visits {
    fsh_visits_options options;
    look *looks;
    uint32_t looks_n, looks_room;
    entry *entries;
    uint32_t entries_n, entries_room;
    uint64_t next, glimpses;
    fsh_strangers *strangers;
};

fsh_status
fsh_visits_new(const fsh_visits_options *options, fsh_visits **visits, fsh_err *err)
{
    fsh_visits *made = calloc(1, sizeof *made);
    fsh_status status = made ? fsh_strangers_new(options->dimension, &made->strangers, err)
                             : fsh_fail(err, FSH_MEMORY, "out of memory");

    if (status) {
        free(made);
        return status;
    }
    made->options = *options;
    made->next = 1;
    *visits = made;
    return FSH_OK;
}

void
fsh_visits_free(fsh_visits *visits)
{
    uint32_t i;

    if (!visits)
        return;
    for (i = 0; i < visits->looks_n; i++)
        free(visits->looks[i].sum);
    free(visits->looks);
    free(visits->entries);
    fsh_strangers_free(visits->strangers);
    free(visits);
}

/* Room for one more of n things of some bytes. */
static fsh_status
make_room(void **at, uint32_t n, uint32_t *room, size_t bytes, fsh_err *err)
{
    uint32_t wanted = *room ? 2 * *room : 16;
    void *grown;

    if (n < *room)
        return FSH_OK;
    grown = realloc(*at, wanted * bytes);
    if (!grown)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    *at = grown;
    *room = wanted;
    return FSH_OK;
}

static entry *
find_entry(const fsh_visits *visits, uint64_t number)
{
    uint32_t i;

    for (i = 0; i < visits->entries_n; i++)
        if (visits->entries[i].number == number)
            return &visits->entries[i];
    return NULL;
}

static entry *
find_under_way(const fsh_visits *visits, uint32_t person, uint32_t stranger)
{
    uint32_t i;

    for (i = 0; i < visits->entries_n; i++) {
        entry *of = &visits->entries[i];

        if (!of->past.ended && of->past.person == person && of->past.stranger == stranger)
            return of;
    }
    return NULL;
}

/* The visit under way of a person or stranger; begins one where there is none. */
static fsh_status
need_entry(fsh_visits *visits, uint32_t person, uint32_t stranger, uint64_t *number, fsh_err *err)
{
    const entry *found = find_under_way(visits, person, stranger);
    fsh_status status;

    if (found) {
        *number = found->number;
        return FSH_OK;
    }
    status = make_room((void **)&visits->entries, visits->entries_n, &visits->entries_room,
                       sizeof *visits->entries, err);
    if (status)
        return status;
    *number = visits->next++;
    visits->entries[visits->entries_n++] = (entry){*number,
                                                   {.person = person,
                                                    .stranger = stranger,
                                                    .first_s = INFINITY,
                                                    .last_s = -INFINITY,
                                                    .distance = INFINITY}};
    return FSH_OK;
}

/* Adds what a look has seen to a visit. */
static void
merge(fsh_visit *visit, const look *of)
{
    double distance = visit->person == FSH_NOBODY ? of->ballot.nearest
                                                  : fsh_ballot_best(&of->ballot, visit->person);

    visit->first_s = fmin(visit->first_s, of->first_s);
    visit->last_s = fmax(visit->last_s, of->last_s);
    visit->frames += of->frames;
    visit->masked += of->masked;
    visit->unmasked += of->unmasked;
    visit->distance = fmin(visit->distance, distance);
}

static uint32_t
count_looks(const fsh_visits *visits, uint64_t number)
{
    uint32_t i, n = 0;

    for (i = 0; i < visits->looks_n; i++)
        n += visits->looks[i].visit == number;
    return n;
}

/* A visit that nothing is left of: all that it was has got another name. */
static void
drop_empty(fsh_visits *visits, uint64_t number)
{
    entry *of = find_entry(visits, number);

    if (!of || of->past.frames || count_looks(visits, number))
        return;
    if (of->past.stranger)
        fsh_strangers_drop(visits->strangers, of->past.stranger);
    memmove(of, of + 1, (size_t)(visits->entries + --visits->entries_n - of) * sizeof *of);
}

static uint32_t
person_of(const fsh_visits *visits, const look *of)
{
    const entry *visit = of->visit ? find_entry(visits, of->visit) : NULL;

    return visit ? visit->past.person : FSH_NOBODY;
}

/* A visit that is of this look alone goes on under another name, unless there is one of that name.
 */
static bool
rename_visit(fsh_visits *visits, const look *of, uint32_t person)
{
    entry *visit = of->visit ? find_entry(visits, of->visit) : NULL;

    if (!visit || visit->past.frames || count_looks(visits, of->visit) > 1 ||
        find_under_way(visits, person, 0))
        return false;
    if (visit->past.stranger)
        fsh_strangers_drop(visits->strangers, visit->past.stranger);
    visit->past.person = person;
    visit->past.stranger = 0;
    return true;
}

/* Gives the look the name that its frames agree on. Where it had another one, what it has seen goes
 * along. */
static fsh_status
name_look(fsh_visits *visits, look *of, fsh_err *err)
{
    uint32_t so_far = person_of(visits, of);
    uint32_t person = fsh_ballot_winner(&of->ballot, so_far, visits->options.agree);
    uint64_t before = of->visit;
    fsh_status status = FSH_OK;

    if (person == so_far || rename_visit(visits, of, person))
        return FSH_OK;
    status = need_entry(visits, person, 0, &of->visit, err);
    if (!status && before)
        drop_empty(visits, before);
    return status;
}

/* Without a name for so long, or gone: an unknown person. */
static fsh_status
settle(fsh_visits *visits, look *of, fsh_err *err)
{
    if (of->visit || of->frames < visits->options.agree)
        return FSH_OK;
    return need_entry(visits, FSH_NOBODY,
                      fsh_strangers_find(visits->strangers, of->sum, visits->options.threshold),
                      &of->visit, err);
}

static fsh_status
find_look(fsh_visits *visits, uint64_t track, double seconds, look **found, fsh_err *err)
{
    fsh_status status;
    uint32_t i;

    for (i = 0; i < visits->looks_n; i++)
        if (visits->looks[i].track == track) {
            *found = &visits->looks[i];
            return FSH_OK;
        }
    status = make_room((void **)&visits->looks, visits->looks_n, &visits->looks_room,
                       sizeof *visits->looks, err);
    if (status)
        return status;
    *found = &visits->looks[visits->looks_n++];
    **found = (look){.track = track, .first_s = seconds};
    fsh_ballot_init(&(*found)->ballot);
    return FSH_OK;
}

static fsh_status
add_embedding(const fsh_visits *visits, look *of, const float *embedding, fsh_err *err)
{
    uint32_t d;

    if (!embedding)
        return FSH_OK;
    if (!of->sum && !(of->sum = calloc(visits->options.dimension + 1ul, sizeof *of->sum)))
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    for (d = 0; d < visits->options.dimension; d++)
        of->sum[d] += embedding[d];
    return FSH_OK;
}

/* Who a face votes for. Nobody is in a frame twice. */
static uint32_t
vote_of(const fsh_visits *visits, const fsh_sighting *faces, uint32_t n, uint32_t i)
{
    uint32_t k;

    if (!(faces[i].distance < visits->options.threshold))
        return FSH_NOBODY;
    for (k = 0; k < n; k++)
        if (k != i && faces[k].person == faces[i].person &&
            (faces[k].distance < faces[i].distance ||
             (faces[k].distance == faces[i].distance && k < i)))
            return FSH_NOBODY;
    return faces[i].person;
}

/* A frame in which the face could not be embedded says nothing about who it is. */
static fsh_status
take(fsh_visits *visits, double seconds, const fsh_sighting *face, uint32_t vote, uint64_t track,
     fsh_err *err)
{
    look *of = NULL;
    fsh_status status = find_look(visits, track, seconds, &of, err);

    if (status)
        return status;
    of->last_s = seconds;
    of->frames++;
    of->masked += face->mask_class == FSH_MASK_CLASS_MASK;
    of->unmasked += face->mask_class == FSH_MASK_CLASS_NO_MASK;
    of->ballot.nearest = fmin(of->ballot.nearest, face->distance);
    if (face->embedding)
        fsh_ballot_vote(&of->ballot, vote, face->distance);
    status = add_embedding(visits, of, face->embedding, err);
    if (!status)
        status = name_look(visits, of, err);
    if (!status && seconds - of->first_s >= visits->options.settle_s)
        status = settle(visits, of, err);
    return status;
}

static void
end_look(fsh_visits *visits, look *of)
{
    entry *visit = of->visit ? find_entry(visits, of->visit) : NULL;

    if (!visit)
        visits->glimpses++;
    if (visit)
        merge(&visit->past, of);
    if (visit && visit->past.stranger)
        fsh_strangers_learn(visits->strangers, visit->past.stranger, of->sum);
    free(of->sum);
}

/* Tracks that were last seen before `before`, and the visits that end with them. */
static fsh_status
end_those_before(fsh_visits *visits, double before, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i, kept = 0;

    for (i = 0; i < visits->looks_n && !status; i++)
        if (visits->looks[i].last_s < before)
            status = settle(visits, &visits->looks[i], err);
    for (i = 0; i < visits->looks_n && !status; i++)
        if (visits->looks[i].last_s < before)
            end_look(visits, &visits->looks[i]);
        else
            visits->looks[kept++] = visits->looks[i];
    if (!status)
        visits->looks_n = kept;
    for (i = 0; i < visits->entries_n && !status; i++)
        if (!count_looks(visits, visits->entries[i].number))
            visits->entries[i].past.ended = true;
    return status;
}

static void
call(const fsh_visits *visits, uint64_t track, fsh_called *called)
{
    const entry *visit = NULL;
    uint32_t i;

    for (i = 0; i < visits->looks_n; i++)
        if (visits->looks[i].track == track && visits->looks[i].visit)
            visit = find_entry(visits, visits->looks[i].visit);
    *called = visit ? (fsh_called){visit->past.person, visit->past.stranger}
                    : (fsh_called){FSH_NOBODY, 0};
}

fsh_status
fsh_visits_see(fsh_visits *visits, double seconds, const fsh_sighting *faces,
               const uint64_t *tracks, uint32_t n, fsh_called *called, fsh_err *err)
{
    fsh_status status = end_those_before(visits, seconds - visits->options.pause_s, err);
    uint32_t i;

    for (i = 0; i < n && !status; i++)
        status = take(visits, seconds, &faces[i], vote_of(visits, faces, n, i), tracks[i], err);
    for (i = 0; i < n && !status; i++)
        call(visits, tracks[i], &called[i]);
    return status;
}

fsh_status
fsh_visits_end(fsh_visits *visits, fsh_err *err)
{
    return end_those_before(visits, INFINITY, err);
}

uint32_t
fsh_visits_count(const fsh_visits *visits)
{
    return visits->entries_n;
}

void
fsh_visits_get(const fsh_visits *visits, uint32_t at, fsh_visit *visit)
{
    const entry *of = &visits->entries[at];
    uint32_t i;

    *visit = of->past;
    visit->number = of->number;
    for (i = 0; i < visits->looks_n; i++)
        if (visits->looks[i].visit == of->number)
            merge(visit, &visits->looks[i]);
}

void
fsh_visits_drop_ended(fsh_visits *visits)
{
    uint32_t i, kept = 0;

    for (i = 0; i < visits->entries_n; i++)
        if (!visits->entries[i].past.ended)
            visits->entries[kept++] = visits->entries[i];
    visits->entries_n = kept;
}

uint64_t
fsh_visits_glimpses(const fsh_visits *visits)
{
    return visits->glimpses;
}

int
fsh_visit_masked(const fsh_visit *visit)
{
    if (!visit->masked && !visit->unmasked)
        return -1;
    return visit->masked > visit->unmasked;
}
