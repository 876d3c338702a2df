/* Pictures are drawn in batches, all threads on one batch; then their rows go into the truth file in order. That file has
 * the name of an unfinished one until all pictures are there, and what it already tells is not drawn again. */
#include "datasets/generate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/files.h"
#include "datasets/people/picture.h"

#define UNFINISHED "." FSH_GENERATE_TRUTH ".unfinished"

enum { BATCH = 16 }; /* pictures a thread */

/* One picture of a batch. */
typedef struct task {
    fsh_place place;
    fsh_planted planted;
    fsh_moment moment;
    fsh_point five[FSH_FIVE];
    fsh_status status;
    fsh_err err;
} task;

typedef struct studio {
    const char *folder;
    const fsh_generate_options *options;
    fsh_easel **easels; /* one a thread */
    fsh_image *images;
    task *batch;
    uint32_t batch_n;
    FILE *truth;
    uint64_t done_before; /* pictures of an earlier call */
    fsh_generate_totals totals;
} studio;

/* ---- files ---- */

static void
identity_name(uint64_t identity, char name[32])
{
    snprintf(name, 32, "%07" PRIu64, identity);
}

static fsh_status
picture_path(const studio *s, const fsh_place *place, char path[FSH_PATH_BYTES], fsh_err *err)
{
    char name[64], identity[32];

    identity_name(place->identity, identity);
    snprintf(name, sizeof name, "%s/%03u.jpg", identity, place->picture + 1);
    return fsh_path_join(path, s->folder, name, err);
}

/* Not flushed to disk: what a power cut takes is drawn again when the folder is generated anew. */
static fsh_status
write_file(const char *path, const void *data, size_t bytes, fsh_err *err)
{
    FILE *file = fopen(path, "wb");
    size_t written = file ? fwrite(data, 1, bytes, file) : 0;
    int failed = !file || written != bytes, why = errno;

    if (file && fclose(file) != 0 && !failed) {
        failed = 1;
        why = errno;
    }
    return failed ? fsh_fail_errno(err, why, "%s", path) : FSH_OK;
}

/* What an earlier call left there goes first. */
static fsh_status
clear_place(const char *path, fsh_err *err)
{
    if (unlink(path) == 0 || rmdir(path) == 0 || errno == ENOENT)
        return FSH_OK;
    return fsh_fail_errno(err, errno, "%s", path);
}

/* ---- one picture ---- */

static fsh_status
draw_jpeg(const studio *s, uint32_t thread, task *t, fsh_err *err)
{
    const fsh_population *population = &s->options->population;
    bool nobody = t->planted.bad == FSH_BAD_NOBODY;
    fsh_person person = fsh_person_draw(population->seed, t->planted.shows);
    char path[FSH_PATH_BYTES];
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = picture_path(s, &t->place, path, err);

    if (!status && fsh_easel_draw(s->easels[thread], nobody ? NULL : &person, &t->moment, &s->images[thread], t->five))
        status = fsh_fail(err, FSH_MEMORY, "no memory to draw %s", path);
    if (!status)
        status = s->options->encode(&s->images[thread], (int)t->moment.quality, &data, &bytes, err);
    if (!status)
        status = write_file(path, data, t->planted.bad == FSH_BAD_TRUNCATED ? bytes / 2 : bytes, err);
    free(data);
    return status;
}

static fsh_status
plant_bad(const char *path, fsh_bad bad, fsh_err *err)
{
    static const char zeros[512], text[] = "This is no picture.\n";

    if (bad == FSH_BAD_FOLDER)
        return mkdir(path, 0777) == 0 ? FSH_OK : fsh_fail_errno(err, errno, "%s", path);
    if (bad == FSH_BAD_DANGLING)
        return symlink("not-there.jpg", path) == 0 ? FSH_OK : fsh_fail_errno(err, errno, "%s", path);
    if (bad == FSH_BAD_ZEROS)
        return write_file(path, zeros, sizeof zeros, err);
    return write_file(path, text, bad == FSH_BAD_EMPTY ? 0 : sizeof text - 1, err);
}

static fsh_status
make_picture(const studio *s, uint32_t thread, task *t, fsh_err *err)
{
    bool drawn = t->planted.bad == FSH_BAD_NONE || t->planted.bad == FSH_BAD_TRUNCATED || t->planted.bad == FSH_BAD_NOBODY;
    char path[FSH_PATH_BYTES];
    fsh_status status = picture_path(s, &t->place, path, err);

    if (!status)
        status = clear_place(path, err);
    if (status)
        return status;
    return drawn ? draw_jpeg(s, thread, t, err) : plant_bad(path, t->planted.bad, err);
}

/* ---- a batch ---- */

static uint32_t
thread_number(void)
{
#ifdef _OPENMP
    return (uint32_t)omp_get_thread_num();
#else
    return 0;
#endif
}

static fsh_status
draw_batch(studio *s, fsh_err *err)
{
    uint32_t i;

#pragma omp parallel for schedule(dynamic) num_threads(s->options->threads)
    for (i = 0; i < s->batch_n; i++)
        s->batch[i].status = make_picture(s, thread_number(), &s->batch[i], &s->batch[i].err);
    for (i = 0; i < s->batch_n; i++)
        if (s->batch[i].status)
            return fsh_fail(err, s->batch[i].status, "%s", s->batch[i].err.text);
    return FSH_OK;
}

/* "identity/picture, who is in it, what is planted, the reason that a job should give, head and points". */
static void
write_row(FILE *truth, const task *t)
{
    static const double degrees = 180 / 3.14159265358979;
    char identity[32], shows[32] = "-";
    bool seen = t->planted.bad == FSH_BAD_NONE, moved = t->planted.shows != t->place.identity;
    int i;

    identity_name(t->place.identity, identity);
    if (seen)
        identity_name(t->planted.shows, shows);
    fprintf(truth, "%s/%03u.jpg\t%s\t%s\t%s", identity, t->place.picture + 1, shows,
            moved ? "mislabelled" : seen ? "-" : fsh_bad_name(t->planted.bad),
            seen ? "-" : fsh_reason_code(fsh_bad_reason(t->planted.bad)));
    fprintf(truth, "\t%.1f\t%.1f\t%.1f", degrees * t->moment.yaw, degrees * t->moment.pitch, degrees * t->moment.roll);
    for (i = 0; i < FSH_FIVE; i++)
        fprintf(truth, "\t%.1f\t%.1f", seen ? t->five[i].x : NAN, seen ? t->five[i].y : NAN);
    fputc('\n', truth);
}

static void
count(studio *s, const fsh_planted *planted, const fsh_place *place)
{
    s->totals.images++;
    s->totals.bad += planted->bad != FSH_BAD_NONE;
    s->totals.mislabelled += planted->shows != place->identity;
}

static fsh_status
finish_batch(studio *s, fsh_err *err)
{
    const fsh_generate_options *options = s->options;
    fsh_status status = draw_batch(s, err);
    uint32_t i;

    for (i = 0; i < s->batch_n && !status; i++) {
        write_row(s->truth, &s->batch[i]);
        count(s, &s->batch[i].planted, &s->batch[i].place);
    }
    s->batch_n = 0;
    if (!status && fflush(s->truth) != 0)
        status = fsh_fail_errno(err, errno, "%s/%s", s->folder, UNFINISHED);
    if (!status && options->progress && options->progress(options->self, s->totals.images, options->population.images))
        status = fsh_fail(err, FSH_INTERRUPTED, "interrupted; the same command continues");
    return status;
}

static fsh_status
add_task(studio *s, const fsh_place *place, fsh_err *err)
{
    const fsh_population *population = &s->options->population;
    task *t = &s->batch[s->batch_n++];
    char identity[32], path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;

    *t = (task){.place = *place, .planted = fsh_population_planted(population, place),
                .moment = fsh_moment_draw(population->seed, place->identity, place->picture)};
    identity_name(place->identity, identity);
    if (place->picture == 0)
        status = fsh_path_join(path, s->folder, identity, err);
    if (!status && place->picture == 0)
        status = fsh_folder_make(path, err);
    return status;
}

static fsh_status
draw_all(studio *s, fsh_err *err)
{
    const fsh_population *population = &s->options->population;
    fsh_place place = fsh_population_first(population);
    fsh_status status = FSH_OK;
    uint64_t i = 0;

    do {
        if (i++ < s->done_before) {
            fsh_planted planted = fsh_population_planted(population, &place);

            count(s, &planted, &place);
            continue;
        }
        status = add_task(s, &place, err);
        if (!status && s->batch_n == BATCH * s->options->threads)
            status = finish_batch(s, err);
    } while (!status && fsh_population_next(population, &place));
    return status || s->batch_n == 0 ? status : finish_batch(s, err);
}

/* ---- the truth file ---- */

static void
header(const fsh_generate_options *options, char text[512])
{
    const fsh_population *p = &options->population;

    snprintf(text, 512, "# faceshard %s: --identities %" PRIu64 " --images %" PRIu64 " --seed %" PRIu64
             " --mislabelled %g --bad %g --size %u\n"
             "path\tshows\tplanted\treason\tyaw\tpitch\troll\teye_left_x\teye_left_y\teye_right_x\teye_right_y\tnose_x\tnose_y"
             "\tmouth_left_x\tmouth_left_y\tmouth_right_x\tmouth_right_y\n",
             FSH_VERSION, p->identities, p->images, p->seed, p->mislabelled, p->bad, options->size);
}

static bool
is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool empty = true;

    while (dir && empty && (entry = readdir(dir)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (dir)
        closedir(dir);
    return empty;
}

/* Counts the whole rows behind the header and cuts off what follows them. */
static fsh_status
take_up(studio *s, const char *path, const char *expected, fsh_err *err)
{
    size_t n = strlen(expected);
    char found[512];
    long end = (long)n, place;
    int c;

    if (fread(found, 1, n, s->truth) != n || memcmp(found, expected, n) != 0)
        return fsh_fail(err, FSH_USAGE, "%s was begun with other options (see the first line of %s): give the same, or "
                        "remove the folder", s->folder, path);
    for (place = end; (c = getc(s->truth)) != EOF; place++)
        if (c == '\n') {
            s->done_before++;
            end = place + 1;
        }
    if (ftruncate(fileno(s->truth), end) != 0 || fseek(s->truth, end, SEEK_SET) != 0)
        return fsh_fail_errno(err, errno, "%s", path);
    return FSH_OK;
}

static fsh_status
open_truth(studio *s, const char *path, fsh_err *err)
{
    char text[512];
    fsh_status status = fsh_folder_make(s->folder, err);

    if (status)
        return status;
    header(s->options, text);
    s->truth = fopen(path, "r+");
    if (s->truth)
        return take_up(s, path, text, err);
    if (!is_empty(s->folder))
        return fsh_fail(err, FSH_USAGE, "%s is not empty: choose a new folder", s->folder);
    s->truth = fopen(path, "w");
    if (!s->truth || fputs(text, s->truth) == EOF)
        return fsh_fail_errno(err, errno, "%s", path);
    return FSH_OK;
}

static fsh_status
close_truth(studio *s, const char *path, fsh_err *err)
{
    char final[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(final, s->folder, FSH_GENERATE_TRUTH, err);
    int closed = fclose(s->truth);

    s->truth = NULL;
    if (!status && closed != 0)
        status = fsh_fail_errno(err, errno, "%s", path);
    return status ? status : fsh_file_commit(path, final, err);
}

/* ---- the studio ---- */

static void
close_studio(studio *s)
{
    uint32_t i;

    for (i = 0; s->easels && s->images && i < s->options->threads; i++) {
        fsh_easel_close(s->easels[i]);
        fsh_image_fini(&s->images[i]);
    }
    free(s->easels);
    free(s->images);
    free(s->batch);
    if (s->truth)
        fclose(s->truth);
}

static fsh_status
open_studio(studio *s, fsh_err *err)
{
    uint32_t threads = s->options->threads, i;
    fsh_status status = FSH_OK;

    s->easels = calloc(threads, sizeof *s->easels);
    s->images = calloc(threads, sizeof *s->images);
    s->batch = calloc((size_t)BATCH * threads, sizeof *s->batch);
    if (!s->easels || !s->images || !s->batch)
        status = FSH_MEMORY;
    for (i = 0; i < threads && !status; i++)
        status = fsh_easel_open(s->options->size, &s->easels[i]);
    return status ? fsh_fail(err, status, "no memory to draw on %u threads", threads) : FSH_OK;
}

fsh_status
fsh_generate(const char *folder, const fsh_generate_options *options, fsh_generate_totals *totals, fsh_err *err)
{
    fsh_generate_options o = *options;
    studio s = {.folder = folder, .options = &o};
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, folder, UNFINISHED, err);

    fsh_population_init(&o.population);
    if (!status)
        status = open_studio(&s, err);
    if (!status)
        status = open_truth(&s, path, err);
    if (!status)
        status = draw_all(&s, err);
    if (!status)
        status = close_truth(&s, path, err);
    close_studio(&s);
    *totals = s.totals;
    return status;
}
