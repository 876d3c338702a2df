#include "door/ballot.h"

#include <math.h>
#include <stddef.h>

void
fsh_ballot_init(fsh_ballot *ballot)
{
    *ballot = (fsh_ballot){.nearest = INFINITY};
}

static const fsh_candidate *
find(const fsh_ballot *ballot, uint32_t person)
{
    uint32_t i;

    for (i = 0; i < ballot->candidates_n; i++)
        if (ballot->candidates[i].person == person)
            return &ballot->candidates[i];
    return NULL;
}

/* A face that is near to nobody names another one in every frame: the one with the fewest votes
 * makes room. */
static fsh_candidate *
make_room(fsh_ballot *ballot)
{
    fsh_candidate *least = &ballot->candidates[0];
    uint32_t i;

    if (ballot->candidates_n < FSH_CANDIDATES_MAX)
        return &ballot->candidates[ballot->candidates_n++];
    for (i = 1; i < ballot->candidates_n; i++)
        if (ballot->candidates[i].votes < least->votes)
            least = &ballot->candidates[i];
    return least;
}

void
fsh_ballot_vote(fsh_ballot *ballot, uint32_t person, double distance)
{
    fsh_candidate *of;

    ballot->recent[ballot->recent_at] = person;
    ballot->recent_at = (ballot->recent_at + 1) % FSH_AGREE_WINDOW;
    ballot->recent_n += ballot->recent_n < FSH_AGREE_WINDOW;
    if (person == FSH_NOBODY)
        return;
    of = (fsh_candidate *)find(ballot, person);
    if (!of) {
        of = make_room(ballot);
        *of = (fsh_candidate){person, 0, INFINITY};
    }
    of->votes++;
    of->best = fmin(of->best, distance);
}

/* How many of the last frames name this person, and how many name anybody. */
static uint32_t
count_recent(const fsh_ballot *ballot, uint32_t person, uint32_t *anybody)
{
    uint32_t i, n = 0;

    *anybody = 0;
    for (i = 0; i < ballot->recent_n; i++) {
        n += ballot->recent[i] == person;
        *anybody += ballot->recent[i] != FSH_NOBODY;
    }
    return n;
}

static uint64_t
votes_of(const fsh_ballot *ballot, uint32_t person)
{
    const fsh_candidate *of = find(ballot, person);

    return of ? of->votes : 0;
}

uint32_t
fsh_ballot_winner(const fsh_ballot *ballot, uint32_t so_far, uint32_t agree)
{
    uint64_t votes = so_far == FSH_NOBODY ? 0 : votes_of(ballot, so_far);
    uint32_t winner = so_far, i;

    for (i = 0; i < ballot->candidates_n; i++) {
        const fsh_candidate *of = &ballot->candidates[i];
        uint32_t anybody, recent = count_recent(ballot, of->person, &anybody);

        if (of->votes > votes && recent >= agree && 3 * recent >= 2 * anybody) {
            winner = of->person;
            votes = of->votes;
        }
    }
    return winner;
}

double
fsh_ballot_best(const fsh_ballot *ballot, uint32_t person)
{
    const fsh_candidate *of = find(ballot, person);

    return of ? of->best : INFINITY;
}
