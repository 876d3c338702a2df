/* Pickles of pictures: what is read lies inside the file, two pictures a pair; what is refused has
 * a text. */
#include "tests/fuzz/fuzzing.h"

#include "evaluate/bin.h"

static void
check_set(const fsh_bin *set, const uint8_t *data, size_t bytes)
{
    fsh_pairs pairs;
    uint32_t i;

    for (i = 0; i < 2 * set->pairs_n; i++) {
        const fsh_bin_picture *picture = &set->pictures[i];

        FUZZ_CHECK(picture->data >= data && picture->bytes <= bytes);
        FUZZ_CHECK((size_t)(picture->data - data) <= bytes - picture->bytes);
    }
    FUZZ_CHECK(fsh_bin_pairs(set, &pairs, NULL) == FSH_OK);
    FUZZ_CHECK(pairs.at[pairs.n - 1].fold == pairs.folds_n - 1);
    fsh_pairs_fini(&pairs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fsh_bin set = {0};
    fsh_err err = {""};

    if (fsh_bin_parse("set.bin", data, bytes, &set, &err) == FSH_OK) {
        check_set(&set, data, bytes);
        fsh_bin_fini(&set);
    } else {
        FUZZ_CHECK(err.text[0] && !set.pictures);
    }
    return 0;
}
