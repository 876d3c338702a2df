/* The front of a head as a grid of points in space, bent so that it passes through the landmarks of
 * one face: what a photograph is laid on to be seen from elsewhere.
 *
 *     fsh_surface *surface;
 *     fsh_surface_open(&surface);
 *     fsh_surface_bend(surface, &head, canvas->landmarks, &bent);
 *
 * The grid (head_surface.def) is the drawn head of datasets/people, warped to the mean face of
 * head.h. What landmarks are away from that mean moves what is around them. After opening it is
 * read-only, for any number of threads. */
#ifndef FSH_STAGES_SURFACE_H
#define FSH_STAGES_SURFACE_H

#include "stages/head.h"

enum {
    FSH_SURFACE_ROWS = 32, /* from the crown to under the chin */
    FSH_SURFACE_HALF = 17, /* points of a row from the middle line to behind the ear */
    FSH_SURFACE_COLUMNS = 2 * FSH_SURFACE_HALF - 1,
    FSH_SURFACE_N = FSH_SURFACE_ROWS * FSH_SURFACE_COLUMNS,
    FSH_SURFACE_JAW = 17
};

typedef struct fsh_surface fsh_surface;

/* Points of a row go from left to right; in the head's frame. */
typedef struct fsh_bent {
    fsh_vec3 points[FSH_SURFACE_N], normals[FSH_SURFACE_N];
    fsh_vec3 landmarks[FSH_LANDMARKS_N]; /* seen where they are in the picture, those of the jaw's
                                            far side about */
    fsh_point jaw[FSH_SURFACE_JAW];      /* where those of the jaw are in the picture */
    float belief[FSH_SURFACE_JAW];       /* how far each is a place of the head, 1, and not of its
                                            outline, 0 */
} fsh_bent;

/* Fails with MEMORY. Close accepts NULL. */
fsh_status fsh_surface_open(fsh_surface **surface);
void fsh_surface_close(fsh_surface *surface);

/* Bends it to the face that head was fitted to. */
void fsh_surface_bend(const fsh_surface *surface, const fsh_head *head,
                      const fsh_point landmarks[FSH_LANDMARKS_N], fsh_bent *bent);

/* The same place on the other side. */
static inline uint32_t
fsh_surface_mirror(uint32_t point)
{
    uint32_t column = point % FSH_SURFACE_COLUMNS;

    return point - column + FSH_SURFACE_COLUMNS - 1 - column;
}

#endif
