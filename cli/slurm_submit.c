#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outside.h"
#include "cli/slurm.h"
#include "job/paths.h"

enum { CLIENT_S = 60, BOOK_BYTES_MAX = 4096 };

#define BOOK                                                                                       \
    (FSH_PATH_SUBMITTED +                                                                          \
     sizeof FSH_PATH_SLURM) /* in the folder: "coordinator 12", a line for each job */

/* Whether a job of the book's line is still queued or running. Slurm refuses a number that it has
 * forgotten. */
static bool
is_alive(const char *folder, const char *id)
{
    const char *const words[] = {"squeue", "--noheader", "--jobs", id, NULL};
    fsh_text said = {0};
    bool alive = fsh_outside_run(words, folder, CLIENT_S, &said, NULL) == FSH_OK && said.bytes > 0;

    fsh_text_fini(&said);
    return alive;
}

static fsh_status
check_earlier(const char *folder, fsh_err *err)
{
    char path[FSH_PATH_BYTES], id[FSH_SLURM_ID_BYTES], *line, *rest;
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_path_join(path, folder, BOOK, err);

    if (status || !fsh_file_exists(path))
        return status;
    status = fsh_file_read(path, BOOK_BYTES_MAX, &data, &bytes, err);
    if (status)
        return status;
    for (line = strtok_r((char *)data, "\n", &rest); line && !status;
         line = strtok_r(NULL, "\n", &rest))
        if (sscanf(line, "%*s %63s", id) == 1 && is_alive(folder, id))
            status = fsh_fail(err, FSH_BUSY,
                              "job %s of an earlier submission is still there (`squeue -j %s`); "
                              "wait for it, or `scancel %s`",
                              id, id, id);
    free(data);
    return status;
}

/* --parsable: "12", or "12;cluster". */
static fsh_status
submit(const char *folder, const fsh_slurm_part *part, const char *before,
       char id[FSH_SLURM_ID_BYTES], fsh_err *err)
{
    char script[64], dependency[FSH_SLURM_ID_BYTES + 32];
    const char *words[] = {"sbatch", "--parsable", "--kill-on-invalid-dep=yes", NULL, NULL,
                           NULL,     NULL};
    fsh_text said = {0};
    fsh_status status;
    int n = 3;

    snprintf(script, sizeof script, "%s.sbatch", part->name);
    if (part->after) {
        snprintf(dependency, sizeof dependency, "--dependency=%s:%s", part->after, before);
        words[n++] = dependency;
        words[n + 1] = before; /* the script's $1 */
    }
    words[n] = script;
    status = fsh_outside_run(words, folder, CLIENT_S, &said, err);
    if (!status && sscanf(fsh_text_get(&said), "%63[0-9]", id) != 1)
        status =
            fsh_fail(err, FSH_NETWORK, "sbatch: said no number of a job: %s", fsh_text_get(&said));
    fsh_text_fini(&said);
    return status;
}

static void
cancel(const char *folder, char ids[FSH_SLURM_PARTS_MAX][FSH_SLURM_ID_BYTES], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const char *const words[] = {"scancel", ids[i], NULL};
        fsh_text said = {0};

        fsh_outside_run(words, folder, CLIENT_S, &said, NULL);
        fsh_text_fini(&said);
    }
}

fsh_status
fsh_slurm_submit(const char *folder, const fsh_slurm_part *parts,
                 char ids[FSH_SLURM_PARTS_MAX][FSH_SLURM_ID_BYTES], fsh_err *err)
{
    fsh_text book = {0};
    fsh_status status = check_earlier(folder, err);
    uint32_t n;

    for (n = 0; parts[n].name && !status; n++) {
        status = submit(folder, &parts[n], n ? ids[n - 1] : NULL, ids[n], err);
        if (status) {
            cancel(folder, ids, n);
            break;
        }
        fsh_text_addf(&book, "%s %s\n", parts[n].name, ids[n]);
    }
    if (!status)
        status = fsh_file_write_text(folder, BOOK, &book, err);
    fsh_text_fini(&book);
    return status;
}
