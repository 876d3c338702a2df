/* Small pictures for pages: by the source of a row, from where the set's pictures are.
 *
 *     fsh_thumbs_open("out/index.h5", 96, &thumbs, &err);
 *     fsh_thumbs_add(thumbs, "Ada/1.jpg", &page, &err);
 *     fsh_thumbs_close(thumbs); */
#ifndef FSH_EVALUATE_THUMBS_H
#define FSH_EVALUATE_THUMBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/geometry.h"
#include "base/status.h"
#include "base/text.h"

typedef struct fsh_thumbs fsh_thumbs;

/* path: a folder that sources are relative to, a shard, or index.h5, whose first picture of a
 * source is taken. side: of the square that each is fitted into, px. */
fsh_status fsh_thumbs_open(const char *path, int32_t side, fsh_thumbs **thumbs, fsh_err *err);
void fsh_thumbs_close(fsh_thumbs *thumbs);

/* Appends an <img> with the picture as JPEG in a data URI, or a grey square where it cannot be had,
 * which is counted. thumbs may be NULL: nothing is appended. fsh_vision_init was called before. */
void fsh_thumbs_add(fsh_thumbs *thumbs, const char *source, fsh_text *page);

/* Appends the picture as a data URI; of a shard, also by its row. box: only this part of it; NULL, or one without
 * area: all. False: it cannot be had, which is counted, and nothing is appended. */
bool fsh_thumbs_add_uri(fsh_thumbs *thumbs, const char *source, const fsh_box *box, fsh_text *out);
bool fsh_thumbs_add_row_uri(fsh_thumbs *thumbs, uint64_t row, fsh_text *out);

/* How many pictures could not be had. */
uint32_t fsh_thumbs_missing(const fsh_thumbs *thumbs);

/* Appends text for HTML: & < > " ' escaped, bytes that are not UTF-8 visible. */
void fsh_html_add(fsh_text *page, const char *text);

#endif
