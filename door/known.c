#include "door/known.h"

#include <math.h>
#include <stdlib.h>

#include "evaluate/closest.h"
#include "evaluate/people.h"

struct fsh_known {
    fsh_people people;
    fsh_closest *closest;
};

fsh_status
fsh_known_new(const fsh_embeddings *e, fsh_known **known, fsh_err *err)
{
    fsh_known *made = calloc(1, sizeof *made);
    fsh_status status = made ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    if (!status && e->n >= FSH_NOBODY)
        status = fsh_fail(err, FSH_USAGE, "a gallery has at most 4,294,967,294 rows");
    if (!status)
        status = fsh_people_init(&made->people, e->names, (uint32_t)e->n, err);
    if (!status) {
        const fsh_search_gallery gallery = {e->vectors, made->people.of_rows, (uint32_t)e->n,
                                            made->people.n, e->dimension};

        status = fsh_closest_new(&gallery, &made->closest, err);
    }
    if (status)
        fsh_known_free(made);
    else
        *known = made;
    return status;
}

void
fsh_known_free(fsh_known *known)
{
    if (!known)
        return;
    fsh_closest_free(known->closest);
    fsh_people_fini(&known->people);
    free(known);
}

uint32_t
fsh_known_people(const fsh_known *known)
{
    return known->people.n;
}

const char *
fsh_known_name(const fsh_known *known, uint32_t person)
{
    return known->people.names[person];
}

fsh_status
fsh_known_find(fsh_known *known, const float *const *faces, uint32_t n, fsh_known_hit *hits,
               fsh_err *err)
{
    fsh_search_hit *found = malloc((n + 1ul) * sizeof *found);
    uint32_t i;

    if (!found)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_closest_find(known->closest, faces, n, found);
    for (i = 0; i < n; i++)
        hits[i] = found[i].group == FSH_SEARCH_NONE
                      ? (fsh_known_hit){FSH_NOBODY, INFINITY}
                      : (fsh_known_hit){found[i].group, found[i].distance};
    free(found);
    return FSH_OK;
}
