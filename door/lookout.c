#include "door/lookout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "door/masks.h"
#include "door/slot.h"

const char *const fsh_lookout_steps[FSH_LOOKOUT_STEPS] = {"read", "detect", "masks", "embed",
                                                          "search"};

enum { STEP_READ, STEP_DETECT, STEP_MASKS, STEP_EMBED, STEP_SEARCH, THREADS = 3 };

/* In each step one and between them one, and one with the caller. */
enum { FRAMES = 2 * THREADS + 2 };

struct fsh_lookout {
    fsh_source *source;
    fsh_eyes *eyes;
    fsh_known *known;
    fsh_masks masks;
    atomic_bool *stop;
    fsh_frame frames[FRAMES];
    fsh_slot read, detected, embedded; /* what stands behind each thread */
    pthread_mutex_t lock;              /* of all below */
    pthread_cond_t freed;
    fsh_frame *free[FRAMES];
    uint32_t free_n;
    fsh_status status; /* the first failure */
    fsh_err err;
    pthread_t threads[THREADS];
    uint32_t threads_n;
    atomic_ullong dropped, step_ns[FSH_LOOKOUT_STEPS];
};

/* Of the processor, for this thread: waiting for a camera is no work. */
static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
spent(fsh_lookout *lookout, int step, uint64_t *since)
{
    uint64_t now = now_ns();

    lookout->step_ns[step] += now - *since;
    *since = now;
}

/* The first failure counts; all threads end. */
static void
fail(fsh_lookout *lookout, fsh_status status, const fsh_err *err)
{
    pthread_mutex_lock(&lookout->lock);
    if (!lookout->status && status != FSH_INTERRUPTED) {
        lookout->status = status;
        lookout->err = *err;
    }
    pthread_mutex_unlock(&lookout->lock);
    fsh_slot_close(&lookout->read);
    fsh_slot_close(&lookout->detected);
    fsh_slot_close(&lookout->embedded);
}

/* There are enough for all, so that the wait is short. */
static fsh_frame *
take_free(fsh_lookout *lookout)
{
    fsh_frame *frame;

    pthread_mutex_lock(&lookout->lock);
    while (!lookout->free_n)
        pthread_cond_wait(&lookout->freed, &lookout->lock);
    frame = lookout->free[--lookout->free_n];
    pthread_mutex_unlock(&lookout->lock);
    return frame;
}

void
fsh_lookout_done(fsh_lookout *lookout, fsh_frame *frame)
{
    if (!frame)
        return;
    fsh_photo_fini(&frame->photo);
    free(frame->sightings);
    frame->sightings = NULL;
    pthread_mutex_lock(&lookout->lock);
    lookout->free[lookout->free_n++] = frame;
    pthread_cond_signal(&lookout->freed);
    pthread_mutex_unlock(&lookout->lock);
}

/* To the detector: at once where the source is live, in place of one that it has not taken. */
static bool
hand_on(fsh_lookout *lookout, fsh_frame *frame)
{
    fsh_frame *before;
    bool taken;

    if (!fsh_source_is_live(lookout->source))
        return fsh_slot_put(&lookout->read, frame);
    before = fsh_slot_replace(&lookout->read, frame, &taken);
    if (before)
        lookout->dropped++;
    fsh_lookout_done(lookout, before);
    return taken;
}

static void *
read_all(void *opaque)
{
    fsh_lookout *lookout = opaque;
    fsh_status status = FSH_OK;
    uint64_t number = 0;
    bool taken = true;
    fsh_err err;

    while (!status && taken) {
        fsh_frame *frame = take_free(lookout);
        uint64_t since = now_ns();

        status = fsh_source_read(lookout->source, &frame->image, &frame->seconds, &err);
        spent(lookout, STEP_READ, &since);
        frame->number = number++;
        taken = !status && hand_on(lookout, frame);
        if (!taken)
            fsh_lookout_done(lookout, frame);
    }
    if (status && status != FSH_INTERRUPTED)
        fail(lookout, status, &err);
    fsh_slot_close(&lookout->read);
    return NULL;
}

static fsh_status
tell_masks(fsh_lookout *lookout, fsh_frame *frame, fsh_err *err)
{
    fsh_status status = FSH_OK;
    bool wanted;

    if (!fsh_eyes_tell_masks_apart(lookout->eyes))
        return FSH_OK;
    wanted = fsh_masks_begin(&lookout->masks, frame->seconds, &frame->photo);
    if (wanted)
        status = fsh_eyes_look_for_masks(lookout->eyes, 0, &frame->image, &frame->photo, err);
    fsh_masks_end(&lookout->masks, frame->seconds, wanted, &frame->photo);
    return status;
}

static void *
detect_all(void *opaque)
{
    fsh_lookout *lookout = opaque;
    fsh_status status = FSH_OK;
    bool taken = true;
    fsh_frame *frame;
    fsh_err err;

    while (!status && taken && (frame = fsh_slot_take(&lookout->read, UINT32_MAX))) {
        uint64_t since = now_ns();

        status =
            fsh_eyes_detect(lookout->eyes, 0, &frame->image, frame->number, &frame->photo, &err);
        spent(lookout, STEP_DETECT, &since);
        if (!status)
            status = tell_masks(lookout, frame, &err);
        spent(lookout, STEP_MASKS, &since);
        taken = !status && fsh_slot_put(&lookout->detected, frame);
        if (!taken)
            fsh_lookout_done(lookout, frame);
    }
    if (status)
        fail(lookout, status, &err);
    fsh_slot_close(&lookout->detected);
    fsh_slot_close(&lookout->read);
    return NULL;
}

static fsh_sighting
sighting_of(const fsh_face *face)
{
    return (fsh_sighting){face->face, face->mask_class,
                          face->reason == FSH_REASON_NONE ? face->embedding : NULL, FSH_NOBODY,
                          INFINITY};
}

/* Who is nearest to each face that has an embedding. */
static fsh_status
see(fsh_known *known, fsh_frame *frame, fsh_err *err)
{
    uint32_t of = frame->photo.faces_n, n = 0, i;
    const float **faces = malloc((of + 1ul) * sizeof *faces);
    fsh_known_hit *hits = malloc((of + 1ul) * sizeof *hits), *next = hits;
    fsh_status status = FSH_OK;

    frame->sightings = calloc(of + 1ul, sizeof *frame->sightings);
    if (!frame->sightings || !faces || !hits)
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    for (i = 0; i < of && !status; i++) {
        frame->sightings[i] = sighting_of(&frame->photo.faces[i]);
        if (frame->sightings[i].embedding)
            faces[n++] = frame->sightings[i].embedding;
    }
    if (!status)
        status = fsh_known_find(known, faces, n, hits, err);
    for (i = 0; i < of && !status; i++)
        if (frame->sightings[i].embedding) {
            frame->sightings[i].person = next->person;
            frame->sightings[i].distance = (next++)->distance;
        }
    free(faces);
    free(hits);
    return status;
}

static void *
embed_all(void *opaque)
{
    fsh_lookout *lookout = opaque;
    fsh_status status = FSH_OK;
    bool taken = true;
    fsh_frame *frame;
    fsh_err err;

    while (!status && taken && (frame = fsh_slot_take(&lookout->detected, UINT32_MAX))) {
        uint64_t since = now_ns();

        status = fsh_eyes_embed(lookout->eyes, 0, &frame->photo, &err);
        spent(lookout, STEP_EMBED, &since);
        if (!status)
            status = see(lookout->known, frame, &err);
        spent(lookout, STEP_SEARCH, &since);
        taken = !status && fsh_slot_put(&lookout->embedded, frame);
        if (!taken)
            fsh_lookout_done(lookout, frame);
    }
    if (status)
        fail(lookout, status, &err);
    fsh_slot_close(&lookout->embedded);
    fsh_slot_close(&lookout->detected);
    return NULL;
}

static void
prepare(fsh_lookout *lookout)
{
    uint32_t i;

    fsh_slot_init(&lookout->read);
    fsh_slot_init(&lookout->detected);
    fsh_slot_init(&lookout->embedded);
    pthread_mutex_init(&lookout->lock, NULL);
    pthread_cond_init(&lookout->freed, NULL);
    for (i = 0; i < FRAMES; i++)
        lookout->free[lookout->free_n++] = &lookout->frames[i];
}

fsh_status
fsh_lookout_start(fsh_source *source, fsh_eyes *eyes, fsh_known *known, double masks_every_s,
                  atomic_bool *stop, fsh_lookout **lookout, fsh_err *err)
{
    void *(*const bodies[THREADS])(void *) = {read_all, detect_all, embed_all};
    fsh_lookout *made = calloc(1, sizeof *made);
    fsh_status status = FSH_OK;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->source = source;
    made->eyes = eyes;
    made->known = known;
    made->masks.every_s = masks_every_s;
    made->stop = stop;
    prepare(made);
    while (made->threads_n < THREADS && !status)
        if (pthread_create(&made->threads[made->threads_n], NULL, bodies[made->threads_n], made))
            status = fsh_fail(err, FSH_MEMORY, "no threads can be made");
        else
            made->threads_n++;
    *lookout = made;
    if (status)
        fsh_lookout_end(lookout, NULL, NULL);
    return status;
}

bool
fsh_lookout_next(fsh_lookout *lookout, uint32_t wait_ms, fsh_frame **frame)
{
    *frame = fsh_slot_take(&lookout->embedded, wait_ms);
    return *frame || !fsh_slot_is_done(&lookout->embedded);
}

fsh_lookout_counts
fsh_lookout_counted(const fsh_lookout *lookout)
{
    fsh_lookout_counts counts = {.dropped = lookout->dropped};
    int i;

    for (i = 0; i < FSH_LOOKOUT_STEPS; i++)
        counts.step_s[i] = 1e-9 * (double)lookout->step_ns[i];
    return counts;
}

static void
drain(fsh_lookout *lookout, fsh_slot *slot)
{
    fsh_lookout_done(lookout, fsh_slot_take(slot, 0));
    fsh_slot_fini(slot);
}

fsh_status
fsh_lookout_end(fsh_lookout **lookout, fsh_lookout_counts *counts, fsh_err *err)
{
    fsh_lookout *of = *lookout;
    fsh_status status;
    uint32_t i;

    if (!of)
        return FSH_OK;
    atomic_store(of->stop, true);
    fsh_slot_close(&of->read);
    fsh_slot_close(&of->detected);
    fsh_slot_close(&of->embedded);
    for (i = 0; i < of->threads_n; i++)
        pthread_join(of->threads[i], NULL);
    drain(of, &of->read);
    drain(of, &of->detected);
    drain(of, &of->embedded);
    for (i = 0; i < FRAMES; i++)
        fsh_image_fini(&of->frames[i].image);
    if (counts)
        *counts = fsh_lookout_counted(of);
    status = of->status;
    if (status && err)
        *err = of->err;
    pthread_cond_destroy(&of->freed);
    pthread_mutex_destroy(&of->lock);
    free(of);
    *lookout = NULL;
    return status;
}
