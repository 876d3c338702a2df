/* Visitors who watch: each is sent the newest view as an event, and never one that is older than
 * what it has. One who reads slowly misses some, and the next event has all that has changed since.
 * On libmicrohttpd's thread, but for wake. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "page/inside.h"

enum { BLOCK_BYTES = 32 << 10 };

/* The units that have changed since the visitor's view, as [[first, how many, state], ...]; all of
 * them at first. */
static void
add_changes(const fsh_server *server, uint32_t since, fsh_text *out)
{
    const char *separator = "";
    uint32_t i, end;

    for (i = 0; i < server->states_n; i = end) {
        end = i + 1;
        if (since && server->changed[i] <= since)
            continue;
        while (end < server->states_n && server->states[end] == server->states[i] &&
               (!since || server->changed[end] > since))
            end++;
        fsh_text_addf(out, "%s[%" PRIu32 ",%" PRIu32 ",%u]", separator, i, end - i,
                      server->states[i]);
        separator = ",";
    }
}

static void
write_event(fsh_visitor *visitor)
{
    const fsh_server *server = visitor->server;

    fsh_text_clear(&visitor->event);
    visitor->sent = 0;
    fsh_text_addf(&visitor->event,
                  "id: %" PRIu32 "\ndata: {\"view\":%s,\"pictures\":%" PRIu32 ",\"units\":[",
                  server->serial, fsh_text_get(&server->tick), fsh_gallery_serial(server->gallery));
    add_changes(server, visitor->serial, &visitor->event);
    fsh_text_add(&visitor->event, "]}\n\n");
    visitor->serial = server->serial;
}

/* Nobody answers after the end: the pictures that are kept come by themselves. */
static void
write_farewell(fsh_visitor *visitor)
{
    fsh_text_clear(&visitor->event);
    visitor->sent = 0;
    visitor->farewell = true;
    fsh_text_add(&visitor->event, "event: pictures\ndata: ");
    fsh_gallery_print(visitor->server->gallery, 0, &visitor->event);
    fsh_text_add(&visitor->event, "\n\n");
}

/* Something to send, or the visitor waits. The lock is held. */
static ssize_t
next_event(fsh_visitor *visitor)
{
    fsh_server *server = visitor->server;
    ssize_t left = 0;

    if (server->serial != visitor->serial) {
        write_event(visitor);
        left = fsh_text_ok(&visitor->event) ? (ssize_t)visitor->event.bytes
                                            : MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (server->closing && !visitor->farewell) {
        write_farewell(visitor);
        left = fsh_text_ok(&visitor->event) ? (ssize_t)visitor->event.bytes
                                            : MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (server->closing) {
        left = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        visitor->waiting = true;
        MHD_suspend_connection(visitor->connection);
    }
    return left;
}

/* The next piece of what there is to send. The lock is held. */
static ssize_t
read_piece(fsh_visitor *visitor, char *to, size_t room)
{
    ssize_t left = visitor->sent < visitor->event.bytes ? 1 : next_event(visitor);
    size_t n = visitor->event.bytes - visitor->sent;

    if (left <= 0)
        return left;
    n = n < room ? n : room;
    memcpy(to, visitor->event.data + visitor->sent, n);
    visitor->sent += n;
    return (ssize_t)n;
}

static ssize_t
read_event(void *self, uint64_t position, char *to, size_t room)
{
    fsh_visitor *visitor = self;
    ssize_t n;

    (void)position;
    pthread_mutex_lock(&visitor->server->lock);
    n = read_piece(visitor, to, room);
    pthread_mutex_unlock(&visitor->server->lock);
    return n;
}

static void
leave(void *self)
{
    fsh_visitor *visitor = self, **link;

    pthread_mutex_lock(&visitor->server->lock);
    for (link = &visitor->server->visitors; *link != visitor; link = &(*link)->next)
        ;
    *link = visitor->next;
    pthread_mutex_unlock(&visitor->server->lock);
    fsh_text_fini(&visitor->event);
    free(visitor);
}

struct MHD_Response *
fsh_events_response(fsh_server *server, struct MHD_Connection *connection)
{
    fsh_visitor *visitor = calloc(1, sizeof *visitor);
    struct MHD_Response *response;

    if (!visitor)
        return NULL;
    visitor->server = server;
    visitor->connection = connection;
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_event, visitor,
                                                 leave);
    if (!response) {
        free(visitor);
        return NULL;
    }
    pthread_mutex_lock(&server->lock);
    visitor->next = server->visitors;
    server->visitors = visitor;
    pthread_mutex_unlock(&server->lock);
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return response;
}

void
fsh_events_wake(fsh_server *server)
{
    fsh_visitor *visitor;

    for (visitor = server->visitors; visitor; visitor = visitor->next)
        if (visitor->waiting) {
            visitor->waiting = false;
            MHD_resume_connection(visitor->connection);
        }
}
