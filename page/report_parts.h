/* The sections of the report; report.c puts them together. Each appends a <section>, or nothing
 * where there is nothing to tell. */
#ifndef FSH_PAGE_REPORT_PARTS_H
#define FSH_PAGE_REPORT_PARTS_H

#include "base/listener.h"
#include "evaluate/thumbs.h"
#include "page/findings.h"
#include "page/view.h"

typedef struct fsh_report_sheet {
    fsh_view view;
    fsh_job *job;
    fsh_findings found;
    fsh_thumbs *stored;      /* pictures of index.h5; NULL: it has none */
    fsh_thumbs *photographs; /* of the input; NULL where it is no folder */
    double threshold;        /* of `clean`; NaN: none */
    const fsh_listener *steps;
    uint64_t pictures, pictures_of; /* made so far, and how many there will be */
} fsh_report_sheet;

/* How many pictures all sections will show. */
uint64_t fsh_report_pictures(const fsh_report_sheet *of);

void fsh_report_numbers(fsh_report_sheet *of, fsh_text *page);
void fsh_report_rejected(fsh_report_sheet *of, fsh_text *page);
void fsh_report_cleaned(fsh_report_sheet *of, fsh_text *page);
void fsh_report_classes(fsh_report_sheet *of, fsh_text *page);
void fsh_report_variants(fsh_report_sheet *of, fsh_text *page);
void fsh_report_times(fsh_report_sheet *of, fsh_text *page);
void fsh_report_origin(fsh_report_sheet *of, fsh_text *page);

extern const char fsh_report_head[]; /* report_head.html, made into a C file by the build */
extern const size_t fsh_report_head_bytes;

#endif
