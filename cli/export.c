/* `faceshard export`: the pictures of a job in a format that other programs read. Everything is written
 * beside the output under a hidden name, flushed, and renamed: nobody sees half of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/export_rows.h"
#include "cli/progress.h"
#include "datasets/writer.h"
#include "stages/vision/decode.h"

enum { BATCH = 64, DEPTH_MAX = 3, PIXELS_MAX = 1 << 26 };

typedef enum export_encoding { AS_STORED, AS_PNG, AS_JPEG } export_encoding;

typedef struct export_options {
    char output[FSH_ARG_TEXT_BYTES], variants[FSH_ARG_TEXT_BYTES];
    int32_t format, encoding, log;
    int64_t quality, per_tar;
} export_options;

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(export_options, format, "folders|recordio|tar", "folders", "what is made of it"),
    FSH_ARG_TEXT(export_options, output, "", "folder that is made; with --format tar also FILE.tar, all in one"),
    FSH_ARG_CHOICE(export_options, encoding, "stored|png|jpeg", "stored",
                   "stored: the bytes of the shard, raw pictures as PNG: nothing is lost; png; jpeg: smaller, and not exact"),
    FSH_ARG_INT(export_options, quality, 1, 100, "95", "of --encoding jpeg"),
    FSH_ARG_TEXT(export_options, variants, "all", "all, or numbers with commas: 0 are the originals of the usual chains"),
    FSH_ARG_INT(export_options, per_tar, 1, 100000000, "10000", "pictures in each tar file"),
    FSH_ARG_CHOICE(export_options, log, FSH_LOG_MODES, "auto", "how progress is told"),
    FSH_ARG_END};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* One picture of a batch, from row to file. */
typedef struct item {
    char *name, *identity, *facts;
    int64_t label;
    uint8_t *data;
    size_t bytes;
    fsh_status status;
    fsh_err err;
} item;

typedef struct exporting {
    const export_options *options;
    fsh_export_input in;
    const fsh_writer *writer;
    void *to; /* the writer's */
    bool recode, decode, jpeg;
    fsh_export_naming naming;
    char before[FSH_PATH_BYTES]; /* the file name before, while names are checked */
    item items[BATCH];
    uint32_t items_n;
    uint64_t done, rows_n;
    fsh_progress progress;
} exporting;

/* ---- checks before anything is written ---- */

/* Whether the name of an identity may be that of a folder: nothing that leaves it, is hidden, or is deeper
 * than readers look. */
static bool
is_folder_name(const char *name)
{
    unsigned parts = 0;
    size_t n;

    for (; *name; name += n + (name[n] == '/')) {
        n = strcspn(name, "/");
        if (n == 0 || name[0] == '.' || ++parts > DEPTH_MAX || (name[n] == '/' && !name[n + 1]))
            return false;
    }
    return parts > 0;
}

static fsh_status
check_identities(const exporting *e, fsh_err *err)
{
    uint64_t i;

    for (i = 0; e->writer->folded && i < e->in.identities_n; i++)
        if (!is_folder_name(e->in.names[i]))
            return fsh_fail(err, FSH_USAGE, "identity '%s' cannot be a folder (empty, hidden, or deeper than %d): "
                            "choose --format recordio", e->in.names[i], DEPTH_MAX);
    return FSH_OK;
}

static const char *
ending_of(const exporting *e)
{
    return e->jpeg ? "jpg" : "png";
}

/* By their names pictures must come in the order of rows, none twice. */
static fsh_status
check_name(void *self, const fsh_export_row *row, fsh_err *err)
{
    exporting *e = self;
    bool first = e->rows_n++ == 0 || e->naming.label != row->label;
    const char *name = fsh_export_name(&e->naming, row);
    char file[FSH_PATH_BYTES];

    if (!name)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    if (snprintf(file, sizeof file, "%s.%s", name, ending_of(e)) >= (int)sizeof file)
        return fsh_fail(err, FSH_USAGE, "%.80s...: name too long", name);
    if (!first && strcmp(e->before, file) >= 0)
        e->naming.numbered = true;
    strcpy(e->before, file);
    return interrupted ? fsh_fail(err, FSH_INTERRUPTED, "interrupted; nothing was written") : FSH_OK;
}

static fsh_status
choose_names(exporting *e, fsh_err *err)
{
    fsh_status status;
    bool numbered;

    e->naming = (fsh_export_naming){.keyed = e->writer->keyed, .several = e->in.variants_n > 1};
    status = fsh_export_each(&e->in, check_name, e, err);
    numbered = e->naming.numbered;
    fsh_export_naming_fini(&e->naming);
    e->naming = (fsh_export_naming){.keyed = e->writer->keyed, .several = e->in.variants_n > 1, .numbered = numbered};
    return status;
}

/* ---- pictures ---- */

static void
item_fini(item *i)
{
    free(i->name);
    free(i->identity);
    free(i->facts);
    free(i->data);
    memset(i, 0, sizeof *i);
}

static void
take_encoded(item *i, uint8_t *data, size_t bytes)
{
    free(i->data);
    i->data = data;
    i->bytes = bytes;
}

/* On any thread: the bytes of the shard become those of the file. */
static void
encode(const exporting *e, item *i)
{
    fsh_image image = {i->data, (int32_t)e->in.size, (int32_t)e->in.size, 3}, decoded = {0};
    fsh_reason reason;
    uint8_t *data = NULL;
    size_t bytes = 0;

    if (e->decode) {
        i->status = fsh_decode(i->data, i->bytes, PIXELS_MAX, &decoded, &reason, &i->err);
        image = decoded;
    }
    if (!i->status)
        i->status = e->jpeg ? fsh_encode_jpeg(&image, (int)e->options->quality, &data, &bytes, &i->err)
                            : fsh_encode_png(&image, &data, &bytes, &i->err);
    if (!i->status)
        take_encoded(i, data, bytes);
    fsh_image_fini(&decoded);
}

static fsh_status
flush(exporting *e, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int n = (int)e->items_n, i;

#pragma omp parallel for schedule(dynamic) if (e->recode)
    for (i = 0; i < n; i++)
        if (e->recode)
            encode(e, &e->items[i]);
    for (i = 0; i < n; i++) {
        item *it = &e->items[i];
        fsh_written written = {it->identity, it->label, it->name, ending_of(e), it->data, it->bytes, it->facts};

        if (!status && it->status)
            status = fsh_fail(err, it->status, "%s/%s: %s", it->identity, it->name, it->err.text);
        if (!status)
            status = e->writer->put(e->to, &written, err);
        item_fini(it);
    }
    e->done += e->items_n;
    e->items_n = 0;
    fsh_progress_images(&e->progress, e->done, e->rows_n);
    return status;
}

/* What is known besides: the JSON of tars. */
static char *
facts_of(const fsh_export_row *row, fsh_err *err, fsh_status *status)
{
    fsh_text text = {0};

    fsh_text_add(&text, "{\"identity\": ");
    fsh_text_add_json(&text, row->identity);
    if (strstr(fsh_text_get(&text), "\xef\xbf\xbd") && !strstr(row->identity, "\xef\xbf\xbd"))
        *status = fsh_fail(err, FSH_USAGE, "identity '%s' is not UTF-8, which JSON cannot say: choose --format folders",
                           row->identity);
    fsh_text_addf(&text, ", \"label\": %" PRId64 ", \"variant\": %u, \"sample_id\": \"%016" PRIx64 "\", \"source\": ",
                  row->label, row->variant, row->sample_id);
    fsh_text_add_json(&text, row->source);
    fsh_text_add(&text, ", \"worn\": ");
    fsh_text_add_json(&text, row->worn);
    fsh_text_add(&text, "}");
    if (fsh_text_ok(&text))
        return text.data;
    fsh_text_fini(&text);
    return NULL;
}

static fsh_status
take_row(void *self, const fsh_export_row *row, fsh_err *err)
{
    exporting *e = self;
    item *it = &e->items[e->items_n++];
    const char *name = fsh_export_name(&e->naming, row);
    fsh_status status = FSH_OK;

    it->name = name ? strdup(name) : NULL;
    it->identity = strdup(row->identity);
    it->label = row->label;
    it->facts = e->writer->keyed ? facts_of(row, err, &status) : strdup("");
    if (!status && (!it->name || !it->identity || !it->facts))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    if (!status)
        status = fsh_shard_read_picture(row->file, row->row, &it->data, &it->bytes, err);
    if (!status && interrupted)
        status = fsh_fail(err, FSH_INTERRUPTED, "interrupted; nothing is left of it: the same command begins anew");
    return status || e->items_n < BATCH ? status : flush(e, err);
}

/* ---- files ---- */

static bool
ends_in_tar(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".tar") == 0;
}

/* The output without slashes at its end, and the hidden folder beside it that is filled. */
static fsh_status
name_paths(const char *option, char output[FSH_PATH_BYTES], char hidden[FSH_PATH_BYTES], fsh_err *err)
{
    int n = (int)strlen(option), folder;
    struct stat info;

    while (n > 1 && option[n - 1] == '/')
        n--;
    if (n == 0)
        return fsh_fail(err, FSH_USAGE, "--output is missing: the folder that is to be made");
    snprintf(output, FSH_PATH_BYTES, "%.*s", n, option);
    folder = (int)(fsh_path_name(output) - output);
    snprintf(hidden, FSH_PATH_BYTES, "%.*s.%s.faceshard-export", folder, output, output + folder);
    if (lstat(output, &info) == 0 && !(S_ISDIR(info.st_mode) && rmdir(output) == 0))
        return fsh_fail(err, FSH_USAGE, "%s is there already: remove it, or choose another --output", output);
    return FSH_OK;
}

static fsh_status
sync_all(const char *folder, fsh_err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fsh_status status = FSH_OK;

    if (fd < 0 || syncfs(fd) != 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be flushed to disk", folder);
    if (fd >= 0)
        close(fd);
    return status;
}

/* Gives what is whole and on disk its name. */
static fsh_status
publish(const char *hidden, const char *output, bool one_file, fsh_err *err)
{
    char from[FSH_PATH_BYTES], folder[FSH_PATH_BYTES];
    int n = (int)(fsh_path_name(output) - output);
    fsh_status status = sync_all(hidden, err);

    if (!status)
        status = fsh_path_join(from, hidden, one_file ? "faces-000000.tar" : ".", err);
    snprintf(folder, sizeof folder, "%.*s", n ? n : 1, n ? output : ".");
    if (!status && rename(one_file ? from : hidden, output) != 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be given the name %s", hidden, output);
    return status ? status : fsh_file_sync(folder, err);
}

static fsh_status
write_pictures(exporting *e, const char *hidden, bool one_file, fsh_err *err)
{
    fsh_writing writing = {.folder = hidden, .identities = e->in.index ? e->in.names : NULL,
                           .identities_n = e->in.identities_n, .size = e->in.size,
                           .per_file = one_file ? 0 : (uint64_t)e->options->per_tar};
    fsh_status status, closed;

    if (!e->in.index && e->in.identities_n)
        writing.identities_n = (uint64_t)e->in.labels[e->in.identities_n - 1] + 1;
    status = e->writer->open(&writing, &e->to, err);
    if (!status)
        status = fsh_export_each(&e->in, take_row, e, err);
    if (!status && e->items_n)
        status = flush(e, err);
    while (e->items_n)
        item_fini(&e->items[--e->items_n]);
    closed = e->writer->close(&e->to, !status, status ? NULL : err);
    return status ? status : closed;
}

static fsh_status
write_output(exporting *e, fsh_err *err)
{
    bool one_file = e->writer == &fsh_writer_tar && ends_in_tar(e->options->output);
    char output[FSH_PATH_BYTES], hidden[FSH_PATH_BYTES];
    fsh_status status = name_paths(e->options->output, output, hidden, err);

    if (!status)
        status = fsh_folder_remove(hidden, err); /* of one that was killed */
    if (!status)
        status = fsh_folder_make(hidden, err);
    if (status)
        return status;
    status = write_pictures(e, hidden, one_file, err);
    if (!status)
        status = publish(hidden, output, one_file, err);
    fsh_folder_remove(hidden, status ? NULL : err);
    return status;
}

/* ---- the command ---- */

static void
choose_encoding(exporting *e)
{
    fsh_encoding stored = e->in.encoding;
    export_encoding wanted = (export_encoding)e->options->encoding;

    e->jpeg = wanted == AS_JPEG || (wanted == AS_STORED && stored == FSH_ENCODING_JPEG);
    e->recode = stored != (e->jpeg ? FSH_ENCODING_JPEG : FSH_ENCODING_PNG);
    e->decode = e->recode && stored != FSH_ENCODING_RAW;
}

static void
print_totals(const exporting *e)
{
    double seconds = fsh_progress_seconds(&e->progress);
    const char *exact = !e->recode ? "the bytes of the shards" : e->jpeg ? "JPEG: not exact" : "PNG: exact";

    if (e->progress.mode == FSH_LOG_JSON)
        printf("{\"event\":\"done\",\"images\":%" PRIu64 ",\"identities\":%" PRIu64 ",\"seconds\":%.3f}\n", e->done,
               e->in.identities_n, seconds);
    if (e->progress.mode == FSH_LOG_BAR)
        printf("exported      %13" PRIu64 "  pictures of %" PRIu64 " people in %.1f s, as %s (%s)\n", e->done,
               e->in.identities_n, seconds, e->writer->format, exact);
    if (e->progress.mode == FSH_LOG_BAR && e->naming.numbered && e->writer->folded)
        printf("names         begin with numbers: the photographs' own would not keep their order\n");
}

static fsh_status
export_all(exporting *e, fsh_err *err)
{
    fsh_status status;

    choose_encoding(e);
    fsh_progress_step(&e->progress, "looking at names");
    status = check_identities(e, err);
    if (!status)
        status = choose_names(e, err);
    if (!status)
        status = write_output(e, err);
    fsh_progress_clear(&e->progress);
    if (!status)
        print_totals(e);
    fsh_export_naming_fini(&e->naming);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const export_options *options = invocation->options;
    exporting *e = calloc(1, sizeof *e);
    fsh_status status;

    if (!e)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    e->options = options;
    e->writer = fsh_writers[options->format];
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    fsh_vision_init();
    fsh_progress_start(&e->progress, (fsh_log_mode)options->log);
    status = fsh_export_open(invocation->words[0], options->variants, &e->in, err);
    if (!status)
        status = export_all(e, err);
    fsh_export_close(&e->in);
    free(e);
    return status;
}

const fsh_command fsh_command_export = {
    "export", "OUT", 1, 1, "pictures of a finished job as folders, RecordIO or tar",
    "OUT is the output folder of a job, its index.h5, or one shard. Nothing is lost unless --encoding jpeg is said:\n"
    "raw pictures become PNG files, encoded ones are copied byte by byte; labels and order stay.\n\n"
    "  folders   PATH/IDENTITY/NAME.png, for anything\n"
    "  recordio  PATH/train.rec, train.idx, property as insightface and MXNet read them; identities.tsv has the names\n"
    "  tar       PATH/faces-000000.tar... as WebDataset reads them: IDENTITY/NAME.png, .cls (label), .json (name, source,\n"
    "            variant, what is worn)\n\n"
    "NAME is the photograph's, with -vNN where there are several variants and -xN for its further faces. Interrupted, it\n"
    "leaves nothing behind. `faceshard run` reads all of these. Example:\n\n"
    "  faceshard export out --format recordio --output faces-rec\n"
    "  faceshard export out --format tar --variants 0 --output originals\n",
    rows, sizeof(export_options), false, run};
