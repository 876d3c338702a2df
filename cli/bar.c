#include "cli/bar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Columns that text takes: its characters, not its bytes. */
static uint32_t
columns_of(const char *text)
{
    uint32_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* A bar of `cells` characters in steps of an eighth. */
static void
add_cells(double done, uint32_t cells, fsh_text *out)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    uint32_t filled = (uint32_t)(done * cells * 8), i;

    for (i = 0; i < cells; i++)
        fsh_text_add(out, filled >= 8 * (i + 1) ? "█" : filled > 8 * i ? eighths[filled - 8 * i] : " ");
}

/* What stands behind the bar, most important first. */
static void
add_part(const fsh_bar *bar, int part, fsh_text *out)
{
    if (part == 0)
        fsh_text_addf(out, " %llu/%llu", (unsigned long long)bar->samples, (unsigned long long)bar->samples_n);
    else if (part == 1 && bar->rate > 0)
        fsh_text_addf(out, "  %.*f/s", bar->rate < 10 ? 1 : 0, bar->rate);
    else if (part == 2 && bar->left_s >= 0) {
        fsh_text_add(out, "  ETA ");
        fsh_text_add_time(out, bar->left_s);
    } else if (part == 3 && !bar->pictures)
        fsh_text_addf(out, "  rejected %llu", (unsigned long long)bar->rejected);
    else if (part == 4 && !bar->pictures)
        fsh_text_addf(out, "  workers %u", bar->workers);
}

void
fsh_bar_line(const fsh_bar *bar, uint32_t columns, fsh_text *out)
{
    enum { CELLS_LEAST = 10, CELLS_MOST = 40 };
    double done = bar->done < 0 ? 0 : bar->done > 1 ? 1 : bar->done;
    fsh_text behind = {0}, part = {0};
    uint32_t used = 4; /* "100%" */
    uint32_t before = bar->text ? columns_of(bar->text) + 2 : 0;
    int i;

    if (bar->text)
        fsh_text_addf(out, "%s  ", bar->text);
    columns -= before < columns ? before : columns;
    for (i = 0; i < 5; i++) {
        fsh_text_clear(&part);
        add_part(bar, i, &part);
        if (used + columns_of(fsh_text_get(&part)) > columns)
            break;
        used += columns_of(fsh_text_get(&part));
        fsh_text_add(&behind, fsh_text_get(&part));
    }
    fsh_text_addf(out, bar->text ? "%.0f%%" : "%3.0f%%", floor(done * 100));
    if (columns >= used + CELLS_LEAST + 3) {
        uint32_t cells = columns - used - 3;

        fsh_text_add(out, " ▕");
        add_cells(done, cells < CELLS_MOST ? cells : CELLS_MOST, out);
        fsh_text_add(out, "▏");
    }
    fsh_text_add(out, fsh_text_get(&behind));
    fsh_text_fini(&behind);
    fsh_text_fini(&part);
}
