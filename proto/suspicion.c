#include "proto/suspicion.h"

#include <signal.h>
#include <stdlib.h>

#include "proto/messages.h"

static fsh_suspect *
find(const fsh_suspicion *suspicion, uint64_t sample)
{
    uint32_t i;

    for (i = 0; i < suspicion->n; i++)
        if (suspicion->suspects[i].sample == sample)
            return &suspicion->suspects[i];
    return NULL;
}

bool
fsh_suspicion_restore(fsh_suspicion *suspicion, const fsh_suspect *suspect)
{
    fsh_suspect *more;

    if (suspicion->n == FSH_SUSPECTS_MAX)
        return false;
    more = realloc(suspicion->suspects, (suspicion->n + 1) * sizeof *more);
    if (!more)
        return false;
    suspicion->suspects = more;
    more[suspicion->n++] = *suspect;
    return true;
}

static void
suspect_again(fsh_suspicion *suspicion, uint64_t sample, const fsh_death *death)
{
    fsh_suspect fresh = {.sample = (uint32_t)sample};
    fsh_suspect *found = find(suspicion, sample);

    if (!found && fsh_suspicion_restore(suspicion, &fresh))
        found = find(suspicion, sample);
    if (!found)
        return;
    found->deaths++;
    found->reason = death->reason;
    found->value = death->value;
}

static uint32_t
count_condemned(const fsh_suspicion *suspicion)
{
    uint32_t i, n = 0;

    for (i = 0; i < suspicion->n; i++)
        n += suspicion->suspects[i].condemned;
    return n;
}

bool
fsh_death_is_outside(const fsh_death *death)
{
    return death->reason != FSH_REASON_TIMED_OUT && death->value == SIGKILL;
}

bool
fsh_suspicion_note(fsh_suspicion *suspicion, const fsh_death *death)
{
    fsh_suspect *only;
    uint64_t i;

    if (death->reason == FSH_REASON_NONE)
        return false;
    for (i = 0; i < death->samples_n; i++)
        suspect_again(suspicion, death->samples[i], death);
    only = death->samples_n == 1 ? find(suspicion, death->samples[0]) : NULL;
    if (!only || only->condemned ||
        only->deaths < (fsh_death_is_outside(death) ? FSH_KILLS_MAX : 2) ||
        count_condemned(suspicion) == FSH_CULPRITS_MAX)
        return false;
    only->condemned = true;
    return true;
}

uint32_t
fsh_suspicion_tell(const fsh_suspicion *suspicion, uint64_t *suspects, uint64_t *reasons,
                   uint64_t *values)
{
    uint32_t i, n = suspicion ? suspicion->n : 0;

    for (i = 0; i < n; i++) {
        const fsh_suspect *from = &suspicion->suspects[i];

        suspects[i] = from->sample;
        reasons[i] = from->condemned ? from->reason : FSH_REASON_NONE;
        values[i] = from->condemned ? from->value : 0;
    }
    return n;
}

void
fsh_suspicion_fini(fsh_suspicion *suspicion)
{
    free(suspicion->suspects);
    *suspicion = (fsh_suspicion){0};
}
