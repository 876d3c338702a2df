#include "proto/states.h"

enum { NOTHING, RECORD };

static const struct {
    const char *name, *help;
} states[] = {
#define STATE(name, help) {#name, help},
#include "proto/states.def"
#undef STATE
};

static const struct {
    const char *name, *help;
    int32_t attempts;
} events[] = {
#define EVENT(name, help, attempts) {#name, help, attempts},
#include "proto/states.def"
#undef EVENT
};

static const struct {
    bool known;
    uint8_t next, ledger;
} steps[FSH_UNIT_STATE_N][FSH_EVENT_N] = {
#define STEP(state, event, next, ledger)                                                           \
    [FSH_UNIT_##state][FSH_EVENT_##event] = {true, FSH_UNIT_##next, ledger},
#include "proto/states.def"
#undef STEP
};

bool
fsh_unit_step_find(fsh_unit_state state, fsh_unit_event event, fsh_unit_step *step)
{
    if (!steps[state][event].known)
        return false;
    step->next = steps[state][event].next;
    step->attempts = events[event].attempts;
    step->record = steps[state][event].ledger == RECORD;
    return true;
}

uint32_t
fsh_unit_step_count(const fsh_unit_step *step, uint32_t attempts)
{
    return step->attempts < 0 && attempts == 0 ? 0 : (uint32_t)((int64_t)attempts + step->attempts);
}

const char *
fsh_unit_state_name(fsh_unit_state state)
{
    return (unsigned)state < FSH_UNIT_STATE_N ? states[state].name : "unknown";
}

const char *
fsh_unit_event_name(fsh_unit_event event)
{
    return (unsigned)event < FSH_EVENT_N ? events[event].name : "unknown";
}

static void
print_steps(fsh_text *out)
{
    uint32_t state, event;

    fsh_text_add(out, "| state | event | next state | ledger |\n|---|---|---|---|\n");
    for (state = 0; state < FSH_UNIT_STATE_N; state++)
        for (event = 0; event < FSH_EVENT_N; event++)
            if (steps[state][event].known)
                fsh_text_addf(out, "| %s | %s | %s | %s |\n", states[state].name,
                              events[event].name, states[steps[state][event].next].name,
                              steps[state][event].ledger == RECORD ? "record" : "");
}

void
fsh_states_print(fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "| state | |\n|---|---|\n");
    for (i = 0; i < FSH_UNIT_STATE_N; i++)
        fsh_text_addf(out, "| %s | %s |\n", states[i].name, states[i].help);
    fsh_text_add(out, "\n| event | | attempts |\n|---|---|---|\n");
    for (i = 0; i < FSH_EVENT_N; i++)
        fsh_text_addf(out, "| %s | %s | %s |\n", events[i].name, events[i].help,
                      events[i].attempts > 0   ? "+1"
                      : events[i].attempts < 0 ? "-1"
                                               : "");
    fsh_text_add(out, "\n");
    print_steps(out);
}
