/* Cloth in space, as it is seen: a grid of vertices that each know their place in the picture and
 * in a template. What looks away from us is left out, and what is nearer is drawn over what is
 * further. */
#ifndef FSH_STAGES_MESH_H
#define FSH_STAGES_MESH_H

#include <stdbool.h>

#include "stages/layer.h"

enum { FSH_MESH_COLUMNS = 17, FSH_MESH_ROWS = 15 };

typedef struct fsh_mesh_vertex {
    fsh_point at;   /* px of the picture */
    fsh_point from; /* px of the template's file */
    float gain[3];  /* what colours are multiplied with */
} fsh_mesh_vertex;

typedef struct fsh_mesh {
    fsh_mesh_vertex vertices[FSH_MESH_ROWS][FSH_MESH_COLUMNS];
    bool left_is_near; /* columns are drawn from the far side to the near one */
    float saturation;  /* as of fsh_light */
} fsh_mesh;

/* Draws the template along the mesh over what is there, and smooths the edges where it turns out of
 * sight. blur is in halvings, as of fsh_layer_draw. */
void fsh_layer_mesh(fsh_layer *layer, const fsh_template *template, const fsh_mesh *mesh,
                    float blur);

#endif
