/* Galleries are made as `embed` makes embeddings; twins are added picture by picture, and so is
 * what comes later. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/embed_make.h"
#include "cli/gallery.h"
#include "datasets/pictures.h"
#include "door/enrol.h"
#include "job/job.h"

/* Pictures that twins are made of at once, by all threads: some for each. */
enum { TOGETHER = 64 };

/* What pictures are added with. */
typedef struct adding {
    fsh_embeddings gallery;
    fsh_eyes *eyes;
    fsh_twins *twins;
    fsh_enrol enrol;
    fsh_progress progress;
    const char *name; /* of all pictures; "": the folder's or the file's */
    uint64_t known;   /* pictures that were there already */
    uint32_t threads;
} adding;

static void
adding_fini(adding *a)
{
    fsh_eyes_close(&a->eyes);
    fsh_twins_close(&a->twins);
    fsh_embeddings_fini(&a->gallery);
}

/* "mobilefacenet_y1 SHA256" without the sum. */
static void
card_of(const char *model, char name[FSH_ARG_TEXT_BYTES])
{
    snprintf(name, FSH_ARG_TEXT_BYTES, "%.*s", (int)strcspn(model, " "), model);
}

/* Opens what the gallery was made with; the same files, or its rows would mean something else. */
static fsh_status
open_eyes(adding *a, const fsh_gallery_options *options, const char *path, fsh_err *err)
{
    char model[FSH_ARG_TEXT_BYTES], detector[FSH_ARG_TEXT_BYTES];
    fsh_eyes_options eyes = {.embedder = options->embedded.model,
                             .detector = options->embedded.detector,
                             .masks = "",
                             .device = options->embedded.device,
                             .flip = a->gallery.flip,
                             .landmarks = fsh_twins_has_any(a->twins),
                             .threads = a->threads};
    fsh_status status;

    card_of(a->gallery.model, model);
    card_of(a->gallery.detector, detector);
    if (!eyes.embedder[0])
        eyes.embedder = model;
    if (!eyes.detector[0])
        eyes.detector = detector;
    status = fsh_eyes_open(&eyes, &a->eyes, err);
    if (!status && strcmp(fsh_eyes_model(a->eyes), a->gallery.model) != 0)
        status = fsh_fail(err, FSH_FORMAT,
                          "%s was made with the model '%s', and %s is another one here: build it "
                          "again",
                          path, a->gallery.model, eyes.embedder);
    a->enrol = (fsh_enrol){
        .eyes = a->eyes, .twins = a->twins, .threads = a->threads, .gallery = &a->gallery};
    return status;
}

static void
tell_made(const adding *a)
{
    int kind;

    for (kind = 0; kind < FSH_TWINS_N; kind++)
        if (a->enrol.made[kind] + a->enrol.missed[kind])
            printf("%-13s %9llu  twins; %llu pictures could have none\n", fsh_twin_names[kind],
                   (unsigned long long)a->enrol.made[kind],
                   (unsigned long long)a->enrol.missed[kind]);
}

/* What the file holds; what could not be embedded is there with its reason. */
static fsh_status
conclude(const adding *a, const char *path, uint64_t pictures, uint64_t rejected, fsh_err *err)
{
    if (a->progress.mode == FSH_LOG_JSON) {
        printf("{\"event\":\"done\",\"pictures\":%llu,\"rejected\":%llu,\"rows\":%llu}\n",
               (unsigned long long)pictures, (unsigned long long)rejected,
               (unsigned long long)a->gallery.n);
    } else if (a->progress.mode == FSH_LOG_BAR) {
        printf("pictures      %9llu  of which %llu have no face that can be embedded\n",
               (unsigned long long)pictures, (unsigned long long)rejected);
        tell_made(a);
        printf("gallery       %s, %llu rows\n", path, (unsigned long long)a->gallery.n);
    }
    if (rejected)
        return fsh_fail(err, FSH_REJECTED,
                        "%llu of %llu pictures have no face that can be embedded: `faceshard "
                        "inspect %s` says which and why",
                        (unsigned long long)rejected, (unsigned long long)pictures, path);
    return FSH_OK;
}

/* Twins of n rows from `first` on. */
static fsh_status
add_twins_of(adding *a, const char *folder, uint64_t first, uint32_t n, fsh_err *err)
{
    char paths[TOGETHER][FSH_PATH_BYTES];
    fsh_enrol_picture pictures[TOGETHER];
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < n && !status; i++) {
        pictures[i] = (fsh_enrol_picture){a->gallery.names[first + i],
                                          a->gallery.sources[first + i], paths[i]};
        status = fsh_path_join(paths[i], folder, pictures[i].source, err);
    }
    return status ? status : fsh_enrol_pictures(&a->enrol, pictures, n, err);
}

/* Twins of the pictures that have a row; rows that are added meanwhile have none. */
static fsh_status
add_twins(adding *a, const char *folder, fsh_err *err)
{
    uint64_t n = a->gallery.n, i;
    fsh_status status = FSH_OK;

    a->enrol.only_twins = true;
    for (i = 0; i < n && !status; i += TOGETHER) {
        uint32_t here = n - i < TOGETHER ? (uint32_t)(n - i) : TOGETHER;

        status = add_twins_of(a, folder, i, here, err);
        fsh_progress_images(&a->progress, i + here, n);
    }
    fsh_progress_clear(&a->progress);
    return status;
}

/* The pictures themselves, as `faceshard embed` makes them; kept until the twins are there, so that
 * the same command goes on where it was broken off. */
static fsh_status
make_originals(adding *a, const fsh_gallery_options *options, const char *folder,
               const char *originals, fsh_err *err)
{
    fsh_embedded_options embedded = options->embedded;
    fsh_embed_result made;
    fsh_status status;

    embedded.log = (int32_t)a->progress.mode;
    status = fsh_embed_make(folder, &embedded, originals, &made, err);
    fsh_progress_clear(&made.run.progress);
    return status ? status : fsh_embeddings_read(originals, &a->gallery, err);
}

static fsh_status
build(adding *a, const fsh_gallery_options *options, const char *path, const char *folder,
      const char *originals, fsh_err *err)
{
    uint64_t pictures;
    fsh_status status =
        fsh_twins_open(options->twins, fsh_job_own_templates(), a->threads, &a->twins, err);

    if (!status)
        status = make_originals(a, options, folder, originals, err);
    if (status)
        return status;
    pictures = a->gallery.n;
    if (fsh_twins_has_any(a->twins))
        status = open_eyes(a, options, path, err);
    if (!status && fsh_twins_has_any(a->twins))
        status = add_twins(a, folder, err);
    if (!status)
        status = fsh_embeddings_write(path, &a->gallery, err);
    if (status)
        return status;
    unlink(originals);
    return conclude(a, path, pictures + a->gallery.rejected_n, a->gallery.rejected_n, err);
}

fsh_status
fsh_gallery_build(const fsh_gallery_options *options, const char *path, const char *folder,
                  fsh_err *err)
{
    char originals[FSH_PATH_BYTES];
    adding a = {.name = "", .threads = fsh_run_workers(options->embedded.workers)};
    struct stat info;
    fsh_status status;

    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return fsh_fail(err, FSH_USAGE, "%s is no folder: a gallery is built of one", folder);
    if (snprintf(originals, sizeof originals, "%s.originals", path) >= (int)sizeof originals)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    fsh_progress_start(&a.progress, (fsh_log_mode)options->embedded.log);
    status = build(&a, options, path, folder, originals, err);
    adding_fini(&a);
    return status;
}

static bool
has_row(const fsh_embeddings *gallery, const char *name, const char *source)
{
    uint64_t i;

    for (i = 0; i < gallery->n; i++)
        if (strcmp(gallery->sources[i], source) == 0 && strcmp(gallery->names[i], name) == 0)
            return true;
    return false;
}

/* Sources say nothing about where on this machine a picture was. */
static fsh_status
add_file(adding *a, const char *name, const char *path, fsh_err *err)
{
    char source[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(source, name, fsh_path_name(path), err);

    if (!status && has_row(&a->gallery, name, source)) {
        a->known++;
        fprintf(stderr, "faceshard gallery: %s is there already as %s\n", path, source);
        return FSH_OK;
    }
    return status ? status
                  : fsh_enrol_pictures(&a->enrol, &(fsh_enrol_picture){name, source, path}, 1, err);
}

static fsh_status
add_entry(void *self, const char *folder, const char *name, fsh_err *err)
{
    adding *a = self;
    char path[FSH_PATH_BYTES];
    fsh_status status;

    if (!fsh_picture_has_name(name))
        return FSH_OK;
    status = fsh_path_join(path, folder, name, err);
    return status ? status : add_file(a, a->name[0] ? a->name : fsh_path_name(folder), path, err);
}

/* A folder has the pictures of one person. */
static fsh_status
add_any(adding *a, const char *given, fsh_err *err)
{
    char path[FSH_PATH_BYTES], stem[FSH_PATH_BYTES];
    size_t n = strlen(given);
    struct stat info;
    char *dot;

    while (n > 1 && given[n - 1] == '/')
        n--;
    snprintf(path, sizeof path, "%.*s", (int)n, given);
    if (stat(path, &info) != 0)
        return fsh_fail(err, FSH_IO, "%s: there is no such picture or folder", path);
    if (S_ISDIR(info.st_mode))
        return fsh_folder_each(path, add_entry, a, err);
    snprintf(stem, sizeof stem, "%s", fsh_path_name(path));
    dot = strrchr(stem, '.');
    if (dot && dot > stem)
        *dot = '\0';
    return add_file(a, a->name[0] ? a->name : stem, path, err);
}

static fsh_status
add(adding *a, const fsh_gallery_options *options, const char *path, const char *const *pictures,
    uint32_t n, fsh_err *err)
{
    uint64_t rejected, before;
    uint32_t i;
    fsh_status status = fsh_embeddings_read(path, &a->gallery, err);

    if (!status)
        status =
            fsh_twins_open(options->twins, fsh_job_own_templates(), a->threads, &a->twins, err);
    if (!status)
        status = open_eyes(a, options, path, err);
    before = a->gallery.n;
    rejected = a->gallery.rejected_n;
    for (i = 0; i < n && !status; i++)
        status = add_any(a, pictures[i], err);
    rejected = a->gallery.rejected_n - rejected;
    if (!status && a->gallery.n + rejected + a->known == before)
        status = fsh_fail(err, FSH_USAGE, "%s: there are no pictures to add", pictures[0]);
    if (!status)
        status = fsh_embeddings_write(path, &a->gallery, err);
    before += a->enrol.made[0] + a->enrol.made[1] + a->enrol.made[2];
    return status ? status : conclude(a, path, a->gallery.n - before + rejected, rejected, err);
}

fsh_status
fsh_gallery_add(const fsh_gallery_options *options, const char *path, const char *const *pictures,
                uint32_t n, fsh_err *err)
{
    adding a = {.name = options->name, .threads = 1};
    fsh_status status;

    fsh_progress_start(&a.progress, (fsh_log_mode)options->embedded.log);
    status = add(&a, options, path, pictures, n, err);
    adding_fini(&a);
    return status;
}
