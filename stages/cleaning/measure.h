/* How alike people are in this crowd: what likeness.h needs, from all pictures or a fixed sample.
 */
#ifndef FSH_STAGES_CLEANING_MEASURE_H
#define FSH_STAGES_CLEANING_MEASURE_H

#include "stages/cleaning/homes.h"

/* From pairs of pictures, labels taken as they are: a first estimate that few wrong labels do not
 * move. MEMORY. */
fsh_status fsh_measure_pictures(fsh_homes *homes);

/* From clusters, which have hardly a wrong picture in them; with the grades of pictures. MEMORY. */
fsh_status fsh_measure_clusters(fsh_homes *homes);

/* No cluster of the identity has more pictures. */
bool fsh_homes_is_largest(const fsh_homes *homes, uint32_t cluster);

/* The cluster that is the identity's person, or FSH_NOBODY. */
uint32_t fsh_homes_choose(const fsh_homes *homes, uint32_t identity);

#endif
