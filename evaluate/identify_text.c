/* What an identification found, as a table and as JSON. */
#include <math.h>

#include "evaluate/identify.h"
#include "evaluate/numbers.h"

static double
share(uint64_t part, uint64_t of)
{
    return of ? (double)part / (double)of : NAN;
}

static uint64_t
rank_n(const fsh_identification *of, uint32_t rank)
{
    return of->cmc[rank - 1];
}

/* Rejected pictures by reason, in the order of reasons. */
static void
count_rejected(const fsh_embeddings *e, uint64_t counts[FSH_REASON_N])
{
    uint64_t i;

    for (i = 0; i < FSH_REASON_N; i++)
        counts[i] = 0;
    for (i = 0; i < e->rejected_n; i++)
        counts[e->rejected_reasons[i]]++;
}

static void
print_rejected(const fsh_embeddings *e, const char *what, fsh_text *out)
{
    uint64_t counts[FSH_REASON_N];
    uint32_t i;

    if (!e->rejected_n)
        return;
    count_rejected(e, counts);
    fsh_text_addf(out, "              %13llu  pictures of the %s could not be embedded:",
                  (unsigned long long)e->rejected_n, what);
    for (i = 0; i < FSH_REASON_N; i++)
        if (counts[i])
            fsh_text_addf(out, " %s %llu", fsh_reason_code((fsh_reason)i),
                          (unsigned long long)counts[i]);
    fsh_text_add(out, "\n");
}

static void
print_counts(const fsh_identification *of, const fsh_identify_counts *counts, const char *mark,
             fsh_text *out)
{
    fsh_text_addf(out, "%10.4f  %9llu  %9llu  %9llu  %8.2f %%%s\n", counts->threshold,
                  (unsigned long long)counts->correct, (unsigned long long)counts->incorrect,
                  (unsigned long long)counts->unknown, 100 * share(counts->correct, of->probes->n),
                  mark);
}

static void
print_dir(const fsh_identification *of, fsh_text *out)
{
    uint32_t i;

    for (i = 0; i < FSH_DIR_N && !isnan(of->dir[i].dir); i++) {
        fsh_text_addf(out, "DIR at FAR %s %10.2f %%  ", fsh_dir_names[i], 100 * of->dir[i].dir);
        if (isinf(of->dir[i].threshold))
            fsh_text_add(out, "every threshold does\n");
        else
            fsh_text_addf(out, "threshold %.4f%s\n", of->dir[i].threshold,
                          of->dir[i].resolved
                              ? ""
                              : "; too few outside people for this FAR: here none passes");
    }
}

static void
print_mistakes(const fsh_identification *of, uint32_t mistakes_n, fsh_text *out)
{
    uint64_t i;

    for (i = 0; i < mistakes_n && i < of->mistakes_n; i++) {
        const fsh_outcome *outcome = &of->outcomes[of->mistakes[i]];

        fsh_text_addf(out, "%s    %.4f  ",
                      i ? ""
                        : "nearest mistakes: distance, probe, taken for (distance to who it is)\n",
                      outcome->distance);
        fsh_text_add_visible(out, of->probes->sources[of->mistakes[i]]);
        fsh_text_add(out, "  ");
        fsh_text_add_visible(out, of->people.names[outcome->nearest]);
        if (outcome->person == FSH_PEOPLE_NONE)
            fsh_text_add(out, "  (not in the gallery)\n");
        else
            fsh_text_addf(out, "  (%.4f)\n", outcome->own_distance);
    }
}

void
fsh_identify_print(const fsh_identification *of, uint32_t mistakes_n, fsh_text *out)
{
    uint32_t i;

    fsh_text_addf(out, "gallery       %13llu  pictures of %u people\n",
                  (unsigned long long)of->gallery->n, of->people.n);
    print_rejected(of->gallery, "gallery", out);
    fsh_text_addf(out, "probes        %13llu  %llu of people in the gallery, %llu of others\n",
                  (unsigned long long)of->probes->n, (unsigned long long)of->inside_n,
                  (unsigned long long)of->outside_n);
    print_rejected(of->probes, "probes", out);
    fsh_text_add(out, " threshold    correct  incorrect    unknown  accuracy (correct / probes)\n");
    for (i = 0; i < of->thresholds_n; i++)
        print_counts(of, &of->thresholds[i], "", out);
    print_counts(of, &of->best,
                 of->outside_n ? "  best: most correct or rightly unknown"
                               : "  best: the lowest with the most correct",
                 out);
    if (of->inside_n)
        fsh_text_addf(
            out, "rank 1        %11.2f %%\nrank 5        %11.2f %%\nrank 20       %11.2f %%\n",
            100 * share(rank_n(of, 1), of->inside_n), 100 * share(rank_n(of, 5), of->inside_n),
            100 * share(rank_n(of, 20), of->inside_n));
    print_dir(of, out);
    print_mistakes(of, mistakes_n, out);
}

static void
add_counts(const fsh_identification *of, const fsh_identify_counts *counts, fsh_text *out)
{
    fsh_json_field("threshold", counts->threshold, ", ", out);
    fsh_text_addf(
        out,
        "\"correct\": %llu, \"incorrect\": %llu, \"unknown\": %llu, \"outside_accepted\": %llu, ",
        (unsigned long long)counts->correct, (unsigned long long)counts->incorrect,
        (unsigned long long)counts->unknown, (unsigned long long)counts->outside_accepted);
    fsh_json_field("accuracy", share(counts->correct, of->probes->n), ", ", out);
    fsh_json_field("accuracy_with_rejected",
                   share(counts->correct, of->probes->n + of->probes->rejected_n), "}", out);
}

static void
add_thresholds(const fsh_identification *of, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "  \"thresholds\": [\n");
    for (i = 0; i < of->thresholds_n; i++) {
        fsh_text_add(out, "    {");
        add_counts(of, &of->thresholds[i], out);
        fsh_text_add(out, i + 1 < of->thresholds_n ? ",\n" : "\n");
    }
    fsh_text_add(out, "  ],\n  \"best\": {");
    add_counts(of, &of->best, out);
    fsh_text_add(out, ",\n");
}

static void
add_ranks(const fsh_identification *of, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "  ");
    fsh_json_field("rank1", share(rank_n(of, 1), of->inside_n), ",\n  ", out);
    fsh_json_field("rank5", share(rank_n(of, 5), of->inside_n), ",\n  \"cmc\": [", out);
    for (i = 0; i < FSH_IDENTIFY_RANKS; i++) {
        fsh_json_number(share(of->cmc[i], of->inside_n), out);
        fsh_text_add(out, i + 1 < FSH_IDENTIFY_RANKS ? ", " : "],\n");
    }
}

static void
add_dir(const fsh_identification *of, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "  \"dir_at_far\": {");
    for (i = 0; i < FSH_DIR_N; i++) {
        fsh_text_addf(out, "\"%s\": {", fsh_dir_names[i]);
        fsh_json_field("dir", of->dir[i].dir, ", ", out);
        fsh_json_field("threshold", of->dir[i].threshold, ", ", out);
        fsh_text_addf(out, "\"resolved\": %s}%s", of->dir[i].resolved ? "true" : "false",
                      i + 1 < FSH_DIR_N ? ", " : "},\n");
    }
}

static void
add_rejected(const fsh_embeddings *e, const char *name, fsh_text *out)
{
    uint64_t i;

    fsh_text_addf(out, "  \"%s\": [", name);
    for (i = 0; i < e->rejected_n; i++) {
        fsh_text_addf(out, "%s\n    {\"name\": ", i ? "," : "");
        fsh_text_add_json(out, e->rejected_names[i]);
        fsh_text_add(out, ", \"source\": ");
        fsh_text_add_json(out, e->rejected_sources[i]);
        fsh_text_addf(out, ", \"reason\": \"%s\"}", fsh_reason_code(e->rejected_reasons[i]));
    }
    fsh_text_add(out, e->rejected_n ? "\n  ],\n" : "],\n");
}

static void
add_mistakes(const fsh_identification *of, uint32_t mistakes_n, fsh_text *out)
{
    uint64_t i;

    fsh_text_addf(out, "  \"mistakes_n\": %llu,\n  \"mistakes\": [",
                  (unsigned long long)of->mistakes_n);
    for (i = 0; i < mistakes_n && i < of->mistakes_n; i++) {
        uint32_t probe = of->mistakes[i];
        const fsh_outcome *outcome = &of->outcomes[probe];

        fsh_text_addf(out, "%s\n    {\"name\": ", i ? "," : "");
        fsh_text_add_json(out, of->probes->names[probe]);
        fsh_text_add(out, ", \"source\": ");
        fsh_text_add_json(out, of->probes->sources[probe]);
        fsh_text_add(out, ", \"nearest\": ");
        fsh_text_add_json(out, of->people.names[outcome->nearest]);
        fsh_text_add(out, ", \"nearest_source\": ");
        fsh_text_add_json(out, of->gallery->sources[outcome->nearest_row]);
        fsh_text_add(out, ", ");
        fsh_json_field("distance", outcome->distance, ", ", out);
        fsh_json_field("own_distance", outcome->own_distance, "", out);
        fsh_text_addf(out, ", \"in_gallery\": %s, \"rank\": ",
                      outcome->person == FSH_PEOPLE_NONE ? "false" : "true");
        fsh_json_number(outcome->rank ? outcome->rank : NAN, out);
        fsh_text_add(out, "}");
    }
    fsh_text_add(out, mistakes_n && of->mistakes_n ? "\n  ]\n" : "]\n");
}

void
fsh_identify_print_json(const fsh_identification *of, uint32_t mistakes_n, fsh_text *out)
{
    fsh_text_addf(out,
                  "{\n  \"gallery\": %llu,\n  \"people\": %u,\n  \"probes\": %llu,\n  \"inside\": "
                  "%llu,\n  \"outside\": %llu,\n",
                  (unsigned long long)of->gallery->n, of->people.n,
                  (unsigned long long)of->probes->n, (unsigned long long)of->inside_n,
                  (unsigned long long)of->outside_n);
    add_thresholds(of, out);
    add_ranks(of, out);
    add_dir(of, out);
    add_rejected(of->gallery, "gallery_rejected", out);
    add_rejected(of->probes, "probes_rejected", out);
    add_mistakes(of, mistakes_n, out);
    fsh_text_add(out, "}\n");
}
