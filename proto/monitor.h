/* What happens to the connections of a ZeroMQ socket, told on the loop: which ones there are, and
 * how handshakes end. Inside proto/ only.
 *
 *     fsh_monitor_open(loop, context, socket, me, on_event, &monitor, &err);   before bind or connect
 *     fsh_monitor_close(&monitor, on_closed); */
#ifndef FSH_PROTO_MONITOR_H
#define FSH_PROTO_MONITOR_H

#include <stdint.h>
#include <uv.h>

#include "base/status.h"

typedef enum fsh_monitor_event {
    FSH_MONITOR_LISTENING,    /* value: the descriptor that listens */
    FSH_MONITOR_ACCEPTED,     /* value: descriptor of the connection */
    FSH_MONITOR_NOT_ACCEPTED, /* no descriptors are left */
    FSH_MONITOR_DISCONNECTED, /* value: as above */
    FSH_MONITOR_SHAKEN,       /* a handshake has succeeded */
    FSH_MONITOR_UNLISTED,     /* the other side does not let our key in */
    FSH_MONITOR_MISMATCH,     /* one side has keys and the other has none */
    FSH_MONITOR_STRANGE,      /* the other side speaks something else */
    FSH_MONITOR_CUT           /* the connection ended in the middle of the handshake */
} fsh_monitor_event;

typedef struct fsh_monitor fsh_monitor;

fsh_status fsh_monitor_open(uv_loop_t *loop, void *context, void *socket, void *self,
                            void (*happened)(void *self, fsh_monitor_event event, uint32_t value),
                            fsh_monitor **monitor, fsh_err *err);

/* Calls closed(self), with the self of open, when nothing of it is in the loop. The socket that is
 * monitored must still be open now. */
void fsh_monitor_close(fsh_monitor **monitor, void (*closed)(void *self));

#endif
