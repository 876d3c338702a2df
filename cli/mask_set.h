/* Masked twins of an evaluation set: for some people of the input a picture as they are, the
 * gallery, and masked pictures of the same people, the probes. Inside cli/ only: mask_set.c is the
 * command, candidates.c says who is asked in which order, mask_set_rounds.c runs jobs over them
 * until there are enough, mask_set_export.c writes the pictures. */
#ifndef FSH_CLI_MASK_SET_H
#define FSH_CLI_MASK_SET_H

#include "base/args.h"
#include "base/text.h"
#include "cli/candidates.h"
#include "cli/job_run.h"
#include "job/job.h"

typedef enum fsh_mask_probe {
    FSH_MASK_PROBE_SAME, /* the gallery's photograph itself, masked */
    FSH_MASK_PROBE_OTHER /* other photographs of the person, masked */
} fsh_mask_probe;

typedef struct fsh_mask_set {
    char detector[FSH_ARG_TEXT_BYTES], output[FSH_ARG_TEXT_BYTES];
    char format[FSH_ARG_TEXT_BYTES];
    char input[FSH_PATH_BYTES]; /* absolute */
    int64_t identities, probes, seed, workers;
    int32_t probe; /* fsh_mask_probe */
    int32_t log;
    const char *const *sets;
    uint32_t sets_n;

    uint32_t made;          /* people that are written */
    uint64_t pictures;      /* probes that are */
    uint32_t skipped;       /* people whose pictures were looked at and were not enough */
    uint32_t small_n;       /* people who have too few to begin with */
    fsh_text people, names; /* for mask-set.json, and the probes' names.tsv, so far */
    fsh_text gallery_names;
    fsh_text skipped_names;
    char job_hash[FSH_HASH_HEX];
} fsh_mask_set;

/* Photographs of a person that a job looks at: the set's own, and spare ones. */
uint32_t fsh_mask_set_wanted(const fsh_mask_set *set);

/* The job of one round: input is a folder of links, work a folder for its output. Free with
 * fsh_job_free. */
fsh_status fsh_mask_set_job(const fsh_mask_set *set, const char *input, const char *work,
                            fsh_job **job, fsh_err *err);

/* Runs rounds until set->identities people are in `folder`, or all candidates were asked. */
fsh_status fsh_mask_set_run(fsh_mask_set *set, const fsh_candidates *from, const char *work,
                            const char *folder, fsh_err *err);

/* Writes the people of candidates first to end - 1 whose pictures index.h5 of the round has, as
 * many as are still wanted, and counts the others as skipped. */
fsh_status fsh_mask_set_export(fsh_mask_set *set, const fsh_candidates *from, uint32_t first,
                               uint32_t end, const char *index, const char *folder, fsh_err *err);

#endif
