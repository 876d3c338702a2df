/* The line of progress on a terminal. Pure: what is known goes in, a line of at most `columns` comes out. */
#ifndef FSH_CLI_BAR_H
#define FSH_CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

typedef struct fsh_bar {
    double done;         /* share, 0 to 1 */
    uint64_t samples, samples_n;
    uint64_t rejected;
    double rate;         /* samples a second; 0 while unknown */
    double elapsed_s, left_s; /* left_s < 0 while unknown */
    uint32_t workers;
    bool pictures;       /* of a generator or a single step, which has neither rejected ones nor workers */
    const char *text;    /* in front of the bar: which step; NULL: none */
} fsh_bar;

/* Appends the line, without a line feed. What does not fit is left out from the right, the bar first. */
void fsh_bar_line(const fsh_bar *bar, uint32_t columns, fsh_text *out);

#endif
