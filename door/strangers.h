/* Unknown people, by number: the same unknown face is known again. Inside door/ only. */
#ifndef FSH_DOOR_STRANGERS_H
#define FSH_DOOR_STRANGERS_H

#include <stdint.h>

#include "base/status.h"

typedef struct fsh_strangers fsh_strangers;

fsh_status fsh_strangers_new(uint32_t dimension, fsh_strangers **strangers, fsh_err *err);
void fsh_strangers_free(fsh_strangers *strangers); /* NULL is fine */

/* The number of the nearest one whose distance to sum is under the threshold, or a new number. sum
 * is of embeddings; NULL: none is known, which is a new number that nobody is found by. Where there
 * are FSH_STRANGERS_MAX the one that was looked at longest ago is forgotten. */
uint32_t fsh_strangers_find(fsh_strangers *strangers, const float *sum, double threshold);

/* What was learned about one since. One that was forgotten stays so. */
void fsh_strangers_learn(fsh_strangers *strangers, uint32_t number, const float *sum);

/* It was somebody with a name: the number is given again if it was the last one. */
void fsh_strangers_drop(fsh_strangers *strangers, uint32_t number);

#endif
