/* `faceshard doctor`: what this machine has, what is missing, and what mends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "stages/inference/net.h"
#include "stages/models.h"
#include "stages/vision/decode.h"

typedef struct doctor_options {
    char search[FSH_ARG_TEXT_BYTES];
} doctor_options;

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(doctor_options, search, "models", "folders where cards and model files are looked for first"),
    FSH_ARG_END};

/* The cards that the project knows. */
static const struct {
    const char *name;
    fsh_model_task task;
} cards[] = {
    {"hog", FSH_TASK_DETECT},       {"ssd", FSH_TASK_DETECT},
    {"yunet", FSH_TASK_DETECT},     {"none", FSH_TASK_DETECT},      {"aligned", FSH_TASK_DETECT},
    {"dlib68", FSH_TASK_LANDMARKS}, {"faceshard_mobile", FSH_TASK_EMBED},
    {"mobilefacenet_y1", FSH_TASK_EMBED},      {"mobilefacenet_caffe", FSH_TASK_EMBED},
    {"mobilefacenet_foamliu", FSH_TASK_EMBED}, {"mobilefacenet_xiaoccer", FSH_TASK_EMBED},
};

static void
print_libraries(void)
{
    char about[256];

    fsh_vision_about(about, sizeof about);
    printf("faceshard %s\nlibraries   %s\n", FSH_VERSION, about);
}

static void
print_backends(void)
{
    char about[512];
    char *line, *rest = about;

    fsh_net_about(about, sizeof about);
    printf("backends\n");
    while ((line = strsep(&rest, "\n")) && *line)
        printf("  %s\n", line);
}

static void
print_processor(void)
{
    printf("processor   %ld processors", sysconf(_SC_NPROCESSORS_ONLN));
#if defined(__x86_64__)
    __builtin_cpu_init();
    printf(",%s%s%s%s", __builtin_cpu_supports("avx2") ? " avx2" : "",
           __builtin_cpu_supports("avx512f") ? " avx512f" : "",
           __builtin_cpu_supports("avx512vnni") ? " avx512vnni" : "",
           __builtin_cpu_supports("avx512bf16") ? " avx512bf16" : "");
#endif
    printf("\n");
}

/* The first line says what is missing; where it was looked for is the same for all, and stays in err. */
static void
print_missing(const char *name, const char *task, const fsh_err *err)
{
    printf("  %-24s %-10s MISSING: %.*s\n", name, task, (int)strcspn(err->text, "\n"), err->text);
}

/* For a card that leaves the backend open and gets the slower one: what the other one lacks. */
static void
print_why(const fsh_card *card)
{
    int32_t backend;
    fsh_err why = {""};

    if (card->backend_chosen && card->file[0] && !fsh_net_choose(card, &backend, &why) &&
        backend == FSH_BACKEND_OPENCV)
        printf("  %-24s not by onednn: %s\n", "", why.text);
}

/* True when the model is there. */
static bool
print_card(const fsh_models *models, const char *name, fsh_model_task task, fsh_card *card, fsh_err *err)
{
    static const char *const tasks[] = {"detect", "landmarks", "embed"};
    static const char *const backends[] = {"opencv", "dlib", "builtin", "onednn", "torch"};

    if (fsh_card_load(models, name, task, card, err)) {
        print_missing(name, tasks[task], err);
        return false;
    }
    printf("  %-24s %-10s ok, by %s%s%s%s\n", name, tasks[task], backends[card->backend],
           card->precision == FSH_PRECISION_BF16 ? " in bf16" : "", card->accuracy[0] ? ": " : "", card->accuracy);
    print_why(card);
    return true;
}

/* A card that the user names, for whatever it is. */
static fsh_status
print_named(const fsh_models *models, const char *name, fsh_card *card, fsh_err *err)
{
    fsh_status status = FSH_USAGE;
    int task;

    for (task = FSH_TASK_DETECT; status == FSH_USAGE && task <= FSH_TASK_EMBED; task++)
        status = fsh_card_load(models, name, (fsh_model_task)task, card, err);
    if (!status)
        print_card(models, name, (fsh_model_task)card->task, card, err);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const doctor_options *options = invocation->options;
    fsh_models models = {.search = ""};
    fsh_card *card = calloc(1, sizeof *card);
    bool needed = true;
    fsh_err missing = {""};
    const char *where;
    fsh_status status = FSH_OK;
    size_t i;

    if (!card)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    strcpy(models.search, options->search);
    fsh_vision_init();
    print_libraries();
    print_processor();
    print_backends();
    printf("models\n");
    for (i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        bool there = print_card(&models, cards[i].name, cards[i].task, card, &missing);

        if (cards[i].task == FSH_TASK_LANDMARKS)
            needed = there;
    }
    for (i = 0; !status && i < invocation->words_n; i++)
        status = print_named(&models, invocation->words[i], card, err);
    free(card);
    if (status)
        return status;
    where = strchr(missing.text, '\n');
    if (where)
        printf("these folders:%s\n", where);
    if (needed)
        return FSH_OK;
    return fsh_fail(err, FSH_MODEL, "the landmark model is missing: install it with `apt-get install libdlib-data`");
}

const fsh_command fsh_command_doctor = {
    "doctor", "[CARD]...", 0, 16, "what this machine has, what is missing, what mends it",
    "Prints versions, processor features, backends, and every model that the project has a card for, with what\n"
    "runs it and its measured accuracy; likewise cards of your own. A model that is missing is told with where it was looked for; only those that a job names are\n"
    "needed. Ends with 3 when a job with the defaults could not run. Example:\n\n"
    "  faceshard doctor mine.yaml\n",
    rows, sizeof(doctor_options), false, run};
