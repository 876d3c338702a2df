/* Runs one fuzz target over the files of a folder: what a fuzzer has once found stays found. */
#include "tests/fuzz/fuzzing.h"

#include <dirent.h>

#include "base/files.h"

enum { FILE_BYTES_MAX = 16 << 20 };

static void
replay(const char *folder, const char *name)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;

    FUZZ_CHECK(fsh_path_join(path, folder, name, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_file_read(path, FILE_BYTES_MAX, &data, &bytes, NULL) == FSH_OK);
    fprintf(stderr, "%s\n", name); /* the last one is the one at fault */
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
}

int
main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    int n = 0;

    LLVMFuzzerTestOneInput(NULL, 0);
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER; there is none with inputs\n", argv[0]);
        return 1;
    }
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.') {
            replay(argv[1], entry->d_name);
            n++;
        }
    closedir(folder);
    printf("%d inputs\n", n);
    return n ? 0 : 1;
}
