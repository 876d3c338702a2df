#include <string.h>

#include "datasets/writer.h"

const fsh_writer *const fsh_writers[] = {&fsh_writer_folders, &fsh_writer_recordio, &fsh_writer_tar,
                                         NULL};

const fsh_writer *
fsh_writer_find(const char *format)
{
    int i;

    for (i = 0; fsh_writers[i]; i++)
        if (strcmp(fsh_writers[i]->format, format) == 0)
            return fsh_writers[i];
    return NULL;
}
