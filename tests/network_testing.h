/* For tests of stages/inference: a writer of protocol buffers, and the comparison of backends. */
#ifndef FSH_TESTS_NETWORK_TESTING_H
#define FSH_TESTS_NETWORK_TESTING_H

#include <math.h>
#include <omp.h>

#include "stages/inference/net.h"
#include "stages/models.h"
#include "tests/stage_testing.h"

typedef struct bytes {
    uint8_t at[65536];
    size_t n;
} bytes;

static inline void
put_varint(bytes *b, uint64_t value)
{
    for (; value > 127; value >>= 7)
        b->at[b->n++] = (uint8_t)(value | 128);
    b->at[b->n++] = (uint8_t)value;
}

static inline void
put_whole(bytes *b, unsigned field, uint64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, value);
}

static inline void
put_bytes(bytes *b, unsigned field, const void *data, size_t n)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, n);
    memcpy(b->at + b->n, data, n);
    b->n += n;
}

static inline void
put_text(bytes *b, unsigned field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

enum { OUTPUTS_MAX = 12 };

/* All outputs after each other; the caller frees them. */
static inline float *
run_card(fsh_card *card, int backend, const fsh_image *picture, uint32_t outputs, size_t *n)
{
    fsh_tensor tensors[OUTPUTS_MAX];
    fsh_err err = {""};
    fsh_net *net;
    float *all = NULL;
    uint32_t i;

    card->backend = backend;
    assert_ok(fsh_net_open(card, &net, &err), err);
    assert_ok(fsh_net_run(net, picture, tensors, outputs, &err), err);
    assert_ok(fsh_net_run(net, picture, tensors, outputs, &err),
              err); /* again: nothing stays of the first */
    for (i = 0, *n = 0; i < outputs; i++) {
        all = realloc(all, (*n + tensors[i].n) * sizeof *all);
        memcpy(all + *n, tensors[i].data, tensors[i].n * sizeof *all);
        *n += tensors[i].n;
    }
    fsh_net_close(net);
    return all;
}

static inline void
paint_for(const fsh_card *card, fsh_image *picture)
{
    fsh_image square;

    fsh_test_paint(&square, (int)card->height, 3);
    *picture = (fsh_image){.data = NULL};
    assert_int_equal(fsh_image_resize(&square, (int)card->width, (int)card->height, picture),
                     FSH_OK);
    fsh_image_fini(&square);
}

/* Largest difference between the backends over the largest number. */
static inline void
assert_alike(fsh_card *card, uint32_t outputs)
{
    float *a, *b, *c, most = 0, apart = 0;
    int threads = omp_get_max_threads();
    size_t n, n_b, n_c, i;
    fsh_image picture;

    paint_for(card, &picture);
    a = run_card(card, FSH_BACKEND_OPENCV, &picture, outputs, &n);
    b = run_card(card, FSH_BACKEND_ONEDNN, &picture, outputs, &n_b);
    omp_set_num_threads(4);
    c = run_card(card, FSH_BACKEND_ONEDNN, &picture, outputs, &n_c);
    assert_int_equal(omp_get_max_threads(), 4);
    omp_set_num_threads(threads);
    assert_true(n == n_b && n == n_c);
    for (i = 0; i < n; i++) {
        most = fmaxf(most, fabsf(a[i]));
        apart = fmaxf(apart, fabsf(a[i] - b[i]));
    }
    assert_true(most > 0);
    if (!(apart <= 1e-4f * fmaxf(most, 1)))
        fail_msg("%s: %g apart, of %g", card->name, (double)apart, (double)most);
    assert_memory_equal(b, c, n * sizeof *b);
    fsh_image_fini(&picture);
    free(a);
    free(b);
    free(c);
}

#endif
