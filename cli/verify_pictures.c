#include "cli/verify_pictures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const endings[] = {"jpg",  "png", "jpeg", "JPG", "PNG",
                                      "JPEG", "bmp", "webp", "tif", "tiff"};

/* What an interrupted call has left is made again; a folder that none has left is somebody's. */
static fsh_status
make_beside(const char *keep, char folder[FSH_PATH_BYTES], fsh_err *err)
{
    char work[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;

    if (snprintf(path, sizeof path, "%s.pictures", keep) >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", keep);
    snprintf(work, sizeof work, "%s.work", keep);
    if (fsh_file_exists(path) && !fsh_file_exists(work))
        return fsh_fail(err, FSH_USAGE, "%s is in the way: remove it, or keep embeddings elsewhere",
                        path);
    status = fsh_folder_remove(path, err);
    if (!status)
        status = fsh_folder_make(path, err);
    if (!status)
        strcpy(folder, path);
    return status;
}

static fsh_status
make_folder(const char *keep, char folder[FSH_PATH_BYTES], fsh_err *err)
{
    folder[0] = '\0';
    return keep[0] ? make_beside(keep, folder, err) : fsh_folder_make_temporary(folder, err);
}

/* Finds a picture below images by its name without ending; returns its ending, or NULL. A link to
 * nothing is there: the job says what is wrong with it. */
static const char *
find_file(const char *images, const char *picture, char path[FSH_PATH_BYTES])
{
    struct stat info;
    size_t i;

    for (i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        int bytes = snprintf(path, FSH_PATH_BYTES, "%s/%s.%s", images, picture, endings[i]);

        if (bytes < FSH_PATH_BYTES && lstat(path, &info) == 0)
            return endings[i];
    }
    return NULL;
}

static fsh_status
link_picture(const char *folder, const char *picture, const char *ending, const char *file,
             fsh_err *err)
{
    char path[FSH_PATH_BYTES], *slash;
    int bytes = snprintf(path, sizeof path, "%s/%s.%s", folder, picture, ending);
    fsh_status status;

    if (bytes >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.200s...: path too long", path);
    slash = strrchr(path, '/');
    *slash = '\0';
    status = fsh_folder_make(path, err);
    *slash = '/';
    if (!status && symlink(file, path) != 0)
        status = fsh_fail_errno(err, errno, "%s: link cannot be made", path);
    return status;
}

static fsh_status
link_all(const fsh_pairs *pairs, const char *images, const char *folder, uint32_t *found,
         fsh_err *err)
{
    char file[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < pairs->pictures_n && !status; i++) {
        const char *picture = pairs->pictures[i], *slash = strrchr(picture, '/');
        const char *ending = find_file(images, picture, file);

        if (!ending && slash)
            ending = find_file(images, slash + 1, file);
        if (!ending)
            continue;
        status = link_picture(folder, picture, ending, file, err);
        ++*found;
    }
    return status;
}

fsh_status
fsh_verify_link_pictures(const fsh_pairs *pairs, const char *images, const char *keep,
                         char folder[FSH_PATH_BYTES], fsh_err *err)
{
    char *whole = realpath(images, NULL);
    uint32_t found = 0;
    fsh_status status;

    folder[0] = '\0';
    if (!whole)
        return fsh_fail_errno(err, errno, "%s: no such folder of pictures", images);
    status = make_folder(keep, folder, err);
    if (!status)
        status = link_all(pairs, whole, folder, &found, err);
    if (!status && !found)
        status = fsh_fail(err, FSH_IO,
                          "%s: holds none of the %u pictures of the pairs, neither %s.jpg nor .png",
                          images, pairs->pictures_n, pairs->pictures[0]);
    free(whole);
    return status;
}

fsh_status
fsh_verify_unpack_pictures(const fsh_bin *set, const char *keep, char folder[FSH_PATH_BYTES],
                           fsh_err *err)
{
    fsh_status status = make_folder(keep, folder, err);

    return status ? status : fsh_bin_unpack(set, folder, err);
}
