#include "stages/surface.h"

#include <stdlib.h>
#include <string.h>

#include "stages/wide.h"

enum { HALF_N = FSH_SURFACE_ROWS * FSH_SURFACE_HALF, LANES = 4 };

/* Over how many mm a landmark moves what is around it, and how exactly the surface passes through
 * it. */
static const float reach = 60, slack = 0.02f;

/* Right half, tenths of a mm. */
static const int16_t half[FSH_SURFACE_ROWS][3 * FSH_SURFACE_HALF] = {
#define ROW(...) {__VA_ARGS__},
#include "stages/head_surface.def"
#undef ROW
};

struct fsh_surface {
    fsh_vec3 points[FSH_SURFACE_N];
    fsh_vec3 landmarks[FSH_LANDMARKS_N];          /* of the mean face */
    float follow[FSH_SURFACE_N][FSH_LANDMARKS_N]; /* how much each landmark moves each point */
};

static void
lay_out(fsh_surface *surface)
{
    fsh_head mean = {.scale = 1, .wide = 1};
    int row, column;

    for (row = 0; row < FSH_SURFACE_ROWS; row++)
        for (column = 0; column < FSH_SURFACE_COLUMNS; column++) {
            int from = abs(column - FSH_SURFACE_HALF + 1);
            const int16_t *at = half[row] + 3 * from;
            float side = column < FSH_SURFACE_HALF - 1 ? -0.1f : 0.1f;

            surface->points[row * FSH_SURFACE_COLUMNS + column] =
                (fsh_vec3){side * at[0], 0.1f * at[1], 0.1f * at[2]};
        }
    fsh_head_shape(&mean);
    memcpy(surface->landmarks, mean.points, sizeof surface->landmarks);
}

static double
kernel(fsh_vec3 a, fsh_vec3 b)
{
    fsh_vec3 d = fsh_vec3_sub(a, b);

    return exp(-sqrt((double)fsh_vec3_dot(d, d)) / (double)reach);
}

typedef double square[FSH_LANDMARKS_N][FSH_LANDMARKS_N];

/* The inverse of a positive matrix, by Gauss-Jordan in place. */
static void
invert(square m)
{
    int i, j, k;

    for (k = 0; k < FSH_LANDMARKS_N; k++) {
        double pivot = 1 / m[k][k];

        m[k][k] = 1;
        for (j = 0; j < FSH_LANDMARKS_N; j++)
            m[k][j] *= pivot;
        for (i = 0; i < FSH_LANDMARKS_N; i++) {
            double share = m[i][k];

            if (i == k)
                continue;
            m[i][k] = 0;
            for (j = 0; j < FSH_LANDMARKS_N; j++)
                m[i][j] -= share * m[k][j];
        }
    }
}

/* Radial basis functions: points move as the landmarks around them do, and those far from all not
 * at all. */
static void
weigh(fsh_surface *surface, square between)
{
    const fsh_vec3 *marks = surface->landmarks;
    int i, j, k;

    for (i = 0; i < FSH_LANDMARKS_N; i++)
        for (j = 0; j < FSH_LANDMARKS_N; j++)
            between[i][j] = kernel(marks[i], marks[j]) + (i == j ? (double)slack : 0);
    invert(between);
    for (k = 0; k < FSH_SURFACE_N; k++) {
        double near[FSH_LANDMARKS_N];

        for (j = 0; j < FSH_LANDMARKS_N; j++)
            near[j] = kernel(surface->points[k], marks[j]);
        for (i = 0; i < FSH_LANDMARKS_N; i++) {
            double sum = 0;

            for (j = 0; j < FSH_LANDMARKS_N; j++)
                sum += near[j] * between[j][i];
            surface->follow[k][i] = (float)sum;
        }
    }
}

fsh_status
fsh_surface_open(fsh_surface **surface)
{
    fsh_surface *made = malloc(sizeof *made);
    square *between = malloc(sizeof *between);

    if (made && between) {
        lay_out(made);
        weigh(made, *between);
        *surface = made;
    } else {
        free(made);
    }
    free(between);
    return made && between ? FSH_OK : FSH_MEMORY;
}

void
fsh_surface_close(fsh_surface *surface)
{
    free(surface);
}

/* ---- one face ---- */

/* How far a landmark is believed to be a place of the head and not of its outline. */
static float
belief(int landmark, float yaw)
{
    float far = fsh_clampf((fabsf(yaw) - 4) / 10, 0, 1);

    if (landmark > 16 || (landmark > 6 && landmark < 10))
        return 1;
    return (landmark < 8) == (yaw < 0) ? 1 - far : 1;
}

/* Where the landmarks are: as deep as the fit has them, and seen where they are in the picture. */
static void
place_landmarks(const fsh_head *head, const fsh_point *landmarks, fsh_vec3 *placed)
{
    int i;

    for (i = 0; i < FSH_LANDMARKS_N; i++) {
        fsh_point seen = fsh_head_see(head, head->points[i]);
        float share = belief(i, head->yaw) / head->scale;
        float x = share * (landmarks[i].x - seen.x) / head->wide;
        float y = share * (landmarks[i].y - seen.y) * head->wide;

        placed[i] =
            fsh_vec3_add(head->points[i], (fsh_vec3){head->turn[0][0] * x + head->turn[1][0] * y,
                                                     head->turn[0][1] * x + head->turn[1][1] * y,
                                                     head->turn[0][2] * x + head->turn[1][2] * y});
    }
}

WIDE static void
move_points(const fsh_surface *surface, const float by[3][FSH_LANDMARKS_N], fsh_vec3 *points)
{
    int k, i, lane;

    for (k = 0; k < FSH_SURFACE_N; k++) {
        const float *follow = surface->follow[k];
        float x[LANES] = {0}, y[LANES] = {0}, z[LANES] = {0};

        for (i = 0; i < FSH_LANDMARKS_N; i += LANES)
            for (lane = 0; lane < LANES; lane++) {
                x[lane] += follow[i + lane] * by[0][i + lane];
                y[lane] += follow[i + lane] * by[1][i + lane];
                z[lane] += follow[i + lane] * by[2][i + lane];
            }
        points[k].x = surface->points[k].x + (x[0] + x[1]) + (x[2] + x[3]);
        points[k].y = surface->points[k].y + (y[0] + y[1]) + (y[2] + y[3]);
        points[k].z = surface->points[k].z + (z[0] + z[1]) + (z[2] + z[3]);
    }
}

/* Outwards: rows go down, columns to the right. */
static void
set_normals(fsh_bent *bent)
{
    int row, column;

    for (row = 0; row < FSH_SURFACE_ROWS; row++)
        for (column = 0; column < FSH_SURFACE_COLUMNS; column++) {
            const fsh_vec3 *line = bent->points + row * FSH_SURFACE_COLUMNS;
            int up = row > 0 ? FSH_SURFACE_COLUMNS : 0,
                down = row < FSH_SURFACE_ROWS - 1 ? FSH_SURFACE_COLUMNS : 0;
            int left = column > 0, right = column < FSH_SURFACE_COLUMNS - 1;
            fsh_vec3 across = fsh_vec3_sub(line[column + right], line[column - left]);
            fsh_vec3 along = fsh_vec3_sub(line[column + down], line[column - up]);

            bent->normals[row * FSH_SURFACE_COLUMNS + column] =
                fsh_vec3_unit(fsh_vec3_cross(across, along));
        }
}

void
fsh_surface_bend(const fsh_surface *surface, const fsh_head *head,
                 const fsh_point landmarks[FSH_LANDMARKS_N], fsh_bent *bent)
{
    float by[3][FSH_LANDMARKS_N];
    int i;

    place_landmarks(head, landmarks, bent->landmarks);
    for (i = 0; i < FSH_SURFACE_JAW; i++) {
        bent->jaw[i] = landmarks[i];
        bent->belief[i] = belief(i, head->yaw);
    }
    for (i = 0; i < FSH_LANDMARKS_N; i++) {
        fsh_vec3 d = fsh_vec3_sub(bent->landmarks[i], surface->landmarks[i]);

        by[0][i] = d.x;
        by[1][i] = d.y;
        by[2][i] = d.z;
    }
    move_points(surface, by, bent->points);
    set_normals(bent);
}
