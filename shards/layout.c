#include "shards/layout.h"

#include <string.h>

/* Rows of side columns that are stored together: big enough to be quick, small enough that the rest of the
 * last chunk is little beside one picture. */
enum { CHUNK_ROWS = 128 };

/* Stand-ins in the table for what differs from job to job. */
enum { SIZE = UINT16_MAX, DIMENSION = UINT16_MAX - 1 };

static const struct {
    fsh_column_spec spec;
    fsh_shard_table table;
} rows[] = {
#define COLUMN(name, dataset, cell, table, rank, first, second, third) \
    {{dataset, FSH_CELL_##cell, rank, {first, second, third}, CHUNK_ROWS}, FSH_TABLE_##table},
#include "shards/columns.def"
#undef COLUMN
};

static const char *const encodings[] = {"raw", "jpeg", "png"};

fsh_shard_table
fsh_shard_column_table(fsh_shard_column column)
{
    return rows[column].table;
}

bool
fsh_shard_column_used(fsh_shard_column column, uint32_t dimension)
{
    return column != FSH_COLUMN_EMBEDDING || dimension > 0;
}

fsh_column_spec
fsh_shard_column_spec(fsh_shard_column column, uint32_t size, fsh_encoding encoding, uint32_t dimension)
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
