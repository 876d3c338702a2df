#include "cli/gallery_kept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/embed_make.h"
#include "cli/gallery_seen.h"
#include "datasets/pictures.h"

/* A gallery that is brought up to date. */
typedef struct keeping {
    const fsh_job *job;
    const fsh_embedded_options *options;
    char seen[FSH_PATH_BYTES];
    fsh_seen now, before;
    fsh_embeddings kept, fresh; /* what was there, and what was embedded now */
    size_t changed, gone;
} keeping;

static void
keeping_fini(keeping *k)
{
    fsh_seen_fini(&k->now);
    fsh_seen_fini(&k->before);
    fsh_embeddings_fini(&k->kept);
    fsh_embeddings_fini(&k->fresh);
}

/* ---- rows by picture ---- */

/* Rows, or rejected rows, of embeddings in the order of names and sources. */
typedef struct rows_index {
    char *const *names, *const *sources;
    uint64_t n;
    uint64_t *order;
} rows_index;

static int
compare_picture(const rows_index *of, uint64_t row, const char *name, const char *source)
{
    int order = strcmp(of->names[row], name);

    return order ? order : strcmp(of->sources[row], source);
}

static int
compare_rows(const void *a, const void *b, void *self)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    const rows_index *of = self;
    int order = compare_picture(of, x, of->names[y], of->sources[y]);

    return order ? order : (x > y) - (x < y);
}

static fsh_status
index_rows(rows_index *of, char *const *names, char *const *sources, uint64_t n, fsh_err *err)
{
    uint64_t i;

    *of = (rows_index){names, sources, n, malloc((n + 1) * sizeof *of->order)};
    if (!of->order)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    for (i = 0; i < n; i++)
        of->order[i] = i;
    qsort_r(of->order, n, sizeof *of->order, compare_rows, of);
    return FSH_OK;
}

/* The first of the rows of a picture in the order; *rows_n: how many it has. */
static uint64_t
find_rows(const rows_index *of, const fsh_seen_picture *picture, uint64_t *rows_n)
{
    uint64_t low = 0, high = of->n, end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (compare_picture(of, of->order[middle], picture->name, picture->source) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low;
         end < of->n && compare_picture(of, of->order[end], picture->name, picture->source) == 0;
         end++)
        ;
    *rows_n = end - low;
    return low;
}

typedef struct pictures_index {
    const fsh_embeddings *e;
    rows_index rows, rejected;
} pictures_index;

static fsh_status
index_pictures(pictures_index *of, const fsh_embeddings *e, fsh_err *err)
{
    fsh_status status = index_rows(&of->rows, e->names, e->sources, e->n, err);

    of->e = e;
    if (!status)
        status =
            index_rows(&of->rejected, e->rejected_names, e->rejected_sources, e->rejected_n, err);
    return status;
}

static void
index_fini(pictures_index *of)
{
    free(of->rows.order);
    free(of->rejected.order);
}

/* ---- what is new ---- */

static fsh_status
read_kept(keeping *k, fsh_err *err)
{
    const char *path = k->options->output;
    fsh_status status = FSH_OK;

    if (!fsh_file_exists(path))
        return FSH_OK;
    status = fsh_embeddings_read(path, &k->kept, err);
    if (status)
        return fsh_fail_within(err, FSH_USAGE,
                               "%s is there and is not a whole embeddings file: remove it", path);
    if (strcmp(k->kept.job_hash, k->job->hash) != 0)
        fsh_embeddings_fini(&k->kept);
    return fsh_seen_read(k->seen, &k->before, err);
}

/* A picture stays that has not changed and has a row, or one that says why it has none. What could
 * not be read then may be readable now, without a change of the file. *rows: how many it has. */
static bool
stays(const keeping *k, const pictures_index *kept, const fsh_seen_picture *picture, uint64_t *rows)
{
    uint64_t n, rejected_n, at;

    find_rows(&kept->rows, picture, &n);
    at = find_rows(&kept->rejected, picture, &rejected_n);
    *rows = n + rejected_n;
    if (rejected_n && k->kept.rejected_reasons[kept->rejected.order[at]] == FSH_REASON_UNREADABLE)
        return false;
    return *rows && fsh_seen_is_same(&k->before, picture);
}

static fsh_status
compare(keeping *k, fsh_err *err)
{
    uint64_t rows = 0, all = k->kept.n + k->kept.rejected_n, of_picture;
    pictures_index kept = {0};
    fsh_status status = index_pictures(&kept, &k->kept, err);
    size_t i;

    for (i = 0; i < k->now.n && !status; i++) {
        fsh_seen_picture *picture = &k->now.pictures[i];

        picture->fresh = !stays(k, &kept, picture, &of_picture);
        rows += of_picture;
        k->changed += picture->fresh;
    }
    k->gone = (size_t)(all - rows);
    index_fini(&kept);
    return status;
}

/* ---- embedding that ---- */

/* Folders above a picture. */
static fsh_status
make_folders(char path[FSH_PATH_BYTES], size_t from, fsh_err *err)
{
    fsh_status status = FSH_OK;
    char *slash;

    for (slash = strchr(path + from, '/'); slash && !status; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            status = fsh_fail_errno(err, errno, "%s: folder cannot be made", path);
        *slash = '/';
    }
    return status;
}

static fsh_status
link_file(const keeping *k, const char *folder, const char *source, fsh_err *err)
{
    char from[FSH_PATH_BYTES], to[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(from, k->job->input, source, err);

    if (!status)
        status = fsh_path_join(to, folder, source, err);
    if (!status)
        status = make_folders(to, strlen(folder) + 1, err);
    if (!status && symlink(from, to) != 0 && errno != EEXIST)
        status = fsh_fail_errno(err, errno, "%s: cannot be made", to);
    return status;
}

/* Whether a list in a folder of pictures says who is who. */
static bool
has_names(const keeping *k)
{
    char names[FSH_PATH_BYTES];

    return !fsh_path_join(names, k->job->input, FSH_PICTURE_NAMES, NULL) && fsh_file_exists(names);
}

/* A folder with links to the pictures that are new. */
static fsh_status
link_fresh(const keeping *k, const char *folder, fsh_err *err)
{
    fsh_status status = has_names(k) ? link_file(k, folder, FSH_PICTURE_NAMES, err) : FSH_OK;
    size_t i;

    for (i = 0; i < k->now.n && !status; i++)
        if (k->now.pictures[i].fresh)
            status = link_file(k, folder, k->now.pictures[i].source, err);
    return status;
}

static fsh_status
embed_links(keeping *k, const char *folder, fsh_err *err)
{
    fsh_embedded_options options = *k->options;
    char links[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(links, folder, "pictures", err);

    snprintf(options.format, sizeof options.format, "%s", k->job->format);
    if (snprintf(options.output, sizeof options.output, "%s/fresh.h5", folder) >=
        (int)sizeof options.output)
        status = fsh_fail(err, FSH_IO, "%s: path too long", folder);
    if (!status)
        status = fsh_folder_make(links, err);
    if (!status)
        status = link_fresh(k, links, err);
    return status ? status : fsh_embedded_get(links, &options, &k->fresh, err);
}

static fsh_status
embed_fresh(keeping *k, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status;

    if (!k->changed)
        return FSH_OK;
    status = fsh_folder_make_temporary(folder, err);
    if (status)
        return status;
    status = embed_links(k, folder, err);
    fsh_folder_remove(folder, NULL);
    return status;
}

/* ---- putting both together ---- */

static fsh_status
take(fsh_embeddings *out, const pictures_index *from, const fsh_seen_picture *picture, fsh_err *err)
{
    const fsh_embeddings *e = from->e;
    uint64_t n, at = find_rows(&from->rows, picture, &n);
    fsh_status status = FSH_OK;

    for (; n && !status; n--, at++) {
        uint64_t row = from->rows.order[at];

        status = fsh_embeddings_add(out, picture->name, picture->source,
                                    e->vectors + row * e->dimension, err);
    }
    for (at = find_rows(&from->rejected, picture, &n); n && !status; n--, at++) {
        uint64_t row = from->rejected.order[at];

        status = fsh_embeddings_reject(out, picture->name, picture->source,
                                       e->rejected_reasons[row], e->rejected_values[row], err);
    }
    return status;
}

static fsh_status
merge(const keeping *k, fsh_embeddings *out, fsh_err *err)
{
    pictures_index kept = {0}, fresh = {0};
    fsh_status status = index_pictures(&kept, &k->kept, err);
    size_t i;

    if (!status)
        status = index_pictures(&fresh, &k->fresh, err);
    for (i = 0; i < k->now.n && !status; i++)
        status = take(out, k->now.pictures[i].fresh ? &fresh : &kept, &k->now.pictures[i], err);
    index_fini(&kept);
    index_fini(&fresh);
    return status;
}

static fsh_status
bring_up_to_date(keeping *k, fsh_embeddings *out, fsh_err *err)
{
    const char *path = k->options->output;
    fsh_status status = embed_fresh(k, err);

    if (!status)
        status = fsh_embeddings_read_facts(path, out, err);
    if (!status)
        status = merge(k, out, err);
    if (!status && (k->changed || k->gone))
        status = fsh_embeddings_write(path, out, err);
    return status;
}

/* ---- all of it ---- */

/* Nothing of the file can be used: the job of all pictures, which goes on where it was broken off.
 */
static fsh_status
make_anew(const keeping *k, const char *input, fsh_embeddings *out, fsh_err *err)
{
    const char *path = k->options->output;

    if (k->kept.n + k->kept.rejected_n && unlink(path) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be removed", path);
    return fsh_embedded_get(input, k->options, out, err);
}

static void
tell(const keeping *k, const char *input)
{
    if (k->changed || k->gone)
        fprintf(
            stderr,
            "%s: %zu of %zu pictures are new, were replaced or could not be read before, %zu have "
            "gone: the gallery "
            "%s is brought up to date\n",
            input, k->changed, k->now.n, k->gone, k->options->output);
}

static fsh_status
keep(keeping *k, const char *input, fsh_embeddings *out, fsh_err *err)
{
    fsh_status status = fsh_seen_scan(k->job, &k->now, err);

    if (!status)
        status = read_kept(k, err);
    if (!status)
        status = compare(k, err);
    if (status)
        return status;
    if (k->changed == k->now.n) {
        status = make_anew(k, input, out, err);
    } else {
        tell(k, input);
        status = bring_up_to_date(k, out, err);
    }
    if (!status && (k->changed || k->gone))
        status = fsh_seen_write(k->seen, &k->now, err);
    return status;
}

fsh_status
fsh_gallery_keep(const char *input, const fsh_embedded_options *options, fsh_embeddings *out,
                 fsh_err *err)
{
    keeping k = {.options = options};
    fsh_job *job = NULL;
    fsh_status status = fsh_embed_job(input, options, options->output, &job, err);

    if (!status && !job->reader->in_place) {
        fsh_job_free(job);
        return fsh_embedded_get(input, options, out, err);
    }
    k.job = job;
    if (!status &&
        snprintf(k.seen, sizeof k.seen, "%s.seen", options->output) >= (int)sizeof k.seen)
        status = fsh_fail(err, FSH_USAGE, "%.80s...: path too long", options->output);
    if (!status)
        status = keep(&k, input, out, err);
    keeping_fini(&k);
    fsh_job_free(job);
    return status;
}
