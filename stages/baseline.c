/* Histograms of oriented gradients (Dalal and Triggs, "Histograms of oriented gradients for human
 * detection", CVPR 2005) of the logarithm of light, which makes them blind to how bright the light
 * is, averaged with those of the mirrored face, which makes them nearly blind to where it comes
 * from and to which way the head is turned a little. Cells that overlap, a root against single
 * strong edges. */
#include "stages/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = FSH_BASELINE_SIDE,
    CELLS = 8, /* in a row and in a column */
    CELL = 11, /* px */
    LEFT = 12,
    TOP = 20,       /* of the first cell: brows to chin of the aligned face, without background */
    DIRECTIONS = 16 /* over the full circle */
};

_Static_assert(CELLS / 2 * CELLS * DIRECTIONS == FSH_BASELINE_DIMENSION,
               "half of a symmetric grid");
_Static_assert(LEFT * 2 + CELLS * CELL == SIDE, "the grid is its own mirror image");

struct fsh_baseline {
    float light[256];          /* logarithm of each brightness */
    float weight[CELLS][SIDE]; /* share of a column that goes to a column of cells */
    float face[SIDE * SIDE], smooth[SIDE * SIDE];
    float cells[CELLS][CELLS][DIRECTIONS]; /* row, column, direction */
};

/* A cell weighs its middle with 1 and falls off to 0 three quarters of a cell away. */
static float
tent(float distance)
{
    return fmaxf(0, 1 - fabsf(distance) / (0.75f * CELL));
}

static float
cell_middle(int first, int cell)
{
    return (float)first + ((float)cell + 0.5f) * CELL - 0.5f;
}

fsh_status
fsh_baseline_new(fsh_baseline **baseline, fsh_err *err)
{
    fsh_baseline *made = calloc(1, sizeof *made);
    int i, x;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "no memory for the built-in embedder");
    for (i = 0; i < 256; i++)
        made->light[i] = logf((float)i + 8); /* 8: sensor noise in the dark is no edge */
    for (i = 0; i < CELLS; i++)
        for (x = 0; x < SIDE; x++)
            made->weight[i][x] = tent((float)x - cell_middle(LEFT, i));
    *baseline = made;
    return FSH_OK;
}

void
fsh_baseline_free(fsh_baseline *baseline)
{
    free(baseline);
}

/* Light by ITU-R BT.601, then a blur of 1 2 1 in both directions. */
static void
prepare(fsh_baseline *b, const fsh_image *image)
{
    int x, y, i;

    for (i = 0; i < SIDE * SIDE; i++) {
        const uint8_t *p = image->data + 3 * i;

        b->face[i] = b->light[(p[0] * 77 + p[1] * 150 + p[2] * 29 + 128) >> 8];
    }
    for (y = 1; y < SIDE - 1; y++)
        for (x = 0; x < SIDE; x++) {
            const float *at = &b->face[y * SIDE + x];

            b->smooth[y * SIDE + x] = (at[-SIDE] + 2 * at[0] + at[SIDE]) / 4;
        }
    for (y = 1; y < SIDE - 1; y++)
        for (x = 1; x < SIDE - 1; x++) {
            const float *at = &b->smooth[y * SIDE + x];

            b->face[y * SIDE + x] = (at[-1] + 2 * at[0] + at[1]) / 4;
        }
}

/* Shares one gradient out to the two nearest directions of the cells that it lies in. */
static void
add_gradient(fsh_baseline *b, int x, int y, float gx, float gy)
{
    float turn = atan2f(gy, gx) * (float)(DIRECTIONS / (2 * 3.14159265358979));
    float length = hypotf(gx, gy), below = floorf(turn), share = turn - below;
    int low = ((int)below + DIRECTIONS) % DIRECTIONS, high = (low + 1) % DIRECTIONS;
    int row, column;

    for (row = 0; row < CELLS; row++) {
        float weight = length * tent((float)y - cell_middle(TOP, row));

        for (column = 0; weight > 0 && column < CELLS; column++) {
            float *cell = b->cells[row][column], part = weight * b->weight[column][x];

            cell[low] += part * (1 - share);
            cell[high] += part * share;
        }
    }
}

static void
add_gradients(fsh_baseline *b)
{
    int x, y;

    memset(b->cells, 0, sizeof b->cells);
    for (y = 2; y < SIDE - 2; y++)
        for (x = 2; x < SIDE - 2; x++) {
            const float *at = &b->face[y * SIDE + x];

            add_gradient(b, x, y, at[1] - at[-1], at[SIDE] - at[-SIDE]);
        }
}

static float
length_of(const float cell[DIRECTIONS])
{
    float sum = 0;
    int i;

    for (i = 0; i < DIRECTIONS; i++)
        sum += cell[i] * cell[i];
    return sqrtf(sum);
}

/* Each cell to length one (flat ones stay small against the face's mean), capped, rooted. */
static void
normalise_cells(fsh_baseline *b)
{
    float mean = 0;
    int i, k;

    for (i = 0; i < CELLS * CELLS; i++)
        mean += length_of(b->cells[i / CELLS][i % CELLS]) / (CELLS * CELLS);
    for (i = 0; i < CELLS * CELLS; i++) {
        float *cell = b->cells[i / CELLS][i % CELLS];
        float length = length_of(cell) + 0.02f * mean + 1e-9f;

        for (k = 0; k < DIRECTIONS; k++)
            cell[k] = sqrtf(fminf(cell[k] / length, 0.4f));
    }
}

void
fsh_baseline_run(fsh_baseline *baseline, const fsh_image *face, float *out)
{
    int row, column, k;

    prepare(baseline, face);
    add_gradients(baseline);
    normalise_cells(baseline);
    /* In the mirror a direction of angle a stands at 180 degrees - a. */
    for (row = 0; row < CELLS; row++)
        for (column = 0; column < CELLS / 2; column++)
            for (k = 0; k < DIRECTIONS; k++)
                *out++ = baseline->cells[row][column][k] +
                         baseline->cells[row][CELLS - 1 - column]
                                        [(DIRECTIONS / 2 - k + DIRECTIONS) % DIRECTIONS];
}
