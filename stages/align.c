/* align: faces are cut out upright, by a similarity of their five points onto the ArcFace template,
 * instead of by their crop. The cutting itself happens when a picture is made: here a face is
 * marked. */
#include "stages/align.h"

#include "stages/table.h"

/* Deng and others, "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019. */
static const fsh_point template_112[5] = {{38.2946f, 51.6963f},
                                          {73.5318f, 51.5014f},
                                          {56.0252f, 71.7366f},
                                          {41.5493f, 92.3655f},
                                          {70.7299f, 92.2041f}};

void
fsh_arcface_template(uint32_t size, fsh_point out[5])
{
    float scale = (float)size / 112;
    int i;

    for (i = 0; i < 5; i++)
        out[i] = (fsh_point){template_112[i].x * scale, template_112[i].y * scale};
}

fsh_status
fsh_arcface_map(const fsh_point five[5], uint32_t width, uint32_t height, fsh_affine *map)
{
    fsh_point target[5];
    int i;

    fsh_arcface_template(height, target);
    for (i = 0; i < 5; i++)
        target[i].x -= ((float)height - (float)width) / 2;
    return fsh_affine_similarity(five, target, 5, map);
}

static fsh_status
align(void *state, const void *params, uint32_t thread, fsh_photo *photo, fsh_err *err)
{
    fsh_affine map;
    uint32_t i;

    (void)state, (void)params, (void)thread, (void)err;
    for (i = 0; i < photo->faces_n; i++) {
        fsh_face *face = &photo->faces[i];

        if (face->reason != FSH_REASON_NONE)
            continue;
        if (face->has_five && !fsh_arcface_map(face->five, 112, 112, &map))
            face->aligned = true;
        else
            face->reason = FSH_REASON_BAD_LANDMARKS;
    }
    return FSH_OK;
}

static const fsh_arg args[] = {FSH_ARG_END};

const fsh_stage fsh_stage_align = {
    .name = "align",
    .summary = "cuts faces out upright, by their five points on the ArcFace template",
    .id = 3,
    .version = 1,
    .phase = FSH_PHASE_ANALYSE,
    .needs = FSH_FACT_FACE | FSH_FACT_FIVE,
    .args = args,
    .analyse = align,
};
