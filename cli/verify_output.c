/* `faceshard verify-output`: are shards and index still what was written? */
#include <stdio.h>

#include "cli/command.h"
#include "cli/outcome.h"
#include "coordinator/verify.h"

typedef struct verify_options {
    bool json, keep;
    fsh_progress progress;
} verify_options;

static const fsh_arg rows[] = {
    FSH_ARG_BOOL(verify_options, json, "false", "for scripts: a line for each damaged file, then one with the totals"),
    FSH_ARG_BOOL(verify_options, keep, "false", "change nothing: leave damaged files under their names"),
    FSH_ARG_END};

static void
tell_json(const fsh_verify_damage *damage)
{
    fsh_text line = {0};

    fsh_text_add(&line, "{\"event\":\"damaged\",\"file\":");
    fsh_text_add_json(&line, damage->file);
    fsh_text_add(&line, ",\"why\":");
    fsh_text_add_json(&line, damage->why);
    printf("%s,\"aside\":%s}\n", fsh_text_get(&line), damage->aside ? "true" : "false");
    fsh_text_fini(&line);
}

static void
tell(void *self, const fsh_verify_damage *damage)
{
    verify_options *options = self;

    fsh_progress_clear(&options->progress);
    if (options->json)
        tell_json(damage);
    else
        printf("%s: %s%s\n", damage->file, damage->why, damage->aside ? "; put aside as FILE.damaged" : "");
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    verify_options options = *(const verify_options *)invocation->options;
    fsh_listener listening = fsh_progress_listener(&options.progress), step = fsh_listener_at(&listening, "checking");
    fsh_verify_sink sink = {&options, tell, &step};
    fsh_verify_totals totals;
    fsh_status status;

    fsh_progress_start(&options.progress, fsh_outcome_mode(FSH_LOG_AUTO));
    status = fsh_verify_output(invocation->words[0], options.keep, &sink, &totals, err);
    fsh_progress_clear(&options.progress);

    if (status)
        return status;
    if (options.json)
        printf("{\"event\":\"verified\",\"files\":%llu,\"bytes\":%llu,\"damaged\":%llu}\n",
               (unsigned long long)totals.files, (unsigned long long)totals.bytes, (unsigned long long)totals.damaged);
    else if (!totals.damaged)
        printf("%llu files, %.1f MB: all are what was written\n", (unsigned long long)totals.files,
               (double)totals.bytes / 1e6);
    if (!totals.damaged)
        return FSH_OK;
    return fsh_fail(err, FSH_DAMAGED, "%llu of %llu files are missing or damaged; %s, and what is missing is made again",
                    (unsigned long long)totals.damaged, (unsigned long long)totals.files,
                    options.keep ? "run this without --keep, then the job with `faceshard run`"
                                 : "run the job again with `faceshard run`");
}

const fsh_command fsh_command_verify_output = {
    "verify-output", "OUT", 1, 1, "check shards and index against their checksums",
    "Reads every shard and index.h5 of an output folder and compares SHA-256 with manifest.json; with what is\n"
    "recorded so far where the job is not finished. A file that is not what was written is renamed to\n"
    "FILE.damaged; `faceshard run` with the same job then makes it again, with the same bytes. Exit code 0 where all\n"
    "is well, 1 where something is missing or damaged. Example:\n\n"
    "  faceshard verify-output out || faceshard run JOB.yaml --output out\n",
    rows, sizeof(verify_options), false, run};
