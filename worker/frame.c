#include "worker/frame.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_BYTES = 4, READ_BYTES = 65536 };

static void
put_length(uint8_t head[HEAD_BYTES], size_t bytes)
{
    int i;

    for (i = 0; i < HEAD_BYTES; i++)
        head[i] = (uint8_t)(bytes >> 8 * i);
}

static size_t
get_length(const char *data)
{
    const uint8_t *head = (const uint8_t *)data;

    return head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
}

fsh_status
fsh_frame_encode(const fsh_message *message, fsh_sender sender, fsh_text *out, fsh_err *err)
{
    uint8_t head[HEAD_BYTES] = {0};
    size_t start = out->bytes;
    fsh_status status;

    fsh_text_add_bytes(out, head, sizeof head);
    status = fsh_message_encode(message, sender, out, err);
    if (status)
        return status;
    put_length(head, out->bytes - start - sizeof head);
    memcpy(out->data + start, head, sizeof head);
    return FSH_OK;
}

/* Moves what is left to the front: a frame is short and seldom followed by another. */
static void
drop_front(fsh_text *text, size_t bytes)
{
    text->bytes -= bytes;
    memmove(text->data, text->data + bytes, text->bytes);
}

fsh_status
fsh_frame_take(fsh_text *received, fsh_sender sender, fsh_message *message, fsh_err *err)
{
    size_t bytes;
    fsh_status status;

    if (!fsh_text_ok(received))
        return fsh_fail(err, FSH_MEMORY, "no memory for a message");
    if (received->bytes < HEAD_BYTES)
        return FSH_INTERRUPTED;
    bytes = get_length(received->data);
    if (bytes > FSH_MESSAGE_BYTES_MAX)
        return fsh_fail(err, FSH_FORMAT, "a message of %zu bytes is too long", bytes);
    if (received->bytes < HEAD_BYTES + bytes)
        return FSH_INTERRUPTED;
    status = fsh_message_decode(received->data + HEAD_BYTES, bytes, sender, message, err);
    drop_front(received, HEAD_BYTES + bytes);
    return status;
}

static fsh_status
write_all(int file, const char *data, size_t bytes, fsh_err *err)
{
    while (bytes) {
        ssize_t n = write(file, data, bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fsh_fail_errno(err, errno, "the worker cannot be told");
        data += n;
        bytes -= (size_t)n;
    }
    return FSH_OK;
}

fsh_status
fsh_frame_write(int file, const fsh_message *message, fsh_sender sender, fsh_err *err)
{
    fsh_text bytes = {0};
    fsh_status status = fsh_frame_encode(message, sender, &bytes, err);

    if (!status)
        status = write_all(file, bytes.data, bytes.bytes, err);
    fsh_text_fini(&bytes);
    return status;
}

fsh_status
fsh_frame_read(int file, fsh_text *received, fsh_sender sender, fsh_message *message, fsh_err *err)
{
    fsh_status status;

    while ((status = fsh_frame_take(received, sender, message, err)) == FSH_INTERRUPTED) {
        char piece[READ_BYTES];
        ssize_t n = read(file, piece, sizeof piece);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FSH_INTERRUPTED;
        fsh_text_add_bytes(received, piece, (size_t)n);
    }
    return status;
}
