/* `faceshard embed`: pictures in, an embeddings file out. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/embed_make.h"
#include "shards/counts.h"

typedef struct embed_options {
    fsh_embedded_options embedded;
    bool explain;
} embed_options;

static const fsh_arg rows[] = {
    FSH_EMBEDDED_ROWS(embed_options),
    {"output", FSH_ARG_TYPE_TEXT, offsetof(embed_options, embedded.output), 0, 0, NULL, "",
     "embeddings file to write (HDF5)"},
    {"format", FSH_ARG_TYPE_TEXT, offsetof(embed_options, embedded.format), 0, 0, NULL, "auto",
     "what the input is, as input.format of a job file; auto: told from the input"},
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(embed_options, embedded.log), 0, 0, FSH_LOG_MODES, "auto",
     "what is told; auto: bar on a terminal, else json"},
    FSH_ARG_BOOL(embed_options, explain, "false",
                 "print the job, as a job file for a cluster; embed nothing"),
    FSH_ARG_END};

static void
print_json(const fsh_embeddings_totals *totals, const char *output, double seconds)
{
    fsh_text line = {0};

    fsh_text_addf(&line, "{\"event\":\"done\",\"samples\":%llu,\"delivered\":%llu,\"rejected\":",
                  (unsigned long long)(totals->n + totals->rejected_n),
                  (unsigned long long)totals->n);
    fsh_counts_print_rejected(totals->rejected, &line);
    fsh_text_addf(&line, ",\"dimension\":%u,\"output\":", totals->dimension);
    fsh_text_add_json(&line, output);
    printf("%s,\"seconds\":%.3f}\n", fsh_text_get(&line), seconds);
    fsh_text_fini(&line);
}

static void
print_lines(const fsh_embeddings_totals *totals, const char *output,
            const fsh_coordinator_totals *served, double seconds)
{
    uint64_t fresh = served->samples_done - served->samples_known;
    int i;

    printf("pictures in   %13llu\nembedded      %13llu\nrejected      %13llu\n",
           (unsigned long long)(totals->n + totals->rejected_n), (unsigned long long)totals->n,
           (unsigned long long)totals->rejected_n);
    for (i = 1; i < FSH_REASON_N; i++)
        if (totals->rejected[i])
            printf("    %-16s %9llu  %s\n", fsh_reason_code((fsh_reason)i),
                   (unsigned long long)totals->rejected[i], fsh_reason_text((fsh_reason)i));
    if (fresh)
        printf("time          %11.1f s  %.1f pictures/s\n", seconds, (double)fresh / seconds);
    printf("output        %s, %u numbers a picture\n", output, totals->dimension);
}

static void
report(const fsh_embedded_options *options, const fsh_embed_result *result)
{
    fsh_progress progress = result->run.progress;
    double seconds;

    if (result->made_before)
        fsh_progress_start(&progress, (fsh_log_mode)options->log);
    seconds = fsh_progress_seconds(&progress);
    if (progress.mode == FSH_LOG_JSON && result->made_before)
        printf("{\"event\":\"finished_before\"}\n");
    if (progress.mode == FSH_LOG_JSON)
        print_json(&result->totals, options->output, seconds);
    if (progress.mode == FSH_LOG_BAR && result->made_before)
        fprintf(stderr, "the pictures are embedded: there is nothing to do\n");
    if (progress.mode == FSH_LOG_BAR)
        print_lines(&result->totals, options->output, &result->run.served, seconds);
}

/* The file is there all the same: exit code 1 says that it is to be looked at. */
static fsh_status
judge(const fsh_embed_result *result, const char *output, fsh_err *err)
{
    uint64_t all = result->totals.n + result->totals.rejected_n;
    double share = all ? (double)result->totals.rejected_n / (double)all : 0;

    if (share <= result->max_rejected)
        return FSH_OK;
    return fsh_fail(err, FSH_REJECTED,
                    "%.1f %% of the pictures have no embedding, limits.max_rejected is %.1f %%; "
                    "`faceshard inspect %s` says why",
                    100 * share, 100 * result->max_rejected, output);
}

static fsh_status
explain(const char *input, const fsh_embedded_options *options, fsh_err *err)
{
    fsh_job *job = NULL;
    fsh_status status = fsh_embed_job(input, options, options->output, &job, err);

    if (!status)
        fsh_run_explain(job);
    fsh_job_free(job);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const embed_options *given = invocation->options;
    const char *input = invocation->words[0];
    fsh_embedded_options options = given->embedded;
    fsh_embed_result result;
    fsh_status status;

    options.sets = invocation->sets;
    options.sets_n = invocation->sets_n;
    if (!options.output[0])
        return fsh_fail(err, FSH_USAGE,
                        "--output is missing: the embeddings file to write, such as gallery.h5");
    if (given->explain)
        return explain(input, &options, err);
    status = fsh_embed_make(input, &options, options.output, &result, err);
    if (status)
        return status;
    report(&options, &result);
    return judge(&result, options.output, err);
}

const fsh_command fsh_command_embed = {
    "embed",
    "INPUT",
    1,
    1,
    "embed pictures of people",
    "Finds the face of each picture and embeds it. INPUT is a folder with a folder per person, a\n"
    "folder of pictures (NAME.jpg), a list (a text file with a line `path<TAB>name` for each), or "
    "an\n"
    "embeddings file, shard or index.h5: embeddings of the model are copied, otherwise the "
    "pictures\n"
    "that are stored there are embedded. OUTPUT is an HDF5 file with /embedding, /name, /source, "
    "and\n"
    "/rejected with the reason for every picture that could not be embedded. It is a job like any\n"
    "other: OUTPUT.work is there while it is unfinished; interrupted at any moment, the same "
    "command\n"
    "continues. Example:\n\n"
    "  faceshard embed people --output gallery.h5\n",
    rows,
    sizeof(embed_options),
    true,
    run};
