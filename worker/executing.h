/* Which samples are executing right now: a slot for each compute thread, in memory that a worker shares
 * with its compute child, so that it can be read when the child is dead.
 *
 *     the child:   fsh_executing_begin(table, thread, 17, FSH_DOING_READ); ...
 *                  fsh_executing_end(table, thread);
 *     its worker:  fsh_executing_clear(table);                            before every unit
 *                  n = fsh_executing_list(table, samples);
 *                  if (fsh_watch_step(&watch, table, 100, limit_ms, &sample)) ... kill */
#ifndef FSH_WORKER_EXECUTING_H
#define FSH_WORKER_EXECUTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/messages.h"
#include "stages/stage.h"

typedef struct fsh_executing fsh_executing;

/* Reading a file is the storage's time and not the picture's: it has no limit here. */
typedef enum fsh_doing { FSH_DOING_READ = 1, FSH_DOING_ANALYSE, FSH_DOING_DRAW } fsh_doing;

/* A new table; *file is to be handed to the child, and closed by the caller. */
fsh_status fsh_executing_new(fsh_executing **table, int *file, fsh_err *err);

/* The table behind a file; NULL where it is none. */
fsh_executing *fsh_executing_map(int file);

void fsh_executing_close(fsh_executing **table); /* NULL is fine */

/* A thread takes up a sample, or changes what it does with it. Constant time, any thread; a NULL
 * table is fine. */
void fsh_executing_begin(fsh_executing *table, uint32_t thread, uint32_t sample, fsh_doing doing);
void fsh_executing_end(fsh_executing *table, uint32_t thread);

/* The same with n samples, at most FSH_TOGETHER_MAX, that cannot be told apart while they are worked
 * on: all of them are suspects then. */
void fsh_executing_begin_together(fsh_executing *table, uint32_t thread, const uint32_t *samples,
                                  uint32_t n, fsh_doing doing);

/* A thread has failed: the table stays as it is until it is cleared for the next unit. A failure to
 * read says nothing about the picture, and changes nothing. */
void fsh_executing_freeze(fsh_executing *table, uint32_t thread);
void fsh_executing_clear(fsh_executing *table);
bool fsh_executing_is_frozen(const fsh_executing *table);

/* The samples that are executing, each once, up to FSH_SUSPECTS_MAX. */
uint32_t fsh_executing_list(const fsh_executing *table, uint64_t samples[FSH_SUSPECTS_MAX]);

/* For how long each thread has been at what it does. */
typedef struct fsh_watch {
    uint64_t seen[FSH_SUSPECTS_MAX], spent_ms[FSH_SUSPECTS_MAX];
} fsh_watch;

/* Another step_ms have gone by. True: *sample has been worked on for limit_ms, or is the first of several that
 * have been worked on together for limit_ms each. */
bool fsh_watch_step(fsh_watch *watch, const fsh_executing *table, uint64_t step_ms,
                    uint64_t limit_ms, uint32_t *sample);

#endif
