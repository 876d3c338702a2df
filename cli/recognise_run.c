/* The frames of a run: seen, noted, drawn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/recognise.h"
#include "door/video.h"
#include "stages/stage.h"

enum { WAIT_MS = 300 };

double
fsh_recognise_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double
clock_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const uint8_t *
colour_of(int mask_class)
{
    static const uint8_t masked[] = {40, 200, 60}, bare[] = {230, 50, 40},
                         unsure[] = {240, 180, 40};

    return mask_class == FSH_MASK_CLASS_MASK      ? masked
           : mask_class == FSH_MASK_CLASS_NO_MASK ? bare
                                                  : unsure;
}

static void
mark(const fsh_recognise *run, const fsh_video_backend *video, fsh_frame *frame, uint32_t i,
     const fsh_called *called)
{
    const fsh_sighting *face = &frame->sightings[i];
    char name[FSH_CALL_BYTES], words[FSH_CALL_BYTES + 32];
    size_t n;

    fsh_desk_call(run->desk, called, name);
    fsh_video_words(name[0] ? name : "...", words, FSH_CALL_BYTES);
    n = strlen(words);
    if (called->person != FSH_NOBODY && face->person == called->person)
        snprintf(words + n, sizeof words - n, " %.2f", face->distance);
    video->mark(&frame->image, &face->box, colour_of(face->mask_class), words);
}

/* Boxes and names go into the frame itself: nobody needs it as it was any more. */
static fsh_status
draw(fsh_recognise *run, fsh_frame *frame, const fsh_called *called, fsh_err *err)
{
    const fsh_video_backend *video;
    fsh_status status = fsh_video_need(&video, err);
    char words[64];
    uint32_t i;

    for (i = 0; i < frame->photo.faces_n && !status; i++)
        mark(run, video, frame, i, &called[i]);
    snprintf(words, sizeof words, "%.1f fps", run->rate);
    if (!status)
        video->caption(&frame->image, words);
    return status;
}

static void
stop_content(fsh_recognise *run)
{
    run->content = true;
    atomic_store(&run->stop, true);
}

static fsh_status
show(fsh_recognise *run, const fsh_frame *frame, fsh_err *err)
{
    const fsh_video_backend *video;
    fsh_status status = fsh_video_need(&video, err);
    char text[200];
    int key = -1;

    if (!status && video->show("faceshard", &frame->image, &key, text, sizeof text))
        status = fsh_fail(err, FSH_IO, "--show: %s", text);
    if (key == 'q' || key == 27)
        stop_content(run);
    return status;
}

static fsh_status
picture(fsh_recognise *run, fsh_frame *frame, const fsh_called *called, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (run->tape || run->options->show)
        status = draw(run, frame, called, err);
    if (!status && run->tape)
        status = fsh_tape_add(run->tape, &frame->image, frame->seconds, err);
    if (!status && run->options->show)
        status = show(run, frame, err);
    return status;
}

static void
measure_rate(fsh_recognise *run)
{
    double now = fsh_recognise_now(), took = now - run->last_frame_s;

    if (run->last_frame_s > 0 && took > 0)
        run->rate = run->rate > 0 ? 0.9 * run->rate + 0.1 / took : 1 / took;
    run->last_frame_s = now;
}

static fsh_status
take(fsh_recognise *run, fsh_frame *frame, fsh_err *err)
{
    uint32_t n = frame->photo.faces_n;
    fsh_called *called = malloc((n + 1ul) * sizeof *called);
    fsh_status status = called ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    run->frames++;
    run->faces += n;
    measure_rate(run);
    run->late_s = clock_s() - frame->seconds;
    if (!status)
        status = fsh_desk_see(run->desk, frame->seconds, frame->sightings, n, called, err);
    if (!status)
        status = picture(run, frame, called, err);
    free(called);
    return status;
}

/* Who is gone while no frame comes, as from a camera that is lost, has gone all the same. */
static fsh_status
wait_on(fsh_recognise *run, fsh_err *err)
{
    if (!fsh_source_is_live(run->source))
        return FSH_OK;
    return fsh_desk_wait(run->desk, clock_s() - run->late_s, err);
}

static fsh_status
go_through(fsh_recognise *run, fsh_lookout *lookout, fsh_err *err)
{
    const double seconds = run->options->seconds;
    fsh_status status = FSH_OK;
    fsh_frame *frame;

    while (!status && fsh_lookout_next(lookout, WAIT_MS, &frame)) {
        status = frame ? take(run, frame, err) : wait_on(run, err);
        fsh_lookout_done(lookout, frame);
        run->watch_counts = fsh_lookout_counted(lookout);
        fsh_recognise_tell_progress(run);
        if (seconds > 0 && fsh_recognise_now() - run->started_s >= seconds)
            stop_content(run);
    }
    return status;
}

/* Visits under way end with the source also where something has failed: what is known is kept. */
fsh_status
fsh_recognise_run(fsh_recognise *run, fsh_err *err)
{
    fsh_lookout *lookout = NULL;
    fsh_status status, ended;
    fsh_err why;

    run->started_s = fsh_recognise_now();
    status = fsh_lookout_start(run->source, run->eyes, run->known, run->options->masks_every,
                               &run->stop, &lookout, err);
    if (status)
        return status;
    status = go_through(run, lookout, err);
    run->interrupted = atomic_load(&run->stop) && !run->content;
    ended = fsh_lookout_end(&lookout, &run->watch_counts, status ? NULL : err);
    if (!status)
        status = ended;
    run->source_counts = fsh_source_counted(run->source);
    ended = fsh_desk_end(run->desk, &why);
    if (!status && ended && err)
        *err = why;
    return status ? status : ended;
}
