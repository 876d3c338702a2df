/* Tar files: names come in order, damage does not stop a scan, what is loaded is what was found. */
#include "tests/fuzz/reader_fuzzing.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];

    fuzz_file(data, bytes, path);
    fuzz_reader("tar", path);
    unlink(path);
    return 0;
}
