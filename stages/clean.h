/* What is to be done with the images that `clean` finds mislabelled. Rejecting and flagging is done
 * by the stage; files are moved and copied by whoever runs it, since a stage sees no files. */
#ifndef FSH_STAGES_CLEAN_H
#define FSH_STAGES_CLEAN_H

#include <stdbool.h>

typedef enum fsh_clean_action {
    FSH_CLEAN_DROP, /* rejected */
    FSH_CLEAN_MOVE, /* rejected, and the source file moved into a folder per identity beside the
                       output */
    FSH_CLEAN_COPY, /* rejected, and copied there */
    FSH_CLEAN_FLAG  /* delivered, marked in fsh_face.flagged */
} fsh_clean_action;

/* The action of a step whose stage is fsh_stage_clean. */
fsh_clean_action fsh_clean_get_action(const void *params);

/* Whether the step removes what is farther than a mean distance; *threshold: NaN where the embedder's card says it. */
bool fsh_clean_is_by_distance(const void *params, double *threshold);

#endif
