/* Rounds: a job over as many people as are still wanted and some more, until there are enough. The
 * photographs of a round are links in a folder per person, so that a job sees nothing but what it
 * needs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/mask_set.h"
#include "job/paths.h"

/* Photographs beyond those that are wanted, should some be unusable. */
enum { SPARE = 2 };

/* The square with the face and as much again around it: enough for every detector to find it, and
 * for a mask. */
static const char stages[] =
    "output: {encoding: png, size: 224}\n"
    "units: {images: 128}\n"
    "stages:\n"
    "  - detect: {margin: 0, margin_share: 1, min_side: 80, crop_shape: square}\n"
    "  - landmarks: {}\n"
    "  - variants: [[], [mask]]\n";

uint32_t
fsh_mask_set_wanted(const fsh_mask_set *set)
{
    return 1 + (set->probe == FSH_MASK_PROBE_OTHER ? (uint32_t)set->probes : 0);
}

static fsh_status
check_job(const fsh_job *job, fsh_err *err)
{
    if (job->encoding == FSH_ENCODING_PNG && job->variants_n == 2 && job->variants[0].steps_n == 0)
        return FSH_OK;
    return fsh_fail(
        err, FSH_USAGE,
        "a mask set is made of PNG pictures in two variants, the first of which is the picture "
        "itself: --set stages.variants=[[], [mask]] with what the second is to be");
}

fsh_status
fsh_mask_set_job(const fsh_mask_set *set, const char *input, const char *work, fsh_job **job,
                 fsh_err *err)
{
    fsh_job_overrides overrides = {input, work, set->sets, set->sets_n};
    fsh_text text = {0};
    fsh_job *made = NULL;
    fsh_status status;

    fsh_text_addf(&text, "seed: %lld\nmodels: {detector: ", (long long)set->seed);
    fsh_text_add_json(&text, set->detector);
    fsh_text_addf(&text, "}\n%s", stages);
    status = fsh_job_compose("the job of mask-set", fsh_text_get(&text), &overrides, &made, err);
    fsh_text_fini(&text);
    if (!status)
        status = check_job(made, err);
    if (!status)
        status = fsh_job_hash(made, err);
    if (status)
        fsh_job_free(made);
    else
        *job = made;
    return status;
}

/* A link that is there already was made by an earlier call. */
static fsh_status
link_photo(const char *input, const fsh_candidate *person, uint32_t k, const char *people,
           fsh_err *err)
{
    char target[FSH_PATH_BYTES], place[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    char *slash;
    fsh_status status = fsh_path_join(target, input, person->sources[k], err);

    if (!status)
        status = fsh_candidate_place(person, k, place, err);
    if (!status)
        status = fsh_path_join(path, people, place, err);
    if (status)
        return status;
    slash = strrchr(path, '/');
    *slash = '\0';
    status = fsh_folder_make(path, err);
    *slash = '/';
    if (!status && symlink(target, path) != 0 && errno != EEXIST)
        status = fsh_fail_errno(err, errno, "%s: cannot be made", path);
    return status;
}

static fsh_status
make_links(const fsh_mask_set *set, const fsh_candidates *from, uint32_t first, uint32_t end,
           const char *input, const char *people, fsh_err *err)
{
    uint32_t i, k, most = fsh_mask_set_wanted(set) + SPARE;
    fsh_status status = FSH_OK;

    for (i = first; i < end && !status; i++)
        for (k = 0; k < from->at[i].n && k < most && !status; k++)
            status = link_photo(input, &from->at[i], k, people, err);
    return status;
}

static fsh_status
run_job(fsh_mask_set *set, const char *people, const char *work, fsh_err *err)
{
    fsh_run_options how = {.workers = fsh_run_workers(set->workers),
                           .threads = 1,
                           .grace = 20,
                           .log = (fsh_log_mode)set->log};
    fsh_run_result result;
    fsh_job *job = NULL;
    fsh_status status = fsh_mask_set_job(set, people, work, &job, err);

    if (!status)
        status = fsh_run(job, &how, &result, err);
    if (!status)
        memcpy(set->job_hash, job->hash, sizeof set->job_hash);
    fsh_job_free(job);
    return status;
}

static fsh_status
run_round(fsh_mask_set *set, const fsh_candidates *from, uint32_t first, uint32_t end,
          const char *work, const char *folder, fsh_err *err)
{
    char people[FSH_PATH_BYTES], made[FSH_PATH_BYTES], index[FSH_PATH_BYTES], name[64];
    fsh_status status;

    snprintf(name, sizeof name, "people-%u", first);
    status = fsh_path_join(people, work, name, err);
    snprintf(name, sizeof name, "made-%u", first);
    if (!status)
        status = fsh_path_join(made, work, name, err);
    if (!status)
        status = fsh_path_join(index, made, FSH_PATH_INDEX, err);
    if (!status)
        status = make_links(set, from, first, end, set->input, people, err);
    if (!status)
        status = run_job(set, people, made, err);
    return status ? status : fsh_mask_set_export(set, from, first, end, index, folder, err);
}

fsh_status
fsh_mask_set_run(fsh_mask_set *set, const fsh_candidates *from, const char *work,
                 const char *folder, fsh_err *err)
{
    uint32_t first = 0, end;
    fsh_status status = FSH_OK;

    for (; first < from->n && set->made < (uint64_t)set->identities && !status; first = end) {
        uint64_t wanted = (uint64_t)set->identities - set->made;

        wanted += wanted / 8 + 8;
        end = wanted < from->n - first ? first + (uint32_t)wanted : from->n;
        status = run_round(set, from, first, end, work, folder, err);
    }
    return status;
}
