/* The TSV of MS-Celeb-1M: every line is a sample, names come in order, base64 gives no more bytes than it has. */
#include "tests/fuzz/reader_fuzzing.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];

    fuzz_file(data, bytes, path);
    fuzz_reader("mscelebtsv", path);
    unlink(path);
    return 0;
}
