/* Drawings of the report, as SVG and tables. Pure. */
#ifndef FSH_PAGE_CHARTS_H
#define FSH_PAGE_CHARTS_H

#include "base/text.h"
#include "page/findings.h"

/* Mean distances of photographs that stay and of those that `clean` took out, and the threshold
 * (NaN: not one). False, and nothing appended: no distance was computed. */
bool fsh_chart_distances(const fsh_findings *found, double threshold, fsh_text *page);

/* How many people have so many photographs, before and after. */
void fsh_chart_classes(const fsh_findings *found, fsh_text *page);

/* A bar of a table's cell: share of the width, and a class of the style. */
void fsh_chart_bar(double share, const char *colour, fsh_text *page);

#endif
