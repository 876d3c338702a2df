/* The door of a coordinator with keys: answers libzmq when it asks, by ZAP (RFC 27), whether somebody
 * with a key may come in. Without it a CURVE server lets everybody in who has any key. It must be
 * open before the server binds, in the same context. Inside proto/ only.
 *
 *     fsh_door_open(loop, context, "keys/allowed", &door, &err);
 *     fsh_door_close(&door, me, on_closed); */
#ifndef FSH_PROTO_DOOR_H
#define FSH_PROTO_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/status.h"

typedef struct fsh_door fsh_door;

/* The ZAP domain of the server. */
#define FSH_DOOR_DOMAIN "faceshard"

/* Reads the list (proto/allowed.h), and again when its file changes and after SIGHUP. */
fsh_status fsh_door_open(uv_loop_t *loop, void *context, const char *allowed_path, fsh_door **door,
                         fsh_err *err);

/* Calls closed(self) when the door's socket is closed and nothing of it is in the loop. */
void fsh_door_close(fsh_door **door, void *self, void (*closed)(void *self));

/* Whether somebody who is in may stay: the list may have changed. */
bool fsh_door_allows(const fsh_door *door, const char *key);

/* The last key that wanted to come in and was not on the list; "" when there was none. */
const char *fsh_door_last(const fsh_door *door);

/* How often somebody with a key that is not on the list wanted to come in. */
uint64_t fsh_door_turned_away(const fsh_door *door);

/* Why nobody new is let in, or "": what is wrong with the list since it has changed. */
const char *fsh_door_trouble(const fsh_door *door);

#endif
