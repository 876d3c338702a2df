/* A neural network run by OpenCV: what stages/inference/net.h promises, for cards of backend
 * `opencv`. */
#ifndef FSH_STAGES_VISION_CVNET_H
#define FSH_STAGES_VISION_CVNET_H

#include "base/image.h"
#include "stages/inference/net.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fsh_cvnet fsh_cvnet;

fsh_status fsh_cvnet_open(const struct fsh_card *card, uint32_t pictures, fsh_cvnet **net,
                          fsh_err *err);
void fsh_cvnet_close(fsh_cvnet *net); /* NULL is fine */
fsh_status fsh_cvnet_run(fsh_cvnet *net, const fsh_image *const *pictures, uint32_t count,
                         fsh_tensor *outputs, uint32_t n, fsh_err *err);

void fsh_cvnet_about(char *text, size_t room);

#ifdef __cplusplus
}
#endif
#endif
