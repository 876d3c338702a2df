/* What a run of `recognise` needs: gallery, models, source, attendance, video. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "cli/embed_make.h"
#include "cli/gallery_kept.h"
#include "cli/recognise.h"

enum { WAIT_MS = 10000, RETRY_MS = 1000 };

/* The gallery of a folder is kept beside it: people -> people.gallery.h5. */
static fsh_status
name_kept(const char *folder, char kept[FSH_ARG_TEXT_BYTES], fsh_err *err)
{
    size_t n = strlen(folder);

    while (n > 1 && folder[n - 1] == '/')
        n--;
    if (snprintf(kept, FSH_ARG_TEXT_BYTES, "%.*s.gallery.h5", (int)n, folder) >= FSH_ARG_TEXT_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", folder);
    return FSH_OK;
}

static fsh_status
open_gallery(fsh_recognise *run, fsh_err *err)
{
    fsh_embedded_options embedded = run->options->embedded;
    const char *gallery = run->options->gallery;
    fsh_status status = FSH_OK;

    embedded.log = (int32_t)run->progress.mode;
    embedded.output[0] = '\0';
    if (!fsh_file_exists(gallery))
        return fsh_fail(err, FSH_IO, "--gallery %s: there is no such file or folder", gallery);
    if (fsh_embed_is_store(gallery))
        status = fsh_embedded_get(gallery, &embedded, &run->gallery, err);
    else if (!(status = name_kept(gallery, embedded.output, err)))
        status = fsh_gallery_keep(gallery, &embedded, &run->gallery, err);
    fsh_progress_clear(&run->progress);
    if (!status && run->gallery.n == 0)
        status = fsh_fail(err, FSH_FORMAT,
                          "--gallery %s is empty: nobody can be recognised. Add pictures of people "
                          "(`faceshard gallery add`); `faceshard inspect` says why none was taken",
                          gallery);
    return status ? status : fsh_known_new(&run->gallery, &run->known, err);
}

/* "mobilefacenet_y1 SHA256" without the sum. */
static void
card_of(const char *model, char name[FSH_ARG_TEXT_BYTES])
{
    snprintf(name, FSH_ARG_TEXT_BYTES, "%.*s", (int)strcspn(model, " "), model);
}

/* A detector that tells masks is taken by itself where its files are. */
static const char *
choose_masks(const fsh_recognise_options *options)
{
    static const fsh_models here = {.search = "models"};
    fsh_card card;

    if (strcmp(options->masks, "auto") != 0)
        return options->masks;
    return fsh_card_load(&here, "ssd", FSH_TASK_DETECT, &card, NULL) ? "" : "ssd";
}

/* The model of the gallery, with the settings that it was made with. */
static fsh_status
open_eyes(fsh_recognise *run, fsh_err *err)
{
    const fsh_recognise_options *options = run->options;
    char model[FSH_ARG_TEXT_BYTES], detector[FSH_ARG_TEXT_BYTES];
    fsh_eyes_options eyes = {.embedder = options->embedded.model,
                             .detector = options->embedded.detector,
                             .masks = choose_masks(options),
                             .device = options->embedded.device,
                             .flip = run->gallery.flip,
                             .min_face = options->min_face,
                             .threads = 1};
    fsh_status status;

    card_of(run->gallery.model, model);
    card_of(run->gallery.detector, detector);
    if (!eyes.embedder[0])
        eyes.embedder = model;
    if (!eyes.detector[0])
        eyes.detector = detector;
    status = fsh_eyes_open(&eyes, &run->eyes, err);
    if (!status && strcmp(fsh_eyes_model(run->eyes), run->gallery.model) != 0)
        status = fsh_fail(err, FSH_FORMAT,
                          "--gallery %s was made with the model '%s', and %s is another one here: "
                          "make the gallery again with it",
                          options->gallery, run->gallery.model, eyes.embedder);
    if (!status)
        run->threshold =
            isnan(options->threshold) ? fsh_eyes_threshold(run->eyes) : options->threshold;
    return status;
}

static fsh_status
open_source(fsh_recognise *run, fsh_err *err)
{
    const fsh_source_options source = {.name = run->source_name,
                                       .rate = run->options->rate,
                                       .wait_ms = WAIT_MS,
                                       .retry_ms = RETRY_MS,
                                       .stop = &run->stop,
                                       .self = run,
                                       .tell = fsh_recognise_tell_source};

    return fsh_source_open(&source, &run->source, err);
}

static fsh_status
open_desk(fsh_recognise *run, fsh_err *err)
{
    const fsh_recognise_options *options = run->options;
    bool live = fsh_source_is_live(run->source);
    const fsh_desk_options desk = {.dimension = fsh_eyes_dimension(run->eyes),
                                   .threshold = run->threshold,
                                   .agree = (uint32_t)options->agree,
                                   .settle_s = options->settle,
                                   .pause_s = options->pause,
                                   .clock = live,
                                   .attendance = options->attendance,
                                   .add = options->add || live,
                                   .self = run,
                                   .tell = fsh_recognise_tell_event};

    return fsh_desk_open(&desk, run->known, &run->desk, &run->found, err);
}

fsh_status
fsh_recognise_open(fsh_recognise *run, fsh_err *err)
{
    const char *out = run->options->out;
    fsh_status status = open_source(run, err);

    if (!status)
        status = open_gallery(run, err);
    if (!status)
        status = open_eyes(run, err);
    if (!status)
        status = open_desk(run, err);
    if (!status && out[0])
        status = fsh_tape_open(out, fsh_source_rate(run->source), fsh_source_is_live(run->source),
                               &run->tape, err);
    return status;
}

void
fsh_recognise_close(fsh_recognise *run)
{
    fsh_tape_close(&run->tape);
    fsh_desk_close(&run->desk);
    fsh_source_close(&run->source);
    fsh_eyes_close(&run->eyes);
    fsh_known_free(run->known);
    fsh_embeddings_fini(&run->gallery);
}
