/* What cleaning found, for people and for scripts. */
#include <math.h>
#include <string.h>

#include "evaluate/cleaning.h"
#include "evaluate/numbers.h"

uint32_t
fsh_cleaning_count(const fsh_cleaning *of, fsh_verdict verdict)
{
    uint32_t i, n = 0;

    for (i = 0; i < of->n; i++)
        n += of->pictures[i].verdict == verdict;
    return n;
}

uint32_t
fsh_cleaning_count_finding(const fsh_cleaning *of, fsh_finding finding)
{
    uint32_t i, n = 0;

    for (i = 0; i < of->n; i++)
        n += of->pictures[i].found.finding == finding;
    return n;
}

/* ---- words ---- */

static const char *
other_name(const fsh_cleaning *of, const fsh_cleaning_picture *picture)
{
    return picture->found.other == FSH_NOBODY ? "nobody"
                                              : fsh_cleaning_name(of, picture->found.other);
}

static void
add_words(const char *words, const char *other, fsh_text *out)
{
    const char *hole = strstr(words, "{other}");

    if (!hole) {
        fsh_text_add(out, words);
        return;
    }
    fsh_text_add_bytes(out, words, (size_t)(hole - words));
    fsh_text_add(out, other);
    fsh_text_add(out, hole + strlen("{other}"));
}

static void
add_distance(const char *to, double distance, fsh_text *out)
{
    if (!isnan(distance))
        fsh_text_addf(out, "; %.2f from %s", distance, to);
}

void
fsh_cleaning_reason(const fsh_cleaning *of, uint32_t picture, fsh_text *out)
{
    const fsh_cleaning_picture *at = &of->pictures[picture];

    add_words(fsh_finding_text(at->found.finding), other_name(of, at), out);
    if (of->options.method == FSH_CLEANING_MEAN_DISTANCE) {
        if (!isnan(at->mean_distance))
            fsh_text_addf(out, "; mean distance %.3f, threshold %.3f", at->mean_distance,
                          of->options.threshold);
        return;
    }
    add_distance(fsh_cleaning_name(of, at->identity), at->found.own_distance, out);
    if (at->found.other != FSH_NOBODY)
        add_distance(other_name(of, at), at->found.other_distance, out);
}

/* ---- for people ---- */

static void
print_findings(const fsh_cleaning *of, fsh_text *out)
{
    int k;

    for (k = 0; k < FSH_FINDING_N; k++) {
        uint32_t n = fsh_cleaning_count_finding(of, (fsh_finding)k);

        if (!n)
            continue;
        fsh_text_addf(out, "  %-7s %9u  %-10s ",
                      fsh_verdict_name(fsh_finding_verdict((fsh_finding)k)), n,
                      fsh_finding_code((fsh_finding)k));
        add_words(fsh_finding_text((fsh_finding)k), "another identity", out);
        fsh_text_add(out, "\n");
    }
}

static uint32_t
count_split(const fsh_cleaning *of)
{
    uint32_t k, n = 0;

    for (k = 0; k < of->identities_n; k++)
        n += of->found.identities[k].second_n > 0;
    return n;
}

void
fsh_cleaning_print(const fsh_cleaning *of, fsh_text *out)
{
    fsh_text_addf(out, "pictures %17u of %u identities\n", of->n, of->identities_n);
    fsh_text_addf(out, "keep     %17u\nremove   %17u\nunsure   %17u\n",
                  fsh_cleaning_count(of, FSH_VERDICT_KEEP),
                  fsh_cleaning_count(of, FSH_VERDICT_REMOVE),
                  fsh_cleaning_count(of, FSH_VERDICT_UNSURE));
    print_findings(of, out);
    fsh_text_addf(out, "near-duplicates %10u pairs up to %.3f apart\n", of->duplicates_n,
                  of->options.near);
    fsh_text_addf(out, "same person     %10u pairs of identities\n", of->same_n);
    fsh_text_addf(out, "two people      %10u identities\n", count_split(of));
    if (of->against)
        fsh_text_addf(out, "overlap         %10u identities and %u pictures of the other set\n",
                      of->overlap_n, of->copies_n);
    if (of->embeddings->rejected_n)
        fsh_text_addf(out, "not looked at   %10llu pictures without an embedding\n",
                      (unsigned long long)of->embeddings->rejected_n);
}

/* ---- for scripts ---- */

static void
json_text(const char *name, const char *value, const char *separator, fsh_text *out)
{
    fsh_text_addf(out, "\"%s\": ", name);
    if (value)
        fsh_text_add_json(out, value);
    else
        fsh_text_add(out, "null");
    fsh_text_add(out, separator);
}

static void
json_picture(const fsh_cleaning *of, uint32_t i, fsh_text *reason, fsh_text *out)
{
    const fsh_cleaning_picture *at = &of->pictures[i];

    fsh_text_clear(reason);
    fsh_cleaning_reason(of, i, reason);
    fsh_text_add(out, i ? ",\n  {" : "\n  {");
    json_text("source", fsh_cleaning_source(of, i), ", ", out);
    json_text("identity", fsh_cleaning_name(of, at->identity), ", ", out);
    fsh_json_field("mean_distance", at->mean_distance, ", ", out);
    json_text("verdict", fsh_verdict_name(at->verdict), ", ", out);
    json_text("finding", fsh_finding_code(at->found.finding), ", ", out);
    json_text("reason", fsh_text_get(reason), ", ", out);
    json_text("suggested_identity", at->found.suggested ? other_name(of, at) : NULL, ", ", out);
    json_text("nearest_other", at->found.other == FSH_NOBODY ? NULL : other_name(of, at), ", ",
              out);
    fsh_json_field("own_distance", at->found.own_distance, ", ", out);
    fsh_json_field("other_distance", at->found.other_distance, ", ", out);
    fsh_json_field("probability", at->found.p_own, "}", out);
}

static void
json_duplicates(const fsh_cleaning *of, fsh_text *out)
{
    uint32_t i;

    for (i = 0; i < of->duplicates_n; i++) {
        const fsh_cleaning_pair *pair = &of->duplicates[i];

        fsh_text_add(out, i ? ",\n  {" : "\n  {");
        json_text("a", fsh_cleaning_source(of, pair->a), ", ", out);
        json_text("b", fsh_cleaning_source(of, pair->b), ", ", out);
        fsh_json_field("distance", pair->distance, ", ", out);
        fsh_text_addf(out, "\"same_identity\": %s}",
                      of->pictures[pair->a].identity == of->pictures[pair->b].identity ? "true"
                                                                                       : "false");
    }
}

/* Two identities, of one set or of two. */
static void
json_same(const fsh_cleaning *of, const fsh_cleaning_same *same, bool overlap, const char *before,
          fsh_text *out)
{
    fsh_text_add(out, before);
    json_text(overlap ? "identity" : "a", fsh_cleaning_name(of, same->a), ", ", out);
    json_text(overlap ? "against" : "b",
              overlap ? fsh_cleaning_against_name(of, same->b) : fsh_cleaning_name(of, same->b),
              ", ", out);
    fsh_text_addf(out,
                  overlap ? "\"images\": %u, \"against_images\": %u, "
                          : "\"a_images\": %u, \"b_images\": %u, ",
                  same->a_n, same->b_n);
    fsh_json_field("distance", same->distance, overlap ? ", " : "}", out);
    if (overlap)
        fsh_json_field("probability", same->probability, "}", out);
}

static void
json_split(const fsh_cleaning *of, fsh_text *out)
{
    uint32_t k, n = 0;

    for (k = 0; k < of->identities_n; k++) {
        const fsh_found_identity *found = &of->found.identities[k];

        if (!found->second_n)
            continue;
        fsh_text_add(out, n++ ? ",\n  {" : "\n  {");
        json_text("identity", fsh_cleaning_name(of, k), ", ", out);
        fsh_text_addf(out, "\"images\": %u, \"first\": %u, \"second\": %u, ",
                      of->starts[k + 1] - of->starts[k], found->home_n, found->second_n);
        fsh_json_field("distance", found->second_distance, "}", out);
    }
}

static void
json_copies(const fsh_cleaning *of, fsh_text *out)
{
    uint32_t i;

    for (i = 0; i < of->copies_n; i++) {
        const fsh_cleaning_pair *pair = &of->copies[i];

        fsh_text_add(out, i ? ",\n  {" : "\n  {");
        json_text("source", fsh_cleaning_source(of, pair->a), ", ", out);
        json_text("against", of->against->sources[pair->b], ", ", out);
        fsh_json_field("distance", pair->distance, "}", out);
    }
}

static void
json_head(const fsh_cleaning *of, fsh_text *out)
{
    const fsh_likeness *like = &of->found.likeness;

    fsh_text_addf(out,
                  "{\"method\": \"%s\", \"images_n\": %u, \"identities_n\": %u, \"keep\": %u, "
                  "\"remove\": %u, "
                  "\"unsure\": %u,\n",
                  of->options.method == FSH_CLEANING_ROBUST ? "robust" : "mean_distance", of->n,
                  of->identities_n, fsh_cleaning_count(of, FSH_VERDICT_KEEP),
                  fsh_cleaning_count(of, FSH_VERDICT_REMOVE),
                  fsh_cleaning_count(of, FSH_VERDICT_UNSURE));
    fsh_json_field("threshold", of->options.threshold, ", ", out);
    fsh_json_field("near", of->options.near, ", ", out);
    fsh_text_add(out, "\"measured\": {");
    fsh_json_field("others_mean", like->mean, ", ", out);
    fsh_json_field("others_spread", like->spread, ", ", out);
    fsh_json_field("same_over_mean", like->same, ", ", out);
    fsh_json_field("wrong", like->wrong, ", ", out);
    fsh_json_field("wrong_and_known", like->known, "},\n", out);
}

void
fsh_cleaning_print_json(const fsh_cleaning *of, fsh_text *out)
{
    fsh_text reason = {0};
    uint32_t i;

    json_head(of, out);
    fsh_text_add(out, "\"images\": [");
    for (i = 0; i < of->n; i++)
        json_picture(of, i, &reason, out);
    fsh_text_add(out, "],\n\"duplicates\": [");
    json_duplicates(of, out);
    fsh_text_add(out, "],\n\"same_person\": [");
    for (i = 0; i < of->same_n; i++)
        json_same(of, &of->same[i], false, i ? ",\n  {" : "\n  {", out);
    fsh_text_add(out, "],\n\"split\": [");
    json_split(of, out);
    fsh_text_add(out, "],\n\"overlap\": [");
    for (i = 0; i < of->overlap_n; i++)
        json_same(of, &of->overlap[i], true, i ? ",\n  {" : "\n  {", out);
    fsh_text_add(out, "],\n\"overlap_images\": [");
    json_copies(of, out);
    fsh_text_addf(out, "],\n\"without_embedding\": %llu}",
                  (unsigned long long)of->embeddings->rejected_n);
    if (!fsh_text_ok(&reason))
        out->broken = true;
    fsh_text_fini(&reason);
}
