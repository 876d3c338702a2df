/* libtorch behind a table of C functions, in a library of its own: faceshard_torch.so is built
 * where CMake finds libtorch and opened when a card asks for it, so that a program that needs none
 * of it does not carry its 120 MB. */
#ifndef FSH_STAGES_VISION_TORCH_BACKEND_H
#define FSH_STAGES_VISION_TORCH_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "stages/inference/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FSH_TORCH_FORMAT = 1 }; /* of this table */

/* What a network is opened for: `pictures` planes of red, green, blue (or the other way round),
 * float32. */
typedef struct fsh_torch_shape {
    int64_t pictures, height, width;
} fsh_torch_shape;

/* Functions return 0, or say in text (of room bytes) what is wrong. */
typedef struct fsh_torch_backend {
    uint32_t format;
    void (*about)(char *text, size_t room);
    uint32_t (*cuda_devices)(void);
    int (*open)(const char *path, const char *device, const fsh_torch_shape *shape, void **net,
                char *text, size_t room);
    void (*close)(void *net);
    int (*run)(void *net, const float *input, fsh_tensor *outputs, uint32_t n, char *text,
               size_t room);
} fsh_torch_backend;

/* The one name that the library gives. */
#define FSH_TORCH_SYMBOL "fsh_torch"

#ifdef __cplusplus
}
#endif
#endif
