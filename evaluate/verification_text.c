/* What a verification found, as a table and as JSON. */
#include <math.h>
#include <string.h>

#include "evaluate/numbers.h"
#include "evaluate/verification.h"

enum { SKIPPED_SHOWN = 5 };

static void
print_skipped(const fsh_verification *v, fsh_text *out)
{
    uint32_t i;

    for (i = 0; i < v->skipped_n && i < SKIPPED_SHOWN; i++) {
        fsh_text_addf(out, "    %-16s ", v->skipped[i].reason);
        fsh_text_add_visible(out, v->skipped[i].picture);
        fsh_text_addf(out, " (line %u)\n", v->pairs->at[v->skipped[i].pair].line);
    }
    if (i < v->skipped_n)
        fsh_text_addf(out, "    ... and %u more: --json FILE lists all\n", v->skipped_n - i);
}

static void
print_accuracy(const fsh_verification *v, fsh_text *out)
{
    const fsh_accuracy *a = &v->accuracy;
    uint32_t i;

    if (!a->folds_n) {
        fsh_text_add(out, "accuracy                  -  no fold has pairs that others could choose "
                          "a threshold for\n");
        return;
    }
    fsh_text_addf(out, "accuracy      %11.2f %%  ", 100 * a->mean);
    if (a->folds_n > 1)
        fsh_text_addf(out, "standard error %.2f %%, standard deviation %.2f %% over %u folds\n",
                      100 * a->standard_error, 100 * a->std, a->folds_n);
    else
        fsh_text_add(out, a->held_out ? "of the one fold that has pairs\n"
                                      : "threshold chosen on the same pairs: there is one fold\n");
    fsh_text_add(out, "    by fold   ");
    for (i = 0; i < v->pairs->folds_n; i++)
        if (!isnan(v->folds[i].accuracy))
            fsh_text_addf(out, " %.2f", 100 * v->folds[i].accuracy);
    fsh_text_addf(out, "\nthreshold     %13.4f  %s", a->threshold, fsh_metric_text(v->metric));
    if (v->metric == FSH_METRIC_SQUARED)
        fsh_text_addf(out, "; %.4f as L2, which `identify` takes", sqrt(a->threshold));
    fsh_text_add(out, "\n");
}

static void
print_rates(const fsh_verification *v, fsh_text *out)
{
    const fsh_roc *roc = &v->roc;
    uint32_t i;

    fsh_text_addf(out, "AUC           %13.6f\nEER           %11.2f %%\n", roc->auc, 100 * roc->eer);
    for (i = 0; i < FSH_TAR_N; i++)
        fsh_text_addf(out, "TAR at FAR %s %10.2f %%%s\n", fsh_far_names[i], 100 * roc->tar_at[i],
                      roc->resolved[i]
                          ? ""
                          : "  too few pairs of two people for this FAR: here none is accepted");
    if (!isnan(v->accuracy.val))
        fsh_text_addf(
            out, "VAL at 1e-3   %11.2f %%  standard deviation %.2f %%; FAR on the folds %.3f %%\n",
            100 * v->accuracy.val, 100 * v->accuracy.val_std, 100 * v->accuracy.far);
}

void
fsh_verification_print(const fsh_verification *v, fsh_text *out)
{
    fsh_text_addf(out, "pairs         %13u  %u of one person and %u of two compared\n", v->pairs->n,
                  v->roc.same_n, v->roc.other_n);
    fsh_text_addf(out, "skipped       %13u\n", v->skipped_n);
    print_skipped(v, out);
    print_accuracy(v, out);
    print_rates(v, out);
}

static void
add_rates(const fsh_verification *v, fsh_text *out)
{
    const char *separator = "";
    uint32_t i;

    fsh_json_field("auc", v->roc.auc, ",\n  ", out);
    fsh_json_field("eer", v->roc.eer, ",\n  \"tar_at_far\": {", out);
    for (i = 0; i < FSH_TAR_N; i++)
        fsh_json_field(fsh_far_names[i], v->roc.tar_at[i], i + 1 < FSH_TAR_N ? ", " : "},\n", out);
    fsh_text_add(out, "  \"far_unresolved\": [");
    for (i = 0; i < FSH_TAR_N; i++)
        if (!v->roc.resolved[i]) {
            fsh_text_addf(out, "%s\"%s\"", separator, fsh_far_names[i]);
            separator = ", ";
        }
    fsh_text_add(out, "],\n  \"val_at_far_1e-3\": {");
    fsh_json_field("mean", v->accuracy.val, ", ", out);
    fsh_json_field("std", v->accuracy.val_std, ", ", out);
    fsh_json_field("far", v->accuracy.far, "},\n", out);
}

static void
add_folds(const fsh_verification *v, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "  \"folds\": [\n");
    for (i = 0; i < v->pairs->folds_n; i++) {
        fsh_text_addf(out, "    {\"pairs\": %u, ", v->folds[i].pairs);
        fsh_json_field("accuracy", v->folds[i].accuracy, ", ", out);
        fsh_json_field("threshold", v->folds[i].threshold, ", ", out);
        fsh_json_field("val", v->folds[i].val, ", ", out);
        fsh_json_field("far", v->folds[i].far, ", ", out);
        fsh_json_field("val_threshold", v->folds[i].val_threshold,
                       i + 1 < v->pairs->folds_n ? "},\n" : "}\n", out);
    }
    fsh_text_add(out, "  ],\n");
}

static void
add_skipped(const fsh_verification *v, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "  \"skipped_pairs\": [");
    for (i = 0; i < v->skipped_n; i++) {
        const fsh_pair *pair = &v->pairs->at[v->skipped[i].pair];

        fsh_text_addf(out, "%s\n    {\"line\": %u, \"fold\": %u, \"first\": ", i ? "," : "",
                      pair->line, pair->fold);
        fsh_text_add_json(out, v->pairs->pictures[pair->first]);
        fsh_text_add(out, ", \"second\": ");
        fsh_text_add_json(out, v->pairs->pictures[pair->second]);
        fsh_text_add(out, ", \"picture\": ");
        fsh_text_add_json(out, v->skipped[i].picture);
        fsh_text_addf(out, ", \"reason\": \"%s\"}", v->skipped[i].reason);
    }
    fsh_text_add(out, v->skipped_n ? "\n  ]\n" : "]\n");
}

void
fsh_verification_print_json(const fsh_verification *v, fsh_text *out)
{
    const fsh_accuracy *a = &v->accuracy;
    double squared = v->metric == FSH_METRIC_SQUARED ? a->threshold : a->threshold * a->threshold;

    fsh_text_addf(out, "{\n  \"pairs\": %u,\n  \"skipped\": %u,\n  ", v->pairs->n, v->skipped_n);
    fsh_text_addf(out, "\"compared\": {\"same\": %u, \"other\": %u},\n  ", v->roc.same_n,
                  v->roc.other_n);
    fsh_text_addf(out, "\"metric\": \"%s\",\n  ", v->metric == FSH_METRIC_L2 ? "l2" : "squared");
    fsh_json_field("accuracy", a->mean, ",\n  ", out);
    fsh_json_field("standard_error", a->standard_error, ",\n  ", out);
    fsh_json_field("std", a->std, ",\n  ", out);
    fsh_text_addf(out, "\"held_out\": %s,\n  ", a->held_out ? "true" : "false");
    fsh_json_field("threshold", a->threshold, ",\n  ", out);
    fsh_json_field("threshold_l2", sqrt(squared), ",\n  ", out);
    add_rates(v, out);
    add_folds(v, out);
    add_skipped(v, out);
    fsh_text_add(out, "}\n");
}
