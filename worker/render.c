/* The third phase: the faces that are left are cut out of their photographs, every variant is drawn, and the
 * rows go into the shard. Photographs are taken in batches: all threads draw one batch, then one thread
 * writes it in order, so that memory is a batch and the bytes do not depend on the threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/align.h"
#include "stages/press.h"
#include "worker/work.h"

enum { BATCH = 16 }; /* faces a thread */

/* One picture, ready to be written. */
typedef struct picture {
    fsh_reason reason;
    uint8_t *bytes; /* of the encoded file, or of the pixels */
    size_t bytes_n;
    fsh_point landmarks[FSH_LANDMARKS_N];
    bool has_landmarks;
    char worn[FSH_WORN_BYTES];
} picture;

/* One face to be drawn, and its pictures. */
typedef struct drawing {
    const fsh_face *face;
    picture pictures[FSH_VARIANTS_MAX];
} drawing;

/* What a thread works with. */
typedef struct easel {
    fsh_image photo, cut;
    fsh_jpeg_tables tables; /* of the photograph */
    bool is_jpeg;           /* tables are known */
    fsh_press press;        /* the same for what is cut out of it */
    fsh_canvas canvas;
} easel;

static void
easel_fini(easel *e)
{
    fsh_image_fini(&e->photo);
    fsh_image_fini(&e->cut);
    fsh_image_fini(&e->canvas.image);
    fsh_image_fini(&e->canvas.scratch);
}

/* From the photograph to the stored picture. */
static fsh_status
cut_map(const fsh_face *face, int32_t size, fsh_affine *map)
{
    if (face->aligned)
        return fsh_arcface_map(face->five, (uint32_t)size, (uint32_t)size, map);
    *map = fsh_affine_from_box(&face->crop, size, size);
    return FSH_OK;
}

static void
map_landmarks(const fsh_face *face, const fsh_affine *map, fsh_point landmarks[FSH_LANDMARKS_N])
{
    int i;

    for (i = 0; i < FSH_LANDMARKS_N && face->has_landmarks; i++)
        landmarks[i] = fsh_affine_apply(map, face->landmarks[i]);
}

static fsh_reason
cut(const fsh_work *work, const fsh_face *face, easel *e, fsh_point landmarks[FSH_LANDMARKS_N])
{
    int32_t size = (int32_t)work->runner->job->size;
    fsh_affine map;

    if (cut_map(face, size, &map) ||
        fsh_image_warp(&e->photo, &map, size, size, face->aligned ? FSH_BORDER_BLACK : FSH_BORDER_REPLICATE,
                       &e->cut))
        return FSH_REASON_BAD_LANDMARKS;
    map_landmarks(face, &map, landmarks);
    if (e->is_jpeg)
        fsh_press_make(&e->tables, &map, &e->press);
    return FSH_REASON_NONE;
}

static fsh_status
encode(const fsh_work *work, const fsh_image *image, picture *made, fsh_err *err)
{
    const fsh_job *job = work->runner->job;

    if (job->encoding == FSH_ENCODING_JPEG)
        return fsh_encode_jpeg(image, (int)job->quality, &made->bytes, &made->bytes_n, err);
    if (job->encoding == FSH_ENCODING_PNG)
        return fsh_encode_png(image, &made->bytes, &made->bytes_n, err);
    made->bytes_n = fsh_image_bytes(image);
    made->bytes = malloc(made->bytes_n);
    if (!made->bytes)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    memcpy(made->bytes, image->data, made->bytes_n);
    return FSH_OK;
}

/* Runs one chain on the canvas. Draws are keyed by stage and by its place in the chain, so that a stage that
 * stands twice does not repeat itself. */
static fsh_reason
run_chain(fsh_work *work, uint32_t variant, uint32_t thread, fsh_canvas *canvas)
{
    const fsh_runner *runner = work->runner;
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    for (i = 0; i < runner->job->variants[variant].steps_n; i++) {
        const fsh_opened *opened = runner->variants[variant][i];
        fsh_reason reason;

        canvas->rng = fsh_rng_new(runner->env.seed, opened->step->stage->id, canvas->face->key,
                                  variant | i << 8);
        reason = opened->step->stage->synthesise(opened->state, opened->step->params, thread, canvas);
        fsh_work_spent(work, thread, opened->time, &since);
        if (reason != FSH_REASON_NONE)
            return reason;
    }
    return FSH_REASON_NONE;
}

static fsh_status
draw_variant(fsh_work *work, uint32_t variant, uint32_t thread, easel *e, const fsh_face *face,
             const fsh_point *landmarks, picture *made, fsh_err *err)
{
    fsh_canvas *canvas = &e->canvas;
    fsh_status status = fsh_image_copy(&canvas->image, &e->cut);
    uint64_t since;

    if (status)
        return fsh_fail(err, status, "out of memory");
    memcpy(canvas->landmarks, landmarks, sizeof canvas->landmarks);
    canvas->has_landmarks = face->has_landmarks;
    canvas->front = NULL;
    canvas->press = e->is_jpeg ? &e->press : NULL;
    canvas->worn[0] = '\0';
    canvas->face = face;
    made->reason = run_chain(work, variant, thread, canvas);
    memcpy(made->worn, canvas->worn, sizeof made->worn);
    if (made->reason != FSH_REASON_NONE)
        return FSH_OK;
    memcpy(made->landmarks, canvas->landmarks, sizeof made->landmarks);
    made->has_landmarks = canvas->has_landmarks;
    since = fsh_work_now_ns();
    status = encode(work, &canvas->image, made, err);
    fsh_work_spent(work, thread, FSH_TIME_ENCODE, &since);
    return status;
}

/* The photograph again, as it was when the face was found in it: another one would be cut in the wrong
 * place. */
static fsh_status
load_photo(fsh_work *work, uint32_t sample, uint32_t thread, easel *e, fsh_reason *reason, fsh_err *err)
{
    fsh_original bytes = {0};
    fsh_status status = fsh_work_load(work, sample, thread, FSH_DOING_DRAW, &bytes, reason, err);

    if (!status && bytes.data &&
        memcmp(&bytes.hash, &work->facts[sample].bytes, sizeof bytes.hash) != 0)
        *reason = FSH_REASON_CHANGED;
    if (!status && *reason == FSH_REASON_NONE)
        status = fsh_work_decode(work, thread, &bytes, &e->photo, reason, err);
    e->is_jpeg = !status && bytes.data && fsh_jpeg_tables_read(bytes.data, bytes.n, &e->tables);
    free(bytes.data);
    return status;
}

static fsh_status
draw_face(fsh_work *work, uint32_t thread, easel *e, drawing *d, fsh_err *err)
{
    const fsh_job *job = work->runner->job;
    fsh_point landmarks[FSH_LANDMARKS_N] = {{0, 0}};
    fsh_reason reason = FSH_REASON_NONE;
    fsh_status status = load_photo(work, d->face->sample, thread, e, &reason, err);
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    if (!status && reason == FSH_REASON_NONE)
        reason = cut(work, d->face, e, landmarks);
    fsh_work_spent(work, thread, FSH_TIME_CUT, &since);
    for (i = 0; i < job->variants_n && !status; i++) {
        d->pictures[i].reason = reason;
        if (reason == FSH_REASON_NONE)
            status = draw_variant(work, i, thread, e, d->face, landmarks, &d->pictures[i], err);
    }
    return status;
}

static void
take_drawing(fsh_work *work, uint32_t thread, easel *e, drawing *d)
{
    fsh_err err = {""};
    fsh_status status;

    if (fsh_work_stopped(work))
        return;
    status = draw_face(work, thread, e, d, &err);
    if (status)
        fsh_work_fail(work, thread, status, &err);
    else
        fsh_work_tick(work);
    fsh_work_end(work, thread);
}

/* As in the first phase, what is under suspicion comes first and one by one. */
static fsh_status
draw_batch(fsh_work *work, easel *easels, drawing *batch, uint32_t n)
{
    uint32_t threads = work->runner->env.threads, i;

    for (i = 0; i < n; i++)
        if (work->facts[batch[i].face->sample].alone)
            take_drawing(work, 0, &easels[0], &batch[i]);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (i = 0; i < n; i++) {
        uint32_t thread = fsh_work_thread();

        if (!work->facts[batch[i].face->sample].alone)
            take_drawing(work, thread, &easels[thread], &batch[i]);
    }
    (void)threads;
    return work->status;
}

/* ---- writing, on one thread ---- */

static fsh_status
write_picture(fsh_work *work, const fsh_face *face, const char *source, uint32_t variant, const picture *made)
{
    int64_t label = work->unit.first_label + fsh_work_identity(work, face->sample);
    fsh_shard_row row = {made->bytes, made->bytes_n, label, (uint8_t)variant, face->key, source, face->crop,
                         made->has_landmarks ? made->landmarks : NULL, face->mask_class, face->embedding,
                         face->mean_distance, face->flagged, made->worn};
    fsh_shard_rejected rejected = {source, label, made->reason, NAN, (uint8_t)variant, made->worn,
                                   face->crop};

    if (made->reason != FSH_REASON_NONE)
        return fsh_shard_add_rejected(work->shard, &rejected, work->err);
    work->images++;
    work->facts[face->sample].pictures++;
    return fsh_shard_add(work->shard, &row, work->err);
}

/* A face of which no variant could be drawn is rejected with the reason of the first; otherwise every variant
 * that is missing is a row of its own. */
static fsh_status
write_face(fsh_work *work, drawing *d)
{
    const fsh_job *job = work->runner->job;
    fsh_facts *facts = &work->facts[d->face->sample];
    char source[FSH_PATH_BYTES];
    fsh_status status = fsh_work_source(work, d->face->sample, source, work->err);
    uint32_t i, made = 0;

    for (i = 0; i < job->variants_n; i++)
        made += d->pictures[i].reason == FSH_REASON_NONE;
    for (i = 0; i < job->variants_n && made && !status; i++)
        status = write_picture(work, d->face, source, i, &d->pictures[i]);
    if (!made && facts->reason == FSH_REASON_NONE && facts->pictures == 0) {
        facts->reason = d->pictures[0].reason;
        memcpy(facts->worn, d->pictures[0].worn, sizeof facts->worn);
    }
    return status;
}

static void
drop_batch(drawing *batch, uint32_t n)
{
    uint32_t i, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < FSH_VARIANTS_MAX; k++)
            free(batch[i].pictures[k].bytes);
    memset(batch, 0, n * sizeof *batch);
}

static fsh_status
render_batch(fsh_work *work, easel *easels, drawing *batch, uint32_t n)
{
    fsh_status status = draw_batch(work, easels, batch, n);
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    for (i = 0; i < n && !status; i++)
        status = write_face(work, &batch[i]);
    fsh_work_spent(work, 0, FSH_TIME_SHARD, &since);
    drop_batch(batch, n);
    return status;
}

static fsh_status
render_all(fsh_work *work, easel *easels, drawing *batch, uint32_t batch_n)
{
    fsh_status status = FSH_OK;
    uint32_t sample, k, n = 0;

    for (sample = 0; sample < work->unit.samples_n && !status; sample++)
        for (k = 0; k < work->facts[sample].faces_n && !status; k++) {
            const fsh_face *face = &work->facts[sample].faces[k];

            if (face->reason != FSH_REASON_NONE)
                continue;
            batch[n++].face = face;
            if (n == batch_n) {
                status = render_batch(work, easels, batch, n);
                n = 0;
            }
        }
    return status || n == 0 ? status : render_batch(work, easels, batch, n);
}

static fsh_status
draw_all(fsh_work *work)
{
    uint32_t threads = work->runner->env.threads, batch_n = BATCH * threads, i;
    easel *easels = calloc(threads, sizeof *easels);
    drawing *batch = calloc(batch_n, sizeof *batch);
    fsh_status status = FSH_MEMORY;

    if (easels && batch)
        status = render_all(work, easels, batch, batch_n);
    else
        fsh_fail(work->err, status, "out of memory");
    for (i = 0; easels && i < threads; i++)
        easel_fini(&easels[i]);
    free(easels);
    free(batch);
    return status;
}

/* A row without a picture: nothing is read or decoded again. */
static fsh_status
note_face(fsh_work *work, const fsh_face *face)
{
    drawing noted = {.face = face};
    picture *row = &noted.pictures[0];
    fsh_affine map;

    if (cut_map(face, (int32_t)work->runner->job->size, &map)) {
        row->reason = FSH_REASON_BAD_LANDMARKS;
    } else {
        map_landmarks(face, &map, row->landmarks);
        row->has_landmarks = face->has_landmarks;
    }
    return write_face(work, &noted);
}

static fsh_status
note_all(fsh_work *work)
{
    uint64_t since = fsh_work_now_ns();
    fsh_status status = FSH_OK;
    uint32_t sample, k;

    for (sample = 0; sample < work->unit.samples_n && !status; sample++)
        for (k = 0; k < work->facts[sample].faces_n && !status; k++)
            if (work->facts[sample].faces[k].reason == FSH_REASON_NONE)
                status = note_face(work, &work->facts[sample].faces[k]);
    fsh_work_spent(work, 0, FSH_TIME_SHARD, &since);
    return status;
}

fsh_status
fsh_work_render(fsh_work *work)
{
    return work->runner->job->encoding == FSH_ENCODING_NONE ? note_all(work) : draw_all(work);
}
