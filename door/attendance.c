#include "door/attendance.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/hash.h"

/* On disk for what is known when it fills up, and more than is ever read back. */
enum { RESERVE_BYTES = 64 << 10, FILE_BYTES_MAX = 1 << 30 };

static const char journal_head[] = "faceshard visits under way 1";

struct fsh_attendance {
    char path[FSH_PATH_BYTES], journal[FSH_PATH_BYTES];
    int fd;
    dev_t device;
    ino_t inode;
    uint64_t settled; /* bytes of the file that will not change */
    uint64_t open;    /* bytes behind them: visits under way, as written last */
};

/* What the journal says: the file is to have `tail` behind its first `settled` bytes; before that
 * `before` bytes were there. The first `ended` bytes of it are of visits that have ended. */
typedef struct journal {
    uint64_t settled, before, ended;
    char *tail; /* borrowed from data */
    size_t bytes;
    uint8_t *data; /* owned */
} journal;

static void
add_field(fsh_text *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fsh_text_add(out, text);
        return;
    }
    fsh_text_add(out, "\"");
    for (; *text; text++)
        fsh_text_addf(out, *text == '"' ? "\"%c" : "%c", *text);
    fsh_text_add(out, "\"");
}

void
fsh_attendance_row(const fsh_attendance_entry *entry, fsh_text *out)
{
    add_field(out, entry->name);
    fsh_text_addf(out, ",%s,%s,%" PRIu64 ",", entry->first_seen, entry->last_seen, entry->frames);
    if (isfinite(entry->distance))
        fsh_text_addf(out, "%.3f", entry->distance);
    fsh_text_addf(out, ",%s\n", entry->masked < 0 ? "" : entry->masked ? "yes" : "no");
}

static fsh_status
write_at(const fsh_attendance *a, uint64_t at, const char *data, size_t bytes, fsh_err *err)
{
    while (bytes) {
        ssize_t put = pwrite(a->fd, data, bytes, (off_t)at);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fsh_fail_errno(err, errno, "%s: cannot be written", a->path);
        data += put;
        at += (uint64_t)put;
        bytes -= (size_t)put;
    }
    return FSH_OK;
}

/* Space behind the end of the file. File systems that cannot reserve any are no worse than others
 * were before. */
static fsh_status
reserve(const fsh_attendance *a, fsh_err *err)
{
    off_t end = (off_t)(a->settled + a->open);

    if (fallocate(a->fd, FALLOC_FL_KEEP_SIZE, end, RESERVE_BYTES) == 0 ||
        (errno != ENOSPC && errno != EDQUOT))
        return FSH_OK;
    return fsh_fail_errno(err, errno,
                          "%s: all visits until now are in it, and there is no room for more; make "
                          "some and start again",
                          a->path);
}

/* Puts `tail` behind the settled bytes, as the end of the file, and waits for the disk. */
static fsh_status
write_tail(const fsh_attendance *a, const char *tail, size_t bytes, fsh_err *err)
{
    fsh_status status = write_at(a, a->settled, tail, bytes, err);

    if (status)
        return status;
    if (ftruncate(a->fd, (off_t)(a->settled + bytes)) != 0 || fdatasync(a->fd) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be written", a->path);
    return FSH_OK;
}

static fsh_status
write_journal(const fsh_attendance *a, const fsh_text *tail, size_t ended, fsh_err *err)
{
    fsh_hash sum = fsh_hash_of(fsh_text_get(tail), tail->bytes);
    char hex[FSH_HASH_HEX];
    fsh_text text = {0};
    fsh_status status;

    fsh_hash_hex(&sum, hex);
    fsh_text_addf(&text, "%s %" PRIu64 " %" PRIu64 " %zu %s\n", journal_head, a->settled, a->open,
                  ended, hex);
    fsh_text_add_bytes(&text, fsh_text_get(tail), tail->bytes);
    status = fsh_text_ok(&text) ? fsh_file_write_private(a->journal, text.data, text.bytes, err)
                                : fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_text_fini(&text);
    return status;
}

/* It is written under another name and renamed, so one that is damaged was not left by us. */
static fsh_status
read_journal(const char *path, journal *found, fsh_err *err)
{
    char hex[FSH_HASH_HEX], said[FSH_HASH_HEX] = "";
    fsh_hash sum;
    size_t bytes;
    char *line;
    int end = 0;
    fsh_status status = fsh_file_read(path, FILE_BYTES_MAX, &found->data, &bytes, err);

    if (status)
        return status;
    line = (char *)found->data;
    if (strncmp(line, journal_head, sizeof journal_head - 1) == 0)
        sscanf(line + sizeof journal_head - 1, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %64[0-9a-f]%n",
               &found->settled, &found->before, &found->ended, said, &end);
    found->tail = line + sizeof journal_head - 1 + end + 1;
    found->bytes = bytes - (end ? (size_t)(found->tail - line) : bytes);
    sum = fsh_hash_of(found->tail, end ? found->bytes : 0);
    fsh_hash_hex(&sum, hex);
    if (end && strcmp(hex, said) == 0 && found->ended <= found->bytes)
        return FSH_OK;
    free(found->data);
    found->data = NULL;
    return fsh_fail(err, FSH_FORMAT,
                    "%s is damaged: it should have the visits that were under way when a run was "
                    "killed; look at it, and move it away",
                    path);
}

static uint64_t
count_lines(const char *text, size_t bytes)
{
    uint64_t n = 0;
    size_t i;

    for (i = 0; i < bytes; i++)
        n += text[i] == '\n';
    return n;
}

static fsh_status
size_of(const fsh_attendance *a, uint64_t *bytes, fsh_err *err)
{
    struct stat info;

    if (fstat(a->fd, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be looked at", a->path);
    *bytes = (uint64_t)info.st_size;
    return FSH_OK;
}

/* Puts back what the journal has. A file that is longer than any of ours has rows of others behind
 * them, one that is shorter was changed: nothing of it is taken away then. */
static fsh_status
recover(fsh_attendance *a, uint64_t *rows, fsh_err *err)
{
    journal found = {0};
    uint64_t size = 0, longest;
    fsh_status status = size_of(a, &size, err);

    if (status || !fsh_file_exists(a->journal))
        return status;
    status = read_journal(a->journal, &found, err);
    if (status)
        return status;
    longest = found.settled + (found.before > found.bytes ? found.before : found.bytes);
    a->settled = size < found.settled || size > longest ? size : found.settled;
    status = write_tail(a, found.tail, found.bytes, err);
    *rows = count_lines(found.tail + found.ended, found.bytes - found.ended);
    free(found.data);
    if (!status && unlink(a->journal) != 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be removed", a->journal);
    return status;
}

/* The header where there is none yet, a line feed where the last line has none; counts rows. */
static fsh_status
begin(fsh_attendance *a, uint64_t *rows, fsh_err *err)
{
    static const size_t header_bytes = sizeof FSH_ATTENDANCE_HEADER - 1;
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = fsh_file_read(a->path, FILE_BYTES_MAX, &data, &bytes, err);

    if (status)
        return status;
    *rows = 0;
    if (bytes == 0)
        status = write_at(a, 0, FSH_ATTENDANCE_HEADER, bytes = header_bytes, err);
    else if (strncmp((char *)data, FSH_ATTENDANCE_HEADER, header_bytes - 1) != 0)
        status = fsh_fail(err, FSH_FORMAT,
                          "%s is there and is no attendance: its first line is not %.*s; choose "
                          "another --attendance",
                          a->path, (int)header_bytes - 1, FSH_ATTENDANCE_HEADER);
    else if (data[bytes - 1] != '\n')
        status = write_at(a, bytes++, "\n", 1, err);
    if (!status && data && bytes > header_bytes)
        *rows = count_lines((char *)data, bytes - 1);
    free(data);
    a->settled = bytes;
    a->open = 0;
    return status;
}

static fsh_status
open_file(fsh_attendance *a, fsh_err *err)
{
    struct stat info;

    a->fd = open(a->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->fd < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", a->path);
    if (fstat(a->fd, &info) != 0 || !S_ISREG(info.st_mode))
        return fsh_fail(err, FSH_USAGE, "%s is no regular file: attendance needs one", a->path);
    if (flock(a->fd, LOCK_EX | LOCK_NB) != 0)
        return fsh_fail(err, FSH_BUSY, "%s: another faceshard writes to it; choose another file",
                        a->path);
    a->device = info.st_dev;
    a->inode = info.st_ino;
    return FSH_OK;
}

static fsh_status
open_all(fsh_attendance *a, const char *path, bool add, fsh_attendance_found *found, fsh_err *err)
{
    fsh_status status = fsh_path_join(a->path, "", path, err);

    if (!status &&
        snprintf(a->journal, sizeof a->journal, "%s.open", path) >= (int)sizeof a->journal)
        status = fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    if (!status)
        status = open_file(a, err);
    if (!status)
        status = recover(a, &found->recovered, err);
    if (!status)
        status = begin(a, &found->rows, err);
    if (!status && found->rows && !add)
        status =
            fsh_fail(err, FSH_USAGE,
                     "%s has %" PRIu64 " rows already: say --add to add more to them, or choose "
                     "another file",
                     a->path, found->rows);
    return status ? status : reserve(a, err);
}

fsh_status
fsh_attendance_open(const char *path, bool add, fsh_attendance **attendance,
                    fsh_attendance_found *found, fsh_err *err)
{
    fsh_attendance *made = calloc(1, sizeof *made);
    fsh_attendance_found here = {0, 0};
    fsh_status status;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->fd = -1;
    status = open_all(made, path, add, &here, err);
    if (found)
        *found = here;
    if (status)
        fsh_attendance_close(&made);
    else
        *attendance = made;
    return status;
}

/* Whether the file under our path is still the one that we write to, as we left it. */
static bool
is_ours(const fsh_attendance *a)
{
    struct stat info;

    return stat(a->path, &info) == 0 && info.st_dev == a->device && info.st_ino == a->inode &&
           (uint64_t)info.st_size == a->settled + a->open;
}

/* Others have written to it, or have put another one in its place: all that is there stays. */
static fsh_status
open_again(fsh_attendance *a, fsh_err *err)
{
    uint64_t rows;
    fsh_status status;

    close(a->fd);
    status = open_file(a, err);
    return status ? status : begin(a, &rows, err);
}

/* What is in the journal is in no danger while the file itself is written. Where the journal cannot
 * be written the file still has its reserve. */
static fsh_status
write_both(fsh_attendance *a, const fsh_text *tail, size_t ended, fsh_err *err)
{
    fsh_status journalled = write_journal(a, tail, ended, err);
    fsh_status status = write_tail(a, fsh_text_get(tail), tail->bytes, journalled ? NULL : err);

    if (!status) {
        a->settled += ended;
        a->open = tail->bytes - ended;
    }
    /* An older journal says less than the file, which is on disk. */
    if (!status && (journalled || !a->open))
        unlink(a->journal);
    if (!status && !journalled)
        status = reserve(a, err);
    return journalled ? journalled : status;
}

fsh_status
fsh_attendance_write(fsh_attendance *a, const fsh_text *ended, const fsh_text *under_way,
                     fsh_err *err)
{
    fsh_text tail = {0};
    fsh_status status = is_ours(a) ? FSH_OK : open_again(a, err);

    fsh_text_add_bytes(&tail, fsh_text_get(ended), ended->bytes);
    fsh_text_add_bytes(&tail, fsh_text_get(under_way), under_way->bytes);
    if (!status && (!fsh_text_ok(ended) || !fsh_text_ok(under_way) || !fsh_text_ok(&tail)))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    if (!status)
        status = write_both(a, &tail, ended->bytes, err);
    fsh_text_fini(&tail);
    return status;
}

/* The space that was reserved goes back with what is cut off behind the end. */
void
fsh_attendance_close(fsh_attendance **attendance)
{
    fsh_attendance *a = *attendance;

    if (!a)
        return;
    if (a->fd >= 0 && is_ours(a) && ftruncate(a->fd, (off_t)(a->settled + a->open)) != 0)
        a->open = 0;
    if (a->fd >= 0)
        close(a->fd);
    free(a);
    *attendance = NULL;
}
