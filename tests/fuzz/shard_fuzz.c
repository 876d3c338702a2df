/* Shards and index.h5: any bytes are refused, or are columns and pictures that can be read or refused. */
#include "tests/fuzz/fuzzing.h"

#include "shards/inspect.h"
#include "shards/read.h"

enum { PICTURES_MAX = 4 };

static void
read_pictures(fsh_shard_file *file)
{
    uint64_t n = fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS], i;

    for (i = 0; i < n && i < PICTURES_MAX; i++) {
        uint8_t *picture = NULL;
        size_t size = 0;

        fsh_shard_read_picture(file, i, &picture, &size, NULL);
        free(picture);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    fsh_shard_file *shard = NULL;
    fsh_text text = {0};
    fsh_err err = {""};

    fuzz_file(data, bytes, path);
    if (fsh_shard_open(path, &shard, &err) == FSH_OK) {
        read_pictures(shard);
        fsh_shard_close(&shard);
        fsh_inspect_print(path, true, &text, &err);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    fsh_text_fini(&text);
    unlink(path);
    return 0;
}
