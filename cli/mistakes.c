#include "cli/mistakes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "evaluate/sheet.h"
#include "stages/vision/decode.h"

enum { COLUMNS = 3, SIDE = 160, MANY = 6 /* more of them stand three in a line */ };

static fsh_status
place(fsh_sheet_cell *cell, char path[FSH_PATH_BYTES], const char *folder, const char *source,
      fsh_frame frame, fsh_err *err)
{
    *cell = (fsh_sheet_cell){path, frame};
    return fsh_path_join(path, source[0] == '/' ? "" : folder, source, err);
}

static fsh_status
place_mistake(const fsh_identification *of, const char *gallery_folder, const char *probes_folder,
              uint32_t probe, fsh_sheet_cell *cells, char (*paths)[FSH_PATH_BYTES], fsh_err *err)
{
    const fsh_outcome *outcome = &of->outcomes[probe];
    fsh_status status =
        place(&cells[0], paths[0], probes_folder, of->probes->sources[probe], FSH_FRAME_NONE, err);

    if (!status)
        status = place(&cells[1], paths[1], gallery_folder,
                       of->gallery->sources[outcome->nearest_row], FSH_FRAME_WRONG, err);
    if (!status && outcome->person != FSH_PEOPLE_NONE)
        status = place(&cells[2], paths[2], gallery_folder, of->gallery->sources[outcome->own_row],
                       FSH_FRAME_RIGHT, err);
    return status;
}

fsh_status
fsh_mistakes_draw(const fsh_identification *of, const char *gallery_folder,
                  const char *probes_folder, uint32_t mistakes_n, const char *png, fsh_err *err)
{
    uint32_t n = of->mistakes_n < mistakes_n ? (uint32_t)of->mistakes_n : mistakes_n,
             unreadable = 0, i;
    fsh_sheet_cell *cells = calloc((size_t)n * COLUMNS + 1, sizeof *cells);
    char(*paths)[FSH_PATH_BYTES] = malloc(((size_t)n * COLUMNS + 1) * sizeof *paths);
    const fsh_sheet_layout layout = {n, COLUMNS, n > MANY ? 3 : 1, SIDE};
    fsh_status status = cells && paths ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    for (i = 0; i < n && !status; i++)
        status = place_mistake(of, gallery_folder, probes_folder, of->mistakes[i],
                               cells + (size_t)i * COLUMNS, paths + (size_t)i * COLUMNS, err);
    fsh_vision_init();
    if (!status)
        status = fsh_sheet_write(png, cells, &layout, &unreadable, err);
    if (!status && unreadable)
        fprintf(stderr, "%s: %u pictures could not be read below %s and %s\n", png, unreadable,
                gallery_folder, probes_folder);
    free(cells);
    free(paths);
    return status;
}
