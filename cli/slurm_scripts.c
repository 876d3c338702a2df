#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/template.h"
#include "cli/slurm.h"
#include "job/paths.h"
#include "proto/keys.h"

enum { TEXTS = 10 };

extern const char fsh_slurm_guard[], fsh_slurm_coordinator[], fsh_slurm_workers[], fsh_slurm_plan[],
    fsh_slurm_units[], fsh_slurm_finish[]; /* deploy/slurm, made into C files by the build */

const fsh_slurm_part *
fsh_slurm_parts(const fsh_slurm_options *options)
{
    static const fsh_slurm_part with[] = {{"coordinator", NULL, fsh_slurm_coordinator},
                                          {"workers", "after", fsh_slurm_workers},
                                          {NULL, NULL, NULL}};
    static const fsh_slurm_part without[] = {{"plan", NULL, fsh_slurm_plan},
                                             {"units", "afterok", fsh_slurm_units},
                                             {"finish", "afterany", fsh_slurm_finish},
                                             {NULL, NULL, NULL}};

    return options->coordinator ? with : without;
}

/* ---- what is filled in ---- */

static void
add_option(fsh_text *to, const char *name, const char *value)
{
    if (value[0])
        fsh_text_addf(to, "%s#SBATCH --%s=%s", to->bytes ? "\n" : "", name, value);
}

/* Each word is an option of sbatch as it stands. */
static void
add_extra(fsh_text *to, const char *words)
{
    while (*(words += strspn(words, " "))) {
        size_t n = strcspn(words, " ");

        fsh_text_add(to, to->bytes ? "\n#SBATCH " : "#SBATCH ");
        fsh_text_add_bytes(to, words, n);
        words += n;
    }
}

/* --signal: the script hears of the time limit a minute before. --open-mode: a requeued job has the
 * same log. */
static void
add_options(fsh_text *to, const fsh_slurm_options *options)
{
    add_option(to, "time", options->time);
    add_option(to, "partition", options->partition);
    add_option(to, "account", options->account);
    add_option(to, "qos", options->qos);
    add_extra(to, options->extra);
    fsh_text_addf(to, "%s#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=B:USR1@60",
                  to->bytes ? "\n" : "");
}

static void
add_environment(fsh_text *to)
{
    const char *models = getenv("FACESHARD_MODELS");

    if (!models)
        return;
    fsh_text_add(to, "export FACESHARD_MODELS=");
    fsh_text_add_shell(to, models);
}

/* The last component of the output folder, with what Slurm or a file name would take for something
 * else replaced. */
static void
add_name(fsh_text *to, const char *output)
{
    const char *name = fsh_path_name(output);
    size_t i;

    for (i = 0; name[i] && i < 40; i++) {
        bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                            name[i]) != NULL;

        fsh_text_add_bytes(to, plain ? name + i : "_", 1);
    }
}

static fsh_status
add_own_path(fsh_text *to, fsh_err *err)
{
    char path[FSH_PATH_BYTES] = "";
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return fsh_fail(err, FSH_IO,
                        "/proc/self/exe: the path of this program is not to be found out");
    fsh_text_add_shell(to, path);
    return FSH_OK;
}

static fsh_status
add_here(fsh_text *to, fsh_err *err)
{
    char here[FSH_PATH_BYTES];

    if (!getcwd(here, sizeof here))
        return fsh_fail(err, FSH_IO, "the current folder has no usable path");
    fsh_text_add_shell(to, here);
    return FSH_OK;
}

/* Texts in the order of the words of fsh_slurm_script. */
static fsh_status
make_texts(const fsh_job *job, const fsh_slurm_options *options, fsh_text *texts, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, job->output, FSH_PATH_SLURM "/job.yaml", err);

    if (!status)
        status = add_own_path(&texts[0], err);
    if (!status)
        status = add_here(&texts[1], err);
    if (status)
        return status;
    fsh_text_add_shell(&texts[2], path);
    fsh_text_add_shell(&texts[3], job->output);
    add_name(&texts[4], job->output);
    add_options(&texts[5], options);
    add_environment(&texts[6]);
    add_option(&texts[7], "mem", options->memory);
    fsh_text_addf(&texts[8], "\"%s\"", options->announce[0] ? options->announce : "$(hostname)");
    fsh_text_addf(&texts[9], options->port ? "%u" : "*", options->port);
    return FSH_OK;
}

fsh_status
fsh_slurm_script(const fsh_job *job, const fsh_slurm_options *options, const fsh_slurm_part *part,
                 fsh_text *out, fsh_err *err)
{
    char workers[16], last[16], cpus[16];
    fsh_text texts[TEXTS] = {0};
    fsh_status status = make_texts(job, options, texts, err);
    uint32_t i;

    snprintf(workers, sizeof workers, "%u", options->workers);
    snprintf(last, sizeof last, "%u", options->workers - 1);
    snprintf(cpus, sizeof cpus, "%u", options->cpus);
    if (!status) {
        const fsh_template_word words[] = {{"FACESHARD", fsh_text_get(&texts[0])},
                                           {"HERE", fsh_text_get(&texts[1])},
                                           {"JOB", fsh_text_get(&texts[2])},
                                           {"OUTPUT", fsh_text_get(&texts[3])},
                                           {"NAME", fsh_text_get(&texts[4])},
                                           {"OPTIONS", fsh_text_get(&texts[5])},
                                           {"ENVIRONMENT", fsh_text_get(&texts[6])},
                                           {"MEMORY", fsh_text_get(&texts[7])},
                                           {"ANNOUNCE", fsh_text_get(&texts[8])},
                                           {"PORT", fsh_text_get(&texts[9])},
                                           {"WORKERS", workers},
                                           {"LAST", last},
                                           {"CPUS", cpus},
                                           {"GUARD", fsh_slurm_guard},
                                           {NULL, NULL}};

        status = fsh_template_fill(part->script, words, out, err);
    }
    for (i = 0; i < TEXTS; i++)
        fsh_text_fini(&texts[i]);
    return status;
}

/* ---- writing ---- */

static fsh_status
write_scripts(const fsh_job *job, const fsh_slurm_options *options, const char *folder,
              fsh_err *err)
{
    const fsh_slurm_part *part;
    fsh_status status = FSH_OK;

    for (part = fsh_slurm_parts(options); part->name && !status; part++) {
        fsh_text script = {0};
        char name[64];

        snprintf(name, sizeof name, "%s.sbatch", part->name);
        status = fsh_slurm_script(job, options, part, &script, err);
        if (!status)
            status = fsh_file_write_text(folder, name, &script, err);
        fsh_text_fini(&script);
    }
    return status;
}

static fsh_status
write_job(const fsh_job *job, const char *folder, fsh_err *err)
{
    fsh_text text = {0};
    fsh_status status;

    fsh_job_print(job, &text);
    status = fsh_file_write_text(folder, "job.yaml", &text, err);
    fsh_text_fini(&text);
    return status;
}

static fsh_status
make_keys(const char *folder, fsh_err *err)
{
    char keys[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(keys, folder, "keys", err);

    return status || fsh_keys_exist(keys) ? status : fsh_keys_make_coordinator(keys, err);
}

fsh_status
fsh_slurm_write(const fsh_job *job, const fsh_slurm_options *options, char folder[FSH_PATH_BYTES],
                fsh_err *err)
{
    char logs[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, job->output, FSH_PATH_SLURM, err);

    if (!status)
        status = fsh_path_join(logs, folder, "logs", err);
    if (!status)
        status = fsh_folder_make(logs, err);
    if (!status && options->coordinator)
        status = make_keys(folder, err);
    if (!status)
        status = write_job(job, folder, err);
    return status ? status : write_scripts(job, options, folder, err);
}
