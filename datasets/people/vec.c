#include "datasets/people/vec.h"

static float
at(int32_t x, int32_t y, uint32_t key)
{
    uint32_t h = (uint32_t)x * 0x8DA6B343u ^ (uint32_t)y * 0xD8163841u ^ key * 0xCB1AB31Fu;

    h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
    h = (h ^ (h >> 12)) * 0x297A2D39u;
    return (float)((h ^ (h >> 15)) >> 8) * (1.0f / 16777216.0f);
}

float
fsh_noise2(float x, float y, uint32_t key)
{
    int32_t i = (int32_t)x - (x < 0), k = (int32_t)y - (y < 0);
    float u = x - (float)i, v = y - (float)k;

    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    return fsh_mixf(fsh_mixf(at(i, k, key), at(i + 1, k, key), u),
                    fsh_mixf(at(i, k + 1, key), at(i + 1, k + 1, key), u), v);
}
