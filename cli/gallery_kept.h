/* The gallery of a folder, which is kept beside it and brought up to date: what has come or was
 * replaced is embedded, what has gone goes. Inside cli/ only. */
#ifndef FSH_CLI_GALLERY_KEPT_H
#define FSH_CLI_GALLERY_KEPT_H

#include "cli/embedded.h"

/* The embeddings of the pictures of input, kept in the file options->output; the caller frees *out
 * with fsh_embeddings_fini. The file is the one that `embed` makes of the same pictures, byte by
 * byte. How they were is kept beside it, under its name with .seen behind it; an input whose
 * samples are no files is told by their names. Fails with what fsh_embedded_get fails with. */
fsh_status fsh_gallery_keep(const char *input, const fsh_embedded_options *options,
                            fsh_embeddings *out, fsh_err *err);

#endif
