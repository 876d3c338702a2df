/* The table of contents of an embeddings file, for `faceshard inspect`. */
#include <stdlib.h>
#include <string.h>

#include "shards/counts.h"
#include "shards/embeddings_parts.h"
#include "shards/inspect.h"

typedef struct contents {
    uint64_t pictures, people, rejected_n, rejected[FSH_REASON_N];
    char *last; /* name of the row before; owned */
} contents;

/* Rows stand in the order of names. */
static fsh_status
count_part(void *self, const fsh_embeddings *part, fsh_err *err)
{
    contents *found = self;
    uint64_t i;

    for (i = 0; i < part->n; i++) {
        if (found->last && strcmp(found->last, part->names[i]) == 0)
            continue;
        free(found->last);
        found->last = strdup(part->names[i]);
        if (!found->last)
            return fsh_fail(err, FSH_MEMORY, "out of memory");
        found->people++;
    }
    for (i = 0; i < part->rejected_n; i++)
        found->rejected[part->rejected_reasons[i]]++;
    found->pictures += part->n;
    found->rejected_n += part->rejected_n;
    return FSH_OK;
}

static void
print_lines(const contents *found, const fsh_embeddings *facts, fsh_text *out)
{
    int i;

    fsh_text_addf(out, "embeddings    %10llu  of %u numbers\npeople        %10llu\n",
                  (unsigned long long)found->pictures, facts->dimension,
                  (unsigned long long)found->people);
    fsh_text_addf(out, "rejected      %10llu\n", (unsigned long long)found->rejected_n);
    for (i = 1; i < FSH_REASON_N; i++)
        if (found->rejected[i])
            fsh_text_addf(out, "  %-18s %3llu\n", fsh_reason_code((fsh_reason)i),
                          (unsigned long long)found->rejected[i]);
    fsh_text_addf(out, "model         %s\ndetector      %s\nmirror image  %s\n", facts->model,
                  facts->detector, facts->flip ? "added" : "not added");
    fsh_text_addf(out, "job           %s\nprogram       %s\n", facts->job_hash, facts->version);
}

static void
print_key(const char *key, const char *value, fsh_text *out)
{
    fsh_text_addf(out, ", \"%s\": ", key);
    fsh_text_add_json(out, value);
}

static void
print_json(const contents *found, const fsh_embeddings *facts, fsh_text *out)
{
    fsh_text_addf(out, "{\"kind\": \"embeddings\", \"pictures\": %llu, \"people\": %llu, ",
                  (unsigned long long)found->pictures, (unsigned long long)found->people);
    fsh_text_addf(out, "\"dimension\": %u, \"flip\": %s, \"rejected\": ", facts->dimension,
                  facts->flip ? "true" : "false");
    fsh_counts_print_rejected(found->rejected, out);
    print_key("model", facts->model, out);
    print_key("detector", facts->detector, out);
    print_key("job_hash", facts->job_hash, out);
    print_key("version", facts->version, out);
    fsh_text_add(out, "}\n");
}

fsh_status
fsh_inspect_print_embeddings(const char *path, bool json, fsh_text *out, fsh_err *err)
{
    contents found = {0};
    fsh_embeddings facts = {0};
    fsh_status status = fsh_embeddings_read_facts(path, &facts, err);

    if (!status)
        status = fsh_embeddings_each(path, count_part, &found, err);
    if (!status && json)
        print_json(&found, &facts, out);
    else if (!status)
        print_lines(&found, &facts, out);
    free(found.last);
    fsh_embeddings_fini(&facts);
    return status;
}
