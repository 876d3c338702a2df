/* How long units take: the median of the last ones. Pure. */
#ifndef FSH_COORDINATOR_PACE_H
#define FSH_COORDINATOR_PACE_H

#include <stdint.h>

enum { FSH_PACE_MAX = 63 }; /* units that are remembered */

typedef struct fsh_pace {
    uint64_t last_ms[FSH_PACE_MAX]; /* in no order */
    uint32_t n;                     /* units in all */
} fsh_pace;

void fsh_pace_note(fsh_pace *pace, uint64_t unit_ms);

/* 0: no unit was noted. */
uint64_t fsh_pace_median_ms(const fsh_pace *pace);

#endif
