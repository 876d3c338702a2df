/* `faceshard gallery`, inside cli/ only: gallery.c is the command, gallery_make.c makes and adds,
 * gallery_list.c lists and removes. */
#ifndef FSH_CLI_GALLERY_H
#define FSH_CLI_GALLERY_H

#include "cli/embedded.h"

typedef struct fsh_gallery_options {
    char twins[FSH_ARG_TEXT_BYTES], name[FSH_ARG_TEXT_BYTES];
    bool json;
    fsh_embedded_options embedded;
} fsh_gallery_options;

/* gallery build GALLERY FOLDER */
fsh_status fsh_gallery_build(const fsh_gallery_options *options, const char *gallery,
                             const char *folder, fsh_err *err);

/* gallery add GALLERY PICTURE..., each a file or a folder of files. */
fsh_status fsh_gallery_add(const fsh_gallery_options *options, const char *gallery,
                           const char *const *pictures, uint32_t n, fsh_err *err);

fsh_status fsh_gallery_remove(const char *gallery, const char *const *names, uint32_t n,
                              fsh_err *err);
fsh_status fsh_gallery_list(const fsh_gallery_options *options, const char *gallery, fsh_err *err);

#endif
