/* Frames between worker and compute child: bytes come in any pieces, and give the same messages as in one.
 * The first byte chooses the sender, the second how large the pieces are. */
#include "tests/fuzz/fuzzing.h"

#include "worker/frame.h"

/* Takes all frames; returns how many, and how it ended. */
static uint32_t
take_all(fsh_text *received, fsh_sender sender, fsh_status *ended)
{
    fsh_message message;
    uint32_t n = 0;

    while ((*ended = fsh_frame_take(received, sender, &message, NULL)) == FSH_OK) {
        fsh_message_fini(&message);
        n++;
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fsh_text whole = {0}, pieces = {0};
    fsh_status ended = FSH_INTERRUPTED, ended_whole;
    fsh_sender sender;
    size_t at = 2, piece;
    uint32_t n = 0;

    if (bytes < 2)
        return 0;
    sender = data[0] % 2 ? FSH_FROM_CHILD : FSH_FROM_SUPERVISOR;
    piece = data[1] % 16 + 1u;
    while (at < bytes && ended == FSH_INTERRUPTED) {
        size_t more = bytes - at < piece ? bytes - at : piece;

        fsh_text_add_bytes(&pieces, data + at, more);
        n += take_all(&pieces, sender, &ended);
        at += more;
    }
    fsh_text_add_bytes(&whole, data + 2, bytes - 2);
    if (bytes > 2) {
        FUZZ_CHECK(take_all(&whole, sender, &ended_whole) == n);
        FUZZ_CHECK(ended_whole == ended);
    }
    fsh_text_fini(&whole);
    fsh_text_fini(&pieces);
    return 0;
}
