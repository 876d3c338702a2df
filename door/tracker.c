#include "door/tracker.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "door/overlap.h"
#include "evaluate/distance.h"

/* Boxes that share less than this of their union are not tied by it, nor are those that lie further
 * apart in time: somebody else may stand there by then. */
static const double overlap_least = 0.3, overlap_for_s = 1;

/* Overlapping faces are two people's from this multiple of the threshold: the same face changes
 * less from frame to frame than two pictures of one person differ. */
static const double unlike = 1.1;

/* A face that was seen in fewer frames than this is forgotten as soon as overlap does not count and
 * as many frames were without it: most are none. Where frames are seconds apart it takes as long.
 */
enum { FRAMES_LEAST = 3 };

typedef struct track {
    uint64_t number;
    fsh_box box;
    double seen_s;
    uint64_t seen_at; /* number of the frame */
    uint32_t frames;
    uint64_t embedded; /* frames that are in sum */
    float *sum;        /* of all embeddings, then the last one; NULL before the first */
} track;

/* A face and a track that may be tied; lower is better. */
typedef struct pair {
    double cost;
    uint32_t face, track;
} pair;

struct fsh_tracker {
    fsh_tracker_options options;
    track *tracks;
    uint32_t tracks_n, room;
    uint64_t next, frame;
    pair *pairs;
    size_t pairs_n, pairs_room;
};

fsh_status
fsh_tracker_new(const fsh_tracker_options *options, fsh_tracker **tracker, fsh_err *err)
{
    fsh_tracker *made = calloc(1, sizeof *made);

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->options = *options;
    made->next = 1;
    *tracker = made;
    return FSH_OK;
}

void
fsh_tracker_free(fsh_tracker *tracker)
{
    uint32_t i;

    if (!tracker)
        return;
    for (i = 0; i < tracker->tracks_n; i++)
        free(tracker->tracks[i].sum);
    free(tracker->tracks);
    free(tracker->pairs);
    free(tracker);
}

/* Distance of an embedding to the direction that all of a track point to together. */
static double
distance_to_mean(const float *embedding, const float *sum, uint32_t dimension)
{
    double product = 0, length = 0;
    uint32_t i;

    for (i = 0; i < dimension; i++) {
        product += (double)embedding[i] * sum[i];
        length += (double)sum[i] * sum[i];
    }
    return length > 0 ? sqrt(fmax(0, 2 - 2 * product / sqrt(length))) : INFINITY;
}

/* How unlike a face is to a track: to its last picture or to all of them, whichever is nearer.
 * NaN where one of both has no embedding. */
static double
unlikeness(const fsh_tracker *tracker, const fsh_sighting *face, const track *of)
{
    uint32_t dimension = tracker->options.dimension;

    if (!face->embedding || !of->sum)
        return NAN;
    return fmin(distance_to_mean(face->embedding, of->sum, dimension),
                sqrt(fsh_distance_squared(face->embedding, of->sum + dimension, dimension)));
}

static fsh_status
add_pair(fsh_tracker *tracker, double cost, uint32_t face, uint32_t of, fsh_err *err)
{
    if (tracker->pairs_n == tracker->pairs_room) {
        size_t room = tracker->pairs_room ? 2 * tracker->pairs_room : 64;
        pair *grown = realloc(tracker->pairs, room * sizeof *grown);

        if (!grown)
            return fsh_fail(err, FSH_MEMORY, "out of memory");
        tracker->pairs = grown;
        tracker->pairs_room = room;
    }
    tracker->pairs[tracker->pairs_n++] = (pair){cost, face, of};
    return FSH_OK;
}

/* Pairs that overlap come first (cost under 10), the ones that look most alike before others; then
 * those that look alike. */
static fsh_status
consider(fsh_tracker *tracker, double seconds, const fsh_sighting *faces, uint32_t face,
         uint32_t of, fsh_err *err)
{
    const track *known = &tracker->tracks[of];
    double shared = seconds - known->seen_s <= overlap_for_s
                        ? fsh_box_overlap(&faces[face].box, &known->box)
                        : 0;
    double apart = unlikeness(tracker, &faces[face], known);

    if (shared >= overlap_least && !(apart > unlike * tracker->options.threshold))
        return add_pair(tracker, isnan(apart) ? 3 - shared : apart, face, of, err);
    if (apart < tracker->options.threshold)
        return add_pair(tracker, 10 + apart, face, of, err);
    return FSH_OK;
}

static int
compare_pairs(const void *a, const void *b)
{
    const pair *one = a, *other = b;

    if (one->cost != other->cost)
        return one->cost < other->cost ? -1 : 1;
    if (one->face != other->face)
        return one->face < other->face ? -1 : 1;
    return (one->track > other->track) - (one->track < other->track);
}

/* Remembers what the face looked like. */
static fsh_status
look(const fsh_tracker *tracker, track *of, const fsh_sighting *face, fsh_err *err)
{
    uint32_t dimension = tracker->options.dimension, i;

    if (!face->embedding)
        return FSH_OK;
    if (!of->sum && !(of->sum = calloc(2 * (size_t)dimension + 1, sizeof *of->sum)))
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    for (i = 0; i < dimension; i++)
        of->sum[i] += face->embedding[i];
    memcpy(of->sum + dimension, face->embedding, dimension * sizeof *of->sum);
    of->embedded++;
    return FSH_OK;
}

static fsh_status
tie(fsh_tracker *tracker, uint32_t of, double seconds, const fsh_sighting *face, uint64_t *number,
    fsh_err *err)
{
    track *known = &tracker->tracks[of];

    known->box = face->box;
    known->seen_s = seconds;
    known->seen_at = tracker->frame;
    known->frames++;
    *number = known->number;
    return look(tracker, known, face, err);
}

static fsh_status
begin(fsh_tracker *tracker, double seconds, const fsh_sighting *face, uint64_t *number,
      fsh_err *err)
{
    if (tracker->tracks_n == tracker->room) {
        uint32_t room = tracker->room ? 2 * tracker->room : 16;
        track *grown = realloc(tracker->tracks, room * sizeof *grown);

        if (!grown)
            return fsh_fail(err, FSH_MEMORY, "out of memory");
        tracker->tracks = grown;
        tracker->room = room;
    }
    tracker->tracks[tracker->tracks_n] = (track){.number = tracker->next++};
    return tie(tracker, tracker->tracks_n++, seconds, face, number, err);
}

static void
forget(fsh_tracker *tracker, double seconds)
{
    uint32_t i, kept = 0;

    for (i = 0; i < tracker->tracks_n; i++) {
        track *of = &tracker->tracks[i];
        bool glimpse = of->frames < FRAMES_LEAST && tracker->frame - of->seen_at > FRAMES_LEAST;
        double keep_s = glimpse ? overlap_for_s : tracker->options.keep_s;

        if (seconds - of->seen_s <= keep_s)
            tracker->tracks[kept++] = *of;
        else
            free(of->sum);
    }
    tracker->tracks_n = kept;
}

/* tracks[i] is 0 while face i has none. A track that has got a face is one that was seen now. */
static fsh_status
tie_all(fsh_tracker *tracker, double seconds, const fsh_sighting *faces, uint32_t n,
        uint64_t *tracks, fsh_err *err)
{
    bool *taken = calloc(tracker->tracks_n + 1ul, sizeof *taken);
    fsh_status status = taken ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
    size_t i;

    if (tracker->pairs_n)
        qsort(tracker->pairs, tracker->pairs_n, sizeof *tracker->pairs, compare_pairs);
    for (i = 0; i < tracker->pairs_n && !status; i++) {
        const pair *best = &tracker->pairs[i];

        if (tracks[best->face] || taken[best->track])
            continue;
        taken[best->track] = true;
        status = tie(tracker, best->track, seconds, &faces[best->face], &tracks[best->face], err);
    }
    free(taken);
    for (i = 0; i < n && !status; i++)
        if (!tracks[i])
            status = begin(tracker, seconds, &faces[i], &tracks[i], err);
    return status;
}

fsh_status
fsh_tracker_see(fsh_tracker *tracker, double seconds, const fsh_sighting *faces, uint32_t n,
                uint64_t *tracks, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i, k;

    tracker->frame++;
    forget(tracker, seconds);
    tracker->pairs_n = 0;
    memset(tracks, 0, n * sizeof *tracks);
    for (i = 0; i < n && !status; i++)
        for (k = 0; k < tracker->tracks_n && !status; k++)
            status = consider(tracker, seconds, faces, i, k, err);
    return status ? status : tie_all(tracker, seconds, faces, n, tracks, err);
}
