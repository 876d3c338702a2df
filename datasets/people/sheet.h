/* Grids of vertices, which all parts of a figure are made of. */
#ifndef FSH_DATASETS_PEOPLE_SHEET_H
#define FSH_DATASETS_PEOPLE_SHEET_H

#include <stdbool.h>

#include "datasets/people/vec.h"

#define FSH_SHEET_PI 3.14159265f

typedef struct fsh_vertex {
    fsh_vec3 rest;   /* where it is in a neutral face: what paint goes by */
    fsh_vec3 place;  /* where it is now, the head not yet turned */
    fsh_vec3 normal; /* of length 1, outwards */
} fsh_vertex;

/* rows x columns vertices, row after row. */
typedef struct fsh_sheet {
    uint32_t rows, columns;
    bool closed; /* the last column is joined to the first */
    fsh_vertex *at;
} fsh_sheet;

static inline fsh_vertex *
fsh_sheet_at(const fsh_sheet *sheet, uint32_t row, uint32_t column)
{
    return &sheet->at[row * sheet->columns + column];
}

/* Fills the normals, from the neighbours of each vertex; at the ends of a sheet from those on one side. */
void fsh_sheet_normals(const fsh_sheet *sheet);

#endif
