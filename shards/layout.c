#include "shards/layout.h"

#include <string.h>

/* Rows of side columns that are stored together: big enough to be quick, small enough that the rest
 * of the last chunk is little beside one picture. */
enum { CHUNK_ROWS = 128 };

/* Stand-ins in the table for what differs from job to job. */
enum { SIZE = UINT16_MAX, DIMENSION = UINT16_MAX - 1 };

static const struct {
    fsh_column_spec spec;
    fsh_shard_table table;
    fsh_shard_place place;
} rows[] = {
#define COLUMN(name, dataset, cell, table, files, rank, first, second, third)                      \
    {{dataset, FSH_CELL_##cell, rank, {first, second, third}, CHUNK_ROWS},                         \
     FSH_TABLE_##table,                                                                            \
     FSH_PLACE_##files},
#include "shards/columns.def"
#undef COLUMN
};

static const char *const encodings[] = {"raw", "jpeg", "png", "none"};

fsh_shard_table
fsh_shard_column_table(fsh_shard_column column)
{
    return rows[column].table;
}

fsh_shard_place
fsh_shard_column_place(fsh_shard_column column)
{
    return rows[column].place;
}

bool
fsh_shard_column_used(fsh_shard_column column, bool index, fsh_encoding encoding,
                      uint32_t dimension)
{
    return (index || rows[column].place != FSH_PLACE_INDEX) &&
           (column != FSH_COLUMN_IMAGES || encoding != FSH_ENCODING_NONE) &&
           (column != FSH_COLUMN_EMBEDDING || dimension > 0);
}

fsh_column_spec
fsh_shard_column_spec(fsh_shard_column column, uint32_t size, fsh_encoding encoding,
                      uint32_t dimension)
{
    fsh_column_spec spec = rows[column].spec;
    uint32_t i;

    for (i = 0; i < spec.rank; i++)
        spec.dims[i] = spec.dims[i] == SIZE        ? size
                       : spec.dims[i] == DIMENSION ? dimension
                                                   : spec.dims[i];
    if (column == FSH_COLUMN_IMAGES && encoding == FSH_ENCODING_RAW)
        spec.chunk_rows = 1; /* a random read touches one picture only */
    if (column == FSH_COLUMN_IMAGES && encoding != FSH_ENCODING_RAW) {
        spec.cell = FSH_CELL_BYTES;
        spec.rank = 0;
    }
    return spec;
}

const char *
fsh_encoding_name(fsh_encoding encoding)
{
    return encodings[encoding];
}

int
fsh_encoding_from_name(const char *name)
{
    int i;

    for (i = 0; i < (int)(sizeof encodings / sizeof encodings[0]); i++)
        if (strcmp(encodings[i], name) == 0)
            return i;
    return -1;
}

fsh_status
fsh_shard_write_meta(fsh_store *store, const fsh_shard_meta *meta, bool index, fsh_err *err)
{
    const struct {
        const char *name, *text;
    } texts[] = {{"kind", index ? "index" : "shard"},
                 {"job_hash", meta->job_hash},
                 {"stages", meta->stages},
                 {"models", meta->models},
                 {"variants", meta->variants},
                 {"version", meta->version},
                 {"encoding", fsh_encoding_name(meta->encoding)},
                 {"color_order", "RGB"}};
    const struct {
        const char *name;
        uint64_t number;
    } numbers[] = {{"format", FSH_SHARD_FORMAT},
                   {"seed", meta->seed},
                   {index ? "units" : "unit", meta->unit},
                   {"size", meta->size},
                   {"dimension", meta->dimension}};
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < sizeof numbers / sizeof numbers[0] && !status; i++)
        status = fsh_store_set_number(store, numbers[i].name, numbers[i].number, err);
    for (i = 0; i < sizeof texts / sizeof texts[0] && !status; i++)
        status = fsh_store_set_text(store, texts[i].name, texts[i].text ? texts[i].text : "", err);
    return status;
}
