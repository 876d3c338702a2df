/* Writer `folders`: IDENTITY/NAME.png. Identities without a picture are empty folders. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "datasets/writer.h"

typedef struct folders {
    const fsh_writing *writing;
} folders;

static fsh_status
make_identity(const fsh_writing *writing, const char *identity, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, writing->folder, identity, err);

    return status ? status : fsh_folder_make(path, err);
}

static fsh_status
folders_open(const fsh_writing *writing, void **self, fsh_err *err)
{
    folders *to = calloc(1, sizeof *to);
    fsh_status status = FSH_OK;
    uint64_t i;

    if (!to)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    to->writing = writing;
    for (i = 0; writing->identities && i < writing->identities_n && !status; i++)
        status = make_identity(writing, writing->identities[i], err);
    if (status)
        free(to);
    else
        *self = to;
    return status;
}

static fsh_status
write_file(const char *path, const fsh_written *picture, fsh_err *err)
{
    FILE *file = fopen(path, "wxe");
    bool written = file && fwrite(picture->data, 1, picture->bytes, file) == picture->bytes;
    int code = errno;

    if (file && fclose(file) != 0) {
        code = errno;
        written = false;
    }
    return written ? FSH_OK : fsh_fail_errno(err, code, "%s: cannot be written", path);
}

static fsh_status
folders_put(void *self, const fsh_written *picture, fsh_err *err)
{
    const fsh_writing *writing = ((folders *)self)->writing;
    char path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;

    if (!writing->identities) /* otherwise they are all there */
        status = make_identity(writing, picture->identity, err);
    if (!status && snprintf(path, sizeof path, "%s/%s/%s.%s", writing->folder, picture->identity,
                            picture->name, picture->ending) >= (int)sizeof path)
        status = fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    return status ? status : write_file(path, picture, err);
}

static fsh_status
folders_close(void **self, bool keep, fsh_err *err)
{
    (void)keep;
    (void)err;
    free(*self);
    *self = NULL;
    return FSH_OK;
}

const fsh_writer fsh_writer_folders = {
    .format = "folders",
    .summary = "a folder per identity, a file per picture",
    .folded = true,
    .open = folders_open,
    .put = folders_put,
    .close = folders_close,
};
