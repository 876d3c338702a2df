/* `faceshard mask-set`: the masked twin of an evaluation set. */
#include "cli/mask_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "datasets/pictures.h"

#define SET_FILE "mask-set.json"
enum { SET_BYTES_MAX = 1 << 30 };

static const fsh_arg rows[] = {
    FSH_ARG_INT(fsh_mask_set, identities, 1, 10000000, "1000", "people"),
    FSH_ARG_CHOICE(
        fsh_mask_set, probe, "same|other", "other",
        "what is masked: the gallery's photograph itself, or other photographs of the person"),
    FSH_ARG_INT(fsh_mask_set, probes, 1, 1000, "1",
                "masked pictures of a person at most, with --probe other"),
    FSH_ARG_TEXT(fsh_mask_set, output, "", "folder to make"),
    FSH_ARG_INT(fsh_mask_set, seed, 0, 9007199254740991.0, "1",
                "another seed takes other people, pictures and masks"),
    FSH_ARG_TEXT(fsh_mask_set, detector, "hog", "card of the face detector"),
    FSH_ARG_TEXT(fsh_mask_set, format, "auto",
                 "what the input is, as input.format of a job file: folders or pictures"),
    FSH_ARG_INT(fsh_mask_set, workers, 0, 1024, "0",
                "worker processes; 0: one for every processor"),
    FSH_ARG_CHOICE(fsh_mask_set, log, FSH_LOG_MODES, "auto",
                   "what is told; auto: bar on a terminal, else json"),
    FSH_ARG_END};

static const char *
kind_of(const fsh_mask_set *set)
{
    return set->probe == FSH_MASK_PROBE_SAME ? "same" : "other";
}

/* Links must lead to the photographs wherever they are. */
static fsh_status
find_input(fsh_mask_set *set, const char *input, const fsh_reader **reader, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (!realpath(input, set->input))
        return fsh_fail_errno(err, errno, "%s: the input cannot be found", input);
    if (strcmp(set->format, "auto") == 0)
        status = fsh_reader_detect(input, reader, err);
    else
        *reader = fsh_reader_find(set->format);
    if (!status && (!*reader || !(*reader)->in_place))
        status = fsh_fail(
            err, FSH_USAGE,
            "%s: a mask set is made of a folder with a folder per person, or of a folder of "
            "pictures",
            input);
    return status;
}

/* All that decides which pictures are made, but the input: the hash of the job, and what is asked
 * for. */
static fsh_status
add_request(const fsh_mask_set *set, const char *hash, fsh_text *out, fsh_err *err)
{
    fsh_text_addf(out,
                  "\"job_hash\": \"%s\", \"probe\": \"%s\", \"identities_wanted\": %lld, "
                  "\"probes_wanted\": %lld, "
                  "\"seed\": %lld",
                  hash, kind_of(set), (long long)set->identities, (long long)set->probes,
                  (long long)set->seed);
    return fsh_text_ok(out) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
}

/* Whether the output is there, of the same request. One that is something else is USAGE. */
static fsh_status
look_for_output(const fsh_mask_set *set, bool *there, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    uint8_t *text = NULL;
    size_t bytes;
    fsh_text request = {0};
    fsh_job *job = NULL;
    fsh_status status;

    *there = false;
    if (!fsh_file_exists(set->output))
        return FSH_OK;
    status = fsh_path_join(path, set->output, SET_FILE, err);
    if (!status)
        status = fsh_file_read(path, SET_BYTES_MAX, &text, &bytes, NULL);
    if (!status)
        status = fsh_mask_set_job(set, set->input, set->output, &job, err);
    if (!status)
        status = add_request(set, job->hash, &request, err);
    *there = !status && strstr((char *)text, fsh_text_get(&request));
    fsh_job_free(job);
    fsh_text_fini(&request);
    free(text);
    return *there ? FSH_OK
                  : fsh_fail(err, FSH_USAGE,
                             "%s is there and is not the mask set that is asked for: remove it, or "
                             "choose another --output",
                             set->output);
}

static fsh_status
write_set_file(const fsh_mask_set *set, const char *folder, fsh_err *err)
{
    fsh_text text = {0};
    fsh_status status;

    fsh_text_addf(&text, "{\n  \"format\": 1,\n  \"version\": \"%s\",\n  ", FSH_VERSION);
    status = add_request(set, set->job_hash, &text, err);
    fsh_text_addf(
        &text,
        ",\n  \"identities\": %u,\n  \"pictures\": %llu,\n  \"too_few_photographs\": %u,\n"
        "  \"skipped\": [%s],\n  \"people\": [%s\n  ]\n}\n",
        set->made, (unsigned long long)set->pictures, set->small_n,
        fsh_text_get(&set->skipped_names), fsh_text_get(&set->people));
    if (!status)
        status = fsh_file_write_text(folder, SET_FILE, &text, err);
    fsh_text_fini(&text);
    return status;
}

/* All files are on disk before the folder has its name. */
static fsh_status
commit(const fsh_mask_set *set, const char *folder, fsh_err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && syncfs(fd) == 0;
    int why = errno;

    if (fd >= 0)
        close(fd);
    if (!synced)
        return fsh_fail_errno(err, why, "%s: cannot be flushed to disk", folder);
    return fsh_file_commit(folder, set->output, err);
}

static fsh_status
make_folder(const char *work, const char *name, char path[FSH_PATH_BYTES], fsh_err *err)
{
    fsh_status status = fsh_path_join(path, work, name, err);

    return status ? status : fsh_folder_make(path, err);
}

static fsh_status
make(fsh_mask_set *set, const fsh_candidates *from, const char *work, fsh_err *err)
{
    char folder[FSH_PATH_BYTES], part[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, work, "set", err);

    if (!status)
        status = fsh_folder_remove(folder, err);
    if (!status)
        status = make_folder(folder, "gallery", part, err);
    if (!status)
        status = make_folder(folder, "probes", part, err);
    if (!status)
        status = fsh_mask_set_run(set, from, work, folder, err);
    if (!status && !set->made)
        status = fsh_fail(err, FSH_USAGE, "%s: nobody has enough usable photographs", set->input);
    if (!status)
        status = fsh_file_write_text(folder, "gallery/" FSH_PICTURE_NAMES, &set->gallery_names, err);
    if (!status)
        status = fsh_file_write_text(folder, "probes/" FSH_PICTURE_NAMES, &set->names, err);
    if (!status)
        status = write_set_file(set, folder, err);
    return status ? status : commit(set, folder, err);
}

static void
print_json(const fsh_mask_set *set)
{
    printf("{\"event\":\"done\",\"probe\":\"%s\",\"identities\":%u,\"probes\":%llu,\"skipped\":%u,"
           "\"too_few_photographs\":%u}\n",
           kind_of(set), set->made, (unsigned long long)set->pictures, set->skipped, set->small_n);
}

static void
print_lines(const fsh_mask_set *set)
{
    printf("people        %13u  of %lld that were wanted\n", set->made, (long long)set->identities);
    printf("probes        %13llu  masked: %s\n", (unsigned long long)set->pictures,
           set->probe == FSH_MASK_PROBE_SAME ? "the gallery's photographs themselves"
                                             : "other photographs");
    printf("skipped       %13u  people whose photographs were not usable, or not enough of them\n"
           "              %13u  people who have too few\n"
           "output        %s\n",
           set->skipped, set->small_n, set->output);
}

static void
report(const fsh_mask_set *set, bool there)
{
    fsh_progress progress;

    fsh_progress_start(&progress, (fsh_log_mode)set->log);
    if (there && progress.mode == FSH_LOG_JSON)
        printf("{\"event\":\"finished_before\"}\n");
    else if (there && progress.mode == FSH_LOG_BAR)
        fprintf(stderr, "the mask set is there: there is nothing to do\n");
    else if (progress.mode == FSH_LOG_JSON)
        print_json(set);
    else if (progress.mode == FSH_LOG_BAR)
        print_lines(set);
}

/* What another request has begun here is not to be mixed with this one. */
static fsh_status
work_folder(const fsh_mask_set *set, const char *root, char work[FSH_PATH_BYTES], fsh_err *err)
{
    fsh_text request = {0};
    fsh_job *job = NULL;
    fsh_hash hash;
    char hex[FSH_HASH_HEX];
    fsh_status status = fsh_mask_set_job(set, set->input, root, &job, err);

    if (!status)
        status = add_request(set, job->hash, &request, err);
    fsh_job_free(job);
    fsh_text_add(&request, set->input);
    hash = fsh_hash_of(fsh_text_get(&request), request.bytes);
    fsh_text_fini(&request);
    fsh_hash_hex(&hash, hex);
    hex[12] = '\0';
    return status ? status : fsh_path_join(work, root, hex, err);
}

static fsh_status
draw_and_make(fsh_mask_set *set, const fsh_reader *reader, fsh_err *err)
{
    char root[FSH_ARG_TEXT_BYTES], work[FSH_PATH_BYTES];
    fsh_candidates candidates = {0};
    fsh_status status;

    if (snprintf(root, sizeof root, "%s.work", set->output) >= (int)sizeof root)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", set->output);
    status = work_folder(set, root, work, err);
    if (!status)
        status = fsh_candidates_draw(set->input, reader, (uint64_t)set->seed,
                                     set->probe == FSH_MASK_PROBE_SAME ? 1 : 2, &candidates, err);
    if (!status)
        set->small_n = candidates.small_n;
    if (!status)
        status = make(set, &candidates, work, err);
    fsh_candidates_fini(&candidates);
    return status ? status : fsh_folder_remove(root, err);
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    fsh_mask_set set = *(const fsh_mask_set *)invocation->options;
    const fsh_reader *reader = NULL;
    bool there = false;
    fsh_status status;

    set.sets = invocation->sets;
    set.sets_n = invocation->sets_n;
    if (!set.output[0])
        return fsh_fail(err, FSH_USAGE, "--output is missing: the folder to make");
    while (strlen(set.output) > 1 && set.output[strlen(set.output) - 1] == '/')
        set.output[strlen(set.output) - 1] = '\0';
    status = find_input(&set, invocation->words[0], &reader, err);
    if (!status)
        status = look_for_output(&set, &there, err);
    if (!status && !there)
        status = draw_and_make(&set, reader, err);
    if (!status)
        report(&set, there);
    fsh_text_fini(&set.people);
    fsh_text_fini(&set.names);
    fsh_text_fini(&set.gallery_names);
    fsh_text_fini(&set.skipped_names);
    return status;
}

const fsh_command fsh_command_mask_set = {
    "mask-set",
    "INPUT",
    1,
    1,
    "make the masked twin of an evaluation set",
    "Takes people of INPUT (a folder per person) by lot and makes OUTPUT/gallery/NAME.png, a "
    "picture of each as it is, and\n"
    "OUTPUT/probes/NAME_K.png, masked ones. --probe same masks the gallery's photograph itself: "
    "how much of a match is the\n"
    "mask alone. --probe other masks other photographs of the person: the honest question. "
    "OUTPUT/mask-set.json says what was\n"
    "chosen. The same options give the same files; interrupted, the same command continues. "
    "Example:\n\n"
    "  faceshard mask-set LFW --identities 1000 --probe other --output masked\n"
    "  faceshard identify --gallery masked/gallery --probes masked/probes\n",
    rows,
    sizeof(fsh_mask_set),
    true,
    run};
