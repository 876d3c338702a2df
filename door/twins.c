#include "door/twins.h"

#include <stdlib.h>
#include <string.h>

#include "stages/table.h"
#include "stages/vision/decode.h"

/* px of a twin's side: enough for every detector and embedder. */
enum { SIDE = 224 };

const char *const fsh_twin_names[FSH_TWINS_N] = {"masks", "glasses", "sunglasses"};

static const fsh_stage *const stages[FSH_TWINS_N] = {&fsh_stage_mask, &fsh_stage_glasses,
                                                     &fsh_stage_sunglasses};

struct fsh_twins {
    fsh_stage_env env;
    void *params[FSH_TWINS_N], *states[FSH_TWINS_N]; /* NULL: not wanted */
    fsh_canvas *canvases;                            /* one a thread */
};

static fsh_status
open_kind(fsh_twins *twins, int kind, fsh_err *err)
{
    const fsh_stage *stage = stages[kind];
    fsh_status status;

    if (twins->states[kind])
        return FSH_OK;
    twins->params[kind] = calloc(1, stage->params_size + 1);
    if (!twins->params[kind])
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    status = fsh_args_defaults(stage->args, twins->params[kind], err);
    return status ? status
                  : stage->open(&twins->env, twins->params[kind], &twins->states[kind], err);
}

static fsh_status
open_named(fsh_twins *twins, const char *name, size_t bytes, fsh_err *err)
{
    int kind;

    for (kind = 0; kind < FSH_TWINS_N; kind++)
        if (strlen(fsh_twin_names[kind]) == bytes && memcmp(fsh_twin_names[kind], name, bytes) == 0)
            return open_kind(twins, kind, err);
    return fsh_fail(err, FSH_USAGE,
                    "--twins: '%.*s' is none; allowed: masks, glasses, sunglasses, separated by "
                    "commas",
                    (int)bytes, name);
}

fsh_status
fsh_twins_open(const char *kinds, const char *templates, uint32_t threads, fsh_twins **twins,
               fsh_err *err)
{
    fsh_twins *made = calloc(1, sizeof *made);
    fsh_status status = made ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    if (made) {
        made->env =
            (fsh_stage_env){.seed = 1, .size = SIDE, .threads = threads, .templates = templates};
        made->canvases = calloc(threads + 1ul, sizeof *made->canvases);
        if (!made->canvases)
            status = fsh_fail(err, FSH_MEMORY, "out of memory");
    }
    while (!status && *kinds) {
        size_t bytes = strcspn(kinds, ",");

        status = open_named(made, kinds, bytes, err);
        kinds += bytes + (kinds[bytes] == ',');
    }
    if (status)
        fsh_twins_close(&made);
    else
        *twins = made;
    return status;
}

void
fsh_twins_close(fsh_twins **twins)
{
    fsh_twins *of = *twins;
    uint32_t i;
    int kind;

    if (!of)
        return;
    for (i = 0; of->canvases && i < of->env.threads; i++) {
        fsh_image_fini(&of->canvases[i].image);
        fsh_image_fini(&of->canvases[i].scratch);
    }
    free(of->canvases);
    for (kind = 0; kind < FSH_TWINS_N; kind++) {
        if (of->states[kind])
            stages[kind]->close(of->states[kind]);
        free(of->params[kind]);
    }
    free(of);
    *twins = NULL;
}

bool
fsh_twins_has(const fsh_twins *twins, fsh_twin_kind kind)
{
    return twins->states[kind] != NULL;
}

bool
fsh_twins_has_any(const fsh_twins *twins)
{
    int kind;

    for (kind = 0; kind < FSH_TWINS_N; kind++)
        if (twins->states[kind])
            return true;
    return false;
}

/* A square around the middle of the face, twice as large as that. */
static fsh_affine
map_around(const fsh_box *face)
{
    int32_t longer = face->width > face->height ? face->width : face->height;
    const fsh_box square = {face->x + face->width / 2 - longer, face->y + face->height / 2 - longer,
                            2 * longer, 2 * longer};

    return fsh_affine_from_box(&square, SIDE, SIDE);
}

static fsh_box
map_box(const fsh_affine *map, const fsh_box *box)
{
    const fsh_point low = {(float)box->x, (float)box->y},
                    high = {(float)(box->x + box->width), (float)(box->y + box->height)};
    const fsh_point a = fsh_affine_apply(map, low), b = fsh_affine_apply(map, high);

    return (fsh_box){(int32_t)a.x, (int32_t)a.y, (int32_t)(b.x - a.x), (int32_t)(b.y - a.y)};
}

static fsh_reason
lay_out(fsh_canvas *canvas, const fsh_image *photo, const fsh_face *face, const fsh_affine *map)
{
    int i;

    if (!face->has_landmarks ||
        fsh_image_warp(photo, map, SIDE, SIDE, FSH_BORDER_REPLICATE, &canvas->image))
        return FSH_REASON_BAD_LANDMARKS;
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        canvas->landmarks[i] = fsh_affine_apply(map, face->landmarks[i]);
    canvas->has_landmarks = true;
    canvas->front = NULL;
    canvas->worn[0] = '\0';
    canvas->face = face;
    return FSH_REASON_NONE;
}

fsh_reason
fsh_twins_draw(fsh_twins *twins, uint32_t thread, fsh_twin_kind kind, const fsh_image *photo,
               const fsh_face *face, fsh_twin *twin)
{
    const fsh_affine map = map_around(&face->face);
    fsh_canvas *canvas = &twins->canvases[thread];
    fsh_reason reason = lay_out(canvas, photo, face, &map);
    int i;

    canvas->rng = fsh_rng_new(twins->env.seed, stages[kind]->id, face->key, (uint32_t)kind);
    if (!reason)
        reason = stages[kind]->synthesise(twins->states[kind], twins->params[kind], thread, canvas);
    if (!reason && fsh_image_copy(&twin->image, &canvas->image))
        reason = FSH_REASON_TOO_LARGE;
    twin->face = map_box(&map, &face->face);
    for (i = 0; i < 5; i++)
        twin->five[i] = fsh_affine_apply(&map, face->five[i]);
    return reason;
}
