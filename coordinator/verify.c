#include "coordinator/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/hash.h"
#include "coordinator/ledger.h"
#include "job/paths.h"

typedef struct verifier {
    const char *output;
    bool keep;
    const fsh_verify_sink *sink;
    fsh_verify_totals *totals;
    uint32_t units; /* files that will be read; 0: not known */
} verifier;

/* ---- one file ---- */

static bool
put_aside(const verifier *of, const char *path)
{
    char aside[FSH_PATH_BYTES + 16];

    snprintf(aside, sizeof aside, "%s.damaged", path);
    return !of->keep && rename(path, aside) == 0;
}

static void
tell(const verifier *of, const char *file, const char *path, const char *why)
{
    fsh_verify_damage damage = {file, why, fsh_file_exists(path) && put_aside(of, path)};

    of->totals->damaged++;
    of->sink->damaged(of->sink->self, &damage);
}

static fsh_status
look_at(const verifier *of, const char *file, const char *sum, fsh_err *err)
{
    char path[FSH_PATH_BYTES], hex[FSH_HASH_HEX];
    fsh_hash hash;
    uint64_t bytes = 0;
    fsh_err why = {""};
    fsh_status status = fsh_path_join(path, of->output, file, err), read;

    if (status)
        return status;
    fsh_listener_tell(of->sink->steps, of->totals->files, of->units);
    of->totals->files++;
    read = fsh_hash_file(path, &hash, &bytes, &why);
    of->totals->bytes += bytes;
    if (read) {
        tell(of, file, path, fsh_file_exists(path) ? why.text : "missing");
        return FSH_OK;
    }
    fsh_hash_hex(&hash, hex);
    if (strcmp(hex, sum) != 0)
        tell(of, file, path, "damaged: its SHA-256 is not the one that was written");
    return FSH_OK;
}

/* ---- by manifest.json ---- */

/* manifest.json is ours, with one file a line: what follows `key` there, up to the quote, copied. */
static bool
find_value(const char *line, const char *key, char *value, size_t room)
{
    const char *at = strstr(line, key), *end;

    if (!at)
        return false;
    at += strlen(key);
    end = strchr(at, '"');
    if (!end || (size_t)(end - at) >= room)
        return false;
    memcpy(value, at, (size_t)(end - at));
    value[end - at] = '\0';
    return true;
}

static fsh_status
look_at_line(const verifier *of, const char *line, uint32_t *files, fsh_err *err)
{
    char file[256], sum[FSH_HASH_HEX];

    if (!find_value(line, "\"file\": \"", file, sizeof file) || !find_value(line, "\"sha256\": \"", sum, sizeof sum))
        return FSH_OK;
    (*files)++;
    return look_at(of, file, sum, err);
}

/* Every unit, and the index. A manifest.json that says less is damaged itself. */
static fsh_status
read_manifest(verifier *of, FILE *from, const char *path, fsh_err *err)
{
    char *line = NULL;
    size_t room = 0;
    unsigned units = 0;
    uint32_t files = 0;
    bool ended = false;
    fsh_status status = FSH_OK;

    while (!status && getline(&line, &room, from) > 0) {
        sscanf(line, " \"units\": %u", &units);
        of->units = units ? units + 1 : 0;
        ended = strcmp(line, "}\n") == 0;
        status = look_at_line(of, line, &files, err);
    }
    free(line);
    of->totals->files++;
    if (!status && (!ended || files != units + 1))
        tell(of, FSH_PATH_MANIFEST, path, "damaged: it does not list every shard");
    return status;
}

/* ---- by the ledger ---- */

typedef struct shelf {
    const verifier *of;
    fsh_status status;
    fsh_err err;
} shelf;

static void
look_at_entry(void *self, const fsh_ledger_entry *entry)
{
    shelf *on = self;
    char file[64], hex[FSH_HASH_HEX];

    if (entry->state != FSH_UNIT_COMMITTED || on->status)
        return;
    snprintf(file, sizeof file, FSH_PATH_SHARD, entry->unit);
    fsh_hash_hex(&entry->report->shard_hash, hex);
    on->status = look_at(on->of, file, hex, &on->err);
}

static fsh_status
read_ledger(const verifier *of, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    shelf on = {.of = of};
    fsh_status status = fsh_path_join(path, of->output, FSH_PATH_LEDGER, err);

    if (!status && !fsh_file_exists(path))
        return fsh_fail(err, FSH_USAGE, "%s: neither %s nor %s is there: no output folder, or nothing is made yet",
                        of->output, FSH_PATH_MANIFEST, FSH_PATH_LEDGER);
    if (!status)
        status = fsh_ledger_look(of->output, look_at_entry, &on, err);
    return status || !on.status ? status : fsh_fail(err, on.status, "%s", on.err.text);
}

fsh_status
fsh_verify_output(const char *output, bool keep, const fsh_verify_sink *sink, fsh_verify_totals *totals,
                  fsh_err *err)
{
    verifier of = {output, keep, sink, totals, 0};
    char path[FSH_PATH_BYTES];
    FILE *from;
    fsh_status status = fsh_path_join(path, output, FSH_PATH_MANIFEST, err);

    *totals = (fsh_verify_totals){0};
    if (status)
        return status;
    from = fopen(path, "re");
    if (!from && errno != ENOENT)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    if (!from)
        return read_ledger(&of, err);
    status = read_manifest(&of, from, path, err);
    fclose(from);
    return status;
}
