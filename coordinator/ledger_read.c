/* Reading the ledger: by the coordinator that has it, and by who only looks. */
#include "coordinator/ledger_parts.h"

#include <inttypes.h>
#include <string.h>

#include "job/paths.h"
#include "proto/messages.h"

static fsh_unit_state
state_from_name(const char *name)
{
    unsigned i;

    for (i = 0; i < FSH_UNIT_STATE_N; i++)
        if (name && strcmp(fsh_unit_state_name((fsh_unit_state)i), name) == 0)
            break;
    return (fsh_unit_state)i;
}

static fsh_status
read_report(sqlite3_stmt *row, fsh_report *report, fsh_err *err)
{
    fsh_message message;
    fsh_status status =
        fsh_message_decode(sqlite3_column_blob(row, 4), (size_t)sqlite3_column_bytes(row, 4),
                           FSH_FROM_WORKER, &message, err);

    if (status)
        return status;
    if (message.number == FSH_MESSAGE_DONE)
        fsh_message_to_report(&message.done, report);
    else
        status =
            fsh_fail(err, FSH_FORMAT, "a report is message %s", fsh_message_name(message.number));
    fsh_message_fini(&message);
    return status;
}

typedef struct unit_sink {
    fsh_ledger_reader *reader;
    void *self;
} unit_sink;

static fsh_status
take_unit(const fsh_ledger *ledger, sqlite3_stmt *row, const void *to, fsh_err *err)
{
    const unit_sink *sink = to;
    fsh_report report;
    fsh_ledger_entry entry = {(uint32_t)sqlite3_column_int64(row, 0),
                              state_from_name((const char *)sqlite3_column_text(row, 1)),
                              (uint32_t)sqlite3_column_int64(row, 2),
                              (fsh_status)sqlite3_column_int64(row, 3),
                              (const char *)sqlite3_column_text(row, 5),
                              NULL};
    fsh_status status = FSH_OK;

    if (entry.state == FSH_UNIT_COMMITTED) {
        entry.report = &report;
        status = read_report(row, &report, err);
    } else if (entry.state == FSH_UNIT_STATE_N) {
        status = fsh_fail(err, FSH_FORMAT, "an unknown state");
    }
    if (status)
        return fsh_fail_within(err, status, "%s: unit %" PRIu32, ledger->path, entry.unit);
    sink->reader(sink->self, &entry);
    return FSH_OK;
}

/* Takes a row of a query; to is what the caller of each_row has given. */
typedef fsh_status row_taker(const fsh_ledger *ledger, sqlite3_stmt *row, const void *to,
                             fsh_err *err);

static fsh_status
each_row(const fsh_ledger *ledger, const char *sql, row_taker *take, const void *to, fsh_err *err)
{
    sqlite3_stmt *statement = NULL;
    fsh_status status = FSH_OK;
    int code = SQLITE_DONE;

    if (sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fsh_ledger_fail(ledger, err);
    while (!status && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = take(ledger, statement, to, err);
    if (!status && code != SQLITE_DONE)
        status = fsh_ledger_fail(ledger, err);
    sqlite3_finalize(statement);
    return status;
}

fsh_status
fsh_ledger_read(fsh_ledger *ledger, fsh_ledger_reader *reader, void *self, fsh_err *err)
{
    static const char sql[] =
        "SELECT number, state, attempts, failure, report, failure_text FROM unit"
        " ORDER BY number";
    unit_sink to = {reader, self};

    return each_row(ledger, sql, take_unit, &to, err);
}

/* A ledger that is just being made has none yet. */
static bool
has_units(fsh_ledger *ledger)
{
    return sqlite3_table_column_metadata(ledger->database, NULL, "unit", NULL, NULL, NULL, NULL,
                                         NULL, NULL) != SQLITE_ERROR;
}

fsh_status
fsh_ledger_look(const char *output, fsh_ledger_reader *reader, void *self, fsh_err *err)
{
    fsh_ledger ledger = {.path = ""};
    fsh_status status = fsh_path_join(ledger.path, output, FSH_PATH_LEDGER, err);

    if (status)
        return status;
    if (sqlite3_open_v2(ledger.path, &ledger.database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        status = fsh_ledger_fail(&ledger, err);
    else
        sqlite3_busy_timeout(ledger.database, FSH_LEDGER_BUSY_MS);
    if (!status && has_units(&ledger))
        status = fsh_ledger_read(&ledger, reader, self, err);
    sqlite3_close(ledger.database);
    return status;
}

/* ---- suspects ---- */

typedef struct suspect_sink {
    fsh_ledger_suspect_reader *reader;
    void *self;
} suspect_sink;

static fsh_status
take_suspect(const fsh_ledger *ledger, sqlite3_stmt *row, const void *to, fsh_err *err)
{
    const suspect_sink *sink = to;
    const char *code = (const char *)sqlite3_column_text(row, 3);
    fsh_suspect suspect = {(uint32_t)sqlite3_column_int64(row, 1),
                           (uint32_t)sqlite3_column_int64(row, 2),
                           fsh_reason_from_code(code ? code : ""),
                           (uint32_t)sqlite3_column_int64(row, 4), sqlite3_column_int(row, 5) != 0};

    if (suspect.reason == FSH_REASON_N)
        return fsh_fail(err, FSH_FORMAT, "%s: a suspect with an unknown reason", ledger->path);
    sink->reader(sink->self, (uint32_t)sqlite3_column_int64(row, 0), &suspect);
    return FSH_OK;
}

fsh_status
fsh_ledger_read_suspects(fsh_ledger *ledger, fsh_ledger_suspect_reader *reader, void *self,
                         fsh_err *err)
{
    static const char sql[] = "SELECT unit, sample, deaths, reason, value, condemned FROM suspect"
                              " ORDER BY unit, sample";
    suspect_sink to = {reader, self};

    return each_row(ledger, sql, take_suspect, &to, err);
}
