#include "stages/frame.h"

#include <math.h>

static const float eyes_mm = 63, camera_mm = 900;

/* Lenses of usual glasses stand a ninth further apart than eyes; fronts bend back by 9 degrees,
 * lean in by 7, and keep clear of the lashes. */
static const float lenses_wider = 1.11f, bend = 0.08f, lean = 0.12f, clearance_mm = 12,
                   rest_mm = 2.5f;

/* Wider heads wear wider frames, by half of what they are wider. */
static const float temples_mm = 128;

/* Depth of the nose's ridge at a height. */
static float
ridge_at(const fsh_head *head, float y)
{
    const fsh_vec3 *ridge = head->points + 27;
    int i = 0;

    while (i < 2 && y > ridge[i + 1].y)
        i++;
    return ridge[i].z + fsh_clampf((y - ridge[i].y) / fmaxf(ridge[i + 1].y - ridge[i].y, 1), 0, 1) *
                            (ridge[i + 1].z - ridge[i].z);
}

/* Mean distance between the landmarks of eyes and upper nose and where the head has them. */
static fsh_point
measure_shift(const fsh_head *head, const fsh_point *landmarks)
{
    static const int first = 36, last = 47, nose = 27;
    fsh_point sum = {0, 0};
    int i, n = 0;

    for (i = nose; i <= last; i = i == nose ? first : i + 1, n++) {
        fsh_point seen = fsh_head_see(head, head->points[i]);

        sum.x += landmarks[i].x - seen.x;
        sum.y += landmarks[i].y - seen.y;
    }
    return (fsh_point){sum.x / (float)n, sum.y / (float)n};
}

void
fsh_frame_place(const fsh_head *head, const fsh_point *landmarks, const fsh_point *anchors,
                const fsh_frame_fit *fit, fsh_frame *frame)
{
    float temples =
        fsh_head_part(head, FSH_HEAD_RIGHT_TEMPLE).x - fsh_head_part(head, FSH_HEAD_LEFT_TEMPLE).x;
    float wide = fsh_clampf(0.5f + 0.5f * temples / temples_mm, 0.9f, 1.1f), bridge;

    frame->head = head;
    frame->middle =
        (fsh_point){anchors[FSH_FRAME_BRIDGE].x,
                    (anchors[FSH_FRAME_LEFT_LENS].y + anchors[FSH_FRAME_RIGHT_LENS].y) / 2};
    frame->half =
        fmaxf(fabsf(anchors[FSH_FRAME_RIGHT_LENS].x - anchors[FSH_FRAME_LEFT_LENS].x) / 2, 1);
    frame->step = lenses_wider * eyes_mm / 2 * wide * fit->scale;
    frame->sine = sinf(fit->tilt);
    frame->cosine = cosf(fit->tilt);
    frame->seat = (fsh_vec3){head->points[27].x, fit->drop * eyes_mm, 0};
    bridge =
        frame->seat.y + frame->step * (anchors[FSH_FRAME_BRIDGE].y - frame->middle.y) / frame->half;
    frame->seat.z = fmaxf(ridge_at(head, bridge) + rest_mm, clearance_mm);
    frame->shift = measure_shift(head, landmarks);
}

static fsh_vec3
spot(const fsh_frame *frame, fsh_point point)
{
    float flat_x = (point.x - frame->middle.x) / frame->half,
          flat_y = (point.y - frame->middle.y) / frame->half;
    float x = frame->cosine * flat_x - frame->sine * flat_y,
          y = frame->sine * flat_x + frame->cosine * flat_y;

    return (fsh_vec3){frame->seat.x + frame->step * x, frame->seat.y + frame->step * y,
                      frame->seat.z - frame->step * (bend * x * x + lean * y)};
}

fsh_point
fsh_frame_see(const fsh_frame *frame, fsh_point point)
{
    fsh_vec3 seen = fsh_head_see_deep(frame->head, spot(frame, point));
    fsh_vec3 seat = fsh_head_see_deep(frame->head, frame->seat);
    float nearer = 1 + (seen.z - seat.z) / (camera_mm * frame->head->scale);

    return (fsh_point){seat.x + nearer * (seen.x - seat.x) + frame->shift.x,
                       seat.y + nearer * (seen.y - seat.y) + frame->shift.y};
}

fsh_point
fsh_frame_see_head(const fsh_frame *frame, fsh_head_place place)
{
    fsh_point seen = fsh_head_see(frame->head, fsh_head_part(frame->head, place));

    return (fsh_point){seen.x + frame->shift.x, seen.y + frame->shift.y};
}
