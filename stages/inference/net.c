#include "stages/inference/net.h"

#include <stdio.h>
#include <stdlib.h>

#include "stages/inference/engine.h"
#include "stages/inference/torch.h"
#include "stages/models.h"
#include "stages/vision/cvnet.h"

/* One of them is there. */
struct fsh_net {
    fsh_cvnet *cv;
    fsh_engine *engine;
    fsh_torchnet *torch;
};

fsh_status
fsh_net_choose(const fsh_card *card, int32_t *backend, fsh_err *why)
{
    fsh_engine *engine;
    fsh_status status = fsh_engine_open(card, 1, &engine, why);

    if (status && status != FSH_MODEL)
        return status;
    if (!status)
        fsh_engine_close(engine);
    *backend = status ? FSH_BACKEND_OPENCV : FSH_BACKEND_ONEDNN;
    return FSH_OK;
}

void
fsh_net_about(char *text, size_t room)
{
    char engine[256], cv[64], torch[400];

    fsh_engine_about(engine, sizeof engine);
    fsh_cvnet_about(cv, sizeof cv);
    fsh_torchnet_about(torch, sizeof torch);
    snprintf(text, room, "onednn: %s\nopencv: %s\ntorch: %s\n", engine, cv, torch);
}

bool
fsh_net_has_bf16(void)
{
    return fsh_engine_has_bf16();
}

fsh_status
fsh_net_check_torch(const char *device, fsh_err *err)
{
    return fsh_torchnet_check(device, err);
}

fsh_status
fsh_net_open(const fsh_card *card, fsh_net **net, fsh_err *err)
{
    return fsh_net_open_several(card, 1, net, err);
}

fsh_status
fsh_net_open_several(const fsh_card *card, uint32_t pictures, fsh_net **net, fsh_err *err)
{
    fsh_net *made = calloc(1, sizeof *made);
    fsh_status status;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "no memory for a network");
    if (card->backend == FSH_BACKEND_ONEDNN)
        status = fsh_engine_open(card, pictures, &made->engine, err);
    else if (card->backend == FSH_BACKEND_TORCH)
        status = fsh_torchnet_open(card, pictures, &made->torch, err);
    else
        status = fsh_cvnet_open(card, pictures, &made->cv, err);
    if (status)
        free(made);
    else
        *net = made;
    return status;
}

void
fsh_net_close(fsh_net *net)
{
    if (!net)
        return;
    fsh_cvnet_close(net->cv);
    fsh_engine_close(net->engine);
    fsh_torchnet_close(net->torch);
    free(net);
}

fsh_status
fsh_net_run(fsh_net *net, const fsh_image *picture, fsh_tensor *outputs, uint32_t n, fsh_err *err)
{
    return fsh_net_run_several(net, &picture, 1, outputs, n, err);
}

fsh_status
fsh_net_run_several(fsh_net *net, const fsh_image *const *pictures, uint32_t count,
                    fsh_tensor *outputs, uint32_t n, fsh_err *err)
{
    if (net->engine)
        return fsh_engine_run(net->engine, pictures, count, outputs, n, err);
    if (net->torch)
        return fsh_torchnet_run(net->torch, pictures, count, outputs, n, err);
    return fsh_cvnet_run(net->cv, pictures, count, outputs, n, err);
}
