/* Makes a dataset of drawn people: a folder per identity with JPEG files in it, as CASIA-WebFace has, some of them
 * mislabelled and some of them bad on purpose, and truth.tsv that says which. The same options give the same bytes, whatever
 * the threads; memory is a batch of pictures. Interrupted, the same call continues. */
#ifndef FSH_DATASETS_GENERATE_H
#define FSH_DATASETS_GENERATE_H

#include "base/image.h"
#include "datasets/people/population.h"

#define FSH_GENERATE_TRUTH "truth.tsv"

typedef struct fsh_generate_options {
    fsh_population population;
    uint32_t size; /* px */
    uint32_t threads;
    /* Encodes a picture as a JPEG file of this quality into *data (freed by the caller). */
    fsh_status (*encode)(const fsh_image *image, int quality, uint8_t **data, size_t *bytes, fsh_err *err);
    void *self;
    /* NULL, or called now and then from the calling thread; not 0 stops with INTERRUPTED. */
    int (*progress)(void *self, uint64_t images, uint64_t of);
} fsh_generate_options;

typedef struct fsh_generate_totals {
    uint64_t images, mislabelled, bad; /* written by this call and before */
} fsh_generate_totals;

/* A folder that holds anything else than the unfinished result of the same options is refused with USAGE. */
fsh_status fsh_generate(const char *folder, const fsh_generate_options *options,
                        fsh_generate_totals *totals, fsh_err *err);

#endif
