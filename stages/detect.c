/* detect: finds faces and says which part of the picture is kept of each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/detector.h"
#include "stages/table.h"

typedef enum which_faces { FACES_LARGEST, FACES_CENTRE, FACES_ALL } which_faces;
typedef enum crop_shape { CROP_STRETCH, CROP_SQUARE } crop_shape;

typedef struct detect_params {
    int64_t margin, min_side, upsample;
    double margin_share;
    int32_t faces, crop_shape;
} detect_params;

typedef struct detect_state {
    fsh_card card;
    uint32_t threads;
    fsh_detector *detectors[]; /* one a thread */
} detect_state;

static const fsh_arg args[] = {
    FSH_ARG_INT(detect_params, margin, 0, 4096, "44",
                "px that the crop is wider and higher than the face"),
    FSH_ARG_REAL(
        detect_params, margin_share, 0, 10, "0",
        "and by this share of the face's longer side, before anything else is done to its box"),
    FSH_ARG_INT(detect_params, min_side, 0, 65536, "100",
                "px: a crop is kept when both sides are over min_side + margin/2"),
    FSH_ARG_CHOICE(detect_params, faces, "largest|centre|all", "centre",
                   "which faces of a picture are kept"),
    FSH_ARG_CHOICE(
        detect_params, crop_shape, "stretch|square", "stretch",
        "stretch: the face's own proportions are stretched to the output's; square: the face "
        "box is first widened to a square"),
    FSH_ARG_INT(detect_params, upsample, 0, 2, "0",
                "hog: how often a picture is doubled before the search, to find smaller faces"),
    FSH_ARG_END};

static void
detect_close(void *opaque)
{
    detect_state *state = opaque;
    uint32_t i;

    for (i = 0; state && i < state->threads; i++)
        fsh_detector_close(state->detectors[i]);
    free(state);
}

static fsh_status
detect_open(fsh_stage_env *env, const void *opaque, void **out, fsh_err *err)
{
    const detect_params *params = opaque;
    detect_state *state = calloc(1, sizeof *state + env->threads * sizeof *state->detectors);
    fsh_status status;
    uint32_t i;

    if (!state)
        return fsh_fail(err, FSH_MEMORY, "no memory for detectors");
    state->threads = env->threads;
    status = fsh_card_load(env->models, env->models->detector, FSH_TASK_DETECT, &state->card, err);
    for (i = 0; !status && i < env->threads; i++)
        status =
            fsh_detector_open(&state->card, (uint32_t)params->upsample, &state->detectors[i], err);
    if (status)
        detect_close(state);
    else
        *out = state;
    return status;
}

/* From edges between pixels to whole pixels, clipped to the picture; at least one pixel. */
static fsh_box
box_between(float left, float top, float right, float bottom, const fsh_image *image)
{
    int32_t x = (int32_t)fsh_clampf(left, 0, (float)(image->width - 1));
    int32_t y = (int32_t)fsh_clampf(top, 0, (float)(image->height - 1));
    int32_t x_end = (int32_t)fsh_clampf(right, (float)(x + 1), (float)image->width);
    int32_t y_end = (int32_t)fsh_clampf(bottom, (float)(y + 1), (float)image->height);

    return (fsh_box){x, y, x_end - x, y_end - y};
}

/* Wider and higher by a share of the longer side. What lies outside of the picture is for the next
 * step to mind. */
static fsh_box
widened(const fsh_box *face, double share)
{
    int32_t longer = face->width > face->height ? face->width : face->height;
    int32_t more = (int32_t)lrint(share * longer / 2);

    return (fsh_box){face->x - more, face->y - more, face->width + 2 * more,
                     face->height + 2 * more};
}

/* Both sides as long as the longer one, moved into the picture where it reaches over the edge. */
static fsh_box
square_around(const fsh_box *box, const fsh_image *image)
{
    int32_t side = box->width > box->height ? box->width : box->height;
    fsh_box square = {box->x - (side - box->width) / 2, box->y - (side - box->height) / 2, side,
                      side};

    square.x = fsh_clampi(square.x, 0, side < image->width ? image->width - side : 0);
    square.y = fsh_clampi(square.y, 0, side < image->height ? image->height - side : 0);
    return square;
}

/* Half the margin on each side, clipped to the picture. */
static fsh_box
crop_around(const fsh_box *box, int64_t margin, const fsh_image *image)
{
    float half = (float)(margin / 2);

    return box_between((float)box->x - half, (float)box->y - half,
                       (float)(box->x + box->width) + half, (float)(box->y + box->height) + half,
                       image);
}

/* Landmark models want a face box cut like the one they were trained with: the card says how to
 * make it from this detector's. */
static fsh_box
landmark_box(const fsh_card *card, const fsh_found *found)
{
    double width = found->right - found->left, height = found->bottom - found->top;
    double side = card->landmark_scale * fmax(width, height);
    double x = (found->left + found->right) / 2.0;
    double y = (found->top + found->bottom) / 2.0 + card->landmark_shift * height;

    if (side == 0)
        return (fsh_box){(int32_t)lrint(found->left), (int32_t)lrint(found->top),
                         (int32_t)lrint(width), (int32_t)lrint(height)};
    return (fsh_box){(int32_t)lrint(x - side / 2), (int32_t)lrint(y - side / 2),
                     (int32_t)lrint(side), (int32_t)lrint(side)};
}

/* With the detector `none` the picture is the crop: no margin is added, and none is asked for. */
static fsh_status
add_face(const detect_state *state, const detect_params *params, const fsh_found *found,
         fsh_photo *photo)
{
    fsh_decoding decoding = state->card.decoding;
    bool whole = decoding == FSH_DECODING_NONE || decoding == FSH_DECODING_ALIGNED;
    int64_t margin = whole ? 0 : params->margin;
    int64_t bound = params->min_side + margin / 2;
    fsh_face *face = fsh_photo_add_face(photo);
    fsh_box box;

    if (!face)
        return FSH_MEMORY;
    face->face = box_between(found->left, found->top, found->right, found->bottom, photo->image);
    box = widened(&face->face, whole ? 0 : params->margin_share);
    if (params->crop_shape == CROP_SQUARE)
        box = square_around(&box, photo->image);
    face->crop = crop_around(&box, margin, photo->image);
    face->landmark_box = landmark_box(&state->card, found);
    face->score = found->score;
    face->mask_class = found->mask_class;
    face->has_five = found->has_five;
    memcpy(face->five, found->five, sizeof face->five);
    if (face->crop.width <= bound || face->crop.height <= bound) {
        face->reason = FSH_REASON_FACE_TOO_SMALL;
        face->value =
            (float)(face->crop.width < face->crop.height ? face->crop.width : face->crop.height);
    }
    return FSH_OK;
}

/* How much a face is preferred: by its size, or by how near its middle is to the picture's. */
static float
preference(const fsh_found *found, int32_t faces, const fsh_image *image)
{
    if (faces == FACES_CENTRE)
        return -hypotf((found->left + found->right - (float)image->width) / 2,
                       (found->top + found->bottom - (float)image->height) / 2);
    return (found->right - found->left) * (found->bottom - found->top);
}

/* Stable insertion sort: faces come best score first, which decides between equals. */
static void
sort_by_preference(fsh_found *found, uint32_t n, int32_t faces, const fsh_image *image)
{
    uint32_t i, k;

    for (i = 1; i < n; i++) {
        fsh_found moved = found[i];
        float wanted = preference(&moved, faces, image);

        for (k = i; k > 0 && preference(&found[k - 1], faces, image) < wanted; k--)
            found[k] = found[k - 1];
        found[k] = moved;
    }
}

static fsh_status
detect_analyse(void *opaque, const void *opaque_params, uint32_t thread, fsh_photo *photo,
               fsh_err *err)
{
    const detect_state *state = opaque;
    const detect_params *params = opaque_params;
    fsh_found found[FSH_FOUND_MAX];
    uint32_t n, kept, i;
    fsh_status status =
        fsh_detector_run(state->detectors[thread], photo->image, found, FSH_FOUND_MAX, &n, err);

    if (status)
        return status;
    if (n == 0) {
        photo->reason = FSH_REASON_NO_FACE;
        return FSH_OK;
    }
    sort_by_preference(found, n, params->faces, photo->image);
    kept = params->faces == FACES_ALL ? n : 1;
    for (i = 0; i < kept; i++)
        if (add_face(state, params, &found[i], photo))
            return fsh_fail(err, FSH_MEMORY, "no memory for faces");
    return FSH_OK;
}

const fsh_stage fsh_stage_detect = {
    .name = "detect",
    .summary = "finds faces and crops them with a margin",
    .id = 1,
    .version = 1,
    .phase = FSH_PHASE_ANALYSE,
    .gives = FSH_FACT_FACE,
    .args = args,
    .params_size = sizeof(detect_params),
    .open = detect_open,
    .close = detect_close,
    .analyse = detect_analyse,
};
