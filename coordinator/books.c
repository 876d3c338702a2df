#include "coordinator/books.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/commit.h"
#include "coordinator/ledger.h"

struct fsh_books {
    const fsh_coordinator_work *work;
    fsh_hash *hashes; /* of committed shards, or NULL */
    fsh_books_watch watch;
    fsh_leases *leases;
    fsh_ledger *ledger;
    fsh_coordinator_totals totals;
    fsh_status recorded; /* how writing into the ledger has gone since the last flush */
    fsh_err recorded_err;
    fsh_status blame; /* what fails a unit that fails now */
    fsh_err blame_why;
    fsh_suspicion *suspicions;  /* a place a unit */
    const fsh_report *accepted; /* of the unit that is being settled */
    fsh_status verdict;         /* of the last unit that was buried */
    fsh_err verdict_why;
};

/* ---- changes of units ---- */

static void
add_report(fsh_books *books, const fsh_report *report)
{
    fsh_coordinator_totals *totals = &books->totals;
    uint32_t i;

    totals->units_done++;
    totals->samples_done += report->samples;
    totals->delivered += report->delivered;
    totals->images += report->images;
    totals->bytes += report->bytes;
    for (i = 0; i < FSH_REASON_N; i++)
        totals->rejected[i] += report->rejected[i];
    if (books->hashes)
        books->hashes[report->unit] = report->shard_hash;
}

static void
add_times(fsh_coordinator_totals *totals, const fsh_report *report)
{
    uint32_t i;

    for (i = 0; i < FSH_REPORT_TIMES_MAX; i++)
        totals->times_ns[i] += report->times_ns[i];
}

static void
note_failure(fsh_books *books, uint32_t unit, uint32_t attempts, bool buried)
{
    books->watch.failed(books->watch.self, unit, attempts, buried, books->blame_why.text);
    if (!buried)
        return;
    books->verdict = books->blame;
    fsh_fail(&books->verdict_why, books->blame,
             "unit %" PRIu32 " failed %" PRIu32
             " times, all others are done; the last time: %.800s",
             unit, attempts, books->blame_why.text);
}

/* A failure of the ledger is kept until the flush, which is where it matters. */
static void
record(fsh_books *books, const fsh_ledger_entry *entry)
{
    if (!books->recorded)
        books->recorded = fsh_ledger_record(books->ledger, entry, &books->recorded_err);
}

static void
on_changed(void *self, uint32_t unit, fsh_unit_event event, fsh_unit_state state, uint32_t attempts,
           bool kept)
{
    fsh_books *books = self;
    bool failed = kept && (event == FSH_EVENT_LOSE || event == FSH_EVENT_EXPIRE ||
                           event == FSH_EVENT_FAIL || event == FSH_EVENT_CONVICT ||
                           event == FSH_EVENT_REJECT || event == FSH_EVENT_EXHAUST);
    fsh_ledger_entry entry = {unit,
                              state == FSH_UNIT_LENT ? FSH_UNIT_READY : state, /* leases are not kept */
                              attempts,
                              failed ? books->blame : FSH_OK,
                              failed ? books->blame_why.text : NULL,
                              state == FSH_UNIT_COMMITTED ? books->accepted : NULL};

    books->totals.units_buried = fsh_leases_count(books->leases, FSH_UNIT_BURIED);
    if (!kept)
        return;
    if (entry.report) {
        add_report(books, entry.report);
        add_times(&books->totals, entry.report);
    }
    if (failed)
        note_failure(books, unit, attempts, state == FSH_UNIT_BURIED);
    record(books, &entry);
}

void
fsh_books_blame(fsh_books *books, fsh_status status, const char *why)
{
    books->blame = fsh_fail(&books->blame_why, status, "%s", why);
}

static void
record_suspect(fsh_books *books, uint32_t unit, const fsh_suspect *suspect)
{
    if (!books->recorded)
        books->recorded =
            fsh_ledger_suspect(books->ledger, unit, suspect, &books->recorded_err);
}

bool
fsh_books_suspect(fsh_books *books, uint32_t unit, const fsh_death *death)
{
    fsh_suspicion *suspicion = &books->suspicions[unit];
    bool convicted;
    uint64_t i;
    uint32_t k;

    for (i = 0; i < death->samples_n; i++)
        if (death->samples[i] >= books->work->samples[unit])
            return false;
    convicted = fsh_suspicion_note(suspicion, death);
    for (i = 0; i < death->samples_n; i++)
        for (k = 0; k < suspicion->n; k++)
            if (suspicion->suspects[k].sample == death->samples[i])
                record_suspect(books, unit, &suspicion->suspects[k]);
    return convicted;
}

const fsh_suspicion *
fsh_books_suspicion(const fsh_books *books, uint32_t unit)
{
    return books->suspicions[unit].n ? &books->suspicions[unit] : NULL;
}

void
fsh_books_settle(fsh_books *books, const fsh_report *report, fsh_status checked, const char *why)
{
    books->accepted = report;
    fsh_books_blame(books, checked, why);
    fsh_leases_settle(books->leases, report->unit, checked == FSH_OK);
    books->accepted = NULL;
}

fsh_status
fsh_books_flush(fsh_books *books, fsh_err *err)
{
    if (books->recorded)
        return fsh_fail(err, books->recorded, "%s", books->recorded_err.text);
    return fsh_ledger_flush(books->ledger, err);
}

/* ---- opening ---- */

/* It is no work of this run. */
static void
note_known(fsh_books *books, const fsh_report *report)
{
    books->totals.units_known++;
    books->totals.samples_known += report->samples;
    books->totals.images_known += report->images;
}

static void
remember(void *self, const fsh_ledger_entry *entry)
{
    fsh_books *books = self;

    if (entry->unit >= books->work->units_n)
        return;
    fsh_leases_restore(books->leases, entry->unit, entry->state, entry->attempts);
    if (entry->state == FSH_UNIT_COMMITTED &&
        fsh_commit_is_there(books->work->output, entry->report)) {
        add_report(books, entry->report);
        note_known(books, entry->report);
    } else if (entry->state == FSH_UNIT_COMMITTED) {
        fsh_commit_discard(books->work->output, entry->unit);
        fsh_leases_miss(books->leases, entry->unit);
    } else if (entry->state == FSH_UNIT_BURIED) {
        fsh_leases_kick(books->leases, entry->unit);
    }
}

/* Shards of which the ledger knows nothing bad; what is not right is made again in its place. */
static void
adopt_shards(fsh_books *books)
{
    const fsh_coordinator_adoption *adoption = books->work->adoption;
    fsh_report report;
    uint32_t i;

    for (i = 0; adoption && i < books->work->units_n; i++) {
        if (fsh_leases_state(books->leases, i) != FSH_UNIT_READY ||
            !fsh_commit_has_file(books->work->output, i))
            continue;
        fsh_listener_tell(adoption->step, i, books->work->units_n);
        if (adoption->adopt(adoption->self, i, &report, NULL) != FSH_OK)
            continue;
        fsh_leases_hand_in(books->leases, i, 0);
        fsh_books_settle(books, &report, FSH_OK, "");
        note_known(books, &report);
        books->totals.units_adopted++;
    }
}

static void
remember_suspect(void *self, uint32_t unit, const fsh_suspect *suspect)
{
    fsh_books *books = self;

    if (unit < books->work->units_n)
        fsh_suspicion_restore(&books->suspicions[unit], suspect);
}

static fsh_status
open_ledger(fsh_books *books, fsh_err *err)
{
    const fsh_coordinator_work *work = books->work;
    fsh_ledger_about about = {work->job_hash, work->input_hash, work->units_n};

    return fsh_ledger_open(work->output, &about, &books->ledger, err);
}

/* What has changed since (a shard is gone) is recorded while the row is read; SQLite reads no row
 * twice. */
static fsh_status
open_desk(fsh_books *books, const fsh_lease_rules *rules, fsh_err *err)
{
    fsh_lease_watch watch = {books, on_changed};
    fsh_status status = fsh_leases_new(books->work->units_n, fsh_ledger_epoch(books->ledger), rules,
                                       &watch, &books->leases, err);

    if (!status)
        status = fsh_ledger_read(books->ledger, remember, books, err);
    if (!status)
        status = fsh_ledger_read_suspects(books->ledger, remember_suspect, books, err);
    if (!status)
        adopt_shards(books);
    return status ? status : fsh_books_flush(books, err);
}

static void
count_work(fsh_books *books)
{
    uint32_t i;

    books->totals.units = books->work->units_n;
    for (i = 0; i < books->work->units_n; i++)
        books->totals.samples += books->work->samples[i];
}

fsh_status
fsh_books_open(const fsh_coordinator_work *work, const fsh_lease_rules *rules, fsh_hash *hashes,
               const fsh_books_watch *watch, fsh_books **books, fsh_err *err)
{
    fsh_books *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for the books of %" PRIu32 " units",
                        work->units_n);
    opened->work = work;
    opened->suspicions = calloc(work->units_n + 1, sizeof *opened->suspicions);
    if (!opened->suspicions) {
        free(opened);
        return fsh_fail(err, FSH_MEMORY, "no memory for the books of %" PRIu32 " units",
                        work->units_n);
    }
    opened->hashes = hashes;
    opened->watch = *watch;
    count_work(opened);
    status = open_ledger(opened, err);
    if (!status)
        status = open_desk(opened, rules, err);
    if (status)
        fsh_books_close(&opened);
    else
        *books = opened;
    return status;
}

void
fsh_books_close(fsh_books **books)
{
    fsh_books *closing = *books;
    uint32_t i;

    *books = NULL;
    if (!closing)
        return;
    for (i = 0; i < closing->work->units_n; i++)
        fsh_suspicion_fini(&closing->suspicions[i]);
    free(closing->suspicions);
    fsh_leases_free(closing->leases);
    fsh_ledger_close(&closing->ledger);
    free(closing);
}

/* ---- asking ---- */

fsh_leases *
fsh_books_leases(fsh_books *books)
{
    return books->leases;
}

uint32_t
fsh_books_epoch(const fsh_books *books)
{
    return fsh_ledger_epoch(books->ledger);
}

fsh_coordinator_totals *
fsh_books_totals(fsh_books *books)
{
    return &books->totals;
}

bool
fsh_books_are_done(const fsh_books *books)
{
    return fsh_leases_count(books->leases, FSH_UNIT_COMMITTED) +
               fsh_leases_count(books->leases, FSH_UNIT_BURIED) ==
           books->work->units_n;
}

fsh_status
fsh_books_verdict(const fsh_books *books, fsh_err *err)
{
    return books->totals.units_buried ? fsh_fail(err, books->verdict, "%s", books->verdict_why.text)
                                      : FSH_OK;
}
