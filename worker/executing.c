#include "worker/executing.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sample is one word, so that it is never read half written: sample + 1 in the lower 32 bits (0:
 * nothing), then 8 bits of what is done, then a counter that tells one turn at a sample from the
 * next. A slot has those that a thread works on together, in cache lines of its own: threads do not
 * get into each other's way. */
typedef struct slot {
    _Alignas(64) _Atomic uint64_t words[FSH_TOGETHER_MAX];
} slot;

_Static_assert(sizeof(slot) % 64 == 0, "a thread has whole cache lines");

struct fsh_executing {
    atomic_bool frozen;
    slot slots[FSH_SUSPECTS_MAX];
};

static const uint64_t TURN = UINT64_C(1) << 40;
static const uint64_t SAMPLE = UINT32_MAX;

fsh_executing *
fsh_executing_map(int file)
{
    fsh_executing *table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    return table == MAP_FAILED ? NULL : table;
}

fsh_status
fsh_executing_new(fsh_executing **table, int *file, fsh_err *err)
{
    int made = memfd_create("faceshard-executing", MFD_CLOEXEC);

    if (made < 0)
        return fsh_fail_errno(err, errno, "no memory to share with the compute process");
    *table = ftruncate(made, sizeof **table) == 0 ? fsh_executing_map(made) : NULL;
    if (*table) {
        *file = made;
        return FSH_OK;
    }
    fsh_fail_errno(err, errno, "no memory to share with the compute process");
    close(made);
    return FSH_MEMORY;
}

void
fsh_executing_close(fsh_executing **table)
{
    if (*table)
        munmap(*table, sizeof **table);
    *table = NULL;
}

static void
set(_Atomic uint64_t *word, uint64_t low)
{
    uint64_t before = atomic_load(word);

    if (low || (before & SAMPLE))
        atomic_store(word, ((before & ~(TURN - 1)) + TURN) | low);
}

void
fsh_executing_begin_together(fsh_executing *table, uint32_t thread, const uint32_t *samples,
                             uint32_t n, fsh_doing doing)
{
    uint32_t i;

    if (!table || thread >= FSH_SUSPECTS_MAX || atomic_load(&table->frozen))
        return;
    for (i = 0; i < FSH_TOGETHER_MAX; i++)
        set(&table->slots[thread].words[i],
            i < n ? (uint64_t)doing << 32 | ((uint64_t)samples[i] + 1) : 0);
}

void
fsh_executing_begin(fsh_executing *table, uint32_t thread, uint32_t sample, fsh_doing doing)
{
    fsh_executing_begin_together(table, thread, &sample, 1, doing);
}

void
fsh_executing_end(fsh_executing *table, uint32_t thread)
{
    fsh_executing_begin_together(table, thread, NULL, 0, FSH_DOING_READ);
}

/* A slot is at work on something that the picture can be blamed for. */
static bool
is_at_picture(uint64_t word)
{
    return (word & SAMPLE) != 0 && (uint8_t)(word >> 32) != FSH_DOING_READ;
}

void
fsh_executing_freeze(fsh_executing *table, uint32_t thread)
{
    if (table && thread < FSH_SUSPECTS_MAX &&
        is_at_picture(atomic_load(&table->slots[thread].words[0])))
        atomic_store(&table->frozen, true);
}

void
fsh_executing_clear(fsh_executing *table)
{
    uint32_t i, k;

    if (!table)
        return;
    for (i = 0; i < FSH_SUSPECTS_MAX; i++)
        for (k = 0; k < FSH_TOGETHER_MAX; k++)
            atomic_store(&table->slots[i].words[k], 0);
    atomic_store(&table->frozen, false);
}

bool
fsh_executing_is_frozen(const fsh_executing *table)
{
    return table && atomic_load(&table->frozen);
}

static bool
is_listed(const uint64_t *samples, uint32_t n, uint64_t sample)
{
    uint32_t i;

    for (i = 0; i < n; i++)
        if (samples[i] == sample)
            return true;
    return false;
}

/* Two threads may be at two faces of one photograph. */
uint32_t
fsh_executing_list(const fsh_executing *table, uint64_t samples[FSH_SUSPECTS_MAX])
{
    uint32_t i, n = 0;

    for (i = 0; table && i < FSH_SUSPECTS_MAX * FSH_TOGETHER_MAX && n < FSH_SUSPECTS_MAX; i++) {
        const slot *of = &table->slots[i / FSH_TOGETHER_MAX];
        uint64_t low = atomic_load(&of->words[i % FSH_TOGETHER_MAX]) & SAMPLE;

        if (low && !is_listed(samples, n, low - 1))
            samples[n++] = low - 1;
    }
    return n;
}

static uint32_t
count_together(const slot *of)
{
    uint32_t i, n = 0;

    for (i = 0; i < FSH_TOGETHER_MAX; i++)
        n += (atomic_load(&of->words[i]) & SAMPLE) != 0;
    return n;
}

bool
fsh_watch_step(fsh_watch *watch, const fsh_executing *table, uint64_t step_ms, uint64_t limit_ms,
               uint32_t *sample)
{
    uint32_t i;

    for (i = 0; i < FSH_SUSPECTS_MAX; i++) {
        uint64_t word = atomic_load(&table->slots[i].words[0]);
        bool same = word == watch->seen[i] && is_at_picture(word);

        watch->spent_ms[i] = same ? watch->spent_ms[i] + step_ms : 0;
        watch->seen[i] = word;
        if (same && watch->spent_ms[i] >= limit_ms * count_together(&table->slots[i])) {
            *sample = (uint32_t)((word & SAMPLE) - 1);
            return true;
        }
    }
    return false;
}
