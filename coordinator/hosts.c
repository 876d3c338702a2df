#include "coordinator/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"

enum { FILE_BYTES_MAX = 1 << 20, HOSTS_MAX = 4096 };

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

const fsh_arg fsh_host_rows[] = {
    FSH_ARG_INT(fsh_host, workers, 1, 1024, "1", "worker processes"),
    FSH_ARG_INT(fsh_host, threads, 0, 256, "0",
                "threads of each; 0: the host's processors, shared out"),
    FSH_ARG_TEXT(fsh_host, program, "", "path of faceshard there; else as here, or on the PATH"),
    FSH_ARG_TEXT(fsh_host, models, "", "folders with model files there, separated by commas"),
    FSH_ARG_TEXT(fsh_host, templates, "", "folder with masks/, glasses/ and sunglasses/ there"),
    FSH_ARG_TEXT(fsh_host, spool, "",
                 "transport stream: place for photographs and shards on their way"),
    FSH_ARG_END};

typedef struct list {
    const char *path;
    uint32_t line;
    fsh_host *hosts;
    uint32_t n;
} list;

/* A name that ssh takes for an option would be one. */
static fsh_status
set_name(const list *to, fsh_host *host, const char *word, fsh_err *err)
{
    const char *at = strrchr(word, '@'), *from = at                                ? at + 1
                                                 : strncmp(word, "ssh://", 6) == 0 ? word + 6
                                                                                   : word;
    size_t i, n = strlen(from);

    if (word[0] == '-' || strchr(word, '=') || strlen(word) >= sizeof host->name || n == 0)
        return fsh_fail(err, FSH_USAGE,
                        "%s:%u: '%.60s': expected the name of a host first, as in user@node-1",
                        to->path, to->line, word);
    strcpy(host->name, word);
    for (i = 0; i < n && i + 1 < sizeof host->label; i++)
        host->label[i] = strchr(plain, from[i]) ? from[i] : '_';
    if (host->label[0] == '.' || host->label[0] == '-')
        host->label[0] = '_';
    for (i = 0; i < to->n; i++)
        if (strcmp(to->hosts[i].label, host->label) == 0)
            return fsh_fail(err, FSH_USAGE,
                            "%s:%u: %s is there twice; workers=2 starts two workers", to->path,
                            to->line, word);
    return FSH_OK;
}

static fsh_status
set_option(const list *to, fsh_host *host, char *word, fsh_err *err)
{
    char *value = strchr(word, '=');
    const fsh_arg *row;
    fsh_status status;

    if (value)
        *value++ = '\0';
    for (row = fsh_host_rows; row->name && strcmp(row->name, word) != 0; row++)
        ;
    if (!row->name || !value)
        return fsh_fail(err, FSH_USAGE,
                        "%s:%u: '%.60s': expected workers=, threads=, program=, models=, "
                        "templates= or spool= behind a host",
                        to->path, to->line, word);
    status = fsh_arg_set(row, host, value, err);
    return status ? fsh_fail_within(err, status, "%s:%u", to->path, to->line) : FSH_OK;
}

static fsh_status
read_line(list *to, char *line, fsh_err *err)
{
    fsh_host *host = &to->hosts[to->n];
    char *rest, *word;
    fsh_status status;

    line[strcspn(line, "#")] = '\0';
    word = strtok_r(line, " \t\r", &rest);
    if (!word)
        return FSH_OK;
    if (to->n == HOSTS_MAX)
        return fsh_fail(err, FSH_USAGE, "%s:%u: more than %d hosts", to->path, to->line, HOSTS_MAX);
    memset(host, 0, sizeof *host);
    status = fsh_args_defaults(fsh_host_rows, host, err);
    if (!status)
        status = set_name(to, host, word, err);
    while (!status && (word = strtok_r(NULL, " \t\r", &rest)))
        status = set_option(to, host, word, err);
    to->n += status == FSH_OK;
    return status;
}

static fsh_status
read_lines(list *to, char *text, fsh_err *err)
{
    fsh_status status = FSH_OK;
    char *next;

    for (; text && !status; text = next) {
        next = strchr(text, '\n');
        if (next)
            *next++ = '\0';
        to->line++;
        status = read_line(to, text, err);
    }
    if (!status && to->n == 0)
        status = fsh_fail(
            err, FSH_USAGE,
            "%s: names no host; expected a line for each, as in `user@node-1 workers=2`", to->path);
    return status;
}

fsh_status
fsh_hosts_read(const char *path, fsh_host **hosts, uint32_t *n, fsh_err *err)
{
    list to = {.path = path};
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_file_read(path, FILE_BYTES_MAX, &data, &bytes, err);

    if (status)
        return status;
    to.hosts = malloc((HOSTS_MAX + 1) * sizeof *to.hosts);
    status = to.hosts ? read_lines(&to, (char *)data, err)
                      : fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    free(data);
    if (status) {
        free(to.hosts);
        return status;
    }
    *hosts = to.hosts;
    *n = to.n;
    return FSH_OK;
}
