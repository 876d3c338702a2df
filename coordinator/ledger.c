#include "coordinator/ledger_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/paths.h"
#include "proto/messages.h"

enum { FORMAT = 1 };

/* A unit that never failed and is not finished has no row. The report is the DONE message as it
 * came over the wire; delivered and images stand beside it for people with sqlite3. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS about(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS unit(number INTEGER PRIMARY KEY, state TEXT NOT NULL,"
    " attempts INTEGER NOT NULL, failure INTEGER NOT NULL, failure_text TEXT,"
    " samples INTEGER, delivered INTEGER, images INTEGER, report BLOB);"
    "CREATE TABLE IF NOT EXISTS suspect(unit INTEGER, sample INTEGER, deaths INTEGER NOT NULL,"
    " reason TEXT NOT NULL, value INTEGER NOT NULL, condemned INTEGER NOT NULL,"
    " PRIMARY KEY(unit, sample)) WITHOUT ROWID;";

static const char insert_sql[] =
    "INSERT INTO unit VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(number) DO UPDATE SET"
    " state=?2, attempts=?3, failure=?4, failure_text=coalesce(?5, failure_text),"
    " samples=?6, delivered=?7, images=?8, report=?9";

fsh_status
fsh_ledger_fail(const fsh_ledger *ledger, fsh_err *err)
{
    int code = sqlite3_errcode(ledger->database), number = sqlite3_system_errno(ledger->database);
    fsh_status status = code == SQLITE_FULL                               ? FSH_FULL
                        : code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? FSH_FORMAT
                        : code == SQLITE_NOMEM                            ? FSH_MEMORY
                                                                          : FSH_IO;

    /* Where SQLite may not make a file it tries to find it, and tells what came of that. */
    if (code == SQLITE_READONLY || (code == SQLITE_CANTOPEN && number == ENOENT))
        return fsh_fail(err, FSH_IO,
                        "%s: cannot be opened for writing: the file, its folder or the file system "
                        "is missing or read-only, or the disk is full",
                        ledger->path);
    if (status == FSH_IO && number) /* SQLite calls a full disk an I/O error where it flushes */
        return fsh_fail_errno(err, number, "%s: %s", ledger->path,
                              sqlite3_errmsg(ledger->database));
    return fsh_fail(err, status, "%s: %s%s", ledger->path, sqlite3_errmsg(ledger->database),
                    status == FSH_IO ? "; the disk may be full or damaged" : "");
}

static fsh_status
execute(fsh_ledger *ledger, const char *sql, fsh_err *err)
{
    return sqlite3_exec(ledger->database, sql, NULL, NULL, NULL) == SQLITE_OK ? FSH_OK
                                                                              : fsh_ledger_fail(ledger, err);
}

/* ---- what the ledger is about ---- */

static void
bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

/* Reads about.key into out; writes it first where it is missing. */
static fsh_status
know(fsh_ledger *ledger, const char *key, const char *value, char out[FSH_HASH_HEX], fsh_err *err)
{
    static const char sql[] =
        "INSERT INTO about VALUES(?1,?2) ON CONFLICT(key) DO UPDATE SET key=key"
        " RETURNING CAST(value AS TEXT)";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL);

    bind_text(statement, 1, key);
    bind_text(statement, 2, value);
    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(statement, 0);

        snprintf(out, FSH_HASH_HEX, "%s", found ? found : "");
    }
    code = sqlite3_finalize(statement);
    return code == SQLITE_OK ? FSH_OK : fsh_ledger_fail(ledger, err);
}

static fsh_status
check_known(fsh_ledger *ledger, const char *key, const char *value, const char *what, fsh_err *err)
{
    char found[FSH_HASH_HEX] = "";
    fsh_status status = know(ledger, key, value, found, err);

    if (status || strncmp(found, value, sizeof found - 1) == 0)
        return status;
    return fsh_fail(
        err, FSH_USAGE,
        "%s holds %s (%.12s, now %.12s): choose another output folder, or remove this one",
        ledger->path, what, found, value);
}

static fsh_status
check_about(fsh_ledger *ledger, const fsh_ledger_about *about, fsh_err *err)
{
    char units[16], format[16];
    fsh_status status;

    snprintf(units, sizeof units, "%" PRIu32, about->units_n);
    snprintf(format, sizeof format, "%d", FORMAT);
    status =
        check_known(ledger, "format", format, "a ledger of another version of this program", err);
    if (!status)
        status = check_known(ledger, "job", about->job_hash, "another job", err);
    if (!status)
        status =
            check_known(ledger, "input", about->input_hash, "the same job over another input", err);
    if (!status)
        status = check_known(ledger, "units", units, "another number of units", err);
    return status;
}

static fsh_status
begin_epoch(fsh_ledger *ledger, fsh_err *err)
{
    char epoch[FSH_HASH_HEX] = "";
    fsh_status status = execute(ledger,
                                "INSERT INTO about VALUES('epoch', 1) ON CONFLICT(key)"
                                " DO UPDATE SET value=value+1",
                                err);

    if (!status)
        status = know(ledger, "epoch", "1", epoch, err);
    if (!status)
        ledger->epoch = (uint32_t)strtoul(epoch, NULL, 10);
    return status;
}

/* ---- opening and closing ---- */

/* SQLite does not tell why it cannot make a file; we do. */
static fsh_status
make_file(const char *path, fsh_err *err)
{
    int fd;
    fsh_status status = fsh_file_open(path, &fd, err);

    if (!status)
        close(fd);
    return status;
}

static fsh_status
open_database(fsh_ledger *ledger, const fsh_ledger_about *about, fsh_err *err)
{
    fsh_status status = make_file(ledger->path, err);

    if (status)
        return status;
    if (sqlite3_open(ledger->path, &ledger->database) != SQLITE_OK)
        return fsh_ledger_fail(ledger, err);
    sqlite3_busy_timeout(ledger->database, FSH_LEDGER_BUSY_MS);
    status =
        execute(ledger, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN IMMEDIATE;", err);
    if (!status)
        status = execute(ledger, schema, err);
    if (!status)
        status = check_about(ledger, about, err);
    if (!status)
        status = begin_epoch(ledger, err);
    if (!status)
        status = execute(ledger, "COMMIT", err);
    if (!status &&
        sqlite3_prepare_v2(ledger->database, insert_sql, -1, &ledger->insert, NULL) != SQLITE_OK)
        status = fsh_ledger_fail(ledger, err);
    return status;
}

static fsh_status
open_files(fsh_ledger *ledger, const char *output, const fsh_ledger_about *about, fsh_err *err)
{
    fsh_status status = fsh_path_join(ledger->path, output, FSH_PATH_LEDGER, err);

    if (!status)
        status = fsh_lock_take(output, &ledger->lock, err);
    if (!status)
        status = open_database(ledger, about, err);
    return status;
}

fsh_status
fsh_ledger_open(const char *output, const fsh_ledger_about *about, fsh_ledger **ledger,
                fsh_err *err)
{
    fsh_ledger *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for the ledger");
    status = open_files(opened, output, about, err);
    if (status)
        fsh_ledger_close(&opened);
    else
        *ledger = opened;
    return status;
}

void
fsh_ledger_close(fsh_ledger **ledger)
{
    fsh_ledger *closing = *ledger;

    *ledger = NULL;
    if (!closing)
        return;
    sqlite3_finalize(closing->insert);
    sqlite3_close(closing->database);
    fsh_lock_release(&closing->lock);
    fsh_text_fini(&closing->scratch);
    free(closing);
}

fsh_status
fsh_ledger_forget(const char *output, fsh_err *err)
{
    static const char sql[] = "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; DELETE FROM unit;"
                              "DELETE FROM suspect;"
                              "DELETE FROM about WHERE key IN ('job', 'input', 'units'); COMMIT;";
    fsh_ledger ledger = {.path = ""};
    fsh_status status = fsh_path_join(ledger.path, output, FSH_PATH_LEDGER, err);

    if (status || !fsh_file_exists(ledger.path))
        return status;
    if (sqlite3_open_v2(ledger.path, &ledger.database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        status = fsh_ledger_fail(&ledger, err);
    else
        sqlite3_busy_timeout(ledger.database, FSH_LEDGER_BUSY_MS);
    if (!status)
        status = execute(&ledger, schema, err);
    if (!status)
        status = execute(&ledger, sql, err);
    sqlite3_close(ledger.database);
    return status;
}

uint32_t
fsh_ledger_epoch(const fsh_ledger *ledger)
{
    return ledger->epoch;
}

/* ---- writing ---- */

static fsh_status
bind_report(fsh_ledger *ledger, const fsh_report *report, fsh_err *err)
{
    fsh_message message;
    fsh_status status;

    fsh_message_from_report(report, 1, &message);
    fsh_text_clear(&ledger->scratch);
    status = fsh_message_encode(&message, FSH_FROM_WORKER, &ledger->scratch, err);
    if (status)
        return status;
    sqlite3_bind_int64(ledger->insert, 6, (sqlite3_int64)report->samples);
    sqlite3_bind_int64(ledger->insert, 7, (sqlite3_int64)report->delivered);
    sqlite3_bind_int64(ledger->insert, 8, (sqlite3_int64)report->images);
    sqlite3_bind_blob(ledger->insert, 9, ledger->scratch.data, (int)ledger->scratch.bytes,
                      SQLITE_STATIC);
    return FSH_OK;
}

static fsh_status
begin(fsh_ledger *ledger, fsh_err *err)
{
    fsh_status status = ledger->in_transaction ? FSH_OK : execute(ledger, "BEGIN IMMEDIATE", err);

    if (!status)
        ledger->in_transaction = true;
    return status;
}

fsh_status
fsh_ledger_record(fsh_ledger *ledger, const fsh_ledger_entry *entry, fsh_err *err)
{
    fsh_status status = begin(ledger, err);

    if (status)
        return status;
    sqlite3_clear_bindings(ledger->insert);
    sqlite3_bind_int64(ledger->insert, 1, entry->unit);
    bind_text(ledger->insert, 2, fsh_unit_state_name(entry->state));
    sqlite3_bind_int64(ledger->insert, 3, entry->attempts);
    sqlite3_bind_int64(ledger->insert, 4, entry->failure);
    bind_text(ledger->insert, 5, entry->failure_text);
    if (entry->report)
        status = bind_report(ledger, entry->report, err);
    if (!status && sqlite3_step(ledger->insert) != SQLITE_DONE)
        status = fsh_ledger_fail(ledger, err);
    sqlite3_reset(ledger->insert);
    return status;
}

fsh_status
fsh_ledger_flush(fsh_ledger *ledger, fsh_err *err)
{
    fsh_status status;

    if (!ledger->in_transaction)
        return FSH_OK;
    status = execute(ledger, "COMMIT", err);
    if (!status)
        ledger->in_transaction = false;
    return status;
}

/* ---- suspects: few, so that nothing is kept prepared for them ---- */

fsh_status
fsh_ledger_suspect(fsh_ledger *ledger, uint32_t unit, const fsh_suspect *suspect, fsh_err *err)
{
    static const char sql[] = "INSERT OR REPLACE INTO suspect VALUES(?1,?2,?3,?4,?5,?6)";
    sqlite3_stmt *statement = NULL;
    fsh_status status = begin(ledger, err);

    if (status)
        return status;
    if (sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fsh_ledger_fail(ledger, err);
    sqlite3_bind_int64(statement, 1, unit);
    sqlite3_bind_int64(statement, 2, suspect->sample);
    sqlite3_bind_int64(statement, 3, suspect->deaths);
    bind_text(statement, 4, fsh_reason_code(suspect->reason));
    sqlite3_bind_int64(statement, 5, suspect->value);
    sqlite3_bind_int64(statement, 6, suspect->condemned);
    sqlite3_step(statement);
    return sqlite3_finalize(statement) == SQLITE_OK ? FSH_OK : fsh_ledger_fail(ledger, err);
}
