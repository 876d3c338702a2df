#include "stages/inference/torch.h"

#include <dlfcn.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/installed.h"
#include "stages/models.h"
#include "stages/vision/torch/backend.h"

enum { TEXT_BYTES = 400 };

struct fsh_torchnet {
    void *net;
    char file[FSH_PATH_BYTES];
    fsh_torch_shape shape;
    float value_of[3][256]; /* of a plane of the input for a byte of the picture */
    int channel[3];         /* of the picture, for each plane */
    float *input;
};

static const fsh_torch_backend *backend;
static char missing[TEXT_BYTES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Where it is installed, and where it was built. */
static void
find_backend(void)
{
    char installed[FSH_PATH_BYTES] = "";
    const char *const places[] = {installed, FSH_TORCH_BUILT};
    const fsh_torch_backend *found;
    void *library = NULL;
    int i;

    fsh_installed_find("lib/faceshard/faceshard_torch.so", installed);
    snprintf(missing, sizeof missing,
             "faceshard_torch.so is missing: install the package faceshard-torch, or libtorch-dev (or unpack "
             "PyTorch's libtorch and name its folder in CMAKE_PREFIX_PATH), configure and build again");
    for (i = 0; i < 2 && !library; i++)
        if (fsh_file_exists(places[i]) && !(library = dlopen(places[i], RTLD_NOW | RTLD_LOCAL)))
            snprintf(missing, sizeof missing, "%s", dlerror());
    found = library ? dlsym(library, FSH_TORCH_SYMBOL) : NULL;
    if (found && found->format == FSH_TORCH_FORMAT)
        backend = found;
    else if (library)
        snprintf(missing, sizeof missing, "%s is of another version: build and install it again",
                 places[i - 1]);
}

static fsh_status
need_backend(fsh_err *err)
{
    pthread_once(&once, find_backend);
    return backend ? FSH_OK : fsh_fail(err, FSH_MODEL, "the backend torch: %s", missing);
}

fsh_status
fsh_torchnet_check(const char *device, fsh_err *err)
{
    fsh_status status = need_backend(err);
    uint32_t devices, number;

    if (status || strcmp(device, "cpu") == 0)
        return status;
    devices = backend->cuda_devices();
    number = device[4] ? (uint32_t)strtoul(device + 5, NULL, 10) : 0;
    if (devices == 0)
        return fsh_fail(err, FSH_MODEL,
                        "--device %s: this libtorch has no CUDA, or there is no GPU; say cpu, or "
                        "build with PyTorch's libtorch for CUDA",
                        device);
    return number < devices
               ? FSH_OK
               : fsh_fail(err, FSH_MODEL, "--device %s: there are %u of them, counted from 0",
                          device, devices);
}

void
fsh_torchnet_about(char *text, size_t room)
{
    char about[64];
    uint32_t devices;

    if (need_backend(NULL)) {
        snprintf(text, room, "%s", missing);
        return;
    }
    backend->about(about, sizeof about);
    devices = backend->cuda_devices();
    if (devices)
        snprintf(text, room, "%s, float32; devices: cpu, cuda:0 to cuda:%u", about, devices - 1);
    else
        snprintf(text, room, "%s, float32; devices: cpu", about);
}

static void
set_card(fsh_torchnet *net, const fsh_card *card, uint32_t pictures)
{
    int plane, byte;

    strcpy(net->file, card->file_path);
    net->shape = (fsh_torch_shape){pictures, card->height, card->width};
    for (plane = 0; plane < 3; plane++) {
        float mean = (float)fsh_card_channel(&card->mean, plane);
        float scale = (float)fsh_card_channel(&card->scale, plane);

        net->channel[plane] = card->channels == 0 ? plane : 2 - plane;
        for (byte = 0; byte < 256; byte++)
            net->value_of[plane][byte] = ((float)byte - mean) * scale;
    }
}

fsh_status
fsh_torchnet_open(const fsh_card *card, uint32_t pictures, fsh_torchnet **net, fsh_err *err)
{
    int threads = omp_get_max_threads(); /* libtorch sets it */
    char text[TEXT_BYTES];
    fsh_torchnet *made;
    fsh_status status = fsh_torchnet_check(card->device, err);

    if (status)
        return status;
    made = calloc(1, sizeof *made);
    if (made) {
        set_card(made, card, pictures);
        made->input = calloc((size_t)pictures * 3 * (size_t)(card->width * card->height),
                             sizeof *made->input);
    }
    if (!made || !made->input)
        status = fsh_fail(err, FSH_MEMORY, "no memory for a network");
    else if (backend->open(card->file_path, card->device, &made->shape, &made->net, text,
                           sizeof text))
        status = fsh_fail(err, FSH_MODEL, "%s: %s", card->file_path, text);
    omp_set_num_threads(threads);
    if (status)
        fsh_torchnet_close(made);
    else
        *net = made;
    return status;
}

void
fsh_torchnet_close(fsh_torchnet *net)
{
    if (!net)
        return;
    if (net->net)
        backend->close(net->net);
    free(net->input);
    free(net);
}

static void
fill(fsh_torchnet *net, size_t number, const fsh_image *picture)
{
    size_t pixels = (size_t)(net->shape.width * net->shape.height), plane, i;

    for (plane = 0; plane < 3; plane++) {
        const uint8_t *from = picture->data + net->channel[plane];
        float *to = net->input + (3 * number + plane) * pixels;

        for (i = 0; i < pixels; i++)
            to[i] = net->value_of[plane][from[3 * i]];
    }
}

/* As many as the net was opened for are run, whatever their number: the last one is repeated. */
fsh_status
fsh_torchnet_run(fsh_torchnet *net, const fsh_image *const *pictures, uint32_t count,
                 fsh_tensor *outputs, uint32_t n, fsh_err *err)
{
    uint32_t all = (uint32_t)net->shape.pictures, i;
    char text[TEXT_BYTES];

    if (count < 1 || count > all)
        return fsh_fail(err, FSH_INTERNAL, "%u pictures at once", count);
    for (i = 0; i < all; i++) {
        const fsh_image *picture = pictures[i < count ? i : count - 1];

        if (picture->width != net->shape.width || picture->height != net->shape.height ||
            picture->channels != 3)
            return fsh_fail(err, FSH_INTERNAL, "a picture of another size than the network's");
        fill(net, i, picture);
    }
    return backend->run(net->net, net->input, outputs, n, text, sizeof text)
               ? fsh_fail(err, FSH_MODEL, "%s: %s", net->file, text)
               : FSH_OK;
}
