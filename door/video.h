/* Opens what stages/vision/video has, when it is needed for the first time. */
#ifndef FSH_DOOR_VIDEO_H
#define FSH_DOOR_VIDEO_H

#include "base/status.h"
#include "stages/vision/video/backend.h"

/* IO where the library cannot be opened: with what to do. */
fsh_status fsh_video_need(const fsh_video_backend **backend, fsh_err *err);

/* Whether a window can be opened: tried in a child, because without a display the library behind it
 * ends the process. */
fsh_status fsh_video_check_display(fsh_err *err);

/* A name in ASCII, for words in pictures: accents go, what has no likeness there is a question mark
 * ("Zoë" is "Zoe"). */
void fsh_video_words(const char *name, char *words, size_t room);

#endif
