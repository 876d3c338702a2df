/* `faceshard clean-store`: what is kept about photographs, for whom, and freeing it. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "job/facts.h"
#include "job/paths.h"

typedef struct clean_options {
    bool json, free;
    char remove[FSH_ARG_TEXT_BYTES];
} clean_options;

static const fsh_arg option_rows[] = {
    FSH_ARG_BOOL(clean_options, json, "false", "for scripts: a line for each key"),
    FSH_ARG_BOOL(clean_options, free, "false", "free every key that no output folder uses any more"),
    FSH_ARG_TEXT(clean_options, remove, "", "free this key, used or not; `all` frees the whole store"),
    FSH_ARG_END};

/* An output folder stands for its store. */
static fsh_status
find_store(const char *path, char store[FSH_PATH_BYTES], fsh_err *err)
{
    fsh_status status = fsh_path_join(store, path, FSH_PATH_FACTS, err);

    if (status || fsh_file_exists(store))
        return status;
    return fsh_path_join(store, "", path, err);
}

static void
print_json(const fsh_facts_row *row)
{
    fsh_text line = {0};

    fsh_text_addf(&line, "{\"key\":\"%s\",\"units\":%u,\"bytes\":%llu,\"users\":", row->key, row->units,
                  (unsigned long long)row->bytes);
    fsh_text_add_json(&line, row->users);
    fsh_text_add(&line, ",\"about\":");
    fsh_text_add_json(&line, row->about);
    printf("%s}\n", fsh_text_get(&line));
    fsh_text_fini(&line);
}

/* Prints lines, each behind a mark. */
static void
print_lines(const char *mark, const char *lines)
{
    while (*lines) {
        int n = 0;

        while (lines[n] && lines[n] != '\n')
            n++;
        printf("  %s%.*s\n", mark, n, lines);
        lines += n + (lines[n] == '\n');
    }
}

static fsh_status
print_row(void *self, const fsh_facts_row *row, fsh_err *err)
{
    const clean_options *options = self;

    (void)err;
    if (options->json) {
        print_json(row);
        return FSH_OK;
    }
    printf("%s  %u units, %.1f MB, %s\n", row->key, row->units, (double)row->bytes / 1e6,
           row->users[0] ? "used by" : "used by nobody");
    print_lines("> ", row->users);
    print_lines("", row->about);
    return FSH_OK;
}

typedef struct freeing {
    const char *store;
    bool unused_only;
} freeing;

static fsh_status
free_row(void *self, const fsh_facts_row *row, fsh_err *err)
{
    const freeing *of = self;
    fsh_status status;

    if (of->unused_only && row->users[0])
        return FSH_OK;
    status = fsh_facts_remove(of->store, row->key, err);
    if (!status)
        printf("freed %s, %.1f MB\n", row->key, (double)row->bytes / 1e6);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    clean_options options = *(const clean_options *)invocation->options;
    char store[FSH_PATH_BYTES];
    freeing of = {store, options.free};
    fsh_status status = find_store(invocation->words[0], store, err);

    if (status)
        return status;
    if (options.free || strcmp(options.remove, "all") == 0)
        return fsh_facts_list(store, free_row, &of, err);
    if (options.remove[0])
        return fsh_facts_remove(store, options.remove, err);
    return fsh_facts_list(store, print_row, &options, err);
}

const fsh_command fsh_command_clean_store = {
    "clean-store", "PATH", 1, 1, "list and free what is kept about photographs",
    "PATH is an output folder, or the store.path that several share. Lists what was kept there by earlier runs so that a\n"
    "job with other parameters need not look at the photographs again: key, units, bytes, the output folders that\n"
    "use it, and the stages and models that it stands for. What is freed is found out again when it is needed.\n"
    "Example:\n\n"
    "  faceshard clean-store out --free\n",
    option_rows, sizeof(clean_options), false, run};
