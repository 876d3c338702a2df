#include "datasets/record_files.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool
ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), e = strlen(ending);

    return n > e && strcmp(name + n - e, ending) == 0;
}

/* The names in a folder that end in .rec: how many, and one of them. train.rec goes before others.
 */
static unsigned
find_records(const char *folder, char name[FSH_PATH_BYTES])
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    unsigned n = 0;
    bool train = false;

    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || !ends_in(entry->d_name, ".rec"))
            continue;
        n++;
        if (!train)
            snprintf(name, FSH_PATH_BYTES, "%s", entry->d_name);
        train = train || strcmp(entry->d_name, "train.rec") == 0;
    }
    if (dir)
        closedir(dir);
    return train ? 1 : n;
}

static bool
is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

fsh_status
fsh_record_find(const char *input, char path[FSH_PATH_BYTES], fsh_err *err)
{
    char name[FSH_PATH_BYTES];
    unsigned n;

    if (!is_folder(input)) {
        n = (unsigned)strlen(input);
        if (n >= FSH_PATH_BYTES)
            return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", input);
        strcpy(path, input);
        if (ends_in(input, ".idx")) /* the other of the two was named */
            strcpy(path + n - 4, ".rec");
        return FSH_OK;
    }
    n = find_records(input, name);
    if (n != 1)
        return fsh_fail(err, FSH_USAGE,
                        "%s: holds %u files that end in .rec and none that is called train.rec: "
                        "name the .rec itself as the input",
                        input, n);
    return fsh_path_join(path, input, name, err);
}

fsh_status
fsh_record_files_find(const char *input, fsh_record_files *f, fsh_err *err)
{
    fsh_status status = fsh_record_find(input, f->record, err);
    size_t n = strlen(f->record), stem = ends_in(f->record, ".rec") ? n - 4 : n;
    int folder = (int)(fsh_path_name(f->record) - f->record);

    if (status)
        return status;
    if (n + 16 >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", f->record);
    snprintf(f->index, sizeof f->index, "%.*s.idx", (int)stem, f->record);
    snprintf(f->property, sizeof f->property, "%.*sproperty", folder, f->record);
    snprintf(f->identities, sizeof f->identities, "%.*sidentities.tsv", folder, f->record);
    return FSH_OK;
}

bool
fsh_record_named(const char *input)
{
    char name[FSH_PATH_BYTES];

    return is_folder(input) ? find_records(input, name) > 0
                            : ends_in(input, ".rec") || ends_in(input, ".idx");
}
