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

/* What one thread has under way: the photograph that it looks at, and those that it has looked at and that wait to
 * be finished together. */
typedef struct looker {
    fsh_work *work;
    uint32_t thread;
    fsh_image image;
    fsh_photo waiting[FSH_TOGETHER_MAX];
    uint32_t waiting_n;
} looker;

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
    photo->image = NULL;
    return status;
}

static fsh_status
finish_stages(looker *me, fsh_err *err)
{
    const fsh_runner *runner = me->work->runner;
    fsh_photo *photos[FSH_TOGETHER_MAX];
    fsh_status status = FSH_OK;
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    for (i = 0; i < me->waiting_n; i++)
        photos[i] = &me->waiting[i];
    for (i = 0; i < runner->job->stages.steps_n && !status; i++) {
        const fsh_stage *stage = runner->job->stages.steps[i].stage;
        const fsh_opened *opened = runner->stages[i];

        if (!stage->finish)
            continue;
        status = stage->finish(opened->state, opened->step->params, me->thread, photos,
                               me->waiting_n, err);
        fsh_work_spent(me->work, me->thread, opened->time, &since);
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

uint32_t
fsh_work_together(const fsh_work *work)
{
    const fsh_runner *runner = work->runner;
    uint32_t most = FSH_SUSPECTS_MAX / runner->env.threads, wanted = 1, i;

    for (i = 0; i < runner->job->stages.steps_n; i++) {
        const fsh_stage *stage = runner->job->stages.steps[i].stage;
        uint32_t likes = stage->together ? stage->together(runner->stages[i]->state) : 1;

        wanted = likes > wanted ? likes : wanted;
    }
    most = most < FSH_TOGETHER_MAX ? most : FSH_TOGETHER_MAX;
    return wanted < most ? wanted : most < 1 ? 1 : most;
}

/* One photograph can be blamed for what happens to it alone; of several that are finished together any may be at
 * fault. */
static fsh_status
finish_waiting(looker *me, fsh_err *err)
{
    uint32_t samples[FSH_TOGETHER_MAX], i;
    fsh_status status;

    for (i = 0; i < me->waiting_n; i++)
        samples[i] = me->waiting[i].sample;
    fsh_executing_begin_together(me->work->order->executing, me->thread, samples, me->waiting_n,
                                 FSH_DOING_ANALYSE);
    status = finish_stages(me, err);
    for (i = 0; i < me->waiting_n; i++) {
        if (!status) {
            keep_facts(&me->waiting[i], &me->work->facts[samples[i]]);
            fsh_work_tick(me->work);
        }
        fsh_photo_fini(&me->waiting[i]);
    }
    me->waiting_n = 0;
    return status;
}

/* Nothing is left of the photograph but what its facts or the stages that are put off need. */
static void
leave(looker *me, fsh_photo *photo)
{
    if (photo->reason == FSH_REASON_NONE && any_face_left(photo)) {
        me->waiting[me->waiting_n++] = *photo;
        return;
    }
    keep_facts(photo, &me->work->facts[photo->sample]);
    fsh_work_tick(me->work);
}

static fsh_status
look_at(looker *me, uint32_t sample, const char *source, const fsh_original *bytes,
        fsh_reason reason, fsh_err *err)
{
    fsh_photo photo = {.image = &me->image, .sample = sample, .value = NAN, .reason = reason};
    fsh_facts *facts = &me->work->facts[sample];
    bool alone = facts->alone;
    fsh_status status = FSH_OK;

    fsh_facts_clear(facts);
    facts->alone = alone;
    facts->bytes = bytes->hash;
    facts->has_bytes = bytes->data != NULL;
    photo.key = fsh_hash_key(source, strlen(source));
    if (photo.reason == FSH_REASON_NONE)
        status = open_models(me->work, sample, me->thread, err);
    if (!status && photo.reason == FSH_REASON_NONE)
        status = fsh_work_decode(me->work, me->thread, bytes, &me->image, &photo.reason, err);
    if (!status && photo.reason == FSH_REASON_NONE)
        status = run_stages(me->work, me->thread, &photo, err);
    if (status)
        fsh_photo_fini(&photo);
    else
        leave(me, &photo);
    return status;
}

static fsh_status
analyse_sample(looker *me, uint32_t sample, fsh_err *err)
{
    char source[FSH_PATH_BYTES];
    fsh_work *work = me->work;
    fsh_original bytes = {0};
    fsh_reason reason;
    fsh_status status = fsh_work_source(work, sample, source, err);

    if (status)
        return status;
    status =
        fsh_work_load(work, sample, me->thread, FSH_DOING_ANALYSE, &bytes, &reason, err);
    if (!status && is_known(&work->facts[sample], &bytes))
        fsh_work_tick(work);
    else if (!status)
        status = look_at(me, sample, source, &bytes, reason, err);
    free(bytes.data);
    return status ? fsh_fail_within(err, status, "%s", source) : FSH_OK;
}

/* A sample that is condemned has its reason already. */
static void
take_sample(looker *me, uint32_t sample)
{
    fsh_err err = {""};
    fsh_status status = FSH_OK;

    if (fsh_work_stopped(me->work))
        return;
    if (me->work->facts[sample].condemned)
        fsh_work_tick(me->work);
    else
        status = analyse_sample(me, sample, &err);
    if (!status && me->waiting_n && me->waiting_n >= fsh_work_together(me->work))
        status = finish_waiting(me, &err);
    if (status)
        fsh_work_fail(me->work, me->thread, status, &err);
    fsh_work_end(me->work, me->thread);
}

/* Those that wait for others, when no others come. */
static void
take_rest(looker *me)
{
    fsh_err err = {""};
    fsh_status status = FSH_OK;
    uint32_t i;

    if (me->waiting_n && !fsh_work_stopped(me->work))
        status = finish_waiting(me, &err);
    if (status)
        fsh_work_fail(me->work, me->thread, status, &err);
    fsh_work_end(me->work, me->thread);
    for (i = 0; i < me->waiting_n; i++)
        fsh_photo_fini(&me->waiting[i]);
    me->waiting_n = 0;
}

/* Samples under suspicion come first and one by one: a death then has one sample to it, and comes soon. */
static void
analyse_alone(fsh_work *work)
{
    looker me = {.work = work};
    uint32_t i;

    for (i = 0; i < work->unit.samples_n; i++)
        if (work->facts[i].alone) {
            take_sample(&me, i);
            take_rest(&me);
        }
    fsh_image_fini(&me.image);
}

fsh_status
fsh_work_analyse(fsh_work *work)
{
    uint32_t threads = work->runner->env.threads, n = work->unit.samples_n;

    analyse_alone(work);
#pragma omp parallel num_threads(threads)
    {
        looker me = {.work = work, .thread = fsh_work_thread()};
        uint32_t i;

#pragma omp for schedule(dynamic) nowait
        for (i = 0; i < n; i++)
            if (!work->facts[i].alone)
                take_sample(&me, i);
        take_rest(&me);
        fsh_image_fini(&me.image);
    }
    (void)threads;
    return work->status;
}
