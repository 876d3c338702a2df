#include "stages/templates.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/args.h"
#include "base/files.h"
#include "stages/vision/decode.h"

enum { FILE_BYTES_MAX = 64 << 20, VISIBLE = 128 };

struct fsh_templates {
    fsh_template *items;
    uint32_t n;
    char *folder; /* with kind and size, what makes them the same as another stage's */
    const fsh_template_kind *kind;
    uint32_t size, users;
    fsh_templates *next;
};

/* Those that are open in this process. Whoever opens some that are still being loaded waits for them. */
static fsh_templates *opened;
static pthread_mutex_t opened_lock = PTHREAD_MUTEX_INITIALIZER;

/* What a card can say: a point an anchor, and the colour behind them. */
typedef struct card {
    fsh_reals points[FSH_TEMPLATE_ANCHORS_MAX];
    fsh_reals colour;
} card;

/* Premultiplied, so that averages of pixels are right at the edges. */
static void
premultiply(fsh_image *image)
{
    size_t i, n = fsh_image_bytes(image);
    int c;

    for (i = 0; i < n; i += 4)
        for (c = 0; c < 3; c++)
            image->data[i + c] = (uint8_t)((image->data[i + c] * image->data[i + 3] + 127) / 255);
}

/* A picture of half the size, each pixel the mean of four; an odd last row or column stands twice. */
static fsh_status
halve(const fsh_image *from, fsh_image *to)
{
    int32_t x, y, width = (from->width + 1) / 2, height = (from->height + 1) / 2;
    fsh_status status = fsh_image_init(to, width, height, 4);
    int c;

    for (y = 0; y < height && !status; y++) {
        int32_t below = 2 * y + 1 < from->height ? 2 * y + 1 : 2 * y;

        for (x = 0; x < width; x++) {
            int32_t beside = 2 * x + 1 < from->width ? 2 * x + 1 : 2 * x;

            for (c = 0; c < 4; c++)
                fsh_image_at(to, x, y)[c] =
                    (uint8_t)((fsh_image_at(from, 2 * x, 2 * y)[c] + fsh_image_at(from, beside, 2 * y)[c] +
                               fsh_image_at(from, 2 * x, below)[c] + fsh_image_at(from, beside, below)[c] + 2) / 4);
        }
    }
    return status;
}

/* Halves down to a few pixels. What is more than twice as fine as a picture of size px is dropped. */
static fsh_status
make_levels(fsh_template *template, uint32_t size)
{
    uint32_t k = 0;
    fsh_status status = FSH_OK;

    while (!status && k + 1 < FSH_TEMPLATE_LEVELS_MAX && template->levels[k].width > 2 &&
           template->levels[k].height > 2) {
        status = halve(&template->levels[k], &template->levels[k + 1]);
        if (template->levels[k].width > 4 * (int64_t)size) {
            fsh_image_fini(&template->levels[k]);
            template->finest = k + 1;
        }
        k++;
    }
    template->levels_n = k + 1;
    return status;
}

/* Bounds of the pixels whose alpha is at least low; false where there are none. */
static bool
find_bounds(const fsh_image *image, int low, fsh_box *box)
{
    int32_t x, y, left = image->width, top = image->height, right = -1, bottom = -1;

    for (y = 0; y < image->height; y++)
        for (x = 0; x < image->width; x++)
            if (fsh_image_at(image, x, y)[3] >= low) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y;
            }
    if (right < 0)
        return false;
    *box = (fsh_box){left, top, right - left + 1, bottom - top + 1};
    return true;
}

/* From an edge of the bounds towards the inside until something can be seen. */
static fsh_point
snap_to_outline(const fsh_image *image, const fsh_box *box, const fsh_anchor *anchor, fsh_point point)
{
    int32_t x = (int32_t)lroundf(point.x), y = (int32_t)lroundf(point.y);
    int32_t dx = anchor->x == 0 ? 1 : anchor->x == 1 ? -1 : 0;
    int32_t dy = dx ? 0 : anchor->y == 0 ? 1 : anchor->y == 1 ? -1 : 0;
    int32_t steps = dx ? box->width / 2 : dy ? box->height / 2 : 0;

    while (steps-- > 0 && fsh_image_at(image, x, y)[3] < VISIBLE) {
        x += dx;
        y += dy;
    }
    return dx || dy ? (fsh_point){(float)x, (float)y} : point;
}

static void
set_default_anchors(const fsh_template_kind *kind, fsh_template *template)
{
    const fsh_box *box = &template->visible;
    uint32_t i;

    for (i = 0; i < kind->anchors_n; i++) {
        const fsh_anchor *anchor = &kind->anchors[i];
        fsh_point point = {(float)box->x + anchor->x * (float)(box->width - 1),
                           (float)box->y + anchor->y * (float)(box->height - 1)};

        template->anchors[i] = snap_to_outline(&template->levels[0], box, anchor, point);
    }
}

/* Without a card, straps and arms have the mean colour of the outer tenth on both sides. */
static void
set_default_colour(fsh_template *template)
{
    const fsh_box *box = &template->visible;
    double sum[4] = {0, 0, 0, 1e-9};
    int32_t x, y;
    int c;

    for (y = box->y; y < box->y + box->height; y++)
        for (x = box->x; x < box->x + box->width; x++)
            if (10 * (x - box->x) < box->width || 10 * (x - box->x) >= 9 * box->width)
                for (c = 0; c < 4; c++)
                    sum[c] += fsh_image_at(&template->levels[0], x, y)[c];
    for (c = 0; c < 3; c++)
        template->colour[c] = (float)(255 * sum[c] / sum[3]);
}

/* Rows of a card of this kind, made from its anchors. */
static void
make_rows(const fsh_template_kind *kind, fsh_arg rows[FSH_TEMPLATE_ANCHORS_MAX + 2])
{
    uint32_t i;

    for (i = 0; i < kind->anchors_n; i++)
        rows[i] = (fsh_arg){kind->anchors[i].name, FSH_ARG_TYPE_REALS,
                            offsetof(card, points) + i * sizeof(fsh_reals), 0, 0, NULL, "",
                            "x, y in pixels of the template"};
    rows[i++] = (fsh_arg){kind->colour, FSH_ARG_TYPE_REALS, offsetof(card, colour), 0, 0, NULL, "",
                          "red, green, blue, 0 to 255; then, where it is known, the thickness in pixels"};
    rows[i] = (fsh_arg)FSH_ARG_END;
}

/* Takes over what the card says; what it leaves out keeps its default. */
static fsh_status
apply_card(const fsh_template_kind *kind, const card *said, const char *path, fsh_template *template,
           fsh_err *err)
{
    uint32_t i, c;

    for (i = 0; i < kind->anchors_n; i++) {
        const fsh_reals *point = &said->points[i];

        if (point->n != 0 && (point->n != 2 || !(fabs(point->at[0]) <= 1e5 && fabs(point->at[1]) <= 1e5)))
            return fsh_fail(err, FSH_USAGE, "%s: %s: expected two numbers, x and y in pixels of the template",
                            path, kind->anchors[i].name);
        if (point->n)
            template->anchors[i] = (fsh_point){(float)point->at[0], (float)point->at[1]};
    }
    if (said->colour.n != 0 && said->colour.n != 3 && said->colour.n != 4)
        return fsh_fail(err, FSH_USAGE,
                        "%s: %s: expected three numbers, red, green and blue from 0 to 255, and perhaps a thickness",
                        path, kind->colour);
    for (c = 0; c < 3 && said->colour.n; c++)
        template->colour[c] = fsh_clampf((float)said->colour.at[c], 0, 255);
    if (said->colour.n == 4)
        template->thickness = fsh_clampf((float)said->colour.at[3], 0, (float)template->width);
    return FSH_OK;
}

static fsh_status
read_card(const fsh_template_kind *kind, const char *path, fsh_template *template, fsh_err *err)
{
    fsh_arg rows[FSH_TEMPLATE_ANCHORS_MAX + 2];
    fsh_tree *tree = NULL;
    fsh_status status;
    card *said;

    if (!fsh_file_exists(path))
        return FSH_OK;
    said = calloc(1, sizeof *said);
    if (!said)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    make_rows(kind, rows);
    status = fsh_tree_read(path, &tree, err);
    if (!status)
        status = fsh_args_read(rows, said, fsh_tree_root(tree), path, err);
    if (!status)
        status = apply_card(kind, said, path, template, err);
    fsh_tree_free(tree);
    free(said);
    return status;
}

static fsh_status
decode(const char *path, fsh_template *template, fsh_err *err)
{
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_file_read(path, FILE_BYTES_MAX, &data, &bytes, err);

    if (status)
        return status;
    status = fsh_decode_rgba(data, bytes, &template->levels[0], err);
    free(data);
    if (status)
        return fsh_fail_within(err, status, "%s", path);
    template->width = template->levels[0].width;
    template->height = template->levels[0].height;
    if (!find_bounds(&template->levels[0], VISIBLE, &template->visible))
        return fsh_fail(err, FSH_FORMAT, "%s: nothing in this template can be seen (alpha is under %d everywhere)",
                        path, VISIBLE);
    if (!find_bounds(&template->levels[0], FSH_TEMPLATE_OPAQUE + 1, &template->opaque))
        template->opaque = template->visible;
    return FSH_OK;
}

/* Loads folder/name.png with its card into a zeroed template; what was made is freed by the caller. */
static fsh_status
load(const char *folder, const char *file, const fsh_template_kind *kind, uint32_t size,
     fsh_template *template, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, folder, file, err);

    template->name = strndup(file, strlen(file) - strlen(".png"));
    if (!template->name)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", file);
    if (!status)
        status = decode(path, template, err);
    if (status)
        return status;
    premultiply(&template->levels[0]);
    set_default_anchors(kind, template);
    set_default_colour(template);
    memcpy(path + strlen(path) - strlen(".png"), ".yaml", sizeof ".yaml");
    status = read_card(kind, path, template, err);
    if (!status && make_levels(template, size))
        status = fsh_fail(err, FSH_MEMORY, "%s/%s: out of memory", folder, file);
    return status;
}

static int
is_png(const struct dirent *entry)
{
    size_t bytes = strlen(entry->d_name);

    return bytes > strlen(".png") && strcasecmp(entry->d_name + bytes - strlen(".png"), ".png") == 0;
}

/* Byte order, whatever the language of the machine. */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Loads the files that scandir has found; frees the list. */
static fsh_status
load_all(const char *folder, struct dirent **entries, int n, const fsh_template_kind *kind, uint32_t size,
         fsh_templates *templates, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int i;

    templates->items = calloc((size_t)n + 1, sizeof *templates->items);
    if (!templates->items)
        status = fsh_fail(err, FSH_MEMORY, "%s: out of memory", folder);
    for (i = 0; i < n; i++) {
        if (!status)
            status = load(folder, entries[i]->d_name, kind, size, &templates->items[templates->n++], err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static void
free_templates(fsh_templates *templates)
{
    uint32_t i, k;

    for (i = 0; i < templates->n; i++) {
        free(templates->items[i].name);
        for (k = 0; k < FSH_TEMPLATE_LEVELS_MAX; k++)
            fsh_image_fini(&templates->items[i].levels[k]);
    }
    free(templates->items);
    free(templates->folder);
    free(templates);
}

static fsh_status
read_folder(const char *folder, const fsh_template_kind *kind, uint32_t size, fsh_templates **templates,
            fsh_err *err)
{
    struct dirent **entries;
    fsh_templates *made;
    fsh_status status;
    int n = scandir(folder, &entries, is_png, by_bytes);

    if (n < 0)
        return fsh_fail_errno(err, errno, "%s: cannot read the templates; name a folder with %s/ in it",
                              folder, kind->folder);
    made = calloc(1, sizeof *made);
    if (!made || !(made->folder = strdup(folder))) {
        while (n-- > 0)
            free(entries[n]);
        free(entries);
        free(made);
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", folder);
    }
    made->kind = kind;
    made->size = size;
    status = load_all(folder, entries, n, kind, size, made, err);
    if (!status && n == 0)
        status = fsh_fail(err, FSH_IO, "%s: no templates; put RGBA pictures named *.png there", folder);
    if (status)
        free_templates(made);
    else
        *templates = made;
    return status;
}

static fsh_templates *
find_opened(const char *folder, const fsh_template_kind *kind, uint32_t size)
{
    fsh_templates *at = opened;

    while (at && (at->kind != kind || at->size != size || strcmp(at->folder, folder) != 0))
        at = at->next;
    return at;
}

fsh_status
fsh_templates_open(const char *root, const fsh_template_kind *kind, uint32_t size,
                   fsh_templates **templates, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, root, kind->folder, err);
    fsh_templates *made;

    if (status)
        return status;
    pthread_mutex_lock(&opened_lock);
    made = find_opened(folder, kind, size);
    if (!made) {
        status = read_folder(folder, kind, size, &made, err);
        if (!status) {
            made->next = opened;
            opened = made;
        }
    }
    if (!status) {
        made->users++;
        *templates = made;
    }
    pthread_mutex_unlock(&opened_lock);
    return status;
}

void
fsh_templates_close(fsh_templates *templates)
{
    fsh_templates **at = &opened;

    if (!templates)
        return;
    pthread_mutex_lock(&opened_lock);
    if (--templates->users == 0) {
        while (*at != templates)
            at = &(*at)->next;
        *at = templates->next;
        free_templates(templates);
    }
    pthread_mutex_unlock(&opened_lock);
}

const fsh_template *
fsh_templates_pick(const fsh_templates *templates, const char *name, fsh_rng *rng)
{
    uint32_t i, drawn = fsh_rng_below(rng, templates->n);

    if (!name[0])
        return &templates->items[drawn];
    for (i = 0; i < templates->n; i++)
        if (strcmp(templates->items[i].name, name) == 0)
            return &templates->items[i];
    return NULL;
}

fsh_status
fsh_templates_check(const fsh_templates *templates, const char *name, fsh_err *err)
{
    fsh_rng rng = fsh_rng_new(0, 0, 0, 0);
    fsh_text names = {0};
    uint32_t i;

    if (fsh_templates_pick(templates, name, &rng))
        return FSH_OK;
    for (i = 0; i < templates->n; i++)
        fsh_text_addf(&names, "%s%s", i ? ", " : "", templates->items[i].name);
    fsh_fail(err, FSH_USAGE, "template: found '%.100s', expected one of %.800s", name, fsh_text_get(&names));
    fsh_text_fini(&names);
    return FSH_USAGE;
}

uint32_t
fsh_templates_count(const fsh_templates *templates)
{
    return templates->n;
}
