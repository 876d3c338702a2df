/* Pictures for the page: of units that were committed lately. Shards are read and photographs
 * decoded by a process of its own (page/pictures.h), at low priority, only while somebody watches,
 * some units a minute; HDF5 belongs to one thread of a process, which in the coordinator is the
 * loop's.
 *
 *     fsh_gallery_open(output, input, &gallery, &err);
 *     fsh_gallery_want(gallery, unit);       somebody watches, and this unit is new
 *     fsh_gallery_print(gallery, after, &text);
 *     fsh_gallery_close(&gallery); */
#ifndef FSH_PAGE_GALLERY_H
#define FSH_PAGE_GALLERY_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

typedef struct fsh_gallery fsh_gallery;

/* Folders of the job, borrowed until close. */
fsh_status fsh_gallery_open(const char *output, const char *input, fsh_gallery **gallery,
                            fsh_err *err);
void fsh_gallery_close(fsh_gallery **gallery);

/* Asks for the pictures of a unit. Returns at once; one that is asked for while another is being
 * read takes the place of the one that waits. Any thread. */
void fsh_gallery_want(fsh_gallery *gallery, uint32_t unit);

/* Waits until what was asked for is there, without the usual rest, but not longer than so many ms. */
void fsh_gallery_settle(fsh_gallery *gallery, uint32_t ms);

/* How many units had their pictures shown so far: grows with every new one. */
uint32_t fsh_gallery_serial(fsh_gallery *gallery);

/* Appends the units after that serial that are still kept, as a JSON list, oldest first. */
void fsh_gallery_print(fsh_gallery *gallery, uint32_t after, fsh_text *out);

#endif
