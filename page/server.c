#include "page/server.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "page/inside.h"

enum {
    CONNECTIONS_MAX = 64,
    QUIET_S = 15, /* after which a connection that sends or takes nothing is closed */
    REQUEST_BYTES_MAX = 16 << 10,
    LAST_VIEW_MS = 2000, LAST_PICTURES_MS = 5000
};

/* ---- addresses ---- */

typedef struct place {
    struct sockaddr_storage at;
    bool loopback, v6;
} place;

static bool
is_loopback(const struct sockaddr_storage *at)
{
    if (at->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)at)->sin6_addr);
    return (ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr) >> 24) == 127;
}

/* "HOST:PORT" or "[HOST]:PORT"; the host as a number or a name of this machine. */
static fsh_status
find_place(const char *address, place *found, fsh_err *err)
{
    char host[256];
    const char *colon = strrchr(address, ':'), *from = address + (address[0] == '[');
    size_t n = colon ? (size_t)(colon - from) - (colon > address && colon[-1] == ']') : 0;
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
                    *list;

    if (!colon || n == 0 || n >= sizeof host)
        return fsh_fail(err, FSH_USAGE, "--http %s: expected HOST:PORT, as in 127.0.0.1:8686",
                        address);
    snprintf(host, sizeof host, "%.*s", (int)n, from);
    if (getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, colon + 1, &hints, &list) != 0)
        return fsh_fail(err, FSH_USAGE,
                        "--http %s: no such address; expected HOST:PORT, as in 127.0.0.1:8686",
                        address);
    memset(found, 0, sizeof *found);
    memcpy(&found->at, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    found->v6 = found->at.ss_family == AF_INET6;
    found->loopback = is_loopback(&found->at);
    return FSH_OK;
}

static void
name_address(fsh_server *server, const place *at)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    char host[INET6_ADDRSTRLEN] = "";

    if (at->v6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&at->at)->sin6_addr, host, sizeof host);
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)&at->at)->sin_addr, host, sizeof host);
    snprintf(server->address, sizeof server->address, at->v6 ? "http://[%s]:%u/" : "http://%s:%u/",
             host, info ? info->port : 0u);
}

/* ---- opening ---- */

/* The first line; letters that can stand in a cookie. */
static fsh_status
read_token(const char *path, char token[FSH_TOKEN_BYTES], fsh_err *err)
{
    uint8_t *data;
    size_t bytes, n;
    fsh_status status = fsh_file_read(path, FSH_TOKEN_BYTES, &data, &bytes, err);

    if (status)
        return status;
    n = strspn((const char *)data,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~");
    if (n < FSH_TOKEN_LEAST || n >= FSH_TOKEN_BYTES || (data[n] != '\n' && data[n] != '\0'))
        status = fsh_fail(err, FSH_USAGE,
                          "%s: expected one line of at least %d letters, digits, - and _; make one "
                          "with `openssl rand -hex 16`",
                          path, FSH_TOKEN_LEAST);
    else
        snprintf(token, FSH_TOKEN_BYTES, "%.*s", (int)n, (const char *)data);
    free(data);
    return status;
}

static fsh_status
check_open(const fsh_server_options *options, const place *at, const char *token, fsh_err *err)
{
    if (at->loopback || token[0])
        return FSH_OK;
    return fsh_fail(err, FSH_USAGE,
                    "--http %s: other machines reach this address and nobody is asked who he is; "
                    "say --http-token FILE, or "
                    "use 127.0.0.1 and an ssh tunnel",
                    options->address);
}

static fsh_status
start(fsh_server *server, const fsh_server_options *options, const place *at, fsh_err *err)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
                     (at->v6 ? MHD_USE_IPv6 : 0u);

    server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, fsh_server_answer, server,
                                      MHD_OPTION_SOCK_ADDR, &at->at, MHD_OPTION_CONNECTION_LIMIT,
                                      (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                      (unsigned)QUIET_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                      (size_t)REQUEST_BYTES_MAX, MHD_OPTION_END);
    if (!server->daemon)
        return fsh_fail(
            err, FSH_NETWORK,
            "--http %s: the address cannot be had; is another coordinator there? Port 0 takes any",
            options->address);
    name_address(server, at);
    return FSH_OK;
}

static fsh_status
open_server(fsh_server *server, const fsh_server_options *options, fsh_err *err)
{
    place at;
    fsh_status status = find_place(options->address, &at, err);

    if (!status && options->token && options->token[0])
        status = read_token(options->token, server->token, err);
    if (!status)
        status = check_open(options, &at, server->token, err);
    if (!status)
        status = fsh_gallery_open(options->output, options->input, &server->gallery, err);
    return status ? status : start(server, options, &at, err);
}

fsh_status
fsh_server_open(const fsh_server_options *options, fsh_server **server, fsh_err *err)
{
    fsh_server *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    pthread_mutex_init(&opened->lock, NULL);
    fsh_page_policy(opened->policy, sizeof opened->policy);
    status = open_server(opened, options, err);
    if (status)
        fsh_server_close(&opened);
    else
        *server = opened;
    return status;
}

const char *
fsh_server_address(const fsh_server *server)
{
    return server->address;
}

/* ---- publishing ---- */

static void
note_units(fsh_server *server, const fsh_view *view)
{
    uint32_t i;

    if (server->states_n != view->states_n) {
        free(server->states);
        free(server->changed);
        server->states = calloc(view->states_n + 1u, sizeof *server->states);
        server->changed = calloc(view->states_n + 1u, sizeof *server->changed);
        server->states_n = server->states && server->changed ? view->states_n : 0;
    }
    for (i = 0; i < server->states_n; i++) {
        if (server->states[i] == view->states[i])
            continue;
        server->states[i] = view->states[i];
        server->changed[i] = server->serial;
    }
}

/* The newest unit that was committed, where somebody watches. The lock is held. */
static bool
is_wanted(const fsh_server *server, uint32_t *unit)
{
    uint32_t i, newest = 0;

    for (i = 0; server->visitors && i < server->states_n; i++)
        if (server->states[i] == FSH_UNIT_COMMITTED && server->changed[i] >= newest) {
            newest = server->changed[i];
            *unit = i;
        }
    return newest > 0;
}

void
fsh_server_publish(fsh_server *server, const fsh_view *view)
{
    fsh_text job = {0}, tick = {0}, metrics = {0}, old[3];
    uint32_t unit = 0;
    bool wanted;
    int i;

    fsh_view_print_json(view, true, &job);
    fsh_view_print_json(view, false, &tick);
    fsh_view_print_metrics(view, &metrics);
    pthread_mutex_lock(&server->lock);
    old[0] = server->job, old[1] = server->tick, old[2] = server->metrics;
    server->job = job, server->tick = tick, server->metrics = metrics;
    server->serial++;
    note_units(server, view);
    wanted = is_wanted(server, &unit);
    fsh_events_wake(server);
    pthread_mutex_unlock(&server->lock);
    for (i = 0; i < 3; i++)
        fsh_text_fini(&old[i]);
    if (wanted)
        fsh_gallery_want(server->gallery, unit);
}

/* ---- closing ---- */

static bool
anybody_watches(fsh_server *server)
{
    bool any;

    pthread_mutex_lock(&server->lock);
    any = server->visitors != NULL;
    pthread_mutex_unlock(&server->lock);
    return any;
}

/* Everybody who watches gets the last view, the last pictures and the end of the stream, if he takes them in time. */
static void
say_farewell(fsh_server *server)
{
    const struct timespec moment = {0, 10000000};
    int ms;

    if (anybody_watches(server))
        fsh_gallery_settle(server->gallery, LAST_PICTURES_MS);
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    fsh_events_wake(server);
    pthread_mutex_unlock(&server->lock);
    for (ms = 0; ms < LAST_VIEW_MS && anybody_watches(server); ms += 10)
        nanosleep(&moment, NULL);
    MHD_stop_daemon(server->daemon);
}

void
fsh_server_close(fsh_server **server)
{
    fsh_server *closing = *server;

    *server = NULL;
    if (!closing)
        return;
    if (closing->daemon)
        say_farewell(closing);
    fsh_gallery_close(&closing->gallery);
    fsh_text_fini(&closing->job);
    fsh_text_fini(&closing->tick);
    fsh_text_fini(&closing->metrics);
    free(closing->states);
    free(closing->changed);
    pthread_mutex_destroy(&closing->lock);
    free(closing);
}
