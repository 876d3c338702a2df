/* A neural network, run on one thread by the backend that its card names. A net is used by one
 * thread at a time. */
#ifndef FSH_STAGES_INFERENCE_NET_H
#define FSH_STAGES_INFERENCE_NET_H

#include <stddef.h>
#include <stdint.h>

#include "base/image.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fsh_card;
typedef struct fsh_net fsh_net;

/* One output; borrowed until the next run of its net. */
typedef struct fsh_tensor {
    const float *data;
    size_t n;
} fsh_tensor;

/* Loads the files of a card whose backend is `opencv` or `onednn`. */
fsh_status fsh_net_open(const struct fsh_card *card, fsh_net **net, fsh_err *err);
void fsh_net_close(fsh_net *net); /* NULL is fine */

/* Runs an RGB picture of the card's size; normalisation and channel order are the card's. Gives n
 * outputs in the card's order; a net with another number of them fails with MODEL. */
fsh_status fsh_net_run(fsh_net *net, const fsh_image *picture, fsh_tensor *outputs, uint32_t n,
                       fsh_err *err);

#ifdef __cplusplus
}
#endif
#endif
