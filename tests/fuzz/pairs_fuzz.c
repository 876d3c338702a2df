/* Lists of pairs: every pair names two pictures below a folder, folds are full and in order; what
 * is refused has a text that names a line or a number. */
#include "tests/fuzz/fuzzing.h"

#include "evaluate/pairs.h"

static void
check_pairs(const fsh_pairs *pairs)
{
    uint32_t i;

    FUZZ_CHECK(pairs->n && pairs->folds_n && pairs->folds_n <= pairs->n);
    for (i = 0; i < pairs->n; i++) {
        const fsh_pair *pair = &pairs->at[i];

        FUZZ_CHECK(pair->first < pairs->pictures_n && pair->second < pairs->pictures_n);
        FUZZ_CHECK(pair->fold == (i ? pairs->at[i - 1].fold : 0) ||
                   pair->fold == pairs->at[i - 1].fold + 1);
    }
    FUZZ_CHECK(pairs->at[pairs->n - 1].fold == pairs->folds_n - 1);
    for (i = 0; i < pairs->pictures_n; i++) {
        FUZZ_CHECK(i == 0 || strcmp(pairs->pictures[i - 1], pairs->pictures[i]) < 0);
        FUZZ_CHECK(strncmp(pairs->pictures[i], "../", 3) != 0 && pairs->pictures[i][0] != '/');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fsh_pairs pairs = {0};
    fsh_err err = {""};

    if (fsh_pairs_parse("pairs.txt", (const char *)data, bytes, &pairs, &err) == FSH_OK) {
        check_pairs(&pairs);
        fsh_pairs_fini(&pairs);
    } else {
        FUZZ_CHECK(err.text[0] && !pairs.at);
    }
    return 0;
}
