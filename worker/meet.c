/* How a worker comes to its coordinator: the handshake, and where it stands when nobody has said.
 */
#include <string.h>
#include <unistd.h>

#include "worker/inside.h"
#include "worker/turned_away.h"

enum {
    STRANGE_MAX = 5, /* handshakes that may fail without a reason, with keys */
    LOOK_MS = 500,   /* between two looks into the folder, */
    SILENT_MS = 3000 /* when nobody was heard for so long */
};

/* A worker that was let in before waits: the list may be changed just now, and the coordinator may
 * be starting again. Without keys, who answers may be about to become the coordinator; and where
 * the address was found in the folder, it may be that of a coordinator that has moved. */
static void
on_handshake_failed(void *self, fsh_link_failure failure)
{
    fsh_worker *me = self;
    char host[256] = "";
    fsh_err text;

    if (me->leaving || me->job)
        return;
    if (failure == FSH_LINK_STRANGE &&
        (me->folder || !me->key.letters[0] || ++me->strange < STRANGE_MAX))
        return;
    gethostname(host, sizeof host - 1);
    fsh_turned_away_text(failure, me->key.letters, host, &text);
    fsh_worker_leave(me, FSH_NETWORK, text.text);
}

static void
on_lost(void *self)
{
    ((fsh_worker *)self)->cut = true;
}

fsh_status
fsh_worker_open_link(fsh_worker *me)
{
    fsh_link_options options = {.address = me->address,
                                .bytes_max = FSH_MESSAGE_BYTES_MAX,
                                .self = me,
                                .received = fsh_worker_obey,
                                .failed = on_handshake_failed,
                                .lost = on_lost};
    fsh_keys keys = {0};
    fsh_status status = FSH_OK;

    if (me->options.keys) {
        status = fsh_keys_read(me->options.keys, FSH_KEYS_WORKER, &keys, &me->err);
        options.keys = &keys;
        me->key = keys.own_public;
    }
    if (!status)
        status = fsh_link_open(&me->loop, &options, &me->link, &me->err);
    fsh_keys_wipe(&keys);
    return status;
}

static void
go_to(fsh_worker *me, const char *address)
{
    fsh_err why;
    fsh_status status;

    if (me->link && strcmp(me->address, address) == 0)
        return;
    fsh_link_close(&me->link);
    memcpy(me->address, address, sizeof me->address);
    me->known = false;
    me->cut = false;
    me->asked = 0;
    me->strange = 0;
    status = fsh_worker_open_link(me);
    why = me->err;
    if (status)
        fsh_worker_leave(me, status, why.text);
}

void
fsh_worker_look(fsh_worker *me)
{
    uint64_t now = uv_now(&me->loop);
    fsh_meeting meeting;

    if ((me->link && !me->cut && now - me->heard_ms < SILENT_MS) || now - me->looked_ms < LOOK_MS)
        return;
    me->looked_ms = now;
    if (fsh_meeting_read(me->folder, &meeting, NULL))
        return; /* storage that does not answer for a while is no reason to go */
    if (meeting.state == FSH_MEETING_ENDED)
        fsh_worker_leave(me, FSH_OK, "the job has ended");
    else if (meeting.state == FSH_MEETING_OPEN)
        go_to(me, meeting.address);
}
