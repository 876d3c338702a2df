#include "stages/mirror.h"

#include <string.h>

/* Which point of a face a point is in its mirror image. */
static const uint8_t mirror[FSH_LANDMARKS_N] = {
    16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4, 3, 2, 1, 0, /* jaw */
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17,                        /* brows */
    27, 28, 29, 30, 35, 34, 33, 32, 31,                            /* nose */
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,                /* eyes */
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,                /* lips, outside */
    64, 63, 62, 61, 60, 67, 66, 65};                               /* lips, inside */

void
fsh_mirror_names(fsh_point landmarks[FSH_LANDMARKS_N])
{
    fsh_point moved[FSH_LANDMARKS_N];
    uint32_t i;

    for (i = 0; i < FSH_LANDMARKS_N; i++)
        moved[i] = landmarks[mirror[i]];
    memcpy(landmarks, moved, sizeof moved);
}

static void
mirror_row(uint8_t *left, int32_t n)
{
    uint8_t *right = left + 3 * (n - 1), kept[3];

    for (; left < right; left += 3, right -= 3) {
        memcpy(kept, left, 3);
        memcpy(left, right, 3);
        memcpy(right, kept, 3);
    }
}

void
fsh_mirror_canvas(fsh_canvas *canvas)
{
    fsh_image *image = &canvas->image;
    int32_t y;
    uint32_t i;

    for (y = 0; y < image->height; y++)
        mirror_row(fsh_image_at(image, 0, y), image->width);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        canvas->landmarks[i].x = (float)(image->width - 1) - canvas->landmarks[i].x;
    fsh_mirror_names(canvas->landmarks);
    canvas->front = NULL;
}
