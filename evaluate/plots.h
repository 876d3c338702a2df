/* Pictures of a verification as SVG files that need nothing else: no fonts, scripts or style
 * sheets. */
#ifndef FSH_EVALUATE_PLOTS_H
#define FSH_EVALUATE_PLOTS_H

#include "base/text.h"
#include "evaluate/verification.h"

/* Appends the ROC curve: FAR on a logarithmic axis, down to what the number of pairs can tell; TAR
 * on an axis that begins below the curve. */
void fsh_plot_roc(const fsh_verification *v, fsh_text *svg);

/* Appends the two histograms of distances, each as shares of its own kind, with the threshold. */
void fsh_plot_histogram(const fsh_verification *v, fsh_text *svg);

/* Writes FOLDER/roc.svg and FOLDER/histogram.svg; makes the folder. */
fsh_status fsh_plots_write(const fsh_verification *v, const char *folder, fsh_err *err);

#endif
