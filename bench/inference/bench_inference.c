/* Milliseconds a picture, OpenCV and oneDNN in turns in one run, 1, 4 and 16 pictures at once, one
 * and two threads with a net each:
 *     bench_inference PICTURE CARD... */
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/files.h"
#include "stages/inference/net.h"
#include "stages/models.h"
#include "stages/vision/decode.h"

enum { ROUNDS = 5, PICTURES = 32, OUTPUTS_MAX = 16, THREADS_MAX = 2, BATCH_MAX = 32 };

/* One net a thread, opened for the same number of pictures at once. */
typedef struct side {
    const char *name;
    fsh_net *nets[THREADS_MAX];
    fsh_tensor outputs[OUTPUTS_MAX]; /* of the last run of the first net */
    double wall_ms, processor_ms;    /* a picture, the best round */
} side;

static double
now_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
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
run_net(fsh_net *net, const fsh_image *input, uint32_t batch, fsh_tensor *outputs, uint32_t n,
        fsh_err *err)
{
    const fsh_image *pictures[BATCH_MAX];
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < batch; i++)
        pictures[i] = input;
    for (i = 0; !status && i < PICTURES; i += batch)
        status = fsh_net_run_several(net, pictures, batch, outputs, n, err);
    return status;
}

static fsh_status
run_round(side *s, const fsh_image *input, uint32_t batch, int threads, uint32_t n, fsh_err *err)
{
    double wall = now_ms(CLOCK_MONOTONIC), processor = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    fsh_tensor outputs[THREADS_MAX][OUTPUTS_MAX];
    fsh_status statuses[THREADS_MAX] = {FSH_OK, FSH_OK};
    fsh_err errs[THREADS_MAX] = {{""}, {""}};
    uint32_t i;
    int t;

#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (t = 0; t < threads; t++)
        statuses[t] = run_net(s->nets[t], input, batch, outputs[t], n, &errs[t]);
    s->wall_ms = fmin(s->wall_ms, (now_ms(CLOCK_MONOTONIC) - wall) / (PICTURES * threads));
    s->processor_ms = fmin(s->processor_ms,
                           (now_ms(CLOCK_PROCESS_CPUTIME_ID) - processor) / (PICTURES * threads));
    for (i = 0; i < n; i++)
        s->outputs[i] = outputs[0][i];
    for (t = 0; t < threads; t++)
        if (statuses[t])
            return fsh_fail(err, statuses[t], "%s", errs[t].text);
    return FSH_OK;
}

static double
largest_difference(const side *a, const side *b, uint32_t n)
{
    double apart = 0;
    uint32_t o;
    size_t i;

    for (o = 0; o < n; o++)
        for (i = 0; i < a->outputs[o].n; i++)
            apart =
                fmax(apart, fabs((double)a->outputs[o].data[i] - (double)b->outputs[o].data[i]));
    return apart;
}

static fsh_status
compare(side sides[2], const fsh_card *card, const fsh_image *input, uint32_t batch, int threads,
        fsh_err *err)
{
    uint32_t n = count_outputs(card);
    fsh_status status = FSH_OK;
    int k;

    for (k = 0; k < 2; k++)
        sides[k].wall_ms = sides[k].processor_ms = DBL_MAX;
    for (k = 0; !status && k < 2 * ROUNDS; k++)
        status = run_round(&sides[k % 2], input, batch, threads, n, err);
    for (k = 0; !status && k < 2; k++)
        printf("%-20s %-8s batch %2u threads %d  %7.2f ms of wall, %7.2f ms of processor\n",
               card->name, sides[k].name, batch, threads, sides[k].wall_ms, sides[k].processor_ms);
    if (!status)
        printf("%-20s apart at most %.1e\n", card->name,
               largest_difference(&sides[0], &sides[1], n));
    fflush(stdout);
    return status;
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
bench_batch(fsh_card *card, const fsh_image *input, uint32_t batch, fsh_err *err)
{
    side sides[2] = {{.name = "opencv"}, {.name = "onednn"}};
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; !status && i < 2 * THREADS_MAX; i++) {
        card->backend = i % 2 ? FSH_BACKEND_ONEDNN : FSH_BACKEND_OPENCV;
        status = fsh_net_open_several(card, batch, &sides[i % 2].nets[i / 2], err);
    }
    for (i = 1; !status && i <= THREADS_MAX; i++)
        status = compare(sides, card, input, batch, i, err);
    for (i = 0; i < 2 * THREADS_MAX; i++)
        fsh_net_close(sides[i % 2].nets[i / 2]);
    return status;
}

static fsh_status
bench(const char *name, const fsh_image *picture, fsh_err *err)
{
    static const uint32_t batches[] = {1, 4, 16};
    static fsh_card card;
    fsh_image input = {0};
    fsh_status status = load(name, &card, err);
    size_t i;

    if (!status)
        status = fsh_image_resize(picture, (int32_t)card.width, (int32_t)card.height, &input);
    for (i = 0; !status && i < sizeof batches / sizeof *batches; i++)
        status = bench_batch(&card, &input, batches[i], err);
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
