/* A stream in pieces: whatever the two ends are told, in any order, neither goes past its window, and what
 * is taken is the stream without a hole. */
#include "tests/fuzz/fuzzing.h"

#include "proto/pieces.h"

enum { STREAM_BYTES = 8 * FSH_WINDOW_BYTES };

static void
receive(fsh_intake *intake, fuzz_choices *choices)
{
    uint64_t before = intake->next, offset = fuzz_choose(choices, STREAM_BYTES);
    uint64_t bytes = 1 + fuzz_choose(choices, FSH_PIECE_BYTES);

    if (fuzz_choose(choices, 2))
        offset = intake->next;
    if (fsh_intake_piece(intake, offset, bytes) == FSH_TAKEN) {
        FUZZ_CHECK(offset == before);
        FUZZ_CHECK(intake->next == before + bytes);
        FUZZ_CHECK(intake->next <= intake->until);
    } else {
        FUZZ_CHECK(intake->next == before);
    }
}

static void
send(fsh_outlet *outlet, fuzz_choices *choices)
{
    size_t room = fsh_outlet_room(outlet);

    FUZZ_CHECK(room <= FSH_PIECE_BYTES);
    FUZZ_CHECK(outlet->next + room <= outlet->until || room == 0);
    if (room)
        fsh_outlet_sent(outlet, 1 + fuzz_choose(choices, (uint32_t)room));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_choices choices = {data, data + bytes};
    fsh_intake intake = {0};
    fsh_outlet outlet = {0};

    while (choices.at < choices.end)
        switch (fuzz_choose(&choices, 6)) {
        case 0: receive(&intake, &choices); break;
        case 1: fsh_intake_store(&intake, fuzz_choose(&choices, (uint32_t)(intake.next - intake.stored) + 1)); break;
        case 2: fsh_intake_widens(&intake); break;
        case 3: send(&outlet, &choices); break;
        case 4:
            fsh_outlet_fetch(&outlet, fuzz_choose(&choices, STREAM_BYTES),
                             fuzz_choose(&choices, STREAM_BYTES), fuzz_choose(&choices, 2));
            break;
        default: fsh_outlet_stop(&outlet); break;
        }
    FUZZ_CHECK(intake.stored <= intake.next);
    FUZZ_CHECK(intake.next - intake.stored <= FSH_WINDOW_BYTES);
    return 0;
}
