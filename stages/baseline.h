/* The embedder for want of a better one: a hand-made descriptor with nothing learned in it, so that
 * a fresh clone can run the stages that need embeddings. Its accuracy stands in
 * models/baseline.yaml. */
#ifndef FSH_STAGES_BASELINE_H
#define FSH_STAGES_BASELINE_H

#include "base/image.h"
#include "base/status.h"

enum { FSH_BASELINE_SIDE = 112, FSH_BASELINE_DIMENSION = 512 };

typedef struct fsh_baseline fsh_baseline; /* used by one thread at a time */

fsh_status fsh_baseline_new(fsh_baseline **baseline, fsh_err *err);
void fsh_baseline_free(fsh_baseline *baseline); /* NULL is fine */

/* An aligned face of FSH_BASELINE_SIDE squared, RGB, to FSH_BASELINE_DIMENSION numbers, not of
 * length one. */
void fsh_baseline_run(fsh_baseline *baseline, const fsh_image *face, float *out);

#endif
