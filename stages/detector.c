#include "stages/detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/align.h"
#include "stages/inference/net.h"
#include "stages/stage.h"
#include "stages/vision/decode.h"
#include "stages/vision/dlib.h"

/* An SSD anchor, in shares of the picture. */
typedef struct anchor {
    float x, y, width, height;
} anchor;

/* How much larger the picture is than what is searched. */
typedef struct ratio {
    float x, y;
} ratio;

/* One kind of detector: open makes what it needs beside the net (may be NULL), prepare makes
 * detector->input from the picture, run adds candidates in px of that input. */
typedef struct method {
    bool needs_net;
    fsh_status (*open)(fsh_detector *detector, fsh_err *err);
    fsh_status (*prepare)(fsh_detector *detector, const fsh_image *image, ratio *back);
    fsh_status (*run)(fsh_detector *detector, fsh_err *err);
} method;

struct fsh_detector {
    const fsh_card *card;
    const method *method;
    uint32_t upsample;
    fsh_net *net;
    fsh_hog *hog;
    anchor *anchors; /* SSD */
    uint32_t anchors_n;
    fsh_image input;       /* the picture at the size of the search */
    fsh_found *candidates; /* of one run, before suppression */
    uint32_t candidates_n, candidates_max;
};

/* A new candidate, or NULL where there are more of them than any picture gives. */
static fsh_found *
add_candidate(fsh_detector *detector, float score)
{
    fsh_found *candidate;

    if (detector->candidates_n == detector->candidates_max)
        return NULL;
    candidate = &detector->candidates[detector->candidates_n++];
    memset(candidate, 0, sizeof *candidate);
    candidate->score = score;
    candidate->mask_class = FSH_MASK_CLASS_UNKNOWN;
    return candidate;
}

static void
set_box(fsh_found *candidate, float center_x, float center_y, float width, float height)
{
    candidate->left = center_x - width / 2;
    candidate->top = center_y - height / 2;
    candidate->right = center_x + width / 2;
    candidate->bottom = center_y + height / 2;
}

/* SSD (Liu and others, "SSD: single shot multibox detector", ECCV 2016), as AIZOO lays it out: in
 * each cell two square-ish anchors of the map's two sizes, then one of the first size per further
 * ratio. */

static uint32_t
anchors_of_map(anchor *out, uint32_t cells, const double *sizes, const fsh_reals *ratios)
{
    uint32_t n = 0, row, column, k;

    for (row = 0; row < cells; row++)
        for (column = 0; column < cells; column++)
            for (k = 0; k < ratios->n + 1; k++) {
                double size = sizes[k == 1], aspect = ratios->at[k < 2 ? 0 : k - 1];

                out[n].x = (float)((column + 0.5) / cells);
                out[n].y = (float)((row + 0.5) / cells);
                out[n].width = (float)(size * sqrt(aspect));
                out[n++].height = (float)(size / sqrt(aspect));
            }
    return n;
}

static fsh_status
ssd_open(fsh_detector *detector, fsh_err *err)
{
    const fsh_card *card = detector->card;
    uint32_t total = 0, i;

    if (card->anchor_sizes.n != 2 * card->feature_maps.n || !card->anchor_ratios.n ||
        card->variances.n != 4)
        return fsh_fail(err, FSH_USAGE,
                        "card %s: SSD needs two anchor_sizes for each of the "
                        "feature_maps, anchor_ratios, and four variances",
                        card->name);
    for (i = 0; i < card->feature_maps.n; i++) {
        double cells = card->feature_maps.at[i];

        if (!(cells >= 1 && cells <= 1024))
            return fsh_fail(err, FSH_USAGE, "card %s: feature_maps are from 1 to 1024", card->name);
        total += (uint32_t)cells * (uint32_t)cells * (card->anchor_ratios.n + 1);
    }
    detector->anchors = calloc(total, sizeof *detector->anchors);
    if (!detector->anchors)
        return fsh_fail(err, FSH_MEMORY, "no memory for anchors");
    for (i = 0; i < card->feature_maps.n; i++)
        detector->anchors_n += anchors_of_map(detector->anchors + detector->anchors_n,
                                              (uint32_t)card->feature_maps.at[i],
                                              &card->anchor_sizes.at[2 * i], &card->anchor_ratios);
    return FSH_OK;
}

static void
ssd_candidate(fsh_detector *detector, const anchor *a, const float *location, const float *scores)
{
    const double *variance = detector->card->variances.at;
    float width = (float)detector->input.width, height = (float)detector->input.height;
    int8_t class = scores[0] >= scores[1] ? FSH_MASK_CLASS_MASK : FSH_MASK_CLASS_NO_MASK;
    fsh_found *candidate;

    if (!(scores[class] >= detector->card->confidence))
        return;
    candidate = add_candidate(detector, scores[class]);
    if (!candidate)
        return;
    candidate->mask_class = class;
    set_box(candidate, (a->x + location[0] * (float)variance[0] * a->width) * width,
            (a->y + location[1] * (float)variance[1] * a->height) * height,
            a->width * expf(location[2] * (float)variance[2]) * width,
            a->height * expf(location[3] * (float)variance[3]) * height);
}

static fsh_status
ssd_run(fsh_detector *detector, fsh_err *err)
{
    fsh_tensor outputs[2]; /* locations and class scores of all anchors */
    fsh_status status = fsh_net_run(detector->net, &detector->input, outputs, 2, err);
    size_t i;

    if (status)
        return status;
    if (outputs[0].n != 4 * (size_t)detector->anchors_n ||
        outputs[1].n != 2 * (size_t)detector->anchors_n)
        return fsh_fail(err, FSH_MODEL, "%s: %zu locations for %u anchors",
                        detector->card->file_path, outputs[0].n / 4, detector->anchors_n);
    for (i = 0; i < detector->anchors_n; i++)
        ssd_candidate(detector, &detector->anchors[i], outputs[0].data + 4 * i,
                      outputs[1].data + 2 * i);
    return FSH_OK;
}

/* YuNet (Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", 2023): for each stride a
 * grid of cells without anchors; class and objectness score, box and five points of each cell, in
 * strides from its corner. */

static void
yunet_candidate(fsh_detector *detector, float stride, float x, float y, float score,
                const float *box, const float *points)
{
    fsh_found *candidate = add_candidate(detector, score);
    int i;

    if (!candidate)
        return;
    set_box(candidate, (x + box[0]) * stride, (y + box[1]) * stride, expf(box[2]) * stride,
            expf(box[3]) * stride);
    candidate->has_five = true;
    for (i = 0; i < 5; i++) {
        candidate->five[i].x = (x + points[2 * i]) * stride;
        candidate->five[i].y = (y + points[2 * i + 1]) * stride;
    }
}

static fsh_status
yunet_run(fsh_detector *detector, fsh_err *err)
{
    fsh_tensor outputs[12]; /* class, objectness, box, points at strides 8, 16, 32 */
    fsh_status status = fsh_net_run(detector->net, &detector->input, outputs, 12, err);
    uint32_t level, i;

    for (level = 0; !status && level < 3; level++) {
        const fsh_tensor *out = &outputs[4 * level];
        uint32_t stride = 8u << level, columns = (uint32_t)detector->input.width / stride;
        uint32_t cells = columns * ((uint32_t)detector->input.height / stride);

        if (out[0].n != cells || out[1].n != cells || out[2].n != 4 * cells ||
            out[3].n != 10 * cells)
            return fsh_fail(err, FSH_MODEL, "%s: outputs of another size than YuNet's",
                            detector->card->file_path);
        for (i = 0; i < cells; i++) {
            float score =
                sqrtf(fsh_clampf(out[0].data[i], 0, 1) * fsh_clampf(out[1].data[i], 0, 1));

            if (score >= detector->card->confidence)
                yunet_candidate(detector, (float)stride, (float)(i % columns), (float)(i / columns),
                                score, out[2].data + 4 * i, out[3].data + 10 * i);
        }
    }
    return status;
}

static fsh_status
hog_open(fsh_detector *detector, fsh_err *err)
{
    return fsh_hog_open(&detector->hog, err);
}

static fsh_status
hog_run(fsh_detector *detector, fsh_err *err)
{
    fsh_hog_face faces[FSH_FOUND_MAX];
    uint32_t n, i;
    fsh_status status = fsh_hog_run(detector->hog, &detector->input, detector->card->confidence,
                                    faces, FSH_FOUND_MAX, &n, err);

    for (i = 0; !status && i < n; i++) {
        fsh_found *candidate = add_candidate(detector, faces[i].score);

        if (!candidate)
            break;
        candidate->left = (float)faces[i].box.x;
        candidate->top = (float)faces[i].box.y;
        candidate->right = (float)(faces[i].box.x + faces[i].box.width);
        candidate->bottom = (float)(faces[i].box.y + faces[i].box.height);
    }
    return status;
}

static fsh_status
whole_run(fsh_detector *detector, fsh_err *err)
{
    fsh_found *candidate = add_candidate(detector, 1);

    (void)err;
    candidate->right = (float)detector->input.width;
    candidate->bottom = (float)detector->input.height;
    return FSH_OK;
}

/* The whole picture is a face that lies on the ArcFace template. */
static fsh_status
aligned_run(fsh_detector *detector, fsh_err *err)
{
    const fsh_image *input = &detector->input;
    fsh_found *face = &detector->candidates[0];
    int i;

    whole_run(detector, err);
    face->has_five = true;
    fsh_arcface_template((uint32_t)input->height, face->five);
    for (i = 0; i < 5; i++)
        face->five[i].x -= (float)(input->height - input->width) / 2;
    return FSH_OK;
}

/* SSD: the picture stretched to the network's square. */
static fsh_status
stretch(fsh_detector *detector, const fsh_image *image, ratio *back)
{
    int32_t width = (int32_t)detector->card->width, height = (int32_t)detector->card->height;

    back->x = (float)image->width / (float)width;
    back->y = (float)image->height / (float)height;
    return fsh_image_resize(image, width, height, &detector->input);
}

/* YuNet: the picture in the upper left of the network's square, in its own proportions. */
static fsh_status
letterbox(fsh_detector *detector, const fsh_image *image, ratio *back)
{
    int32_t width = (int32_t)detector->card->width, height = (int32_t)detector->card->height;
    double scale = fmin((double)width / image->width, (double)height / image->height);
    fsh_affine map = {{scale, 0, 0.5 * scale - 0.5, 0, scale, 0.5 * scale - 0.5}};

    *back = (ratio){(float)(1 / scale), (float)(1 / scale)};
    return fsh_image_warp(image, &map, width, height, FSH_BORDER_BLACK, &detector->input);
}

/* hog: the picture, doubled as often as was asked for, and shrunk until it fits the card's size. */
static fsh_status
zoom(fsh_detector *detector, const fsh_image *image, ratio *back)
{
    const fsh_card *card = detector->card;
    double scale = 1u << detector->upsample;

    if (card->width && card->height)
        scale = fmin(
            scale, fmin((double)card->width / image->width, (double)card->height / image->height));
    *back = (ratio){(float)(1 / scale), (float)(1 / scale)};
    if (scale == 1)
        return fsh_image_copy(&detector->input, image);
    return fsh_image_resize(image, (int32_t)fmax(1, image->width * scale),
                            (int32_t)fmax(1, image->height * scale), &detector->input);
}

static fsh_status
as_it_is(fsh_detector *detector, const fsh_image *image, ratio *back)
{
    *back = (ratio){1, 1};
    return fsh_image_copy(&detector->input, image);
}

static const method methods[] = {[FSH_DECODING_NONE] = {false, NULL, as_it_is, whole_run},
                                 [FSH_DECODING_SSD] = {true, ssd_open, stretch, ssd_run},
                                 [FSH_DECODING_YUNET] = {true, NULL, letterbox, yunet_run},
                                 [FSH_DECODING_HOG] = {false, hog_open, zoom, hog_run},
                                 [FSH_DECODING_ALIGNED] = {false, NULL, as_it_is, aligned_run}};

fsh_status
fsh_detector_open(const fsh_card *card, uint32_t upsample, fsh_detector **detector, fsh_err *err)
{
    fsh_detector *made = calloc(1, sizeof *made);
    fsh_status status = FSH_OK;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "no memory for a detector");
    made->card = card;
    made->method = &methods[card->decoding];
    made->upsample = upsample;
    made->candidates_max = 8192;
    made->candidates = calloc(made->candidates_max, sizeof *made->candidates);
    if (!made->candidates)
        status = fsh_fail(err, FSH_MEMORY, "no memory for a detector");
    if (!status && made->method->needs_net)
        status = fsh_net_open(card, &made->net, err);
    if (!status && made->method->open)
        status = made->method->open(made, err);
    if (status)
        fsh_detector_close(made);
    else
        *detector = made;
    return status;
}

void
fsh_detector_close(fsh_detector *detector)
{
    if (!detector)
        return;
    fsh_net_close(detector->net);
    fsh_hog_close(detector->hog);
    fsh_image_fini(&detector->input);
    free(detector->anchors);
    free(detector->candidates);
    free(detector);
}

/* Best score first; equal scores from top to bottom and left to right, so that the order is a fact
 * of the picture. */
static int
by_score(const void *left, const void *right)
{
    const fsh_found *a = left, *b = right;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->top != b->top)
        return a->top < b->top ? -1 : 1;
    return (a->left > b->left) - (a->left < b->left);
}

static float
area(const fsh_found *f)
{
    return (f->right - f->left) * (f->bottom - f->top);
}

/* Intersection over union. */
static float
overlap(const fsh_found *a, const fsh_found *b)
{
    float width = fminf(a->right, b->right) - fmaxf(a->left, b->left);
    float height = fminf(a->bottom, b->bottom) - fmaxf(a->top, b->top);
    float both = width > 0 && height > 0 ? width * height : 0;

    return both / (area(a) + area(b) - both);
}

/* A candidate with a number that is not finite, or without area, is no face. */
static bool
is_box(const fsh_found *f)
{
    return isfinite(f->left) && isfinite(f->top) && f->right > f->left && f->bottom > f->top &&
           isfinite(area(f));
}

/* Non-maximum suppression: of overlapping candidates the best one stays. */
static uint32_t
keep_best(const fsh_detector *detector, fsh_found *found, uint32_t capacity)
{
    uint32_t n = 0, i, k;

    for (i = 0; i < detector->candidates_n && n < capacity; i++) {
        const fsh_found *candidate = &detector->candidates[i];
        bool keep = is_box(candidate);

        for (k = 0; keep && k < n; k++)
            keep = overlap(candidate, &found[k]) <= (float)detector->card->overlap;
        if (keep)
            found[n++] = *candidate;
    }
    return n;
}

static void
to_picture(fsh_found *f, ratio back)
{
    int i;

    f->left *= back.x;
    f->right *= back.x;
    f->top *= back.y;
    f->bottom *= back.y;
    /* Pixel centres are half a pixel from the edges that boxes are made of. */
    for (i = 0; i < 5; i++) {
        f->five[i].x = (f->five[i].x + 0.5f) * back.x - 0.5f;
        f->five[i].y = (f->five[i].y + 0.5f) * back.y - 0.5f;
    }
}

fsh_status
fsh_detector_run(fsh_detector *detector, const fsh_image *image, fsh_found *found,
                 uint32_t capacity, uint32_t *n, fsh_err *err)
{
    fsh_status status;
    ratio back;
    uint32_t i;

    detector->candidates_n = 0;
    if (detector->method->prepare(detector, image, &back))
        return fsh_fail(err, FSH_MEMORY, "no memory for a detector's input");
    if ((status = detector->method->run(detector, err)))
        return status;
    qsort(detector->candidates, detector->candidates_n, sizeof *detector->candidates, by_score);
    *n = keep_best(detector, found, capacity);
    for (i = 0; i < *n; i++)
        to_picture(&found[i], back);
    return FSH_OK;
}
