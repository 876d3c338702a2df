/* Messages between a worker and its compute child: each with its length before it (4 bytes, little
 * endian), over one socket pair. */
#ifndef FSH_WORKER_FRAME_H
#define FSH_WORKER_FRAME_H

#include "proto/messages.h"

/* Appends the framed message to out. */
fsh_status fsh_frame_encode(const fsh_message *message, fsh_sender sender, fsh_text *out,
                            fsh_err *err);

/* Takes the first whole frame out of what has been received so far. INTERRUPTED: there is none yet;
 * FORMAT: what came is no frame, and nothing after it can be read. */
fsh_status fsh_frame_take(fsh_text *received, fsh_sender sender, fsh_message *message,
                          fsh_err *err);

/* The blocking forms, for the child. Read gives INTERRUPTED when the other end is closed. */
fsh_status fsh_frame_write(int file, const fsh_message *message, fsh_sender sender, fsh_err *err);
fsh_status fsh_frame_read(int file, fsh_text *received, fsh_sender sender, fsh_message *message,
                          fsh_err *err);

#endif
