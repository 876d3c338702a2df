/* The annotated video. Frames of live sources come when they come: the tape has a fixed number a
 * second, and the last one again where none came.
 *
 *     fsh_tape_open("annotated.avi", 25, false, &tape, &err);
 *     fsh_tape_add(tape, &image, seconds, &err);
 *     fsh_tape_close(&tape); */
#ifndef FSH_DOOR_TAPE_H
#define FSH_DOOR_TAPE_H

#include <stdbool.h>

#include "base/image.h"
#include "base/status.h"

typedef struct fsh_tape fsh_tape;

/* The file is made with the first frame, which gives its size, for its owner only. .avi (MJPEG),
 * .mp4 or .mkv (MPEG-4); USAGE for other endings. */
fsh_status fsh_tape_open(const char *path, double rate, bool live, fsh_tape **tape, fsh_err *err);

/* FULL where the disk has hardly room left: no library says so when it fails to write a frame. */
fsh_status fsh_tape_add(fsh_tape *tape, const fsh_image *image, double seconds, fsh_err *err);

/* Finishes the file. NULL is fine. */
void fsh_tape_close(fsh_tape **tape);

#endif
