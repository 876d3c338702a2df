/* Templates: RGBA pictures of masks and glasses that stages put on faces, each with a card (YAML) that
 * says where its points are. A PNG without a card gets points from the bounds of what it shows.
 *
 *     fsh_templates_open("templates", &kind, 112, &templates, &err);
 *     template = fsh_templates_pick(templates, "", &rng);
 *     fsh_templates_close(templates);
 *
 * After opening everything is read-only, and any number of threads may use it. */
#ifndef FSH_STAGES_TEMPLATES_H
#define FSH_STAGES_TEMPLATES_H

#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"
#include "base/rng.h"
#include "base/status.h"

enum {
    FSH_TEMPLATE_ANCHORS_MAX = 12,
    FSH_TEMPLATE_LEVELS_MAX = 10,
    FSH_TEMPLATE_OPAQUE = 220 /* the reference rule: alpha over this hides the face */
};

/* A named point of a kind of template, and where it is when there is no card: a share of the width and
 * height of the visible part. A share of exactly 0 or 1 is moved on to the outline. */
typedef struct fsh_anchor {
    const char *name;
    float x, y;
} fsh_anchor;

typedef struct fsh_template_kind {
    const char *folder; /* "masks" */
    const char *colour; /* key of the colour that a card may give: of the straps or arms */
    const fsh_anchor *anchors;
    uint32_t anchors_n;
} fsh_template_kind;

/* One picture, halved again and again. Coordinates are in pixels of the file. */
typedef struct fsh_template {
    char *name; /* of the file, without .png */
    int32_t width, height;
    fsh_image levels[FSH_TEMPLATE_LEVELS_MAX]; /* premultiplied RGBA; level k is 2^-k as large */
    uint32_t finest, levels_n; /* levels from finest to levels_n - 1 are kept */
    fsh_box visible;           /* bounds of alpha from 128 */
    fsh_box opaque;            /* bounds of alpha over FSH_TEMPLATE_OPAQUE; visible where there is none */
    fsh_point anchors[FSH_TEMPLATE_ANCHORS_MAX]; /* in the order of the kind */
    float colour[3];                             /* 0-255: of straps or arms */
    float thickness;                             /* of straps or arms, px of the file; 0 where no card says it */
} fsh_template;

typedef struct fsh_templates fsh_templates;

/* Loads every *.png of root/kind->folder, in byte order of name, for pictures of size px: detail that
 * could not be seen there is dropped. Those that are open already are shared, from any thread. Fails
 * with IO where the folder cannot be read or has none, with FORMAT for a damaged or empty picture, with
 * USAGE for a wrong card; errors name the file. */
fsh_status fsh_templates_open(const char *root, const fsh_template_kind *kind, uint32_t size,
                              fsh_templates **templates, fsh_err *err);
void fsh_templates_close(fsh_templates *templates);

/* The template of this name or, for "", one at random; takes one draw in any case. Borrowed. NULL where
 * there is no such name. */
const fsh_template *fsh_templates_pick(const fsh_templates *templates, const char *name, fsh_rng *rng);

/* Fails with USAGE and a list of the names where name is neither "" nor that of a template. */
fsh_status fsh_templates_check(const fsh_templates *templates, const char *name, fsh_err *err);

uint32_t fsh_templates_count(const fsh_templates *templates);

#endif
