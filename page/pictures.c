#include "page/pictures.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/files.h"
#include "evaluate/thumbs.h"
#include "job/paths.h"
#include "page/view.h"
#include "shards/read.h"
#include "stages/vision/decode.h"

enum {
    SIDE_PX = 112,
    SAMPLES = 4,  /* of a unit, with all variants */
    REJECTED = 6, /* of a unit */
    NICE = 19
};

static const uint64_t memory_bytes = 2u << 30; /* a photograph of 64 million pixels fits */

typedef struct album {
    fsh_thumbs *stored, *photographs;
    fsh_shard_file *file;
    fsh_text *out;
} album;

/* ---- samples ---- */

static void
add_names(const album *of)
{
    const char *names = fsh_shard_get_info(of->file)->meta.variants, *end;

    fsh_text_add(of->out, ",\"variants\":[");
    for (; *names; names = *end ? end + 1 : end) {
        char name[64];

        end = names + strcspn(names, "\n");
        snprintf(name, sizeof name, "%.*s", (int)(end - names), names);
        fsh_text_add_json(of->out, name);
        fsh_text_add(of->out, *end && end[1] ? "," : "");
    }
    fsh_text_add(of->out, "]");
}

static void
add_row_picture(const album *of, uint64_t row)
{
    fsh_text uri = {0};

    fsh_thumbs_add_row_uri(of->stored, row, &uri);
    fsh_text_addf(of->out, "\"%s\"", fsh_text_get(&uri));
    fsh_text_fini(&uri);
}

/* The rows from `first` on that are of one sample. */
static uint64_t
add_sample(const album *of, uint64_t first, uint64_t n, const uint64_t *ids,
           const uint8_t *variants, char **sources)
{
    uint64_t row;

    fsh_text_add(of->out, "{\"source\":");
    fsh_text_add_json(of->out, sources[first]);
    fsh_text_add(of->out, ",\"pictures\":[");
    for (row = first; row < n && ids[row] == ids[first]; row++) {
        fsh_text_addf(of->out, "%s[%u,", row > first ? "," : "", variants[row]);
        add_row_picture(of, row);
        fsh_text_add(of->out, "]");
    }
    fsh_text_add(of->out, "]}");
    return row;
}

/* At even distances over the shard. */
static void
choose_samples(const album *of, uint64_t n, const uint64_t *ids, const uint8_t *variants,
               char **sources)
{
    uint64_t row = 0, i;

    for (i = 0; i < SAMPLES && row < n; i++) {
        uint64_t from = n * i / SAMPLES;

        while (from < n && from > 0 && ids[from] == ids[from - 1])
            from++;
        row = from > row ? from : row;
        if (row >= n)
            break;
        fsh_text_add(of->out, i ? "," : "");
        row = add_sample(of, row, n, ids, variants, sources);
    }
}

static fsh_status
add_samples(const album *of, fsh_err *err)
{
    uint64_t n = fsh_shard_get_info(of->file)->rows[FSH_TABLE_ROWS];
    uint64_t *ids = calloc(n + 1, sizeof *ids);
    uint8_t *variants = calloc(n + 1, 1);
    char **sources = NULL;
    fsh_status status = ids && variants ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    if (!status)
        status = fsh_shard_read(of->file, FSH_COLUMN_SAMPLE_ID, 0, n, ids, err);
    if (!status)
        status = fsh_shard_read(of->file, FSH_COLUMN_VARIANT, 0, n, variants, err);
    if (!status)
        status = fsh_shard_read_texts(of->file, FSH_COLUMN_SOURCE, 0, n, &sources, err);
    fsh_text_add(of->out, ",\"samples\":[");
    if (!status)
        choose_samples(of, n, ids, variants, sources);
    fsh_text_add(of->out, "]");
    free(ids);
    free(variants);
    free(sources);
    return status;
}

/* ---- rejected ---- */

static void
add_one_rejected(const album *of, const char *source, const char *reason, float value,
                 const fsh_box *box)
{
    fsh_text uri = {0};

    fsh_text_add(of->out, "{\"source\":");
    fsh_text_add_json(of->out, source);
    fsh_text_add(of->out, ",\"reason\":");
    fsh_text_add_json(of->out, reason);
    fsh_text_add(of->out, ",\"value\":");
    fsh_json_add_number(of->out, value);
    if (of->photographs)
        fsh_thumbs_add_uri(of->photographs, source, box, &uri);
    fsh_text_addf(of->out, ",\"picture\":\"%s\"}", fsh_text_get(&uri));
    fsh_text_fini(&uri);
}

/* What was only one too many for `sample` comes last. */
static void
choose_rejected(const album *of, uint64_t n, char **sources, char **reasons, const float *values,
                const fsh_box *boxes)
{
    const char *many = fsh_reason_code(FSH_REASON_NOT_SAMPLED);
    uint32_t taken = 0;
    uint64_t i;
    int round;

    for (round = 0; round < 2; round++)
        for (i = 0; i < n && taken < REJECTED; i++) {
            if ((strcmp(reasons[i], many) == 0) != (round == 1))
                continue;
            fsh_text_add(of->out, taken++ ? "," : "");
            add_one_rejected(of, sources[i], reasons[i], values[i], &boxes[i]);
        }
}

static fsh_status
add_rejected(const album *of, fsh_err *err)
{
    uint64_t n = fsh_shard_get_info(of->file)->rows[FSH_TABLE_REJECTED];
    float *values = calloc(n + 1, sizeof *values);
    fsh_box *boxes = calloc(n + 1, sizeof *boxes);
    char **sources = NULL, **reasons = NULL;
    fsh_status status = values && boxes ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    if (!status)
        status = fsh_shard_read(of->file, FSH_COLUMN_REJECTED_VALUE, 0, n, values, err);
    if (!status)
        status = fsh_shard_read(of->file, FSH_COLUMN_REJECTED_BOX, 0, n, boxes, err);
    if (!status)
        status = fsh_shard_read_texts(of->file, FSH_COLUMN_REJECTED_SOURCE, 0, n, &sources, err);
    if (!status)
        status = fsh_shard_read_texts(of->file, FSH_COLUMN_REJECTED_REASON, 0, n, &reasons, err);
    fsh_text_add(of->out, ",\"rejected\":[");
    if (!status)
        choose_rejected(of, n, sources, reasons, values, boxes);
    fsh_text_add(of->out, "]");
    free(values);
    free(boxes);
    free(sources);
    free(reasons);
    return status;
}

/* ---- a unit ---- */

static fsh_status
open_album(album *of, const char *path, const char *input, fsh_err *err)
{
    fsh_status status = fsh_shard_open(path, &of->file, err);

    if (!status)
        status = fsh_thumbs_open(path, SIDE_PX, &of->stored, err);
    if (!status && fsh_thumbs_open(input, SIDE_PX, &of->photographs, NULL) != FSH_OK)
        of->photographs = NULL; /* rejected ones have no pictures then */
    return status;
}

fsh_status
fsh_pictures_print(const char *output, const char *input, uint32_t unit, fsh_text *out,
                   fsh_err *err)
{
    char path[FSH_PATH_BYTES], name[64];
    album of = {.out = out};
    fsh_status status;

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    status = fsh_path_join(path, output, name, err);
    if (!status)
        status = open_album(&of, path, input, err);
    if (!status) {
        fsh_text_addf(out, "{\"unit\":%" PRIu32, unit);
        add_names(&of);
        status = add_samples(&of, err);
    }
    if (!status)
        status = add_rejected(&of, err);
    fsh_text_add(out, "}");
    fsh_thumbs_close(of.stored);
    fsh_thumbs_close(of.photographs);
    fsh_shard_close(&of.file);
    return status;
}

/* ---- the process ---- */

/* It is nobody's work: it gives way to everybody, and ends with who has started it. */
static void
settle_down(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, NICE);
    fsh_apart_limit_memory(memory_bytes);
    fsh_vision_init();
}

fsh_status
fsh_pictures_serve(const char *output, const char *input, fsh_err *err)
{
    fsh_text text = {0};
    char line[32];

    (void)err;
    settle_down();
    while (fgets(line, sizeof line, stdin)) {
        fsh_text_clear(&text);
        if (fsh_pictures_print(output, input, (uint32_t)strtoul(line, NULL, 10), &text, NULL) ||
            !fsh_text_ok(&text))
            fsh_text_clear(&text);
        printf("%zu\n", text.bytes);
        fwrite(fsh_text_get(&text), 1, text.bytes, stdout);
        fflush(stdout);
    }
    fsh_text_fini(&text);
    return FSH_OK;
}
