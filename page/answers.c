/* What the page's server answers. On libmicrohttpd's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/inside.h"

typedef struct answer {
    fsh_server *server;
    struct MHD_Connection *connection;
    unsigned status;
} answer;

/* ---- who may come in ---- */

/* Takes as long whichever letters are different. */
static bool
is_token(const fsh_server *server, const char *word)
{
    size_t n = strlen(server->token), i;
    unsigned different = 0;

    if (strlen(word) != n)
        return false;
    for (i = 0; i < n; i++)
        different |= (unsigned char)(word[i] ^ server->token[i]);
    return !different;
}

/* A page of somebody else's whose name is made to lead here (DNS rebinding) sends that name. */
static bool
names_this_machine(struct MHD_Connection *connection)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    size_t i, n;

    for (i = 0; host && i < sizeof names / sizeof *names; i++) {
        n = strlen(names[i]);
        if (strncmp(host, names[i], n) == 0 && (host[n] == '\0' || host[n] == ':'))
            return true;
    }
    return false;
}

bool
fsh_server_admits(const fsh_server *server, struct MHD_Connection *connection)
{
    const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, "faceshard");
    const char *word = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "token");

    if (!server->token[0])
        return names_this_machine(connection);
    return (header && strncmp(header, "Bearer ", 7) == 0 && is_token(server, header + 7)) ||
           (cookie && is_token(server, cookie)) || (word && is_token(server, word));
}

/* ---- answers ---- */

static struct MHD_Response *
plain(const char *text, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    if (response)
        MHD_add_response_header(response, "Content-Type", type);
    return response;
}

static struct MHD_Response *
refuse(answer *to, unsigned status, const char *text)
{
    to->status = status;
    return plain(text, "text/plain; charset=utf-8");
}

/* A copy of a text that is published. */
static struct MHD_Response *
published(answer *to, const fsh_text *text, const char *type)
{
    struct MHD_Response *response;

    pthread_mutex_lock(&to->server->lock);
    response = to->server->serial ? plain(fsh_text_get(text), type) : NULL;
    pthread_mutex_unlock(&to->server->lock);
    return response
               ? response
               : refuse(to, MHD_HTTP_SERVICE_UNAVAILABLE, "the job is just beginning: ask again\n");
}

static struct MHD_Response *
answer_page(answer *to)
{
    const char *word = MHD_lookup_connection_value(to->connection, MHD_GET_ARGUMENT_KIND, "token");
    struct MHD_Response *response = MHD_create_response_from_buffer(
        fsh_page_html_bytes, (void *)(uintptr_t)fsh_page_html, MHD_RESPMEM_PERSISTENT);
    char cookie[FSH_TOKEN_BYTES + 64];

    if (!response)
        return NULL;
    MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
    MHD_add_response_header(response, "Content-Security-Policy", to->server->policy);
    if (word && to->server->token[0]) {
        snprintf(cookie, sizeof cookie, "faceshard=%s; HttpOnly; SameSite=Strict; Path=/",
                 to->server->token);
        MHD_add_response_header(response, "Set-Cookie", cookie);
    }
    return response;
}

static struct MHD_Response *
answer_health(answer *to)
{
    (void)to;
    return plain("ok\n", "text/plain; charset=utf-8");
}

static struct MHD_Response *
answer_job(answer *to)
{
    return published(to, &to->server->job, "application/json");
}

static struct MHD_Response *
answer_metrics(answer *to)
{
    return published(to, &to->server->metrics, "text/plain; version=0.0.4; charset=utf-8");
}

static struct MHD_Response *
answer_events(answer *to)
{
    return fsh_events_response(to->server, to->connection);
}

static struct MHD_Response *
answer_pictures(answer *to)
{
    const char *after = MHD_lookup_connection_value(to->connection, MHD_GET_ARGUMENT_KIND, "after");
    struct MHD_Response *response;
    fsh_text text = {0};

    fsh_gallery_print(to->server->gallery, after ? (uint32_t)strtoul(after, NULL, 10) : 0, &text);
    response = fsh_text_ok(&text) ? plain(fsh_text_get(&text), "application/json") : NULL;
    fsh_text_fini(&text);
    return response;
}

static const struct {
    const char *url;
    bool open; /* to everybody */
    struct MHD_Response *(*make)(answer *to);
} routes[] = {{"/", false, answer_page},
              {"/healthz", true, answer_health},
              {"/api/job", false, answer_job},
              {"/api/events", false, answer_events},
              {"/api/pictures", false, answer_pictures},
              {"/metrics", false, answer_metrics}};

static struct MHD_Response *
find_answer(answer *to, const char *url, const char *method)
{
    size_t i;

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(to, MHD_HTTP_METHOD_NOT_ALLOWED, "this page is only for reading\n");
    for (i = 0; i < sizeof routes / sizeof *routes && strcmp(url, routes[i].url) != 0; i++)
        ;
    if (i == sizeof routes / sizeof *routes)
        return refuse(to, MHD_HTTP_NOT_FOUND, "there is no such page\n");
    if (!routes[i].open && !fsh_server_admits(to->server, to->connection))
        return refuse(to, MHD_HTTP_FORBIDDEN,
                      to->server->token[0]
                          ? "the token is missing: open /?token=TOKEN\n"
                          : "this page is for visitors of 127.0.0.1 or localhost\n");
    return routes[i].make(to);
}

enum MHD_Result
fsh_server_answer(void *self, struct MHD_Connection *connection, const char *url,
                  const char *method, const char *version, const char *upload, size_t *upload_bytes,
                  void **request)
{
    answer to = {self, connection, MHD_HTTP_OK};
    struct MHD_Response *response = find_answer(&to, url, method);
    enum MHD_Result result;

    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)request;
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    result = MHD_queue_response(connection, to.status, response);
    MHD_destroy_response(response);
    return result;
}
