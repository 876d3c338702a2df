/* The wire: what comes from any sender is refused, or is a message that says the same when it is encoded
 * again. The first byte chooses the sender. */
#include "tests/fuzz/fuzzing.h"

#include "proto/messages.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const fsh_sender senders[] = {FSH_FROM_COORDINATOR, FSH_FROM_WORKER, FSH_FROM_SUPERVISOR,
                                         FSH_FROM_CHILD};
    fsh_message message, again;
    fsh_text first = {0}, second = {0};
    fsh_sender sender;
    fsh_err err;

    if (bytes == 0)
        return 0;
    sender = senders[data[0] % 4];
    if (fsh_message_decode(data + 1, bytes - 1, sender, &message, &err) != FSH_OK)
        return 0;
    FUZZ_CHECK(fsh_message_encode(&message, sender, &first, &err) == FSH_OK);
    FUZZ_CHECK(first.bytes <= bytes - 1);
    FUZZ_CHECK(fsh_message_decode(first.data, first.bytes, sender, &again, &err) == FSH_OK);
    FUZZ_CHECK(fsh_message_encode(&again, sender, &second, &err) == FSH_OK);
    FUZZ_CHECK(first.bytes == second.bytes && memcmp(first.data, second.data, first.bytes) == 0);
    fsh_message_fini(&message);
    fsh_message_fini(&again);
    fsh_text_fini(&first);
    fsh_text_fini(&second);
    return 0;
}
