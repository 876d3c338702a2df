/* sample: draws per_class images from every identity without replacement, all of them where it has
 * fewer. Every face draws a number of its own, and the lowest stay: the choice does not depend on
 * the order of the faces, and one face more or less changes at most one place. */
#include <stdlib.h>

#include "stages/table.h"

struct params {
    int64_t per_class;
};

static const fsh_arg rows[] = {FSH_ARG_INT(struct params, per_class, 0, 1000000000, "5",
                                           "images drawn from every identity; 0: all"),
                               FSH_ARG_END};

struct ticket {
    uint64_t draw;
    fsh_face *face;
};

static struct ticket
draw_ticket(uint64_t seed, uint64_t identity_key, fsh_face *face)
{
    fsh_rng rng = fsh_rng_new(seed, fsh_stage_sample.id, face->key ^ fsh_mix64(identity_key), 0);
    uint64_t high = fsh_rng_u32(&rng);
    struct ticket ticket = {high << 32 | fsh_rng_u32(&rng), face};

    return ticket;
}

static int
compare_tickets(const void *left, const void *right)
{
    const struct ticket *a = left, *b = right;

    if (a->draw != b->draw)
        return a->draw < b->draw ? -1 : 1;
    return a->face->key < b->face->key ? -1 : a->face->key > b->face->key;
}

static fsh_status
sample(void *state, const void *params, const fsh_stage_env *env, const fsh_group *group, fsh_err *err)
{
    const struct params *p = params;
    struct ticket *tickets;
    uint32_t n = group->n, i;

    (void)state;
    if (p->per_class == 0 || n <= p->per_class)
        return FSH_OK;
    tickets = malloc(n * sizeof *tickets);
    if (!tickets)
        return fsh_fail(err, FSH_MEMORY, "sample: out of memory for an identity of %u images", n);
    for (i = 0; i < n; i++)
        tickets[i] = draw_ticket(env->seed, group->key, group->faces[i]);
    qsort(tickets, n, sizeof *tickets, compare_tickets);
    for (i = (uint32_t)p->per_class; i < n; i++)
        tickets[i].face->reason = FSH_REASON_NOT_SAMPLED;
    free(tickets);
    return FSH_OK;
}

const fsh_stage fsh_stage_sample = {
    .name = "sample",
    .summary = "the same number of images from every identity, drawn at random",
    .id = 11,
    .version = 1,
    .phase = FSH_PHASE_SELECT,
    .needs = FSH_FACT_FACE,
    .args = rows,
    .params_size = sizeof(struct params),
    .select = sample,
};
