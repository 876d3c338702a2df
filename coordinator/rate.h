/* How often somebody may do something: so many at once, and so many a second after that. Pure. */
#ifndef FSH_COORDINATOR_RATE_H
#define FSH_COORDINATOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fsh_rate_limit {
    uint32_t at_once, per_second;
} fsh_rate_limit;

/* Zeroed: nothing was done yet. */
typedef struct fsh_rate {
    uint64_t used, since_ms; /* used: in thousandths, at since_ms */
} fsh_rate;

/* True, and counted, where one more may be done now. */
static inline bool
fsh_rate_take(fsh_rate *rate, const fsh_rate_limit *limit, uint64_t now_ms)
{
    uint64_t passed = (now_ms - rate->since_ms) * limit->per_second;

    rate->used = rate->used > passed ? rate->used - passed : 0;
    rate->since_ms = now_ms;
    if (rate->used + 1000 > (uint64_t)limit->at_once * 1000)
        return false;
    rate->used += 1000;
    return true;
}

#endif
