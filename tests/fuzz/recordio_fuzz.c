/* RecordIO files, with an index and without: names come in order, what is loaded lies inside the file. The first
 * byte says how many of the next are the index, in lots of eight; 0: there is none. */
#include "tests/fuzz/reader_fuzzing.h"

static void
write_index(const char *path, const uint8_t *data, size_t bytes)
{
    FILE *file = fopen(path, "wbe");

    FUZZ_CHECK(file && fwrite(data, 1, bytes, file) == bytes);
    fclose(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    size_t index = bytes ? (size_t)data[0] * 8 : 0;
    char path[64], index_path[80];

    if (bytes == 0)
        return 0;
    data++;
    bytes--;
    index = index < bytes ? index : bytes;
    fuzz_file(data + index, bytes - index, path);
    snprintf(index_path, sizeof index_path, "%s.idx", path);
    if (index)
        write_index(index_path, data, index);
    fuzz_reader("recordio", path);
    unlink(path);
    unlink(index_path);
    return 0;
}
