#include "door/strangers.h"

#include <math.h>
#include <stdlib.h>

#include "door/visits.h"

typedef struct stranger {
    uint32_t number; /* 0: the place is free */
    uint64_t looked; /* when, in looks */
} stranger;

struct fsh_strangers {
    uint32_t dimension, last;
    uint64_t looks;
    stranger at[FSH_STRANGERS_MAX];
    float *faces; /* of length 1, one a place */
};

fsh_status
fsh_strangers_new(uint32_t dimension, fsh_strangers **strangers, fsh_err *err)
{
    fsh_strangers *made = calloc(1, sizeof *made);

    if (made)
        made->faces = calloc((size_t)FSH_STRANGERS_MAX * dimension + 1, sizeof *made->faces);
    if (!made || !made->faces) {
        fsh_strangers_free(made);
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    }
    made->dimension = dimension;
    *strangers = made;
    return FSH_OK;
}

void
fsh_strangers_free(fsh_strangers *strangers)
{
    if (strangers)
        free(strangers->faces);
    free(strangers);
}

static float *
face_of(const fsh_strangers *strangers, uint32_t i)
{
    return strangers->faces + (size_t)i * strangers->dimension;
}

/* Scaled to length 1. */
static void
set_face(fsh_strangers *strangers, uint32_t i, const float *sum)
{
    float *face = face_of(strangers, i);
    double length = 0;
    uint32_t d;

    for (d = 0; d < strangers->dimension; d++)
        length += (double)sum[d] * sum[d];
    for (d = 0; d < strangers->dimension; d++)
        face[d] = length > 0 ? (float)(sum[d] / sqrt(length)) : 0;
    strangers->at[i].looked = ++strangers->looks;
}

static double
distance(const fsh_strangers *strangers, uint32_t i, const float *sum)
{
    const float *face = face_of(strangers, i);
    double product = 0, length = 0;
    uint32_t d;

    for (d = 0; d < strangers->dimension; d++) {
        product += (double)face[d] * sum[d];
        length += (double)sum[d] * sum[d];
    }
    return length > 0 ? sqrt(fmax(0, 2 - 2 * product / sqrt(length))) : INFINITY;
}

/* A free place, or that of the one looked at longest ago. */
static uint32_t
oldest(const fsh_strangers *strangers)
{
    uint32_t i, found = 0;

    for (i = 0; i < FSH_STRANGERS_MAX && strangers->at[found].number; i++)
        if (!strangers->at[i].number || strangers->at[i].looked < strangers->at[found].looked)
            found = i;
    return found;
}

uint32_t
fsh_strangers_find(fsh_strangers *strangers, const float *sum, double threshold)
{
    double best = threshold;
    uint32_t i, found = FSH_STRANGERS_MAX;

    for (i = 0; i < FSH_STRANGERS_MAX && sum; i++)
        if (strangers->at[i].number && distance(strangers, i, sum) < best) {
            best = distance(strangers, i, sum);
            found = i;
        }
    if (found < FSH_STRANGERS_MAX) {
        strangers->at[found].looked = ++strangers->looks;
        return strangers->at[found].number;
    }
    strangers->last++;
    if (sum) {
        found = oldest(strangers);
        strangers->at[found].number = strangers->last;
        set_face(strangers, found, sum);
    }
    return strangers->last;
}

static uint32_t
place_of(const fsh_strangers *strangers, uint32_t number)
{
    uint32_t i;

    for (i = 0; i < FSH_STRANGERS_MAX; i++)
        if (strangers->at[i].number == number)
            return i;
    return FSH_STRANGERS_MAX;
}

void
fsh_strangers_learn(fsh_strangers *strangers, uint32_t number, const float *sum)
{
    uint32_t i = place_of(strangers, number);

    if (i < FSH_STRANGERS_MAX && sum)
        set_face(strangers, i, sum);
}

void
fsh_strangers_drop(fsh_strangers *strangers, uint32_t number)
{
    uint32_t i = place_of(strangers, number);

    if (i < FSH_STRANGERS_MAX)
        strangers->at[i] = (stranger){0, 0};
    if (number == strangers->last)
        strangers->last--;
}
