/* A network run by libtorch, for cards of backend `torch`: TorchScript, on a processor or a GPU. */
#ifndef FSH_STAGES_INFERENCE_TORCH_H
#define FSH_STAGES_INFERENCE_TORCH_H

#include "base/image.h"
#include "stages/inference/net.h"

typedef struct fsh_torchnet fsh_torchnet;

/* As fsh_net_open_several; where there is no libtorch the text says what to do. */
fsh_status fsh_torchnet_open(const struct fsh_card *card, uint32_t pictures, fsh_torchnet **net,
                             fsh_err *err);
void fsh_torchnet_close(fsh_torchnet *net); /* NULL is fine */
fsh_status fsh_torchnet_run(fsh_torchnet *net, const fsh_image *const *pictures, uint32_t count,
                            fsh_tensor *outputs, uint32_t n, fsh_err *err);

/* Whether libtorch is there and has the device, `cpu`, `cuda` or `cuda:N`: otherwise MODEL. */
fsh_status fsh_torchnet_check(const char *device, fsh_err *err);

/* Version and devices, or what is missing. */
void fsh_torchnet_about(char *text, size_t room);

#endif
