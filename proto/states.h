/* The life of a unit as proto/states.def tells it: a function from (state, event) to the next
 * state. */
#ifndef FSH_PROTO_STATES_H
#define FSH_PROTO_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

typedef enum fsh_unit_state {
#define STATE(name, help) FSH_UNIT_##name,
#include "proto/states.def"
#undef STATE
    FSH_UNIT_STATE_N
} fsh_unit_state;

typedef enum fsh_unit_event {
#define EVENT(name, help, attempts) FSH_EVENT_##name,
#include "proto/states.def"
#undef EVENT
    FSH_EVENT_N
} fsh_unit_event;

enum { FSH_ATTEMPTS_MAX = 3 }; /* that fail before a unit is given up */

typedef struct fsh_unit_step {
    fsh_unit_state next;
    int32_t attempts; /* that the event adds to the failed ones */
    bool record;       /* the ledger keeps the new state */
} fsh_unit_step;

/* False where the event cannot happen in this state; *step is untouched then. */
bool fsh_unit_step_find(fsh_unit_state state, fsh_unit_event event, fsh_unit_step *step);

/* Failed attempts after this step; never below 0. */
uint32_t fsh_unit_step_count(const fsh_unit_step *step, uint32_t attempts);

const char *fsh_unit_state_name(fsh_unit_state state);
const char *fsh_unit_event_name(fsh_unit_event event);

/* Appends states, events and steps as Markdown: the tables of docs/wire.md. */
void fsh_states_print(fsh_text *out);

#endif
