/* The distance that decides: squared Euclidean, of float32 vectors, summed up in double and in the
 * order of the components. So it is the same on every machine, and equal vectors have distance 0.
 */
#ifndef FSH_EVALUATE_DISTANCE_H
#define FSH_EVALUATE_DISTANCE_H

#include <stdint.h>

static inline double
fsh_distance_squared(const float *a, const float *b, uint32_t dimension)
{
    double sum = 0;
    uint32_t i;

    for (i = 0; i < dimension; i++) {
        double difference = (double)a[i] - (double)b[i];

        sum += difference * difference;
    }
    return sum;
}

#endif
