#include <string.h>

#include "base/text.h"
#include "datasets/reader.h"
#include "datasets/readers.h"

const fsh_reader *const fsh_readers[] = {
    &fsh_reader_folders,  &fsh_reader_pictures,   &fsh_reader_list, &fsh_reader_shards,
    &fsh_reader_recordio, &fsh_reader_mscelebtsv, &fsh_reader_tar,  NULL};

const fsh_reader *
fsh_reader_find(const char *format)
{
    int i;

    for (i = 0; fsh_readers[i]; i++)
        if (strcmp(fsh_readers[i]->format, format) == 0)
            return fsh_readers[i];
    return NULL;
}

/* Appends "folders: a folder per identity...", a line each. */
static void
list_readers(fsh_text *out)
{
    int i;

    for (i = 0; fsh_readers[i]; i++)
        fsh_text_addf(out, "\n  %-10s %s", fsh_readers[i]->format, fsh_readers[i]->summary);
}

static fsh_status
not_detected(const char *input, const char *what, fsh_err *err)
{
    fsh_text list = {0};

    list_readers(&list);
    fsh_fail(err, FSH_USAGE, "%s: %s; say which with --format:%s", input, what,
             fsh_text_get(&list));
    fsh_text_fini(&list);
    return FSH_USAGE;
}

fsh_status
fsh_reader_detect(const char *input, const fsh_reader **reader, fsh_err *err)
{
    const fsh_reader *found = NULL;
    int i;

    if (!fsh_file_exists(input))
        return fsh_fail(err, FSH_IO, "%s: there is no such file or folder", input);
    for (i = 0; fsh_readers[i]; i++) {
        if (!fsh_readers[i]->fits(input))
            continue;
        if (found)
            return not_detected(input, "looks like several kinds of input", err);
        found = fsh_readers[i];
    }
    if (!found)
        return not_detected(input, "looks like no kind of input that is read", err);
    *reader = found;
    return FSH_OK;
}

fsh_status
fsh_reader_source(const fsh_reader *reader, const char *identity, const char *sample,
                  char path[FSH_PATH_BYTES], fsh_err *err)
{
    return reader->source ? reader->source(identity, sample, path, err)
                          : fsh_path_join(path, identity, sample, err);
}
