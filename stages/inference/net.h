/* A neural network, run on one thread by the backend that its card names. A net is used by one
 * thread at a time. */
#ifndef FSH_STAGES_INFERENCE_NET_H
#define FSH_STAGES_INFERENCE_NET_H

#include <stdbool.h>
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
    size_t n; /* numbers of one picture; those of several lie after each other */
} fsh_tensor;

/* What runs a card that leaves it open: onednn where it can, otherwise opencv, and then `why` says
 * what onednn lacks. Depends on the card and its file alone. MEMORY where it cannot be found out. */
fsh_status fsh_net_choose(const struct fsh_card *card, int32_t *backend, fsh_err *why);

/* What the backends are, in words for people, a line each. */
void fsh_net_about(char *text, size_t room);

/* Whether the processor multiplies bfloat16, which a card may ask for. */
bool fsh_net_has_bf16(void);

/* Whether a device, `cpu`, `cuda` or `cuda:N`, is there for the backend `torch`: otherwise MODEL. */
fsh_status fsh_net_check_torch(const char *device, fsh_err *err);

/* Loads the files of a card whose backend is `opencv`, `onednn` or `torch`. */
fsh_status fsh_net_open(const struct fsh_card *card, fsh_net **net, fsh_err *err);
void fsh_net_close(fsh_net *net); /* NULL is fine */

/* The same for up to `pictures` of them at once, which pays where weights are many and layers small.
 * With onednn the last bits of a result may depend on `pictures`, not on which others there are. */
fsh_status fsh_net_open_several(const struct fsh_card *card, uint32_t pictures, fsh_net **net,
                                fsh_err *err);

/* Runs an RGB picture of the card's size; normalisation and channel order are the card's. Gives n
 * outputs in the card's order; a net with another number of them fails with MODEL. */
fsh_status fsh_net_run(fsh_net *net, const fsh_image *picture, fsh_tensor *outputs, uint32_t n,
                       fsh_err *err);

/* Runs count pictures, at most as many as the net was opened for. */
fsh_status fsh_net_run_several(fsh_net *net, const fsh_image *const *pictures, uint32_t count,
                               fsh_tensor *outputs, uint32_t n, fsh_err *err);

#ifdef __cplusplus
}
#endif
#endif
