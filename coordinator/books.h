/* The books of a coordinator: lending desk, ledger and totals, kept together so that none of them
 * can say anything else than the others. Knows no network and no clock.
 *
 *     fsh_books_open(work, &rules, hashes, &told, &books, &err);      locks the output, remembers
 *     fsh_leases *leases = fsh_books_leases(books);              lend, renew, expire there
 *     fsh_books_blame(books, status, "why") before a call by which a unit may fail
 *     fsh_books_suspect(books, unit, &death)                     before the failure that it explains
 *     fsh_books_settle(books, &report, FSH_OK, "")               after its shard was checked
 *     fsh_books_flush(books, &err);                              only then answer anybody
 *     fsh_books_close(&books); */
#ifndef FSH_COORDINATOR_BOOKS_H
#define FSH_COORDINATOR_BOOKS_H

#include "coordinator/coordinator.h"
#include "coordinator/lease.h"
#include "proto/suspicion.h"

typedef struct fsh_books fsh_books;

/* Told when an attempt at a unit has failed; buried: it was the last. */
typedef struct fsh_books_watch {
    void *self;
    void (*failed)(void *self, uint32_t unit, uint32_t attempts, bool buried, const char *why);
} fsh_books_watch;

/* Opens the ledger of work->output and takes over what it says: committed units whose shard is
 * there stay so, all others are READY. work and hashes are borrowed until close. */
fsh_status fsh_books_open(const fsh_coordinator_work *work, const fsh_lease_rules *rules,
                          fsh_hash *hashes, const fsh_books_watch *watch, fsh_books **books,
                          fsh_err *err);
void fsh_books_close(fsh_books **books);

fsh_leases *fsh_books_leases(fsh_books *books);
uint32_t fsh_books_epoch(const fsh_books *books);
fsh_coordinator_totals *fsh_books_totals(fsh_books *books);

/* Says what is to blame if a unit fails in the calls that follow. */
void fsh_books_blame(fsh_books *books, fsh_status status, const char *why);

/* An attempt at a unit has killed its child. True: the sample at fault is known now. */
bool fsh_books_suspect(fsh_books *books, uint32_t unit, const fsh_death *death);

/* What the next attempt at a unit must know; NULL: nothing. Borrowed until the next call. */
const fsh_suspicion *fsh_books_suspicion(const fsh_books *books, uint32_t unit);

/* The check of a shard has ended: with OK it is committed. */
void fsh_books_settle(fsh_books *books, const fsh_report *report, fsh_status checked,
                      const char *why);

/* Writes all changes since the last flush to disk. After a failure nothing may be answered any
 * more. */
fsh_status fsh_books_flush(fsh_books *books, fsh_err *err);

/* Every unit is committed or buried. */
bool fsh_books_are_done(const fsh_books *books);

/* OK, or the failure of a buried unit with its text. */
fsh_status fsh_books_verdict(const fsh_books *books, fsh_err *err);

#endif
