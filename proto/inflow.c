/* Two buffers: one is filled while the other is written. The pool has one order at a time for each
 * inflow, so that the file and the sum need no lock: they belong to the pool while `busy`, to the
 * loop otherwise. */
#include "proto/inflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"

enum { PATIENCE_MS = 4000, PATIENCE_MAX_MS = 60000 };

struct fsh_inflow {
    uv_loop_t *loop;
    fsh_inflow_options options;
    char *path, *final; /* owned */
    fsh_intake intake;
    fsh_text filling, writing;
    uv_work_t request;
    bool busy;    /* the pool has an order */
    bool told;    /* total and hash are known */
    bool whole;   /* the file is complete, in its place, and not ours any more */
    bool closing; /* nobody is called any more */
    int file;     /* -1 before the first write */
    fsh_hasher *hasher;
    uint64_t total;
    fsh_hash hash;
    fsh_status status; /* of the pool's order */
    fsh_err err;
    uint64_t moved_ms, patience_ms;
};

/* ---- the end ---- */

static void
inflow_free(fsh_inflow *inflow)
{
    fsh_hash unused;

    if (inflow->file >= 0) {
        close(inflow->file);
        if (!inflow->whole)
            unlink(inflow->path);
    }
    if (inflow->hasher)
        fsh_hasher_take(&inflow->hasher, &unused);
    fsh_text_fini(&inflow->filling);
    fsh_text_fini(&inflow->writing);
    free(inflow->path);
    free(inflow->final);
    free(inflow);
}

void
fsh_inflow_close(fsh_inflow **inflow)
{
    fsh_inflow *closing = *inflow;

    *inflow = NULL;
    if (!closing)
        return;
    closing->closing = true;
    if (!closing->busy)
        inflow_free(closing);
}

/* ---- on the pool ---- */

static fsh_status
write_all(fsh_inflow *inflow)
{
    const char *data = inflow->writing.data;
    size_t left = inflow->writing.bytes;

    while (left > 0) {
        ssize_t n = write(inflow->file, data, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fsh_fail_errno(&inflow->err, errno, "%s: cannot be written", inflow->path);
        data += n;
        left -= (size_t)n;
    }
    fsh_hasher_add(inflow->hasher, inflow->writing.data, inflow->writing.bytes);
    return FSH_OK;
}

static void
run_write(uv_work_t *request)
{
    fsh_inflow *inflow = request->data;

    if (inflow->file < 0)
        inflow->file = open(inflow->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (inflow->file < 0)
        inflow->status = fsh_fail_errno(&inflow->err, errno, "%s: cannot be made", inflow->path);
    else
        inflow->status = write_all(inflow);
}

static void
run_finish(uv_work_t *request)
{
    fsh_inflow *inflow = request->data;
    fsh_hash found;

    fsh_hasher_take(&inflow->hasher, &found);
    if (memcmp(&found, &inflow->hash, sizeof found) != 0)
        inflow->status = fsh_fail(&inflow->err, FSH_FORMAT,
                                  "%s: SHA-256 is not what the sender told", inflow->path);
    else if (inflow->final)
        inflow->status = fsh_file_commit(inflow->path, inflow->final, &inflow->err);
    inflow->whole = inflow->status == FSH_OK;
}

/* ---- on the loop ---- */

static void
ask(fsh_inflow *inflow, bool again)
{
    inflow->moved_ms = uv_now(inflow->loop);
    inflow->options.fetch(inflow->options.self, inflow->intake.next, inflow->intake.until, again);
}

static void
tell_end(fsh_inflow *inflow, fsh_status status, const fsh_err *err)
{
    inflow->options.ended(inflow->options.self, status, err);
}

static void
order(fsh_inflow *inflow, uv_work_cb run, uv_after_work_cb after)
{
    inflow->busy = true;
    inflow->request.data = inflow;
    uv_queue_work(inflow->loop, &inflow->request, run, after);
}

static void
on_finished(uv_work_t *request, int cancelled)
{
    fsh_inflow *inflow = request->data;

    (void)cancelled;
    inflow->busy = false;
    if (inflow->closing)
        inflow_free(inflow);
    else
        tell_end(inflow, inflow->status, &inflow->err);
}

static void advance(fsh_inflow *inflow);

static void
on_written(uv_work_t *request, int cancelled)
{
    fsh_inflow *inflow = request->data;

    (void)cancelled;
    inflow->busy = false;
    if (inflow->closing) {
        inflow_free(inflow);
        return;
    }
    if (inflow->status) {
        tell_end(inflow, inflow->status, &inflow->err);
        return;
    }
    fsh_intake_store(&inflow->intake, inflow->writing.bytes);
    fsh_text_clear(&inflow->writing);
    if (fsh_intake_widens(&inflow->intake) &&
        !(inflow->told && inflow->intake.next == inflow->total))
        ask(inflow, false);
    advance(inflow);
}

/* A stream of no bytes makes an empty file: the order to write opens it. */
static void
advance(fsh_inflow *inflow)
{
    fsh_text kept = inflow->writing;
    bool all = inflow->told && inflow->intake.stored == inflow->total && inflow->file >= 0;

    if (inflow->busy || inflow->closing)
        return;
    if (all) {
        order(inflow, run_finish, on_finished);
    } else if (inflow->filling.bytes || (inflow->told && inflow->total == 0)) {
        inflow->writing = inflow->filling;
        inflow->filling = kept;
        order(inflow, run_write, on_written);
    }
}

bool
fsh_inflow_piece(fsh_inflow *inflow, uint64_t offset, const void *data, uint64_t bytes)
{
    fsh_taken taken;
    fsh_err err;

    if (inflow->told && (offset > inflow->total || bytes > inflow->total - offset))
        return false;
    taken = fsh_intake_piece(&inflow->intake, offset, bytes);
    if (taken == FSH_TAKEN_HOLE)
        ask(inflow, true);
    if (taken != FSH_TAKEN)
        return false;
    fsh_text_add_bytes(&inflow->filling, data, bytes);
    inflow->moved_ms = uv_now(inflow->loop);
    inflow->patience_ms = PATIENCE_MS;
    if (!fsh_text_ok(&inflow->filling)) {
        fsh_fail(&err, FSH_MEMORY, "%s: no memory for a piece of it", inflow->path);
        tell_end(inflow, FSH_MEMORY, &err);
        return false;
    }
    advance(inflow);
    return true;
}

/* Bytes that are missing at the end leave no hole that a later piece could show. */
void
fsh_inflow_end(fsh_inflow *inflow, uint64_t bytes, const fsh_hash *hash)
{
    fsh_err err;

    if (inflow->told && inflow->intake.next >= inflow->total)
        return; /* told twice */
    inflow->told = true;
    inflow->total = bytes;
    inflow->hash = *hash;
    if (bytes < inflow->intake.next) {
        fsh_fail(&err, FSH_FORMAT, "%s: the sender told a shorter length than it has sent",
                 inflow->path);
        tell_end(inflow, FSH_FORMAT, &err);
        return;
    }
    if (inflow->intake.next > 0 && bytes > inflow->intake.next)
        ask(inflow, true);
    advance(inflow);
}

void
fsh_inflow_nudge(fsh_inflow *inflow)
{
    bool all = inflow->told && inflow->intake.next == inflow->total;

    if (all || inflow->busy || uv_now(inflow->loop) - inflow->moved_ms < inflow->patience_ms)
        return;
    if (inflow->patience_ms < PATIENCE_MAX_MS)
        inflow->patience_ms *= 2;
    ask(inflow, true);
}

void
fsh_inflow_resume(fsh_inflow *inflow)
{
    if (!(inflow->told && inflow->intake.next == inflow->total))
        ask(inflow, true);
}

uint64_t
fsh_inflow_bytes(const fsh_inflow *inflow)
{
    return inflow->intake.next;
}

/* ---- the beginning ---- */

fsh_status
fsh_inflow_open(uv_loop_t *loop, const fsh_inflow_options *options, fsh_inflow **inflow,
                fsh_err *err)
{
    fsh_inflow *opened = calloc(1, sizeof *opened);

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "%s: no memory to receive it", options->path);
    opened->loop = loop;
    opened->options = *options;
    opened->file = -1;
    opened->patience_ms = PATIENCE_MS;
    opened->path = strdup(options->path);
    opened->final = options->final ? strdup(options->final) : NULL;
    if (!opened->path || (options->final && !opened->final) || fsh_hasher_new(&opened->hasher)) {
        inflow_free(opened);
        return fsh_fail(err, FSH_MEMORY, "%s: no memory to receive it", options->path);
    }
    fsh_intake_widens(&opened->intake);
    *inflow = opened;
    ask(opened, true); /* whatever the sender has sent to somebody before */
    return FSH_OK;
}
