/* The product of matrices in the middle of winograd.c and product.c. As many sums at a time as stay
 * in registers: with sixteen lanes 6 rows of 4 vectors, of 32 registers; with eight 6 of 2, of 16.
 */
#ifndef FSH_STAGES_INFERENCE_MULTIPLY_H
#define FSH_STAGES_INFERENCE_MULTIPLY_H

#include "stages/inference/lanes.h"

enum {
    FSH_ROWS = 6,
    FSH_VECTORS = FSH_LANES / 4,
    FSH_PANEL = FSH_VECTORS * FSH_LANES /* columns that are multiplied at once */
};

/* The vectors of the panel that begins at a column: fewer in the last one. */
FSH_INLINE size_t
fsh_panel_vectors(size_t columns, size_t first)
{
    size_t vectors = (columns - first + FSH_LANES - 1) / FSH_LANES;

    return vectors < FSH_VECTORS ? vectors : FSH_VECTORS;
}

/* Where weight of input, output lies: panel after panel, in each row after row. */
FSH_INLINE size_t
fsh_panel_at(size_t inputs, size_t outputs, size_t input, size_t output)
{
    size_t first = output / FSH_PANEL * FSH_PANEL;

    return first * inputs + input * fsh_panel_vectors(outputs, first) * FSH_LANES + output - first;
}

/* sums[rows][vectors] += rows of inputs x weights[inputs][vectors]. How many rows and vectors are
 * constants where this is called, so that the sums stay in registers. */
FSH_INLINE void
fsh_multiply(const float *const row[FSH_ROWS], const fsh_lanes *weights, size_t inputs,
             fsh_lanes sum[FSH_ROWS][FSH_VECTORS], const size_t rows, const size_t vectors)
{
    size_t k, r, v;

    for (k = 0; k < inputs; k++) {
#pragma GCC unroll 6
        for (r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (v = 0; v < vectors; v++)
                sum[r][v] += row[r][k] * weights[k * vectors + v];
    }
}

#endif
