/* What cleaning found, as one HTML file without anything from outside: a table of every kind of
 * finding with its pictures beside each other. */
#ifndef FSH_EVALUATE_CLEANING_REPORT_H
#define FSH_EVALUATE_CLEANING_REPORT_H

#include "evaluate/cleaning.h"
#include "evaluate/thumbs.h"

typedef struct fsh_cleaning_report {
    const char *title;            /* what was cleaned */
    fsh_thumbs *thumbs, *against; /* where the pictures are; NULL: the report shows none */
    uint32_t rows_most; /* of each table, the surest first; the page says how many there are */
} fsh_cleaning_report;

/* Appends the page; memory that was missing is told by fsh_text_ok. fsh_vision_init was called
 * before. */
void fsh_cleaning_write_report(const fsh_cleaning *of, const fsh_cleaning_report *report,
                               fsh_text *page);

#endif
