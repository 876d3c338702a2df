/* A ZeroMQ socket as a link needs it: its options, its keys, and where it goes. Inside proto/ only.
 */
#ifndef FSH_PROTO_SOCKET_H
#define FSH_PROTO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/keys.h"

/* Before anything else; a message of more bytes ends its connection. */
void fsh_socket_set_options(void *socket, size_t bytes_max);

/* False: this libzmq cannot use keys. */
bool fsh_socket_set_keys(void *socket, const fsh_keys *keys, bool binds);

/* Both return other than 0 where it does not go, and zmq_errno() says why. bound: the address with
 * the port that was found; has room for bytes. */
int fsh_socket_bind(void *socket, const char *address, uint32_t connections, char *bound,
                    size_t bytes);
int fsh_socket_connect(void *socket, const char *address);

#endif
