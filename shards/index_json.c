/* manifest.json: one line a shard, in the order of units. */
#include <inttypes.h>

#include "shards/index_parts.h"
#include "shards/layout.h"

static void
print_totals(const fsh_index_totals *totals, const char *separator, fsh_text *out)
{
    fsh_text_addf(out, "\"samples\": %" PRIu64 "%s", totals->samples, separator);
    fsh_text_addf(out, "\"delivered\": %" PRIu64 "%s", totals->delivered, separator);
    fsh_text_addf(out, "\"images\": %" PRIu64 "%s", totals->images, separator);
    fsh_text_addf(out, "\"identities\": %" PRIu64 "%s", totals->identities, separator);
    fsh_text_add(out, "\"rejected\": ");
    fsh_counts_print_rejected(totals->rejected, out);
    fsh_text_addf(out, "%s\"bytes\": %" PRIu64, separator, totals->bytes);
}

/* "file": ..., "sha256": ... */
static void
print_file(const fsh_index_part *part, fsh_text *out)
{
    char hex[FSH_HASH_HEX];

    fsh_hash_hex(&part->hash, hex);
    fsh_text_add(out, "\"file\": ");
    fsh_text_add_json(out, part->file);
    fsh_text_addf(out, ", \"sha256\": \"%s\"", hex);
}

void
fsh_index_print_manifest(const fsh_index_builder *build, fsh_text *out)
{
    const fsh_shard_meta *meta = &fsh_shard_get_info(build->first)->meta;
    uint32_t i, n = build->plan->units;

    fsh_text_addf(out, "{\n  \"format\": %d,\n  \"version\": ", FSH_SHARD_FORMAT);
    fsh_text_add_json(out, meta->version);
    fsh_text_add(out, ",\n  \"job_hash\": ");
    fsh_text_add_json(out, meta->job_hash);
    fsh_text_addf(out, ",\n  \"seed\": %" PRIu64 ",\n  \"size\": %u,\n  \"encoding\": \"%s\",\n",
                  meta->seed, meta->size, fsh_encoding_name(meta->encoding));
    fsh_text_addf(out, "  \"units\": %u,\n  ", n);
    print_totals(&build->totals, ",\n  ", out);
    fsh_text_add(out, ",\n  \"index\": {");
    print_file(&build->index, out);
    fsh_text_addf(out, ", \"bytes\": %" PRIu64 "},\n  \"shards\": [\n", build->index.totals.bytes);
    for (i = 0; i < n; i++) {
        fsh_text_addf(out, "    {\"unit\": %u, ", i);
        print_file(&build->parts[i], out);
        fsh_text_add(out, ", ");
        print_totals(&build->parts[i].totals, ", ", out);
        fsh_text_add(out, i + 1 < n ? "},\n" : "}\n");
    }
    fsh_text_add(out, "  ]\n}\n");
}
