/* The pictures that pairs name, as a folder that can be embedded: links to files, or what a .bin
 * set holds. */
#ifndef FSH_CLI_VERIFY_PICTURES_H
#define FSH_CLI_VERIFY_PICTURES_H

#include "base/files.h"
#include "evaluate/bin.h"
#include "evaluate/pairs.h"

/* Makes a folder with a link NAME/NAME_0001.jpg for each picture that is there below images, as
 * NAME/NAME_0001 or NAME_0001 with any ending that pictures have; the others are left out. None at
 * all is IO. With keep, the file that embeddings will be kept in, the folder is KEEP.pictures, so
 * that an interrupted call finds its work again (KEEP.work); without ("") it is a temporary one
 * below $TMPDIR. Its path goes into folder, "" where there is nothing to remove; remove it with
 * fsh_folder_remove, also on failure. */
fsh_status fsh_verify_link_pictures(const fsh_pairs *pairs, const char *images, const char *keep,
                                    char folder[FSH_PATH_BYTES], fsh_err *err);

/* The same with the pictures of a set. */
fsh_status fsh_verify_unpack_pictures(const fsh_bin *set, const char *keep,
                                      char folder[FSH_PATH_BYTES], fsh_err *err);

#endif
