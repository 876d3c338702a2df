/* The page's HTTP server, in a thread of libmicrohttpd's. It serves what was published last: nobody
 * who asks, however slowly or badly, makes anybody wait who publishes.
 *
 *     fsh_server_open(&options, &server, &err);
 *     fsh_server_publish(server, &view);           once a second, from one thread
 *     fsh_server_close(&server);
 *
 *     GET /             the page
 *     GET /healthz      "ok": somebody is alive here; without a token
 *     GET /api/job      the view as JSON, with the state of every unit
 *     GET /api/events   the view as server-sent events, a second each; units as what has changed
 *     GET /api/pictures?after=N   pictures of units that were committed lately
 *     GET /metrics      for Prometheus
 *
 * A public address needs a token: `Authorization: Bearer TOKEN`, or once /?token=TOKEN, which
 * leaves a cookie. */
#ifndef FSH_PAGE_SERVER_H
#define FSH_PAGE_SERVER_H

#include "page/view.h"

typedef struct fsh_server fsh_server;

enum { FSH_TOKEN_LEAST = 16 }; /* letters */

typedef struct fsh_server_options {
    const char *address;        /* "127.0.0.1:8686", "[::1]:0"; port 0: any */
    const char *token;          /* path of a file whose first line it is; NULL or "": none */
    const char *output, *input; /* folders of the job; borrowed until close */
} fsh_server_options;

/* USAGE for what is no address, for a public one without a token, and for a bad token; NETWORK
 * where the address cannot be had. */
fsh_status fsh_server_open(const fsh_server_options *options, fsh_server **server, fsh_err *err);

/* "http://127.0.0.1:8686/" with the port that was found; borrowed until close. */
const char *fsh_server_address(const fsh_server *server);

void fsh_server_publish(fsh_server *server, const fsh_view *view);

/* Visitors get the last view, or two seconds have passed; then everything is closed. NULL is fine.
 */
void fsh_server_close(fsh_server **server);

#endif
