/* Writer `tar`: shards of WebDataset, faces-000000.tar and so on, in which a picture is KEY.png
 * with KEY.cls (its label) and KEY.json (name of the identity, source and more); the key is
 * IDENTITY/NAME. Identities without a picture are folders of the first one. The same pictures give
 * the same bytes: no times, no owners. */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "datasets/writer.h"

typedef struct tars {
    const fsh_writing *writing;
    struct archive *tar;
    struct archive_entry *entry;
    char path[FSH_PATH_BYTES]; /* of the one that is written */
    uint32_t files_n;
    uint64_t pictures_n; /* in it */
} tars;

static fsh_status
failed(const tars *to, fsh_err *err)
{
    int code = to->tar ? archive_errno(to->tar) : 0;

    if (code > 0)
        return fsh_fail_errno(err, code, "%s: cannot be written", to->path);
    return fsh_fail(err, FSH_IO, "%s: cannot be written: %s", to->path,
                    to->tar ? archive_error_string(to->tar) : "out of memory");
}

static fsh_status
write_member(tars *to, const char *path, mode_t kind, const void *data, size_t bytes, fsh_err *err)
{
    struct archive_entry *entry = archive_entry_clear(to->entry);

    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, kind);
    archive_entry_set_perm(entry, kind == AE_IFDIR ? 0755 : 0644);
    archive_entry_set_size(entry, (la_int64_t)bytes);
    archive_entry_set_mtime(entry, 0, 0);
    if (archive_write_header(to->tar, entry) < ARCHIVE_WARN ||
        archive_write_data(to->tar, data, bytes) != (la_ssize_t)bytes)
        return failed(to, err);
    return FSH_OK;
}

static fsh_status
end_file(tars *to, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (!to->tar)
        return FSH_OK;
    if (archive_write_close(to->tar) != ARCHIVE_OK)
        status = failed(to, err);
    archive_write_free(to->tar);
    to->tar = NULL;
    return status;
}

static fsh_status
begin_file(tars *to, fsh_err *err)
{
    if (snprintf(to->path, sizeof to->path, "%s/faces-%06u.tar", to->writing->folder,
                 to->files_n) >= (int)sizeof to->path)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", to->path);
    to->files_n++;
    to->pictures_n = 0;
    to->tar = archive_write_new();
    if (!to->tar || archive_write_set_format_gnutar(to->tar) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(to->tar, 1) != ARCHIVE_OK ||
        archive_write_open_filename(to->tar, to->path) != ARCHIVE_OK)
        return failed(to, err);
    return FSH_OK;
}

/* Folders, so that people without a picture keep their labels. */
static fsh_status
write_identities(tars *to, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;
    uint64_t i;

    for (i = 0; to->writing->identities && i < to->writing->identities_n && !status; i++) {
        snprintf(path, sizeof path, "%s/", to->writing->identities[i]);
        status = write_member(to, path, AE_IFDIR, "", 0, err);
    }
    return status;
}

static fsh_status
tars_close(void **self, bool keep, fsh_err *err)
{
    tars *to = *self;
    fsh_status status;

    (void)keep;
    if (!to)
        return FSH_OK;
    status = end_file(to, err);
    archive_entry_free(to->entry);
    free(to);
    *self = NULL;
    return status;
}

static fsh_status
tars_open(const fsh_writing *writing, void **self, fsh_err *err)
{
    tars *to = calloc(1, sizeof *to);
    fsh_status status;

    if (!to || !(to->entry = archive_entry_new())) {
        free(to);
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    }
    to->writing = writing;
    *self = to;
    status = begin_file(to, err);
    if (!status)
        status = write_identities(to, err);
    if (status)
        tars_close(self, false, NULL);
    return status;
}

static fsh_status
write_part(tars *to, const fsh_written *picture, const char *ending, const void *data, size_t bytes,
           fsh_err *err)
{
    char path[FSH_PATH_BYTES];

    if (snprintf(path, sizeof path, "%s/%s.%s", picture->identity, picture->name, ending) >=
        (int)sizeof path)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    return write_member(to, path, AE_IFREG, data, bytes, err);
}

static fsh_status
tars_put(void *self, const fsh_written *picture, fsh_err *err)
{
    tars *to = self;
    char class[32];
    fsh_status status = FSH_OK;

    if (to->writing->per_file && to->pictures_n == to->writing->per_file) {
        status = end_file(to, err);
        if (!status)
            status = begin_file(to, err);
    }
    to->pictures_n++;
    snprintf(class, sizeof class, "%" PRId64, picture->label);
    if (!status)
        status = write_part(to, picture, picture->ending, picture->data, picture->bytes, err);
    if (!status)
        status = write_part(to, picture, "cls", class, strlen(class), err);
    return status ? status
                  : write_part(to, picture, "json", picture->facts, strlen(picture->facts), err);
}

const fsh_writer fsh_writer_tar = {
    .format = "tar",
    .summary = "tar files as WebDataset reads them: KEY.png, KEY.cls, KEY.json",
    .keyed = true,
    .folded = true,
    .open = tars_open,
    .put = tars_put,
    .close = tars_close,
};
