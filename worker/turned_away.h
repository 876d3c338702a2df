/* What a person is told when a worker is not let in. Pure. */
#ifndef FSH_WORKER_TURNED_AWAY_H
#define FSH_WORKER_TURNED_AWAY_H

#include "proto/link.h"

/* Writes a sentence with the remedy. key is the worker's public key, "" where it has none; host is
 * its name in the line that is to be added to the coordinator's list. */
void fsh_turned_away_text(fsh_link_failure failure, const char *key, const char *host, fsh_err *text);

#endif
