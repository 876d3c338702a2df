#include "door/eyes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door/overlap.h"
#include "stages/detector.h"
#include "stages/table.h"

enum { NAME_BYTES = FSH_ARG_TEXT_BYTES + FSH_HASH_HEX + 1 };

/* The box of the second detector that is a face's overlaps it at least so much: detectors cut faces
 * differently. */
static const double same_face = 0.3;

typedef struct opened {
    const fsh_stage *stage;
    void *params, *state;
} opened;

struct fsh_eyes {
    fsh_stage_env env;
    fsh_models models;
    fsh_card embedder, detector, masks;
    char model_name[NAME_BYTES], detector_name[NAME_BYTES];
    int64_t min_face;
    opened detect, landmarks, embed;
    fsh_detector **mask_detectors; /* one a thread; NULL: the detector says it, or nobody does */
};

/* Settings are text as on a command line: "faces", "all", NULL. */
static fsh_status
open_stage(fsh_stage_env *env, const fsh_stage *stage, const char *const *settings, opened *out,
           fsh_err *err)
{
    fsh_status status;
    const fsh_arg *row;

    out->stage = stage;
    out->params = calloc(1, stage->params_size + 1);
    if (!out->params)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    status = fsh_args_defaults(stage->args, out->params, err);
    for (; !status && *settings; settings += 2)
        for (row = stage->args; !status && row->name; row++)
            if (strcmp(row->name, settings[0]) == 0)
                status = fsh_arg_set(row, out->params, settings[1], err);
    return status ? status : stage->open(env, out->params, &out->state, err);
}

static void
close_stage(opened *of)
{
    if (of->state)
        of->stage->close(of->state);
    free(of->params);
    *of = (opened){0};
}

static fsh_status
open_stages(fsh_eyes *eyes, const fsh_eyes_options *options, fsh_err *err)
{
    static const char *const detect[] = {"faces", "all", "min_side", "0", NULL};
    const char *const landmarks[] = {"unless_five", options->landmarks ? "no" : "yes", NULL};
    const char *const embed[] = {"flip", options->flip ? "yes" : "no", NULL};
    fsh_status status = open_stage(&eyes->env, &fsh_stage_detect, detect, &eyes->detect, err);

    if (!status)
        status = open_stage(&eyes->env, &fsh_stage_landmarks, landmarks, &eyes->landmarks, err);
    return status ? status : open_stage(&eyes->env, &fsh_stage_embed, embed, &eyes->embed, err);
}

static void
name_card(const fsh_card *card, char name[NAME_BYTES])
{
    char hex[FSH_HASH_HEX];

    fsh_hash_hex(&card->file_hash, hex);
    snprintf(name, NAME_BYTES, "%s %s", card->name, hex);
}

static fsh_status
load_cards(fsh_eyes *eyes, const fsh_eyes_options *options, fsh_err *err)
{
    fsh_models *models = &eyes->models;
    const char *detector = options->detector;
    fsh_status status;

    snprintf(models->embedder, sizeof models->embedder, "%s", options->embedder);
    snprintf(models->device, sizeof models->device, "%s", options->device);
    strcpy(models->landmarker, "dlib68");
    strcpy(models->search, "models");
    status = fsh_card_load(models, models->embedder, FSH_TASK_EMBED, &eyes->embedder, err);
    if (status)
        return status;
    if (!detector[0])
        detector = eyes->embedder.detector[0] ? eyes->embedder.detector : "hog";
    snprintf(models->detector, sizeof models->detector, "%.*s", (int)strcspn(detector, ", "),
             detector);
    status = fsh_card_load(models, models->detector, FSH_TASK_DETECT, &eyes->detector, err);
    name_card(&eyes->embedder, eyes->model_name);
    name_card(&eyes->detector, eyes->detector_name);
    return status;
}

static fsh_status
open_masks(fsh_eyes *eyes, const char *card, fsh_err *err)
{
    fsh_status status;
    uint32_t i;

    if (!card[0] || eyes->detector.decoding == FSH_DECODING_SSD)
        return FSH_OK;
    status = fsh_card_load(&eyes->models, card, FSH_TASK_DETECT, &eyes->masks, err);
    if (!status && eyes->masks.decoding != FSH_DECODING_SSD)
        status = fsh_fail(err, FSH_USAGE, "--masks %s: this detector does not tell masks", card);
    if (status)
        return status;
    eyes->mask_detectors = calloc(eyes->env.threads + 1ul, sizeof(fsh_detector *));
    if (!eyes->mask_detectors)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    for (i = 0; i < eyes->env.threads && !status; i++)
        status = fsh_detector_open(&eyes->masks, 0, &eyes->mask_detectors[i], err);
    return status;
}

fsh_status
fsh_eyes_open(const fsh_eyes_options *options, fsh_eyes **eyes, fsh_err *err)
{
    fsh_eyes *made = calloc(1, sizeof *made);
    fsh_status status;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->env = (fsh_stage_env){.threads = options->threads, .models = &made->models};
    made->min_face = options->min_face;
    status = load_cards(made, options, err);
    if (!status)
        status = open_stages(made, options, err);
    if (!status)
        status = open_masks(made, options->masks, err);
    if (status)
        fsh_eyes_close(&made);
    else
        *eyes = made;
    return status;
}

void
fsh_eyes_close(fsh_eyes **eyes)
{
    fsh_eyes *of = *eyes;
    uint32_t i;

    if (!of)
        return;
    close_stage(&of->detect);
    close_stage(&of->landmarks);
    close_stage(&of->embed);
    for (i = 0; of->mask_detectors && i < of->env.threads; i++)
        fsh_detector_close(of->mask_detectors[i]);
    free(of->mask_detectors);
    free(of);
    *eyes = NULL;
}

const char *
fsh_eyes_model(const fsh_eyes *eyes)
{
    return eyes->model_name;
}

const char *
fsh_eyes_detector(const fsh_eyes *eyes)
{
    return eyes->detector_name;
}

uint32_t
fsh_eyes_dimension(const fsh_eyes *eyes)
{
    return eyes->env.dimension;
}

double
fsh_eyes_threshold(const fsh_eyes *eyes)
{
    return eyes->embedder.recognise_threshold;
}

bool
fsh_eyes_tell_masks(const fsh_eyes *eyes)
{
    return eyes->mask_detectors || eyes->detector.decoding == FSH_DECODING_SSD;
}

bool
fsh_eyes_tell_masks_apart(const fsh_eyes *eyes)
{
    return eyes->mask_detectors != NULL;
}

/* Faces that are too small go before anything else is done with them. */
static void
leave_out_small(const fsh_eyes *eyes, fsh_photo *photo)
{
    uint32_t i, kept = 0;

    for (i = 0; i < photo->faces_n; i++)
        if (photo->faces[i].face.width >= eyes->min_face &&
            photo->faces[i].face.height >= eyes->min_face)
            photo->faces[kept++] = photo->faces[i];
    photo->faces_n = kept;
}

/* The class of the box of the second detector that overlaps the face most. */
fsh_status
fsh_eyes_look_for_masks(fsh_eyes *eyes, uint32_t thread, const fsh_image *image, fsh_photo *photo,
                        fsh_err *err)
{
    fsh_found found[FSH_FOUND_MAX];
    uint32_t n = 0, i, k;
    fsh_status status;

    if (!eyes->mask_detectors || !photo->faces_n)
        return FSH_OK;
    status = fsh_detector_run(eyes->mask_detectors[thread], image, found, FSH_FOUND_MAX, &n, err);
    for (i = 0; i < photo->faces_n && !status; i++) {
        double best = same_face;

        for (k = 0; k < n; k++) {
            const fsh_box box = {(int32_t)found[k].left, (int32_t)found[k].top,
                                 (int32_t)(found[k].right - found[k].left),
                                 (int32_t)(found[k].bottom - found[k].top)};
            double shared = fsh_box_overlap(&photo->faces[i].face, &box);

            if (shared > best) {
                best = shared;
                photo->faces[i].mask_class = found[k].mask_class;
            }
        }
    }
    return status;
}

static fsh_status
analyse(const opened *of, uint32_t thread, fsh_photo *photo, fsh_err *err)
{
    return of->stage->analyse(of->state, of->params, thread, photo, err);
}

fsh_status
fsh_eyes_detect(fsh_eyes *eyes, uint32_t thread, const fsh_image *image, uint64_t key,
                fsh_photo *photo, fsh_err *err)
{
    fsh_status status;

    *photo = (fsh_photo){.image = image, .key = key};
    status = analyse(&eyes->detect, thread, photo, err);
    if (!status)
        leave_out_small(eyes, photo);
    if (!status && photo->faces_n)
        status = analyse(&eyes->landmarks, thread, photo, err);
    if (!status && photo->faces_n)
        status = analyse(&eyes->embed, thread, photo, err);
    photo->image = NULL;
    if (status)
        fsh_photo_fini(photo);
    return status;
}

fsh_status
fsh_eyes_take(fsh_eyes *eyes, uint32_t thread, const fsh_image *image, const fsh_box *box,
              const fsh_point five[5], fsh_photo *photo, fsh_err *err)
{
    fsh_status status = FSH_OK;
    fsh_face *face;

    *photo = (fsh_photo){.image = image};
    face = fsh_photo_add_face(photo);
    if (!face)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    face->face = face->crop = *box;
    memcpy(face->five, five, sizeof face->five);
    face->has_five = true;
    status = analyse(&eyes->embed, thread, photo, err);
    photo->image = NULL;
    if (status)
        fsh_photo_fini(photo);
    return status;
}

fsh_status
fsh_eyes_embed(fsh_eyes *eyes, uint32_t thread, fsh_photo *photo, fsh_err *err)
{
    const opened *embed = &eyes->embed;

    return photo->faces_n
               ? embed->stage->finish(embed->state, embed->params, thread, &photo, 1, err)
               : FSH_OK;
}
