#include "worker/held.h"

#include <string.h>

bool
fsh_held_add(fsh_held *held, const fsh_message_work *order)
{
    if (held->n == FSH_HELD_MAX || fsh_held_find(held, order->token))
        return false;
    held->leases[held->n++] =
        (fsh_held_lease){.unit = order->unit, .token = order->token, .order = *order};
    return true;
}

fsh_held_lease *
fsh_held_find(fsh_held *held, uint64_t token)
{
    uint32_t i;

    for (i = 0; i < held->n; i++)
        if (held->leases[i].token == token)
            return &held->leases[i];
    return NULL;
}

fsh_held_lease *
fsh_held_first(fsh_held *held, fsh_held_state state)
{
    uint32_t i;

    for (i = 0; i < held->n; i++)
        if (held->leases[i].state == state)
            return &held->leases[i];
    return NULL;
}

fsh_held_lease *
fsh_held_missing(fsh_held *held)
{
    uint32_t i;

    for (i = 0; i < held->n; i++)
        if (held->leases[i].state == FSH_HELD_WAITING && !held->leases[i].here)
            return &held->leases[i];
    return NULL;
}

uint32_t
fsh_held_count(const fsh_held *held, fsh_held_state state)
{
    uint32_t i, n = 0;

    for (i = 0; i < held->n; i++)
        n += held->leases[i].state == state;
    return n;
}

void
fsh_held_remove(fsh_held *held, fsh_held_lease *lease)
{
    uint32_t behind = held->n - (uint32_t)(lease - held->leases) - 1;

    memmove(lease, lease + 1, behind * sizeof *lease);
    held->n--;
}

void
fsh_held_to_renew(const fsh_held *held, fsh_message_renew *renew)
{
    uint32_t i;

    renew->units.n = renew->tokens.n = renew->done.n = renew->steps.n = held->n;
    for (i = 0; i < held->n; i++) {
        renew->units.at[i] = held->leases[i].unit;
        renew->tokens.at[i] = held->leases[i].token;
        renew->done.at[i] = held->leases[i].done + held->leases[i].carried;
        renew->steps.at[i] =
            held->leases[i].steps ? held->leases[i].steps + held->leases[i].carried : 0;
    }
}

void
fsh_held_to_hello(const fsh_held *held, fsh_message_hello *hello)
{
    uint32_t i;

    hello->units.n = hello->tokens.n = held->n;
    for (i = 0; i < held->n; i++) {
        hello->units.at[i] = held->leases[i].unit;
        hello->tokens.at[i] = held->leases[i].token;
    }
}
