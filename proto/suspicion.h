/* Which sample of a unit is at fault when a unit kills its compute child: from the samples that
 * were executing at each death to the one that is rejected. Pure; the same for a coordinator and
 * for `faceshard unit`.
 *
 * The samples of the first death are suspects, no more: it may have been the machine. From then on
 * they are worked on alone, so that the next death has one sample to it. A sample that was
 * executing in two deaths, and in the second alone, is condemned: it is skipped and rejected for
 * the reason of its last death. So every culprit costs a unit two deaths at most, and a death that
 * finds nobody costs it an attempt.
 *
 * SIGKILL is different: no fault of a program raises it, somebody sends it; most often the kernel,
 * where memory has run out, which may or may not be the picture's doing. So it costs no attempt, and
 * only the FSH_KILLS_MAX-th one condemns: that nobody hits the same picture so often by chance.
 *
 *     fsh_suspicion suspicion = {0};
 *     if (fsh_suspicion_note(&suspicion, &death)) ...      one more is condemned
 *     n = fsh_suspicion_tell(&suspicion, suspects, reasons, values);    for LEASE and WORK
 *     fsh_suspicion_fini(&suspicion);
 */
#ifndef FSH_PROTO_SUSPICION_H
#define FSH_PROTO_SUSPICION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

/* Culprits of one unit. More than this are not the pictures' fault but the program's or the
 * machine's: further deaths cost attempts, and the unit fails. */
enum { FSH_CULPRITS_MAX = 32, FSH_KILLS_MAX = 6 };

typedef struct fsh_suspect {
    uint32_t sample;   /* row of the unit */
    uint32_t deaths;   /* in which it was executing */
    fsh_reason reason; /* of the last one */
    uint32_t value;    /* that goes with it: a signal; 0: none */
    bool condemned;
} fsh_suspect;

typedef struct fsh_suspicion {
    fsh_suspect *suspects; /* owned; in the order in which they came under suspicion */
    uint32_t n;
} fsh_suspicion;

/* How an attempt ended. */
typedef struct fsh_death {
    const uint64_t *samples; /* that were executing; borrowed */
    uint64_t samples_n;
    fsh_reason reason;
    uint32_t value;
} fsh_death;

/* Whether the compute child was killed by somebody else. */
bool fsh_death_is_outside(const fsh_death *death);

/* Adds what a death tells. True: its only sample is condemned now. */
bool fsh_suspicion_note(fsh_suspicion *suspicion, const fsh_death *death);

/* Puts back one suspect as it was kept. False: out of memory, or there are too many. */
bool fsh_suspicion_restore(fsh_suspicion *suspicion, const fsh_suspect *suspect);

/* Fills the lists of LEASE and WORK, each of FSH_SUSPECTS_MAX places, and gives their length. NULL
 * stands for no suspicion. */
uint32_t fsh_suspicion_tell(const fsh_suspicion *suspicion, uint64_t *suspects, uint64_t *reasons,
                            uint64_t *values);

void fsh_suspicion_fini(fsh_suspicion *suspicion);

#endif
