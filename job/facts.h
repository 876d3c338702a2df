/* Facts: what the ANALYSE phase found out about each photograph, kept on disk so that a job with other
 * variants, sampling, seed or threshold need not look at the photographs again.
 *
 *     STORE/KEY/about          what the key stands for: stages, parameters, models
 *     STORE/KEY/used-HASH      an output folder that uses it: its path and its job, a line each
 *     STORE/KEY/UNIT.facts     one unit, named by the hash of its samples' names (worker/recall.c)
 *
 * STORE is OUT/facts, or store.path of the job, which several outputs may share. The key covers all that
 * facts depend on besides the photographs; these are told by the SHA-256 of their bytes.
 *
 *     fsh_facts_claim(job, &err);                    coordinator, when a job is planned
 *     fsh_facts_folder(job, folder, &err);           worker: where its units' files are
 *     fsh_facts_list(store, row, self, &err);        clean-store
 */
#ifndef FSH_JOB_FACTS_H
#define FSH_JOB_FACTS_H

#include "job/job.h"

#define FSH_FACTS_SUFFIX ".facts"

/* Goes up when the same photographs and stages would be kept in another form. */
enum { FSH_FACTS_FORMAT = 1 };

/* The key of a job that has its hash. about (may be NULL) gets the text behind the key appended. */
fsh_status fsh_facts_key(const fsh_job *job, fsh_hash *key, fsh_text *about, fsh_err *err);

/* The folder of the store, and of the job's key in it. */
fsh_status fsh_facts_store(const fsh_job *job, char store[FSH_PATH_BYTES], fsh_err *err);
fsh_status fsh_facts_folder(const fsh_job *job, char folder[FSH_PATH_BYTES], fsh_err *err);

/* Units whose facts are there for this job. */
fsh_status fsh_facts_count(const fsh_job *job, uint32_t *units, fsh_err *err);

/* Makes the job's folder in the store and writes down that the job's output uses it. An output uses one
 * key: what it used before is given up. */
fsh_status fsh_facts_claim(const fsh_job *job, fsh_err *err);

/* One key of a store. Texts are borrowed for the call. */
typedef struct fsh_facts_row {
    const char *key;    /* name of its folder */
    const char *about;  /* what it stands for, lines */
    const char *users;  /* output folders that use it and are still there, a line each */
    uint32_t units;
    uint64_t bytes;
} fsh_facts_row;

typedef fsh_status fsh_facts_reader(void *self, const fsh_facts_row *row, fsh_err *err);

/* Calls reader for every key of a store, by name. A folder that is no store is USAGE. */
fsh_status fsh_facts_list(const char *store, fsh_facts_reader *reader, void *self, fsh_err *err);

/* Frees one key of a store. */
fsh_status fsh_facts_remove(const char *store, const char *key, fsh_err *err);

#endif
