#include "evaluate/people.h"

#include <stdlib.h>
#include <string.h>

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The person whose name is these bytes, or NONE. */
static uint32_t
find(const fsh_people *people, const char *name, size_t bytes)
{
    uint32_t low = 0, high = people->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strncmp(people->names[middle], name, bytes);

        if (order == 0 && people->names[middle][bytes] == '\0')
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return FSH_PEOPLE_NONE;
}

fsh_status
fsh_people_init(fsh_people *people, char *const *names, uint32_t rows_n, fsh_err *err)
{
    uint32_t i;

    *people = (fsh_people){.names = malloc((rows_n + 1ul) * sizeof *people->names),
                           .of_rows = malloc((rows_n + 1ul) * sizeof *people->of_rows)};
    if (!people->names || !people->of_rows) {
        fsh_people_fini(people);
        return fsh_fail(err, FSH_MEMORY, "out of memory for %u names", rows_n);
    }
    for (i = 0; i < rows_n; i++)
        people->names[i] = names[i];
    qsort(people->names, rows_n, sizeof *people->names, compare_names);
    for (i = 0; i < rows_n; i++)
        if (!people->n || strcmp(people->names[i], people->names[people->n - 1]) != 0)
            people->names[people->n++] = people->names[i];
    for (i = 0; i < rows_n; i++)
        people->of_rows[i] = find(people, names[i], strlen(names[i]));
    return FSH_OK;
}

void
fsh_people_fini(fsh_people *people)
{
    free(people->names);
    free(people->of_rows);
    *people = (fsh_people){0};
}

/* The length of a name without the _DIGITS at its end; the whole length where there are none. */
static size_t
stem_bytes(const char *name)
{
    size_t bytes = strlen(name), at = bytes;

    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    return at < bytes && at > 1 && name[at - 1] == '_' ? at - 1 : bytes;
}

uint32_t
fsh_people_find(const fsh_people *people, const char *name)
{
    uint32_t found = find(people, name, strlen(name));

    return found == FSH_PEOPLE_NONE ? find(people, name, stem_bytes(name)) : found;
}
