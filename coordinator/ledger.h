/* The ledger: what a coordinator that starts again must know, in OUT/state/ledger.sqlite. One row
 * per unit with its state, attempts, last failure and report, and one per sample that is suspected
 * of killing its unit. Leases are not kept: workers tell them again.
 *
 *     fsh_ledger_open(output, &about, &ledger, &err);   locks the output; a new epoch
 *     fsh_ledger_read(ledger, remember, self, &err);
 *     fsh_ledger_record(ledger, &entry, &err);          as often as needed ...
 *     fsh_ledger_flush(ledger, &err);                   ... then on disk, all or nothing
 *     fsh_ledger_close(&ledger);
 *
 * SQLite in WAL mode with synchronous FULL: after fsh_ledger_flush the records survive a power cut.
 */
#ifndef FSH_COORDINATOR_LEDGER_H
#define FSH_COORDINATOR_LEDGER_H

#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "proto/report.h"
#include "proto/states.h"
#include "proto/suspicion.h"

typedef struct fsh_ledger fsh_ledger;

/* What the ledger must be about. Texts are borrowed. */
typedef struct fsh_ledger_about {
    const char *job_hash;   /* hex */
    const char *input_hash; /* hex: of the manifest */
    uint32_t units_n;
} fsh_ledger_about;

typedef struct fsh_ledger_entry {
    uint32_t unit;
    fsh_unit_state state;
    uint32_t attempts;
    fsh_status failure;       /* of the last attempt that failed; FSH_OK: none */
    const char *failure_text; /* NULL: none; borrowed */
    const fsh_report *report; /* of a COMMITTED unit, otherwise NULL; borrowed */
} fsh_ledger_entry;

/* Opens or makes the ledger of an output folder. A second coordinator on the same output is BUSY
 * and is told who holds it; a ledger of another job or another input is USAGE. */
fsh_status fsh_ledger_open(const char *output, const fsh_ledger_about *about, fsh_ledger **ledger,
                           fsh_err *err);

/* Gives up what was not flushed, closes, unlocks. NULL is fine. */
void fsh_ledger_close(fsh_ledger **ledger);

/* Makes an existing ledger one of no job and no units, in one transaction; epochs go on, so that no token is
 * given twice. The caller holds the output's lock. No ledger is fine. */
fsh_status fsh_ledger_forget(const char *output, fsh_err *err);

/* How often a coordinator has started on this output: from 1. */
uint32_t fsh_ledger_epoch(const fsh_ledger *ledger);

/* Called for every unit that is not as new. */
typedef void fsh_ledger_reader(void *self, const fsh_ledger_entry *entry);

/* Reads the ledger of an output on which a coordinator may work; changes nothing and takes no lock. */
fsh_status fsh_ledger_look(const char *output, fsh_ledger_reader *reader, void *self, fsh_err *err);

fsh_status fsh_ledger_read(fsh_ledger *ledger, fsh_ledger_reader *reader, void *self, fsh_err *err);

/* Called for every sample under suspicion, unit by unit. */
typedef void fsh_ledger_suspect_reader(void *self, uint32_t unit, const fsh_suspect *suspect);

fsh_status fsh_ledger_read_suspects(fsh_ledger *ledger, fsh_ledger_suspect_reader *reader,
                                    void *self, fsh_err *err);

/* Writes a suspect into the open transaction, over what was known about the sample. */
fsh_status fsh_ledger_suspect(fsh_ledger *ledger, uint32_t unit, const fsh_suspect *suspect,
                              fsh_err *err);

/* Writes an entry into the open transaction, beginning one where there is none. */
fsh_status fsh_ledger_record(fsh_ledger *ledger, const fsh_ledger_entry *entry, fsh_err *err);

/* Ends the transaction. Nothing was recorded: returns at once. */
fsh_status fsh_ledger_flush(fsh_ledger *ledger, fsh_err *err);

#endif
