#include "stages/table.h"

#include <string.h>

const fsh_stage *const fsh_stages[] = {
    &fsh_stage_detect, &fsh_stage_landmarks, &fsh_stage_align,   &fsh_stage_embed,
    &fsh_stage_clean,  &fsh_stage_sample,    &fsh_stage_pose,    &fsh_stage_mask,    &fsh_stage_glasses,
    &fsh_stage_sunglasses, &fsh_stage_augment, NULL,
};

const fsh_stage *
fsh_stage_find(const char *name)
{
    uint32_t i;

    for (i = 0; fsh_stages[i]; i++)
        if (strcmp(fsh_stages[i]->name, name) == 0)
            return fsh_stages[i];
    return NULL;
}
