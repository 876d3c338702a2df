#include "coordinator/pace.h"

#include <stdlib.h>
#include <string.h>

void
fsh_pace_note(fsh_pace *pace, uint64_t unit_ms)
{
    pace->last_ms[pace->n++ % FSH_PACE_MAX] = unit_ms;
}

static int
compare(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

    return (one > two) - (one < two);
}

uint64_t
fsh_pace_median_ms(const fsh_pace *pace)
{
    uint64_t sorted[FSH_PACE_MAX];
    uint32_t n = pace->n < FSH_PACE_MAX ? pace->n : FSH_PACE_MAX;

    if (n == 0)
        return 0;
    memcpy(sorted, pace->last_ms, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    return sorted[n / 2];
}
