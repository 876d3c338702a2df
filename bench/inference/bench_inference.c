/* Milliseconds of processor time a picture, one thread, OpenCV and oneDNN in turns in one run:
 *     bench_inference PICTURE CARD... */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/files.h"
#include "stages/inference/net.h"
#include "stages/models.h"
#include "stages/vision/decode.h"

enum { ROUNDS = 7, RUNS = 10, OUTPUTS_MAX = 16 };

static double
processor_ms(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return 1e3 * (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-3 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static fsh_status
run_often(fsh_net *net, const fsh_image *input, double *best, fsh_tensor *outputs, uint32_t n,
          fsh_err *err)
{
    double start = processor_ms(), each;
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; !status && i < RUNS; i++)
        status = fsh_net_run(net, input, outputs, n, err);
    each = (processor_ms() - start) / RUNS;
    *best = each < *best ? each : *best;
    return status;
}

/* Names in the card's list. */
static uint32_t
count_outputs(const fsh_card *card)
{
    const char *at;
    uint32_t n = 1;

    for (at = card->outputs; *at; at++)
        n += *at == ',';
    return n;
}

static fsh_status
compare(fsh_net *nets[2], const fsh_card *card, const fsh_image *input, fsh_err *err)
{
    double best[2] = {DBL_MAX, DBL_MAX}, apart = 0;
    fsh_tensor outputs[2][OUTPUTS_MAX];
    uint32_t n = count_outputs(card), o;
    fsh_status status = FSH_OK;
    size_t i;
    int k;

    for (k = 0; !status && k < 2 * ROUNDS; k++)
        status = run_often(nets[k % 2], input, &best[k % 2], outputs[k % 2], n, err);
    if (status)
        return status;
    for (o = 0; o < n; o++)
        for (i = 0; i < outputs[0][o].n; i++)
            apart = fmax(apart, fabs((double)outputs[0][o].data[i] -
                                     (double)outputs[1][o].data[i]));
    printf("%-24s opencv %7.2f ms   onednn %7.2f ms   %4.2f times   largest difference %.1e\n",
           card->name, best[0], best[1], best[0] / best[1], apart);
    return FSH_OK;
}

static fsh_status
load(const char *name, fsh_card *card, fsh_err *err)
{
    fsh_models models = {.search = "models"};

    return fsh_card_load(&models, name, FSH_TASK_EMBED, card, err) == FSH_USAGE
               ? fsh_card_load(&models, name, FSH_TASK_DETECT, card, err)
               : fsh_card_load(&models, name, FSH_TASK_EMBED, card, err);
}

static fsh_status
bench(const char *name, const fsh_image *picture, fsh_err *err)
{
    static const int backends[] = {FSH_BACKEND_OPENCV, FSH_BACKEND_ONEDNN};
    static fsh_card card;
    fsh_net *nets[2] = {NULL, NULL};
    fsh_image input = {0};
    fsh_status status = load(name, &card, err);
    int i;

    if (!status)
        status = fsh_image_resize(picture, (int32_t)card.width, (int32_t)card.height, &input);
    for (i = 0; !status && i < 2; i++) {
        card.backend = backends[i];
        status = fsh_net_open(&card, &nets[i], err);
    }
    if (!status)
        status = compare(nets, &card, &input, err);
    fsh_net_close(nets[0]);
    fsh_net_close(nets[1]);
    fsh_image_fini(&input);
    return status;
}

int
main(int argc, char **argv)
{
    fsh_err err = {""};
    fsh_image picture = {0};
    fsh_reason reason = FSH_REASON_NONE;
    uint8_t *data;
    size_t bytes;
    fsh_status status;
    int i;

    if (argc < 3) {
        fprintf(stderr, "usage: bench_inference PICTURE CARD...\n");
        return 2;
    }
    fsh_vision_init();
    status = fsh_file_read(argv[1], 1 << 26, &data, &bytes, &err);
    if (!status) {
        status = fsh_decode(data, bytes, 1 << 26, &picture, &reason, &err);
        free(data);
    }
    if (!status && reason != FSH_REASON_NONE)
        status = fsh_fail(&err, FSH_FORMAT, "%s: no picture", argv[1]);
    for (i = 2; !status && i < argc; i++)
        status = bench(argv[i], &picture, &err);
    fsh_image_fini(&picture);
    if (status)
        fprintf(stderr, "%s\n", err.text);
    return status ? 1 : 0;
}
