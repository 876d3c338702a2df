/* A clean list: only the samples that it names are kept, of any input. A text with a line for each
 * sample, in which its source stands (m.0107_f/12-FaceId-0.jpg), alone or beside other columns,
 * which are separated by tabs or, where there are none, by blanks: the column with a slash is
 * taken. Endings of pictures do not count. A name RANK without a face keeps all faces of that rank.
 */
#ifndef FSH_DATASETS_KEEP_H
#define FSH_DATASETS_KEEP_H

#include "datasets/reader.h"

/* Scans the input and passes on what the list names; identities without such a sample are left out,
 * and what is left out is counted as ignored. keep: path of the list; "": everything is kept. A
 * list that names nothing of the input is USAGE. Memory: 8 bytes a line. */
fsh_status fsh_scan_kept(const fsh_reader *reader, const char *input, const char *keep,
                         const fsh_scan_sink *sink, fsh_err *err);

#endif
