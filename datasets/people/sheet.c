#include "datasets/people/sheet.h"

/* The column before or behind, at an open end the same. */
static uint32_t
next_column(const fsh_sheet *sheet, uint32_t column, bool back)
{
    if (back)
        return column ? column - 1 : sheet->closed ? sheet->columns - 1 : 0;
    return column + 1 < sheet->columns ? column + 1 : sheet->closed ? 0 : column;
}

void
fsh_sheet_normals(const fsh_sheet *sheet)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            const fsh_vertex *up = fsh_sheet_at(sheet, row ? row - 1 : 0, column);
            const fsh_vertex *down = fsh_sheet_at(sheet, row + 1 < sheet->rows ? row + 1 : row, column);
            const fsh_vertex *left = fsh_sheet_at(sheet, row, next_column(sheet, column, true));
            const fsh_vertex *right = fsh_sheet_at(sheet, row, next_column(sheet, column, false));
            fsh_vec3 across = fsh_vec3_sub(right->place, left->place), along = fsh_vec3_sub(up->place, down->place);

            fsh_sheet_at(sheet, row, column)->normal = fsh_vec3_unit(fsh_vec3_cross(across, along));
        }
}
