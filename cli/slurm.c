/* `faceshard slurm`: a job on a Slurm cluster. */
#include "cli/slurm.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "job/meeting.h"

typedef struct slurm_options {
    fsh_job_options job;
    int64_t workers, cpus, port;
    char time[FSH_ARG_TEXT_BYTES], mem[FSH_ARG_TEXT_BYTES], partition[FSH_ARG_TEXT_BYTES],
        account[FSH_ARG_TEXT_BYTES], qos[FSH_ARG_TEXT_BYTES], sbatch[FSH_ARG_TEXT_BYTES],
        announce[FSH_ARG_TEXT_BYTES];
    bool without_coordinator, dry_run;
} slurm_options;

static const fsh_arg rows[] = {
    FSH_JOB_OPTION_ROWS(slurm_options),
    FSH_ARG_INT(slurm_options, workers, 1, 100000, "8",
                "tasks of the array; as many of them run as the cluster lets"),
    FSH_ARG_INT(slurm_options, cpus, 1, 256, "2", "processors of each, and its compute threads"),
    FSH_ARG_TEXT(
        slurm_options, time, "",
        "time limit of every job, as 2:00:00; what is not done then goes back into the queue"),
    FSH_ARG_TEXT(slurm_options, mem, "",
                 "memory of each worker, as 4G; else the cluster's default"),
    FSH_ARG_TEXT(slurm_options, partition, "", "where it is queued; else the cluster's default"),
    FSH_ARG_TEXT(slurm_options, account, "", "who is charged"),
    FSH_ARG_TEXT(slurm_options, qos, "", "quality of service"),
    FSH_ARG_TEXT(slurm_options, sbatch, "",
                 "further options of sbatch, as \"--constraint=avx512 --nice=100\""),
    FSH_ARG_TEXT(slurm_options, announce, "",
                 "name by which workers reach the coordinator's node, as '$(hostname)-ib'; else "
                 "$(hostname)"),
    FSH_ARG_INT(slurm_options, port, 0, 65535, "0", "TCP port of the coordinator; 0: any"),
    FSH_ARG_BOOL(slurm_options, without_coordinator, "false",
                 "plan, an array of units, and finish: no process that waits"),
    FSH_ARG_BOOL(slurm_options, dry_run, "false", "print the scripts; write and submit nothing"),
    FSH_ARG_END};

static fsh_slurm_options
to_options(const slurm_options *options)
{
    return (fsh_slurm_options){.time = options->time,
                               .memory = options->mem,
                               .partition = options->partition,
                               .account = options->account,
                               .qos = options->qos,
                               .extra = options->sbatch,
                               .announce = options->announce,
                               .workers = (uint32_t)options->workers,
                               .cpus = (uint32_t)options->cpus,
                               .port = (uint32_t)options->port,
                               .coordinator = !options->without_coordinator};
}

/* Files are written and connections go on nobody's word but the shared folder's. */
static fsh_status
check_job(const fsh_job *job, fsh_err *err)
{
    return job->transport == FSH_TRANSPORT_SHARED
               ? FSH_OK
               : fsh_fail(
                     err, FSH_USAGE,
                     "transport.mode: expected shared: on Slurm all nodes see input and output");
}

static fsh_status
print_scripts(const fsh_job *job, const fsh_slurm_options *options, fsh_err *err)
{
    const fsh_slurm_part *part;
    fsh_status status = FSH_OK;

    for (part = fsh_slurm_parts(options); part->name && !status; part++) {
        fsh_text script = {0};

        status = fsh_slurm_script(job, options, part, &script, err);
        if (!status)
            printf("# ---- %s/slurm/%s.sbatch\n%s\n", job->output, part->name,
                   fsh_text_get(&script));
        fsh_text_fini(&script);
    }
    return status;
}

/* Numbers of all parts, with something between them. */
static void
print_ids(const fsh_slurm_part *parts, char ids[FSH_SLURM_PARTS_MAX][FSH_SLURM_ID_BYTES],
          const char *between)
{
    for (uint32_t i = 0; parts[i].name; i++)
        printf("%s%s", i ? between : "", ids[i]);
}

static void
tell(const fsh_job *job, const slurm_options *options, const fsh_slurm_part *parts,
     char ids[FSH_SLURM_PARTS_MAX][FSH_SLURM_ID_BYTES])
{
    printf("submitted    ");
    for (uint32_t i = 0; parts[i].name; i++)
        printf(" %s %s%s", parts[i].name, ids[i], parts[i + 1].name ? "," : "\n");
    printf("workers       %lld tasks of %lld processors\nscripts       %s/slurm/*.sbatch\n",
           (long long)options->workers, (long long)options->cpus, job->output);
    printf("how far       faceshard status %s --watch\nqueue         squeue -j ", job->output);
    print_ids(parts, ids, ",");
    printf("\nlogs          tail -F %s/slurm/logs/*.log\nstop          scancel ", job->output);
    print_ids(parts, ids, " ");
    printf(
        "   (what is finished is kept)\ncontinue      the same `faceshard slurm` command again\n");
    if (!options->without_coordinator)
        printf("more workers  cd %s/slurm && sbatch --array=1-%lld workers.sbatch %s   (at any "
               "time)\n",
               job->output, (long long)options->workers, ids[0]);
}

static fsh_status
submit(const fsh_job *job, const slurm_options *options, const fsh_slurm_options *how, fsh_err *err)
{
    const fsh_slurm_part *parts = fsh_slurm_parts(how);
    char folder[FSH_PATH_BYTES], ids[FSH_SLURM_PARTS_MAX][FSH_SLURM_ID_BYTES];
    fsh_status status = fsh_slurm_write(job, how, folder, err);

    if (!status)
        status = fsh_meeting_reopen(job->output, err);
    if (!status)
        status = fsh_slurm_submit(folder, parts, ids, err);
    if (status == FSH_NETWORK)
        return fsh_fail_within(err, status, "%s is written, but not submitted", folder);
    if (!status)
        tell(job, options, parts, ids);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const slurm_options *options = invocation->options;
    fsh_slurm_options how = to_options(options);
    fsh_job *job;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    status = check_job(job, err);
    if (!status)
        status = options->dry_run ? print_scripts(job, &how, err) : submit(job, options, &how, err);
    fsh_job_free(job);
    return status;
}

const fsh_command fsh_command_slurm = {
    "slurm",
    "JOB.yaml",
    1,
    1,
    "submit a job to a Slurm cluster",
    "Writes scripts to OUT/slurm and submits them: a coordinator, and an array of workers that "
    "find it through the output\n"
    "folder, come and go, and are requeued when they are preempted or their time is over. With "
    "--without-coordinator: plan,\n"
    "an array whose tasks share the units, and finish. The job is written down as it is now, with "
    "every option. All nodes\n"
    "must see this program, the job's folders and the models under the same paths. Prints how to "
    "follow, stop and continue.\n"
    "Example:\n\n"
    "  faceshard slurm docs/jobs/masked6.yaml --input CASIA-WebFace --output out --workers 32 "
    "--cpus 4 --time 2:00:00\n",
    rows,
    sizeof(slurm_options),
    true,
    run};
