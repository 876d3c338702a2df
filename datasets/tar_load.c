/* Loading of the reader `tar`: a member by its place, if it is still the one that was found. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/pictures.h"
#include "datasets/places.h"
#include "datasets/tars.h"

/* Whether a member's path is that of a sample: its name, behind the identity or without it. The
 * number of one that comes again is no part of the path. */
static bool
is_member(const char *path, const char *identity, const char *sample, size_t n)
{
    size_t path_n = strlen(path), i = strlen(identity);

    if (path_n > i && strncmp(path, identity, i) == 0 && path[i] == '/') {
        path += i + 1;
        path_n -= i + 1;
    }
    return path_n <= n && memcmp(path, sample, path_n) == 0 &&
           (path_n == n || (sample[path_n] == ' ' && n - path_n == 7));
}

static fsh_status
read_data(struct archive *tar, struct archive_entry *entry, uint8_t **data, size_t *bytes,
          fsh_reason *reason, fsh_err *err)
{
    int64_t size = archive_entry_size(entry);
    la_ssize_t n;

    *reason = archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)
                  ? FSH_REASON_NOT_A_FILE
              : size > FSH_PICTURE_BYTES_MAX ? FSH_REASON_TOO_LARGE
              : size <= 0                    ? FSH_REASON_EMPTY
                                             : FSH_REASON_NONE;
    if (*reason)
        return FSH_OK;
    if (!(*data = malloc((size_t)size)))
        return fsh_fail(err, FSH_MEMORY, "out of memory for a picture");
    n = archive_read_data(tar, *data, (size_t)size);
    if (n == size) {
        *bytes = (size_t)size;
        return FSH_OK;
    }
    free(*data);
    *data = NULL;
    *reason = FSH_REASON_CORRUPT;
    return FSH_OK;
}

static fsh_status
load_member(const char *path, uint64_t at, const char *identity, const char *sample, size_t n,
            uint8_t **data, size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    struct archive_entry *entry;
    struct archive *tar;
    const char *there = NULL;
    int file, code;
    fsh_status status = fsh_tar_open(path, at, &tar, &file, err);

    *reason = status == FSH_FORMAT ? FSH_REASON_CORRUPT : FSH_REASON_NONE;
    if (status)
        return status == FSH_FORMAT ? FSH_OK : status;
    code = archive_read_next_header(tar, &entry);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN)
        there = fsh_tar_path(entry);
    if (!there)
        *reason = FSH_REASON_CORRUPT;
    else if (strcmp(identity, FSH_UNLABELLED) == 0)
        *reason = FSH_REASON_NO_LABEL;
    else if (!is_member(there, identity, sample, n))
        *reason = FSH_REASON_CHANGED;
    else
        status = read_data(tar, entry, data, bytes, reason, err);
    fsh_tar_close(&tar, file);
    return status;
}

fsh_status
fsh_tar_load(const char *input, const char *identity, const char *sample, uint8_t **data,
             size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_place_name place;
    fsh_status status = fsh_place_parse(sample, &place, err);

    if (!status)
        status = fsh_tars_path(input, place.more, path, err);
    return status ? status
                  : load_member(path, place.at, identity, sample, place.bytes, data, bytes, reason,
                                err);
}
