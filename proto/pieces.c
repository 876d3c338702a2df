#include "proto/pieces.h"

fsh_taken
fsh_intake_piece(fsh_intake *intake, uint64_t offset, uint64_t bytes)
{
    bool allowed = offset <= intake->until && bytes <= intake->until - offset;

    if (offset == intake->next && allowed) {
        intake->next += bytes;
        intake->hole = false;
        return FSH_TAKEN;
    }
    intake->refused++;
    if (offset <= intake->next || !allowed || intake->hole)
        return FSH_TAKEN_REFUSED;
    intake->hole = true;
    return FSH_TAKEN_HOLE;
}

void
fsh_intake_store(fsh_intake *intake, uint64_t bytes)
{
    intake->stored += bytes;
}

bool
fsh_intake_widens(fsh_intake *intake)
{
    uint64_t until = intake->stored + FSH_WINDOW_BYTES;

    if (until - intake->until < FSH_WINDOW_BYTES / 2)
        return false;
    intake->until = until;
    return true;
}

bool
fsh_outlet_fetch(fsh_outlet *outlet, uint64_t from, uint64_t until, bool again)
{
    if (again) {
        *outlet = (fsh_outlet){.next = from, .from = from, .refused = outlet->refused};
    } else if (from > outlet->next) {
        outlet->refused++;
        return false;
    }
    if (from > outlet->from)
        outlet->from = from;
    if (until > outlet->until)
        outlet->until = until;
    return true;
}

size_t
fsh_outlet_room(const fsh_outlet *outlet)
{
    uint64_t most = outlet->from + FSH_WINDOW_BYTES;
    uint64_t until = outlet->until < most ? outlet->until : most;
    uint64_t room = until > outlet->next && !outlet->ended ? until - outlet->next : 0;

    return room < FSH_PIECE_BYTES ? (size_t)room : FSH_PIECE_BYTES;
}

void
fsh_outlet_sent(fsh_outlet *outlet, size_t bytes)
{
    outlet->next += bytes;
}

void
fsh_outlet_stop(fsh_outlet *outlet)
{
    outlet->ended = true;
}
