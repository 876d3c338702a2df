/* The first phase: every photograph of the unit is looked at once, on all threads, and dropped. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "worker/work.h"

static bool
any_face_left(const fsh_photo *photo)
{
    uint32_t i;

    for (i = 0; i < photo->faces_n; i++)
        if (photo->faces[i].reason == FSH_REASON_NONE)
            return true;
    return false;
}

static fsh_status
run_stages(fsh_work *work, uint32_t thread, fsh_photo *photo, fsh_err *err)
{
    const fsh_runner *runner = work->runner;
    fsh_status status = FSH_OK;
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    for (i = 0; i < runner->job->stages.steps_n && !status; i++) {
        const fsh_stage *stage = runner->job->stages.steps[i].stage;
        const fsh_opened *opened = runner->stages[i];

        if (stage->phase != FSH_PHASE_ANALYSE || (i > 0 && !any_face_left(photo)))
            continue;
        status = stage->analyse(opened->state, opened->step->params, thread, photo, err);
        fsh_work_spent(work, thread, opened->time, &since);
        if (status)
            fsh_fail_within(err, status, "stage %s", stage->name);
    }
    return status;
}

/* Moves what was found out of the photo. A sample without a usable face takes the reason of its first. */
static void
keep_facts(fsh_photo *photo, fsh_facts *facts)
{
    facts->faces = photo->faces;
    facts->faces_n = photo->faces_n;
    facts->reason = photo->reason;
    facts->value = photo->value;
    if (facts->reason == FSH_REASON_NONE && !any_face_left(photo)) {
        facts->reason = photo->faces_n ? photo->faces[0].reason : FSH_REASON_NO_FACE;
        facts->value = photo->faces_n ? photo->faces[0].value : NAN;
    }
    photo->faces = NULL;
    photo->faces_n = 0;
}

/* What an earlier run found out stands where it was found in the same bytes. */
static bool
is_known(const fsh_facts *facts, const fsh_original *bytes)
{
    return facts->recalled && bytes->data && memcmp(&facts->bytes, &bytes->hash, sizeof bytes->hash) == 0;
}

/* Loading models takes seconds, which are no sample's fault. */
static fsh_status
open_models(fsh_work *work, uint32_t sample, uint32_t thread, fsh_err *err)
{
    fsh_status status;

    fsh_work_end(work, thread);
    status = fsh_runner_open_analysis(work->runner, err);
    fsh_work_begin(work, thread, sample, FSH_DOING_ANALYSE);
    return status;
}

static fsh_status
look_at(fsh_work *work, uint32_t sample, uint32_t thread, const char *source, const fsh_original *bytes,
        fsh_image *image, fsh_reason reason, fsh_err *err)
{
    fsh_photo photo = {.image = image, .sample = sample, .value = NAN, .reason = reason};
    fsh_facts *facts = &work->facts[sample];
    bool alone = facts->alone;
    fsh_status status = FSH_OK;

    fsh_facts_clear(facts);
    facts->alone = alone;
    photo.key = fsh_hash_key(source, strlen(source));
    if (photo.reason == FSH_REASON_NONE)
        status = open_models(work, sample, thread, err);
    if (!status && photo.reason == FSH_REASON_NONE)
        status = fsh_work_decode(work, thread, bytes, image, &photo.reason, err);
    if (!status && photo.reason == FSH_REASON_NONE)
        status = run_stages(work, thread, &photo, err);
    if (!status)
        keep_facts(&photo, facts);
    facts->bytes = bytes->hash;
    facts->has_bytes = bytes->data != NULL;
    fsh_photo_fini(&photo);
    return status;
}

static fsh_status
analyse_sample(fsh_work *work, uint32_t sample, uint32_t thread, fsh_image *image, fsh_err *err)
{
    char source[FSH_PATH_BYTES];
    fsh_original bytes = {0};
    fsh_reason reason;
    fsh_status status = fsh_work_source(work, sample, source, err);

    if (status)
        return status;
    status = fsh_work_load(work, sample, thread, FSH_DOING_ANALYSE, &bytes, &reason, err);
    if (!status && !is_known(&work->facts[sample], &bytes))
        status = look_at(work, sample, thread, source, &bytes, image, reason, err);
    free(bytes.data);
    return status ? fsh_fail_within(err, status, "%s", source) : FSH_OK;
}

/* A sample that is condemned has its reason already. */
static void
take_sample(fsh_work *work, uint32_t sample, uint32_t thread, fsh_image *image)
{
    fsh_err err = {""};
    fsh_status status = FSH_OK;

    if (fsh_work_stopped(work))
        return;
    if (!work->facts[sample].condemned)
        status = analyse_sample(work, sample, thread, image, &err);
    if (status)
        fsh_work_fail(work, thread, status, &err);
    else
        fsh_work_tick(work);
    fsh_work_end(work, thread);
}

/* Samples under suspicion come first and one by one: a death then has one sample to it, and comes soon. */
static void
analyse_alone(fsh_work *work)
{
    fsh_image image = {0};
    uint32_t i;

    for (i = 0; i < work->unit.samples_n; i++)
        if (work->facts[i].alone)
            take_sample(work, i, 0, &image);
    fsh_image_fini(&image);
}

fsh_status
fsh_work_analyse(fsh_work *work)
{
    uint32_t threads = work->runner->env.threads, n = work->unit.samples_n;

    analyse_alone(work);
#pragma omp parallel num_threads(threads)
    {
        fsh_image image = {0};
        uint32_t i;

#pragma omp for schedule(dynamic)
        for (i = 0; i < n; i++)
            if (!work->facts[i].alone)
                take_sample(work, i, fsh_work_thread(), &image);
        fsh_image_fini(&image);
    }
    (void)threads;
    return work->status;
}
