#include "job/facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/paths.h"

enum {
    NAME_DIGITS = 16,
    TEXT_MAX_BYTES = 1 << 20,
    DEAD_SECONDS = 3600 /* a file that is half written since then has no writer any more */
};

#define ABOUT "about"
#define USED  "used-"

/* ---- names ---- */

static void
name_of(const fsh_hash *hash, char name[NAME_DIGITS + 1])
{
    char hex[FSH_HASH_HEX];

    fsh_hash_hex(hash, hex);
    memcpy(name, hex, NAME_DIGITS);
    name[NAME_DIGITS] = '\0';
}

static bool
is_key_name(const char *name)
{
    return strlen(name) == NAME_DIGITS && strspn(name, "0123456789abcdef") == NAME_DIGITS;
}

/* The version of the program stands for the decoders, which have none of their own. */
fsh_status
fsh_facts_key(const fsh_job *job, fsh_hash *key, fsh_text *about, fsh_err *err)
{
    fsh_text text = {0};
    bool ok;
    uint32_t i;

    fsh_text_addf(&text, "facts: %d\nversion: %s\nformat: %s\nmax_pixels: %lld\n", FSH_FACTS_FORMAT,
                  FSH_VERSION, job->format, (long long)job->max_pixels);
    for (i = 0; i < job->stages.steps_n; i++) {
        const fsh_stage *stage = job->stages.steps[i].stage;

        if (stage->phase != FSH_PHASE_ANALYSE)
            continue;
        fsh_text_addf(&text, "stage: %s version %u ", stage->name, stage->version);
        fsh_args_print(stage->args, job->stages.steps[i].params, &text);
        fsh_text_add(&text, "\n");
    }
    fsh_text_addf(&text, "models:\n%s", fsh_text_get(&job->model_list));
    *key = fsh_hash_of(fsh_text_get(&text), text.bytes);
    if (about)
        fsh_text_add(about, fsh_text_get(&text));
    ok = fsh_text_ok(&text) && (!about || fsh_text_ok(about));
    fsh_text_fini(&text);
    return ok ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
}

fsh_status
fsh_facts_store(const fsh_job *job, char store[FSH_PATH_BYTES], fsh_err *err)
{
    return job->store[0] ? fsh_path_join(store, "", job->store, err)
                         : fsh_path_join(store, job->output, FSH_PATH_FACTS, err);
}

fsh_status
fsh_facts_folder(const fsh_job *job, char folder[FSH_PATH_BYTES], fsh_err *err)
{
    char store[FSH_PATH_BYTES], name[NAME_DIGITS + 1];
    fsh_hash key;
    fsh_status status = fsh_facts_store(job, store, err);

    if (!status)
        status = fsh_facts_key(job, &key, NULL, err);
    if (status)
        return status;
    name_of(&key, name);
    return fsh_path_join(folder, store, name, err);
}

/* ---- what is in a folder ---- */

static bool
ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);

    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* What one key's folder holds. */
typedef struct key_content {
    fsh_text about, users;
    uint32_t units;
    uint64_t bytes;
} key_content;

static void
content_fini(key_content *content)
{
    fsh_text_fini(&content->about);
    fsh_text_fini(&content->users);
}

static fsh_status
add_text(const char *path, fsh_text *out, fsh_err *err)
{
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_file_read(path, TEXT_MAX_BYTES, &data, &bytes, err);

    if (status)
        return status;
    fsh_text_add(out, (const char *)data);
    free(data);
    return FSH_OK;
}

/* An output folder that has been removed uses nothing any more. */
static fsh_status
add_user(const char *path, fsh_text *out, fsh_err *err)
{
    fsh_text text = {0};
    char job[FSH_PATH_BYTES], output[FSH_PATH_BYTES];
    fsh_status status = add_text(path, &text, err);

    if (!status) {
        snprintf(output, sizeof output, "%.*s", (int)strcspn(fsh_text_get(&text), "\n"), fsh_text_get(&text));
        status = fsh_path_join(job, output, FSH_PATH_STATE, err);
    }
    if (!status && fsh_file_exists(job))
        fsh_text_addf(out, "%s\n", output);
    fsh_text_fini(&text);
    return status;
}

static fsh_status
look_at(void *self, const char *folder, const char *name, fsh_err *err)
{
    key_content *content = self;
    char path[FSH_PATH_BYTES];
    struct stat info;
    fsh_status status = fsh_path_join(path, folder, name, err);

    if (status || stat(path, &info) != 0)
        return status; /* gone since the folder was listed */
    content->bytes += (uint64_t)info.st_size;
    content->units += ends_with(name, FSH_FACTS_SUFFIX);
    if (strcmp(name, ABOUT) == 0)
        return add_text(path, &content->about, err);
    return strncmp(name, USED, strlen(USED)) == 0 ? add_user(path, &content->users, err) : FSH_OK;
}

fsh_status
fsh_facts_count(const fsh_job *job, uint32_t *units, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    key_content content = {0};
    fsh_status status = fsh_facts_folder(job, folder, err);

    if (!status)
        status = fsh_folder_each(folder, look_at, &content, err);
    if (!status)
        *units = content.units;
    content_fini(&content);
    return status;
}

/* ---- claiming ---- */

static void
user_name(const fsh_job *job, char name[sizeof USED + NAME_DIGITS])
{
    fsh_hash hash = fsh_hash_of(job->output, strlen(job->output));

    memcpy(name, USED, sizeof USED);
    name_of(&hash, name + strlen(USED));
}

/* Gives up what the output used before. */
static fsh_status
give_up(void *self, const char *store, const char *key, fsh_err *err)
{
    char folder[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, store, key, err);

    if (!status)
        status = fsh_path_join(path, folder, self, err);
    if (!status && is_key_name(key) && unlink(path) != 0 && errno != ENOENT)
        return fsh_fail_errno(err, errno, "%s: cannot be removed", path);
    return status;
}

fsh_status
fsh_facts_claim(const fsh_job *job, fsh_err *err)
{
    char store[FSH_PATH_BYTES], folder[FSH_PATH_BYTES], name[sizeof USED + NAME_DIGITS];
    fsh_text about = {0}, user = {0};
    fsh_hash key;
    fsh_status status = fsh_facts_store(job, store, err);

    user_name(job, name);
    fsh_text_addf(&user, "%s\n%s\n", job->output, job->hash);
    if (!status)
        status = fsh_facts_folder(job, folder, err);
    if (!status)
        status = fsh_folder_make(folder, err);
    if (!status)
        status = fsh_folder_sweep_idle(folder, "", ".tmp", DEAD_SECONDS, NULL, err);
    if (!status)
        status = fsh_folder_each(store, give_up, name, err);
    if (!status)
        status = fsh_facts_key(job, &key, &about, err);
    if (!status)
        status = fsh_file_write_text(folder, ABOUT, &about, err);
    if (!status)
        status = fsh_file_write_text(folder, name, &user, err);
    fsh_text_fini(&about);
    fsh_text_fini(&user);
    return status ? fsh_fail_within(err, status, "the store of facts (store.path of the job)") : FSH_OK;
}

/* ---- listing and freeing ---- */

typedef struct listing {
    fsh_facts_reader *reader;
    void *self;
} listing;

static fsh_status
list_key(void *self, const char *store, const char *key, fsh_err *err)
{
    const listing *to = self;
    char folder[FSH_PATH_BYTES];
    key_content content = {0};
    fsh_facts_row row;
    fsh_status status = fsh_path_join(folder, store, key, err);

    if (status || !is_key_name(key))
        return status;
    status = fsh_folder_each(folder, look_at, &content, err);
    row = (fsh_facts_row){key, fsh_text_get(&content.about), fsh_text_get(&content.users), content.units,
                          content.bytes};
    if (!status)
        status = to->reader(to->self, &row, err);
    content_fini(&content);
    return status;
}

fsh_status
fsh_facts_list(const char *store, fsh_facts_reader *reader, void *self, fsh_err *err)
{
    listing to = {reader, self};
    struct stat info;

    if (stat(store, &info) != 0 || !S_ISDIR(info.st_mode))
        return fsh_fail(err, FSH_USAGE, "%s: no such folder; give an output folder, or the store.path of a job",
                        store);
    return fsh_folder_each(store, list_key, &to, err);
}

/* Only what claim and the workers make: a mistaken path loses nothing else. */
static fsh_status
remove_file(void *self, const char *folder, const char *name, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, folder, name, err);

    (void)self;
    if (strcmp(name, ABOUT) != 0 && strncmp(name, USED, strlen(USED)) != 0 &&
        !ends_with(name, FSH_FACTS_SUFFIX) && !ends_with(name, ".tmp"))
        return status;
    if (!status && unlink(path) != 0 && errno != ENOENT)
        status = fsh_fail_errno(err, errno, "%s: cannot be removed", path);
    return status;
}

fsh_status
fsh_facts_remove(const char *store, const char *key, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, store, key, err);

    if (!status && !is_key_name(key))
        return fsh_fail(err, FSH_USAGE, "'%s' is no key of a store: %d hexadecimal digits", key, NAME_DIGITS);
    if (!status && !fsh_file_exists(folder))
        return fsh_fail(err, FSH_USAGE, "%s: there is no such key; `faceshard clean-store %s` lists them", folder,
                        store);
    if (!status)
        status = fsh_folder_each(folder, remove_file, NULL, err);
    if (!status && rmdir(folder) != 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be removed", folder);
    return status;
}
