/* A copy of what the coordinator has shown, and the view that is made of such copies one after the
 * other. Pure: the time is an argument. live.c alone includes this, and its test. */
#ifndef FSH_PAGE_SIGHTED_H
#define FSH_PAGE_SIGHTED_H

#include "coordinator/coordinator.h"
#include "page/view.h"

/* A zeroed struct is empty. */
typedef struct fsh_sighted {
    fsh_coordinator_totals totals;
    fsh_view_worker *workers;
    uint32_t workers_n, workers_room, states_n;
    uint8_t *states;
    bool draining, there;
} fsh_sighted;

/* False: no memory, and the copy is empty. */
bool fsh_sighted_copy(fsh_sighted *to, const fsh_coordinator_sight *sight);
void fsh_sighted_fini(fsh_sighted *sighted);

/* What is remembered from one look to the next. Zeroed: nothing. */
typedef struct fsh_course {
    bool begun;
    double lost; /* workers, so far */
    struct {
        double at_s, samples, images;
    } marks[64]; /* of the last minute, a ring */
    uint32_t marks_n;
    double point_s;       /* when the next point of the curve is due */
    double point_samples; /* and how many there were at the last one */
} fsh_course;

/* Brings the view up to date. now_s: seconds since the run began. */
void fsh_course_follow(fsh_course *course, const fsh_sighted *sighted, double now_s,
                       fsh_view *view);

#endif
