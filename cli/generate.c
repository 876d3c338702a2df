/* `faceshard generate`: a dataset of drawn people, for trying things out and for tests. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "datasets/generate.h"
#include "stages/vision/decode.h"

typedef struct generate_options {
    int64_t identities, images, seed, size, threads;
    double mislabelled, bad;
    int32_t log;
} generate_options;

static const fsh_arg rows[] = {
    FSH_ARG_INT(generate_options, identities, 1, 100000000, "100", "people, a folder each"),
    FSH_ARG_INT(generate_options, images, 0, 1000000000, "0", "pictures in all; 0: ten times the identities"),
    FSH_ARG_INT(generate_options, seed, 0, 9007199254740992, "1", "another seed draws other people"),
    FSH_ARG_REAL(generate_options, mislabelled, 0, 1, "0.03", "share of the pictures that show somebody else"),
    FSH_ARG_REAL(generate_options, bad, 0, 1, "0.02", "share of the pictures that are broken files or show nobody"),
    FSH_ARG_INT(generate_options, size, 64, 1024, "250", "px of a picture, square"),
    FSH_ARG_INT(generate_options, threads, 0, 1024, "0", "0: one for every processor"),
    FSH_ARG_CHOICE(generate_options, log, FSH_LOG_MODES, "auto", "how progress is told"),
    FSH_ARG_END};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int
tell(void *self, uint64_t images, uint64_t of)
{
    fsh_progress_images(self, images, of);
    return interrupted;
}

static void
print_totals(const fsh_progress *progress, const char *folder, const fsh_generate_totals *totals, uint64_t identities)
{
    double seconds = fsh_progress_seconds(progress);

    if (progress->mode == FSH_LOG_JSON)
        printf("{\"event\":\"done\",\"identities\":%llu,\"images\":%llu,\"mislabelled\":%llu,\"bad\":%llu,\"seconds\":%.3f}\n",
               (unsigned long long)identities, (unsigned long long)totals->images, (unsigned long long)totals->mislabelled,
               (unsigned long long)totals->bad, seconds);
    if (progress->mode == FSH_LOG_BAR)
        printf("generated     %13llu  pictures of %llu people in %.1f s, %llu mislabelled and %llu bad on purpose\n"
               "truth         %s/%s\n", (unsigned long long)totals->images, (unsigned long long)identities, seconds,
               (unsigned long long)totals->mislabelled, (unsigned long long)totals->bad, folder, FSH_GENERATE_TRUTH);
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const generate_options *options = invocation->options;
    fsh_progress progress;
    fsh_generate_totals totals;
    fsh_generate_options to = {
        .population = {.seed = (uint64_t)options->seed, .identities = (uint64_t)options->identities,
                       .images = (uint64_t)(options->images ? options->images : 10 * options->identities),
                       .mislabelled = options->mislabelled, .bad = options->bad},
        .size = (uint32_t)options->size,
        .threads = (uint32_t)(options->threads ? options->threads : sysconf(_SC_NPROCESSORS_ONLN)),
        .encode = fsh_encode_jpeg, .self = &progress, .progress = tell};
    fsh_status status;

    if (to.population.images < to.population.identities)
        return fsh_fail(err, FSH_USAGE, "--images %llu is less than --identities %llu: each has one picture at least",
                        (unsigned long long)to.population.images, (unsigned long long)to.population.identities);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    fsh_progress_start(&progress, (fsh_log_mode)options->log);
    status = fsh_generate(invocation->words[0], &to, &totals, err);
    fsh_progress_clear(&progress);
    if (!status)
        print_totals(&progress, invocation->words[0], &totals, to.population.identities);
    return status;
}

const fsh_command fsh_command_generate = {
    "generate", "FOLDER", 1, 1, "draw a dataset of people who do not exist",
    "Draws people with a 3-D head of its own: a folder per identity, 250 x 250 JPEG files like those of CASIA-WebFace,\n"
    "each with another light, turn, expression, blur and backdrop. Some pictures are put into the wrong folder and some\n"
    "files are broken, on purpose; FOLDER/truth.tsv says which, and where eyes, nose and mouth are. The same options\n"
    "give the same files; interrupted, the same command continues. Example:\n\n"
    "  faceshard generate people --identities 200 --images 4000 --seed 7\n",
    rows, sizeof(generate_options), false, run};
