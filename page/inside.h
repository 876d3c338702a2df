/* What the parts of the page's server share: server.c opens and closes it and says who may come in,
 * answers.c what is answered, events.c the visitors who watch, gallery.c the pictures. Nobody else
 * includes this. */
#ifndef FSH_PAGE_INSIDE_H
#define FSH_PAGE_INSIDE_H

#include <microhttpd.h>
#include <pthread.h>

#include "page/gallery.h"
#include "page/server.h"

enum { FSH_TOKEN_BYTES = 256 };

/* Somebody who watches: one connection to /api/events. */
typedef struct fsh_visitor {
    struct fsh_visitor *next;
    struct fsh_server *server;
    struct MHD_Connection *connection;
    bool waiting;    /* suspended until something is published */
    uint32_t serial; /* of the view that it has; 0: none yet */
    bool farewell;   /* the last pictures were sent */
    fsh_text event;  /* being sent, */
    size_t sent;     /* so much of it */
} fsh_visitor;

struct fsh_server {
    struct MHD_Daemon *daemon;
    char address[128];
    char token[FSH_TOKEN_BYTES]; /* "": none */
    char policy[512];            /* the page's Content-Security-Policy */
    fsh_gallery *gallery;
    pthread_mutex_t lock;        /* guards all that follows */
    fsh_text job, tick, metrics; /* the view: with all units, without, for Prometheus */
    uint8_t *states;             /* of every unit, and */
    uint32_t *changed;           /* with which view that came */
    uint32_t states_n;
    uint32_t serial; /* of the view; 0: there is none yet */
    fsh_visitor *visitors;
    bool closing;
};

/* ---- answers.c ---- */

/* The access handler of libmicrohttpd. */
enum MHD_Result fsh_server_answer(void *self, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **request);

/* Whether this connection may see the job. */
bool fsh_server_admits(const fsh_server *server, struct MHD_Connection *connection);

/* ---- events.c ---- */

/* NULL: no memory. */
struct MHD_Response *fsh_events_response(fsh_server *server, struct MHD_Connection *connection);

/* Wakes all visitors. The lock is held. */
void fsh_events_wake(fsh_server *server);

/* ---- policy.c ---- */

/* The page's Content-Security-Policy: its own script and style, by their sums, and nothing from
 * outside. */
void fsh_page_policy(char *policy, size_t bytes);

/* ---- page.html, made into a C file by the build ---- */

extern const char fsh_page_html[]; /* page.html, made into a C file by the build */
extern const size_t fsh_page_html_bytes;

#endif
