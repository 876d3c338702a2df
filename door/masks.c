#include "door/masks.h"

#include "door/overlap.h"

/* Boxes of one face in frames that follow each other share so much of their union. After a gap
 * somebody else may stand there. */
static const double overlap_least = 0.5, gap_s = 0.25;

/* So many answers that agree are trusted. */
enum { ASKS = 3, NOT_REMEMBERED = FSH_MASKS_MAX };

static void
forget(fsh_masks *masks, double seconds)
{
    uint32_t i, kept = 0;

    for (i = 0; i < masks->n; i++)
        if (seconds - masks->faces[i].seen_s <= gap_s) {
            masks->faces[kept] = masks->faces[i];
            masks->faces[kept++].taken = false;
        }
    masks->n = kept;
}

/* The remembered face that lies most where the box does. */
static uint32_t
find(const fsh_masks *masks, const fsh_box *box)
{
    uint32_t best = NOT_REMEMBERED, i;
    double most = overlap_least;

    for (i = 0; i < masks->n; i++) {
        double shared = masks->faces[i].taken ? 0 : fsh_box_overlap(&masks->faces[i].box, box);

        if (shared >= most) {
            most = shared;
            best = i;
        }
    }
    return best;
}

static uint32_t
add(fsh_masks *masks)
{
    if (masks->n == FSH_MASKS_MAX)
        return NOT_REMEMBERED;
    masks->faces[masks->n] =
        (fsh_masks_face){.mask_class = FSH_MASK_CLASS_UNKNOWN, .asks_left = ASKS};
    return masks->n++;
}

/* Whether this face has to be looked at. */
static bool
see(fsh_masks *masks, double seconds, uint32_t i, const fsh_box *box)
{
    uint32_t at = find(masks, box);
    fsh_masks_face *face;

    if (at == NOT_REMEMBERED)
        at = add(masks);
    if (i < FSH_MASKS_MAX)
        masks->of[i] = at;
    if (at == NOT_REMEMBERED)
        return true;
    face = &masks->faces[at];
    face->taken = true;
    face->box = *box;
    face->seen_s = seconds;
    return face->asks_left > 0 || seconds - face->asked_s >= masks->every_s;
}

bool
fsh_masks_begin(fsh_masks *masks, double seconds, const fsh_photo *photo)
{
    bool any = false;
    uint32_t i;

    forget(masks, seconds);
    for (i = 0; i < photo->faces_n; i++)
        any = see(masks, seconds, i, &photo->faces[i].face) || any;
    return any;
}

/* An answer that differs is taken, and tried again. */
static void
note(fsh_masks_face *face, double seconds, int8_t told)
{
    face->asked_s = seconds;
    if (told != FSH_MASK_CLASS_UNKNOWN) {
        if (face->mask_class != FSH_MASK_CLASS_UNKNOWN && told != face->mask_class)
            face->asks_left = ASKS;
        face->mask_class = told;
    }
    face->asks_left -= face->asks_left > 0;
}

void
fsh_masks_end(fsh_masks *masks, double seconds, bool asked, fsh_photo *photo)
{
    uint32_t i;

    for (i = 0; i < photo->faces_n && i < FSH_MASKS_MAX; i++) {
        fsh_face *of = &photo->faces[i];
        fsh_masks_face *face = &masks->faces[masks->of[i]];

        if (masks->of[i] == NOT_REMEMBERED)
            continue;
        if (asked)
            note(face, seconds, of->mask_class);
        if (of->mask_class == FSH_MASK_CLASS_UNKNOWN)
            of->mask_class = face->mask_class;
    }
}
