/* Cameras, videos, streams and windows behind a table of C functions, in a library of its own:
 * faceshard_video.so is opened by who needs frames (door/video.c), so that no other start of the
 * program waits for FFmpeg, GStreamer and Qt. */
#ifndef FSH_STAGES_VISION_VIDEO_BACKEND_H
#define FSH_STAGES_VISION_VIDEO_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FSH_VIDEO_FORMAT = 1 }; /* of this table */

typedef struct fsh_video_facts {
    int32_t width, height; /* px; 0: not known before the first frame */
    double rate;           /* frames a second that the source says it has; 0: it does not */
    int64_t frames;        /* in the file; 0: not known, or there is no end */
} fsh_video_facts;

/* Functions return 0, or say in text (of room bytes) what is wrong. */
typedef struct fsh_video_backend {
    uint32_t format;

    /* A file or address, or, where name is NULL, the camera of this number. Waits at most wait_ms
     * for it, and as long for each frame. */
    int (*open)(const char *name, int camera, uint32_t wait_ms, void **video,
                fsh_video_facts *facts, char *text, size_t room);
    void (*close)(void *video);

    /* The next frame, RGB, into *image, whose memory is used again; seconds: its place in the
     * video, or -1. 0 a frame; 1 there is none: the end, or the source is lost. */
    int (*read)(void *video, fsh_image *image, double *seconds);

    /* Writes a video, MJPEG in .avi and MPEG-4 in .mp4 and .mkv. */
    int (*create)(const char *path, double rate, int32_t width, int32_t height, void **writer,
                  char *text, size_t room);
    int (*write)(void *writer, const fsh_image *image, char *text, size_t room);
    void (*finish)(void *writer);

    /* A frame around the box, and words of ASCII below it. */
    int (*mark)(fsh_image *image, const fsh_box *box, const uint8_t colour[3], const char *words);
    /* Words in a corner of the picture. */
    int (*caption)(fsh_image *image, const char *words);

    /* Shows the picture in a window, and says which key was pressed since, or -1. Without a display
     * the library behind it may end the process: try it in a child first. */
    int (*show)(const char *title, const fsh_image *image, int *key, char *text, size_t room);
} fsh_video_backend;

/* The one name that the library gives. */
#define FSH_VIDEO_SYMBOL "fsh_video"

#ifdef __cplusplus
}
#endif
#endif
