#include "datasets/people/raster.h"

/* Of the camera, in half-widths of a face: about a metre and a half. */
static const float DISTANCE = 20;

void
fsh_camera_turn(fsh_camera *camera, float yaw, float pitch, float roll)
{
    float sy = sinf(yaw), cy = cosf(yaw), sp = sinf(-pitch), cp = cosf(pitch), sr = sinf(roll), cr = cosf(roll);
    fsh_vec3 x = {cy, 0, sy}, y = {sp * sy, cp, -sp * cy}, z = {-cp * sy, sp, cp * cy};

    camera->turn[0] = fsh_vec3_sub(fsh_vec3_scale(x, cr), fsh_vec3_scale(y, sr));
    camera->turn[1] = fsh_vec3_add(fsh_vec3_scale(x, sr), fsh_vec3_scale(y, cr));
    camera->turn[2] = z;
}

static fsh_vec3
rotate(const fsh_camera *camera, fsh_vec3 v)
{
    return (fsh_vec3){fsh_vec3_dot(camera->turn[0], v), fsh_vec3_dot(camera->turn[1], v),
                      fsh_vec3_dot(camera->turn[2], v)};
}

fsh_vec3
fsh_camera_see(const fsh_camera *camera, fsh_vec3 place)
{
    fsh_vec3 p = fsh_vec3_add(rotate(camera, fsh_vec3_sub(place, camera->pivot)), camera->pivot);
    float near = camera->scale * DISTANCE / (DISTANCE - p.z);

    return (fsh_vec3){camera->x + near * p.x, camera->y - near * p.y, p.z};
}

/* A corner of a triangle: a vertex and where it is seen. */
typedef struct corner {
    fsh_vec3 seen, normal, rest;
} corner;

/* Twice the area of the triangle of a, b and (x, y); over 0 where that turns clockwise in the picture. */
static float
area(const corner *a, const corner *b, float x, float y)
{
    return (b->seen.x - a->seen.x) * (y - a->seen.y) - (b->seen.y - a->seen.y) * (x - a->seen.x);
}

static fsh_vec3
blend(fsh_vec3 a, fsh_vec3 b, fsh_vec3 c, float u, float v, float w)
{
    return (fsh_vec3){u * a.x + v * b.x + w * c.x, u * a.y + v * b.y + w * c.y, u * a.z + v * b.z + w * c.z};
}

static void
look(const corner *a, const corner *b, const corner *c, float u, float v, float w, fsh_part part, fsh_sight *sight)
{
    float depth = u * a->seen.z + v * b->seen.z + w * c->seen.z;

    if (depth <= sight->depth)
        return;
    sight->depth = depth;
    sight->part = part;
    sight->rest = blend(a->rest, b->rest, c->rest, u, v, w);
    sight->normal = blend(a->normal, b->normal, c->normal, u, v, w);
}

static int32_t
limit(float x, uint32_t size)
{
    return x < 0 ? 0 : x > (float)(size - 1) ? (int32_t)size - 1 : (int32_t)x;
}

/* A triangle that is seen from outside turns anticlockwise. The inside of a closed sheet is never seen; that of
 * hair is. */
static void
triangle(const corner *a, const corner *b, const corner *c, bool closed, fsh_part part, fsh_sight *sights, uint32_t size)
{
    float all = area(a, b, c->seen.x, c->seen.y);
    int32_t x0 = limit(ceilf(fminf(a->seen.x, fminf(b->seen.x, c->seen.x))), size);
    int32_t x1 = limit(floorf(fmaxf(a->seen.x, fmaxf(b->seen.x, c->seen.x))), size);
    int32_t y0 = limit(ceilf(fminf(a->seen.y, fminf(b->seen.y, c->seen.y))), size);
    int32_t y1 = limit(floorf(fmaxf(a->seen.y, fmaxf(b->seen.y, c->seen.y))), size), x, y;

    if (fabsf(all) < 1e-6f || (closed && all > 0))
        return;
    for (y = y0; y <= y1; y++)
        for (x = x0; x <= x1; x++) {
            float w = area(a, b, (float)x, (float)y) / all, u = area(b, c, (float)x, (float)y) / all, v = 1 - u - w;

            if (u >= 0 && v >= 0 && w >= 0)
                look(a, b, c, u, v, w, part, &sights[(uint32_t)y * size + (uint32_t)x]);
        }
}

static corner
see_corner(const fsh_vertex *v, const fsh_camera *camera)
{
    return (corner){fsh_camera_see(camera, v->place), rotate(camera, v->normal), v->rest};
}

void
fsh_raster_sheet(const fsh_sheet *sheet, fsh_part part, const fsh_camera *camera, fsh_sight *sights, uint32_t size)
{
    uint32_t row, column, columns = sheet->closed ? sheet->columns : sheet->columns - 1;

    for (row = 0; row + 1 < sheet->rows; row++) {
        const fsh_vertex *upper = &sheet->at[row * sheet->columns], *lower = upper + sheet->columns;
        corner a = see_corner(&upper[0], camera), b = see_corner(&lower[0], camera);

        for (column = 0; column < columns; column++) {
            uint32_t next = column + 1 < sheet->columns ? column + 1 : 0;
            corner c = see_corner(&upper[next], camera), d = see_corner(&lower[next], camera);

            triangle(&a, &b, &c, sheet->closed, part, sights, size);
            triangle(&c, &b, &d, sheet->closed, part, sights, size);
            a = c;
            b = d;
        }
    }
}
