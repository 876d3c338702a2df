/* What the phases of a unit share: time, what is executing, the end of all; a sample's file. */
#include "worker/work.h"

#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "stages/vision/decode.h"

/* ---- all threads ---- */

uint32_t
fsh_work_thread(void)
{
#ifdef _OPENMP
    return (uint32_t)omp_get_thread_num();
#else
    return 0;
#endif
}

uint64_t
fsh_work_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
fsh_work_spent(fsh_work *work, uint32_t thread, uint32_t time, uint64_t *since)
{
    uint64_t now = fsh_work_now_ns();

    if (time < FSH_REPORT_TIMES_MAX)
        work->times_ns[thread][time] += now - *since;
    *since = now;
}

void
fsh_work_begin(fsh_work *work, uint32_t thread, uint32_t sample, fsh_doing doing)
{
    fsh_executing_begin(work->order->executing, thread, sample, doing);
}

void
fsh_work_end(fsh_work *work, uint32_t thread)
{
    fsh_executing_end(work->order->executing, thread);
}

void
fsh_work_stop(fsh_work *work, fsh_status status, const fsh_err *err)
{
    if (atomic_exchange(&work->stopped, true))
        return;
    work->status = status;
    if (err && work->err)
        *work->err = *err;
}

/* The other failures are those of disks, networks and models. */
static bool
is_about_pictures(fsh_status status)
{
    return status == FSH_MEMORY || status == FSH_FORMAT || status == FSH_INTERNAL;
}

void
fsh_work_fail(fsh_work *work, uint32_t thread, fsh_status status, const fsh_err *err)
{
    if (is_about_pictures(status) && !fsh_work_stopped(work))
        fsh_executing_freeze(work->order->executing, thread);
    fsh_work_stop(work, status, err);
}

bool
fsh_work_stopped(fsh_work *work)
{
    return atomic_load(&work->stopped);
}

void
fsh_work_tick(fsh_work *work)
{
    uint32_t phases = work->runner->job->encoding == FSH_ENCODING_NONE ? 1 : 2;
    int stop = 0;

#pragma omp critical(fsh_tick)
    {
        work->steps_done++;
        if (work->order->progress)
            stop = work->order->progress(work->order->self, work->steps_done,
                                         phases * work->unit.samples_n);
    }
    if (stop) {
        fsh_err err = {"interrupted"};

        fsh_work_stop(work, FSH_INTERRUPTED, &err);
    }
}

/* ---- a sample ---- */

uint32_t
fsh_work_identity(const fsh_work *work, uint32_t sample)
{
    const uint32_t *starts = work->unit.identity_starts;
    uint32_t low = 0, high = work->unit.identities_n;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (starts[middle] <= sample)
            low = middle;
        else
            high = middle;
    }
    return low;
}

fsh_status
fsh_work_source(const fsh_work *work, uint32_t sample, char path[FSH_PATH_BYTES], fsh_err *err)
{
    return fsh_reader_source(work->runner->job->reader,
                             work->unit.identity_names[fsh_work_identity(work, sample)],
                             work->unit.sample_names[sample], path, err);
}

static fsh_status
load(const fsh_work *work, uint32_t sample, uint8_t **data, size_t *bytes, fsh_reason *reason,
     fsh_err *err)
{
    const fsh_job *job = work->runner->job;

    if (work->parcel)
        return fsh_parcel_load(work->parcel, sample, data, bytes, reason, err);
    return job->reader->load(job->input, work->unit.identity_names[fsh_work_identity(work, sample)],
                             work->unit.sample_names[sample], data, bytes, reason, err);
}

fsh_status
fsh_work_load(fsh_work *work, uint32_t sample, uint32_t thread, fsh_doing doing,
              fsh_original *bytes, fsh_reason *reason, fsh_err *err)
{
    uint64_t since = fsh_work_now_ns();
    fsh_status status;

    *bytes = (fsh_original){0};
    *reason = FSH_REASON_NONE;
    fsh_work_begin(work, thread, sample, FSH_DOING_READ);
    status = load(work, sample, &bytes->data, &bytes->n, reason, err);
    if (!status && bytes->data)
        bytes->hash = fsh_hash_of(bytes->data, bytes->n);
    fsh_work_spent(work, thread, FSH_TIME_LOAD, &since);
    fsh_work_begin(work, thread, sample, doing);
    return status;
}

fsh_status
fsh_work_decode(fsh_work *work, uint32_t thread, const fsh_original *bytes, fsh_image *image,
                fsh_reason *reason, fsh_err *err)
{
    uint64_t since = fsh_work_now_ns();
    fsh_status status = fsh_decode(bytes->data, bytes->n, (uint64_t)work->runner->job->max_pixels,
                                   image, reason, err);

    fsh_work_spent(work, thread, FSH_TIME_DECODE, &since);
    return status == FSH_FORMAT && *reason != FSH_REASON_NONE ? FSH_OK : status;
}

void
fsh_facts_clear(fsh_facts *facts)
{
    fsh_photo photo = {0};

    photo.faces = facts->faces;
    photo.faces_n = facts->faces_n;
    fsh_photo_fini(&photo);
    *facts = (fsh_facts){0};
}
