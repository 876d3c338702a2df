/* landmarks: 68 points on each face, and from them the five that faces are aligned by, unless the
 * detector has given five: those of a network sit better. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "stages/models.h"
#include "stages/table.h"
#include "stages/vision/dlib.h"

typedef struct landmarks_state {
    fsh_card card;
    pthread_mutex_t opening;
    fsh_shape *shape; /* read only, shared by all threads; NULL until it is needed */
} landmarks_state;

typedef struct landmarks_params {
    bool unless_five;
} landmarks_params;

static const fsh_arg args[] = {
    FSH_ARG_BOOL(landmarks_params, unless_five, "no",
                 "leave out faces whose detector has given five points: enough to align and embed "
                 "them, and under a mask they are better"),
    FSH_ARG_END};

static void
landmarks_close(void *opaque)
{
    landmarks_state *state = opaque;

    if (state) {
        fsh_shape_close(state->shape);
        pthread_mutex_destroy(&state->opening);
    }
    free(state);
}

/* The model is 100 MB: where the detector gives five points of every face it is never needed. */
static fsh_status
need_shape(landmarks_state *state, fsh_err *err)
{
    fsh_status status = FSH_OK;

    pthread_mutex_lock(&state->opening);
    if (!state->shape)
        status = fsh_shape_open(state->card.file_path, &state->shape, err);
    pthread_mutex_unlock(&state->opening);
    return status;
}

static fsh_status
landmarks_open(fsh_stage_env *env, const void *opaque_params, void **out, fsh_err *err)
{
    const landmarks_params *params = opaque_params;
    landmarks_state *state = calloc(1, sizeof *state);
    fsh_status status;

    if (!state)
        return fsh_fail(err, FSH_MEMORY, "no memory for a landmark model");
    pthread_mutex_init(&state->opening, NULL);
    status =
        fsh_card_load(env->models, env->models->landmarker, FSH_TASK_LANDMARKS, &state->card, err);
    if (!status && state->card.backend != FSH_BACKEND_DLIB)
        status = fsh_fail(err, FSH_USAGE, "card %s: landmark models run in dlib", state->card.name);
    if (!status && !params->unless_five)
        status = need_shape(state, err);
    if (status)
        landmarks_close(state);
    else
        *out = state;
    return status;
}

/* Eye centres from their six points each, tip of the nose, mouth corners. */
static void
five_of_68(const fsh_point p[FSH_LANDMARKS_N], fsh_point five[5])
{
    five[0] = fsh_points_mean(p + 36, 6);
    five[1] = fsh_points_mean(p + 42, 6);
    five[2] = p[30];
    five[3] = p[48];
    five[4] = p[54];
}

static bool
is_inside(fsh_point point, const fsh_image *image)
{
    return point.x >= 0 && point.y >= 0 && point.x < (float)image->width &&
           point.y < (float)image->height;
}

/* What holds for every face that is not seen from behind or on its head, also a tilted one:
 * measured along the line from the eyes' middle to the mouth's, the eyes are apart (a full profile
 * still shows an eighth), and the nose lies between. Eyes and mouth are inside the picture. */
static bool
is_face(const fsh_point five[5], const fsh_image *image)
{
    fsh_point eyes = fsh_points_mean(five, 2), mouth = fsh_points_mean(five + 3, 2);
    double down_x = mouth.x - eyes.x, down_y = mouth.y - eyes.y, length = hypot(down_x, down_y);
    double apart = hypot(five[1].x - five[0].x, five[1].y - five[0].y);
    double nose =
        ((five[2].x - eyes.x) * down_x + (five[2].y - eyes.y) * down_y) / (length * length);
    double turn = (five[1].x - five[0].x) * down_y - (five[1].y - five[0].y) * down_x;

    return isfinite(apart) && length >= 4 && apart > length / 8 && apart < 3 * length && nose > 0 &&
           nose < 1 && turn > 0 && is_inside(eyes, image) && is_inside(mouth, image);
}

static fsh_status
landmarks_analyse(void *opaque, const void *opaque_params, uint32_t thread, fsh_photo *photo,
                  fsh_err *err)
{
    landmarks_state *state = opaque;
    const landmarks_params *params = opaque_params;
    uint32_t i;

    (void)thread;
    for (i = 0; i < photo->faces_n; i++) {
        fsh_face *face = &photo->faces[i];
        fsh_point five[5];
        fsh_status status;

        if (face->reason != FSH_REASON_NONE || (params->unless_five && face->has_five))
            continue;
        status = need_shape(state, err);
        if (!status)
            status = fsh_shape_run(state->shape, photo->image, &face->landmark_box, face->landmarks,
                                   err);
        if (status)
            return status;
        five_of_68(face->landmarks, five);
        face->has_landmarks = is_face(five, photo->image);
        if (!face->has_landmarks)
            face->reason = FSH_REASON_BAD_LANDMARKS;
        if (!face->has_five)
            memcpy(face->five, five, sizeof five);
        face->has_five = true;
    }
    return FSH_OK;
}

const fsh_stage fsh_stage_landmarks = {
    .name = "landmarks",
    .summary = "finds 68 points on each face: eyes, brows, nose, mouth, jaw",
    .id = 2,
    .version = 1,
    .phase = FSH_PHASE_ANALYSE,
    .needs = FSH_FACT_FACE,
    .gives = FSH_FACT_LANDMARKS | FSH_FACT_FIVE,
    .args = args,
    .params_size = sizeof(landmarks_params),
    .open = landmarks_open,
    .close = landmarks_close,
    .analyse = landmarks_analyse,
};
