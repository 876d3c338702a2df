#include <string.h>

#include "datasets/reader.h"
#include "datasets/readers.h"

const fsh_reader *const fsh_readers[] = {&fsh_reader_folders, NULL};

const fsh_reader *
fsh_reader_find(const char *format)
{
    int i;

    for (i = 0; fsh_readers[i]; i++)
        if (strcmp(fsh_readers[i]->format, format) == 0)
            return fsh_readers[i];
    return NULL;
}
