#include "stages/warp.h"

#include <math.h>
#include <string.h>

enum { ROWS_MAX = FSH_WARP_POINTS_MAX + 3, COLUMNS_MAX = ROWS_MAX + 2 };

/* Bookstein's kernel r^2 log r^2, which is 0 at 0. */
static float
kernel(float dx, float dy)
{
    float square = dx * dx + dy * dy;

    return square > 0 ? square * logf(square) : 0;
}

static void
swap_rows(double *a, double *b)
{
    double kept[COLUMNS_MAX];

    memcpy(kept, a, sizeof kept);
    memcpy(a, b, sizeof kept);
    memcpy(b, kept, sizeof kept);
}

/* Gauss-Jordan elimination with row pivots; the right sides stand in the columns from rows on. */
static fsh_status
solve(double matrix[ROWS_MAX][COLUMNS_MAX], uint32_t rows)
{
    uint32_t pivot, i, j;

    for (pivot = 0; pivot < rows; pivot++) {
        uint32_t best = pivot;

        for (i = pivot + 1; i < rows; i++)
            if (fabs(matrix[i][pivot]) > fabs(matrix[best][pivot]))
                best = i;
        if (!(fabs(matrix[best][pivot]) > 1e-9))
            return FSH_FORMAT;
        if (best != pivot)
            swap_rows(matrix[pivot], matrix[best]);
        for (i = 0; i < rows; i++) {
            double share = matrix[i][pivot] / matrix[pivot][pivot];

            for (j = pivot; j < rows + 2 && i != pivot; j++)
                matrix[i][j] -= share * matrix[pivot][j];
        }
    }
    return FSH_OK;
}

fsh_status
fsh_warp_fit(const fsh_point *from, const fsh_point *to, uint32_t n, fsh_warp *warp)
{
    double matrix[ROWS_MAX][COLUMNS_MAX] = {{0}};
    uint32_t i, j;

    for (i = 0; i < n; i++) {
        const double flat[3] = {1, from[i].x, from[i].y};

        for (j = 0; j < n; j++)
            matrix[i][j] = kernel(from[i].x - from[j].x, from[i].y - from[j].y);
        for (j = 0; j < 3; j++)
            matrix[i][n + j] = matrix[n + j][i] = flat[j];
        matrix[i][n + 3] = to[i].x;
        matrix[i][n + 4] = to[i].y;
    }
    if (solve(matrix, n + 3))
        return FSH_FORMAT;
    warp->n = n;
    memcpy(warp->centres, from, n * sizeof *from);
    for (i = 0; i < n + 3; i++)
        for (j = 0; j < 2; j++)
            *(i < n ? &warp->bend[i][j] : &warp->flat[i - n][j]) =
                (float)(matrix[i][n + 3 + j] / matrix[i][i]);
    return FSH_OK;
}

void
fsh_warp_between_boxes(const fsh_box *from, const fsh_box *to, fsh_warp *warp)
{
    fsh_affine map = fsh_affine_from_box(from, to->width, to->height);
    int i, j;

    memset(warp, 0, sizeof *warp);
    for (i = 0; i < 3; i++)
        for (j = 0; j < 2; j++)
            warp->flat[i][j] = (float)map.m[3 * j + (i + 2) % 3];
    warp->flat[0][0] += (float)to->x;
    warp->flat[0][1] += (float)to->y;
}

fsh_point
fsh_warp_apply(const fsh_warp *warp, fsh_point point)
{
    fsh_point out = {warp->flat[0][0] + warp->flat[1][0] * point.x + warp->flat[2][0] * point.y,
                     warp->flat[0][1] + warp->flat[1][1] * point.x + warp->flat[2][1] * point.y};
    uint32_t i;

    for (i = 0; i < warp->n; i++) {
        float bend = kernel(point.x - warp->centres[i].x, point.y - warp->centres[i].y);

        out.x += warp->bend[i][0] * bend;
        out.y += warp->bend[i][1] * bend;
    }
    return out;
}
