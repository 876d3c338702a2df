/* Prints the average drawn head: sheet, row, column, x, y, z of each vertex, for derive.py and
 * surface.py. */
#include <stdio.h>
#include <string.h>

#include "datasets/people/figure.h"

static fsh_person
average(void)
{
    fsh_person person;

    memset(&person, 0, sizeof person);
#define TRAIT(name, low, high, text) person.name = (low + high) / 2;
#include "datasets/people/traits.def"
#undef TRAIT
    person.hair_style = FSH_HAIR_BALD;
    return person;
}

int
main(void)
{
    static const int parts[] = {FSH_PART_HEAD, FSH_PART_EAR_RIGHT, FSH_PART_NECK};
    fsh_person person = average();
    fsh_moment moment = {.open = -1};
    fsh_figure figure = {0};
    uint32_t k, row, column;

    if (fsh_figure_build(&figure, &person, &moment))
        return 1;
    for (k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        const fsh_sheet *sheet = &figure.parts[parts[k]];

        for (row = 0; row < sheet->rows; row++)
            for (column = 0; column < sheet->columns; column++) {
                fsh_vec3 at = fsh_sheet_at(sheet, row, column)->place;

                printf("%u %u %u %.4f %.4f %.4f\n", k, row, column, (double)at.x, (double)at.y,
                       (double)at.z);
            }
    }
    fsh_figure_fini(&figure);
    return 0;
}
