/* Model cards and cards of templates: any text is refused with a message, or is a card within its limits. */
#include "tests/fuzz/fuzzing.h"

#include "stages/models.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static fsh_card card;
    fsh_models models = {.search = "/nowhere"};
    char path[64];
    fsh_err err = {""};
    int task;
    fsh_status status;

    fuzz_file(data, bytes, path);
    for (task = FSH_TASK_DETECT; task <= FSH_TASK_EMBED; task++) {
        status = fsh_card_load(&models, path, (fsh_model_task)task, &card, &err);
        FUZZ_CHECK(!status || err.text[0]);
        FUZZ_CHECK(status || (card.dimension >= 0 && card.dimension <= 512 && card.name[0]));
        FUZZ_CHECK(status || card.task == task);
    }
    unlink(path);
    return 0;
}
