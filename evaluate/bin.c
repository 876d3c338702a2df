#include "evaluate/bin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "evaluate/bin_parts.h"

static const size_t file_bytes_max = 1 << 30;

enum { PICTURE_NAME_BYTES = 16 };

bool
fsh_bin_is(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".bin") == 0;
}

/* The list that stands at place i of a tuple, or NULL. */
static const fsh_bin_values *
list_of(const fsh_bin_machine *m, const fsh_bin_values *tuple, uint32_t i)
{
    return tuple->at[i].kind == FSH_BIN_LIST ? &m->lists[tuple->at[i].at] : NULL;
}

static fsh_status
take_pictures(const fsh_bin_machine *m, const fsh_bin_values *from, fsh_bin *set, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < from->n; i++) {
        if (from->at[i].kind != FSH_BIN_BYTES)
            return fsh_fail(err, FSH_FORMAT, "%s: picture %u is not bytes", m->name, i);
        set->pictures[i] = (fsh_bin_picture){m->data + from->at[i].at, from->at[i].n};
    }
    return FSH_OK;
}

static fsh_status
take_same(const fsh_bin_machine *m, const fsh_bin_values *from, fsh_bin *set, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < from->n; i++) {
        if (from->at[i].kind != FSH_BIN_TRUTH)
            return fsh_fail(err, FSH_FORMAT,
                            "%s: entry %u of the second list is neither true nor false", m->name,
                            i);
        set->same[i] = from->at[i].n == 1;
    }
    return FSH_OK;
}

static fsh_status
take_set(const fsh_bin_machine *m, const fsh_bin_value *result, fsh_bin *set, fsh_err *err)
{
    const fsh_bin_values *tuple = result->kind == FSH_BIN_TUPLE ? &m->lists[result->at] : NULL;
    const fsh_bin_values *pictures = tuple && tuple->n == 2 ? list_of(m, tuple, 0) : NULL;
    const fsh_bin_values *same = tuple && tuple->n == 2 ? list_of(m, tuple, 1) : NULL;
    fsh_status status;

    if (!pictures || !same)
        return fsh_fail(err, FSH_FORMAT,
                        "%s: is not a pair of lists, of pictures and of truth values", m->name);
    if (!same->n || pictures->n != 2 * (uint64_t)same->n)
        return fsh_fail(err, FSH_FORMAT, "%s: %u pictures for %u pairs: expected two a pair",
                        m->name, pictures->n, same->n);
    set->pairs_n = same->n;
    set->pictures = malloc(pictures->n * sizeof *set->pictures);
    set->same = malloc(same->n * sizeof *set->same);
    if (!set->pictures || !set->same)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", m->name);
    status = take_pictures(m, pictures, set, err);
    return status ? status : take_same(m, same, set, err);
}

fsh_status
fsh_bin_parse(const char *name, const uint8_t *data, size_t bytes, fsh_bin *out, fsh_err *err)
{
    fsh_bin_machine machine = {.name = name, .data = data, .bytes = bytes};
    fsh_bin_value result;
    fsh_bin set = {0};
    fsh_status status = fsh_bin_run(&machine, &result, err);

    if (!status)
        status = take_set(&machine, &result, &set, err);
    fsh_bin_machine_fini(&machine);
    if (status)
        fsh_bin_fini(&set);
    else
        *out = set;
    return status;
}

fsh_status
fsh_bin_read(const char *path, fsh_bin *set, fsh_err *err)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = fsh_file_read(path, file_bytes_max, &data, &bytes, err);

    if (!status)
        status = fsh_bin_parse(path, data, bytes, set, err);
    if (status)
        free(data);
    else
        set->file = data;
    return status;
}

void
fsh_bin_fini(fsh_bin *set)
{
    free(set->pictures);
    free(set->same);
    free(set->file);
    *set = (fsh_bin){0};
}

fsh_status
fsh_bin_pairs(const fsh_bin *set, fsh_pairs *out, fsh_err *err)
{
    uint32_t n = set->pairs_n, i;
    fsh_pairs pairs = {
        .n = n, .folds_n = n < FSH_PAIRS_FOLDS ? n : FSH_PAIRS_FOLDS, .pictures_n = 2 * n};

    pairs.at = malloc(n * sizeof *pairs.at);
    pairs.pictures = malloc(2 * (size_t)n * sizeof *pairs.pictures);
    pairs.memory = malloc(2 * (size_t)n * PICTURE_NAME_BYTES);
    if (!pairs.at || !pairs.pictures || !pairs.memory) {
        fsh_pairs_fini(&pairs);
        return fsh_fail(err, FSH_MEMORY, "out of memory for %u pairs", n);
    }
    for (i = 0; i < 2 * n; i++) {
        pairs.pictures[i] = pairs.memory + (size_t)i * PICTURE_NAME_BYTES;
        snprintf(pairs.pictures[i], PICTURE_NAME_BYTES, "%07u", i);
    }
    for (i = 0; i < n; i++)
        pairs.at[i] =
            (fsh_pair){2 * i, 2 * i + 1, fsh_pairs_fold(i, n, pairs.folds_n), i + 1, set->same[i]};
    *out = pairs;
    return FSH_OK;
}

static fsh_status
write_picture(const fsh_bin_picture *picture, const char *path, fsh_err *err)
{
    FILE *file = fopen(path, "wxe");
    size_t written;

    if (!file)
        return fsh_fail_errno(err, errno, "%s: cannot be made", path);
    written = fwrite(picture->data, 1, picture->bytes, file);
    if (fclose(file) != 0 || written != picture->bytes)
        return fsh_fail_errno(err, errno, "%s: cannot be written", path);
    return FSH_OK;
}

fsh_status
fsh_bin_unpack(const fsh_bin *set, const char *folder, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < 2 * set->pairs_n && !status; i++) {
        const fsh_bin_picture *picture = &set->pictures[i];
        bool png = picture->bytes > 4 && memcmp(picture->data, "\x89PNG", 4) == 0;
        char name[2 * PICTURE_NAME_BYTES + 8], below[FSH_PATH_BYTES], path[FSH_PATH_BYTES];

        snprintf(name, sizeof name, "%05u", i / FSH_BIN_FOLDER);
        status = fsh_path_join(below, folder, name, err);
        if (!status && i % FSH_BIN_FOLDER == 0)
            status = fsh_folder_make(below, err);
        snprintf(name, sizeof name, "%07u.%s", i, png ? "png" : "jpg");
        if (!status)
            status = fsh_path_join(path, below, name, err);
        if (!status)
            status = write_picture(picture, path, err);
    }
    return status;
}
