/* The stages by name, for table.c, for the files that they are in, and for tests of one stage. */
#ifndef FSH_STAGES_TABLE_H
#define FSH_STAGES_TABLE_H

#include "stages/stage.h"

extern const fsh_stage fsh_stage_detect;
extern const fsh_stage fsh_stage_landmarks;
extern const fsh_stage fsh_stage_align;
extern const fsh_stage fsh_stage_embed;
extern const fsh_stage fsh_stage_clean;
extern const fsh_stage fsh_stage_sample;
extern const fsh_stage fsh_stage_pose;
extern const fsh_stage fsh_stage_mask;
extern const fsh_stage fsh_stage_glasses;
extern const fsh_stage fsh_stage_sunglasses;
extern const fsh_stage fsh_stage_augment;

#endif
