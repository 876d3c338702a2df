/* Shards and index.h5 whose HDF5 is whole and whose contents are anything: attributes, columns that are missing,
 * of another kind, too long or too short. What is read is refused, or is a file that can be printed and drawn.
 * Damage to HDF5 itself is the library's to find, and it does not always: see README.md. */
#include "tests/fuzz/fuzzing.h"

#include "datasets/reader.h"
#include "shards/inspect.h"
#include "shards/layout.h"
#include "shards/read.h"

enum { ROWS_MAX = 4, ROW_BYTES_MAX = 4096, SIZE_MAX_PX = 12 };

static void
write_rows(fsh_column *column, fuzz_choices *choices, const fsh_column_spec *spec, uint32_t n)
{
    static const char *const texts[] = {"", "no_face", "\x01\xff", "a/b.jpg"};
    uint8_t rows[ROWS_MAX * ROW_BYTES_MAX];
    uint32_t i;

    memset(rows, (int)fuzz_choose(choices, 256), sizeof rows);
    for (i = 0; i < n && spec->cell == FSH_CELL_TEXT; i++)
        fsh_column_append_text(column, texts[fuzz_choose(choices, 4)], NULL);
    for (i = 0; i < n && spec->cell == FSH_CELL_BYTES; i++)
        fsh_column_append_bytes(column, rows, fuzz_choose(choices, 8), NULL);
    if (spec->cell != FSH_CELL_TEXT && spec->cell != FSH_CELL_BYTES)
        fsh_column_append(column, rows, n, NULL);
}

/* One in sixteen columns is missing, one has another shape, one another number of rows. */
static void
write_column(fsh_store *store, fuzz_choices *choices, const fsh_shard_meta *meta, fsh_shard_column which,
             uint32_t n)
{
    fsh_column_spec spec = fsh_shard_column_spec(which, meta->size, meta->encoding, meta->dimension);
    uint32_t fault = fuzz_choose(choices, 16), i;
    fsh_column *column;

    if (fault == 1)
        return;
    if (fault == 2)
        spec.cell = (fsh_cell)fuzz_choose(choices, FSH_CELL_BYTES + 1);
    if (fault == 3)
        spec.rank = fuzz_choose(choices, 3);
    for (i = 0; i < spec.rank; i++)
        spec.dims[i] = spec.dims[i] ? spec.dims[i] : 1;
    if (spec.cell == FSH_CELL_TEXT || spec.cell == FSH_CELL_BYTES)
        spec.rank = 0;
    if (fault == 4)
        n = fuzz_choose(choices, ROWS_MAX + 1);
    FUZZ_CHECK(fsh_column_create(store, &spec, &column, NULL) == FSH_OK);
    write_rows(column, choices, &spec, n);
    FUZZ_CHECK(fsh_column_close(&column, NULL) == FSH_OK);
}

static void
write_shard(const char *path, fuzz_choices *choices)
{
    static const char *const texts[] = {"", "[]", "[detect, {", "\xff\x01", "[[], [augment]]", "f00d"};
    bool index = fuzz_choose(choices, 2);
    fsh_shard_meta meta = {.job_hash = texts[fuzz_choose(choices, 6)],
                           .stages = texts[fuzz_choose(choices, 6)],
                           .models = texts[fuzz_choose(choices, 6)],
                           .variants = texts[fuzz_choose(choices, 6)],
                           .version = "1",
                           .size = 1 + fuzz_choose(choices, SIZE_MAX_PX),
                           .encoding = (fsh_encoding)fuzz_choose(choices, 4),
                           .dimension = fuzz_choose(choices, 3)};
    uint32_t rows[FSH_TABLE_N], i;
    fsh_store *store;

    for (i = 0; i < FSH_TABLE_N; i++)
        rows[i] = fuzz_choose(choices, ROWS_MAX + 1);
    FUZZ_CHECK(fsh_store_create(path, &store, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_shard_write_meta(store, &meta, index, NULL) == FSH_OK);
    for (i = 0; i < FSH_COLUMN_N; i++)
        if (fsh_shard_column_used((fsh_shard_column)i, index, meta.encoding, meta.dimension))
            write_column(store, choices, &meta, (fsh_shard_column)i,
                         rows[fsh_shard_column_table((fsh_shard_column)i)]);
    FUZZ_CHECK(fsh_store_close(&store, NULL) == FSH_OK);
}

static void
read_pictures(fsh_shard_file *file)
{
    const fsh_shard_info *info = fsh_shard_get_info(file);
    uint64_t n = info->rows[FSH_TABLE_ROWS], i;
    bool pictures = info->meta.encoding != FSH_ENCODING_NONE;

    FUZZ_CHECK(n <= ROWS_MAX);
    for (i = 0; i <= n; i++) { /* the last one is past the end */
        uint8_t *picture = NULL;
        size_t size = 0;
        fsh_status status = fsh_shard_read_picture(file, i, &picture, &size, NULL);

        FUZZ_CHECK((status == FSH_OK) == (pictures && i < n));
        free(picture);
    }
}

static fsh_status
see(void *self, const char *name, fsh_err *err)
{
    (void)self;
    (void)err;
    FUZZ_CHECK(name != NULL);
    return FSH_OK;
}

static void
see_ignored(void *self, const char *path, const char *why)
{
    (void)self;
    (void)path;
    (void)why;
}

/* The same file as an input. */
static void
scan(const char *path)
{
    const fsh_scan_sink sink = {NULL, see, see, see_ignored, NULL};
    fsh_err err = {""};

    if (fsh_reader_find("shards")->scan(path, &sink, &err) != FSH_OK)
        FUZZ_CHECK(err.text[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_choices choices = {data, data + bytes};
    char path[64];
    fsh_shard_file *shard = NULL;
    fsh_text text = {0};
    fsh_err err = {""};

    fuzz_file(NULL, 0, path);
    write_shard(path, &choices);
    if (fsh_shard_open(path, &shard, &err) == FSH_OK) {
        read_pictures(shard);
        fsh_shard_close(&shard);
        fsh_inspect_print(path, false, &text, &err);
        fsh_inspect_print(path, true, &text, &err);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    scan(path);
    fsh_text_fini(&text);
    unlink(path);
    return 0;
}
