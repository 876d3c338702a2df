/* Colours as whole numbers: four channels side by side in one, each in 256ths of 0 to 255, so that
 * the weighted sum of pixels takes one multiplication a pixel; and how they are lit and drawn over
 * what is there. Whole numbers are the same on every machine.
 *
 *     fsh_sampler_set(&sampler, template, level);
 *     colour = fsh_sampler_take(&sampler, (fsh_point){x, y});
 *     if (fsh_texel_alpha(colour))
 *         fsh_texel_paint(colour, &tint, pixel);
 */
#ifndef FSH_STAGES_TEXEL_H
#define FSH_STAGES_TEXEL_H

#include "stages/templates.h"

typedef uint64_t fsh_texel; /* premultiplied; from the lowest 16 bits: red, blue, green, alpha */

enum { FSH_TINT_ONE = 4096, FSH_SATURATION_ONE = 256 };

/* What a colour is multiplied with after it was drawn towards grey. */
typedef struct fsh_tint {
    int32_t gain[3]; /* FSH_TINT_ONE leaves it as it is */
    int32_t saturation;
} fsh_tint;

/* A template, seen at a level between two kept ones. */
typedef struct fsh_sampler {
    const fsh_image *levels[2];
    float scales[2], offsets[2]; /* from pixels of the file to 256ths of a pixel of the level */
    uint32_t shares[2];          /* of both levels, 256 together */
} fsh_sampler;

static inline int32_t
fsh_texel_red(fsh_texel colour)
{
    return (int32_t)(colour & 0xffff);
}

static inline int32_t
fsh_texel_green(fsh_texel colour)
{
    return (int32_t)(colour >> 32 & 0xffff);
}

static inline int32_t
fsh_texel_blue(fsh_texel colour)
{
    return (int32_t)(colour >> 16 & 0xffff);
}

static inline int32_t
fsh_texel_alpha(fsh_texel colour)
{
    return (int32_t)(colour >> 48);
}

static inline fsh_texel
fsh_texel_make(const float rgba[4])
{
    uint64_t parts[4];
    int c;

    for (c = 0; c < 4; c++)
        parts[c] = (uint64_t)(256 * fsh_clampf(rgba[c], 0, 255));
    return parts[0] | parts[2] << 16 | parts[1] << 32 | parts[3] << 48;
}

static inline fsh_tint
fsh_tint_make(const float gain[3], float saturation)
{
    fsh_tint tint = {.saturation = (int32_t)(FSH_SATURATION_ONE * saturation + 0.5f)};
    int c;

    for (c = 0; c < 3; c++)
        tint.gain[c] = (int32_t)(FSH_TINT_ONE * fsh_clampf(gain[c], 0, 4) + 0.5f);
    return tint;
}

/* One channel, lit and drawn over what is there; never brighter than its alpha allows. */
static inline uint8_t
fsh_texel_over(int32_t value, int32_t gain, int32_t alpha, uint8_t under)
{
    uint32_t lit = ((uint32_t)value * (uint32_t)gain + FSH_TINT_ONE / 2) / FSH_TINT_ONE;

    lit = lit < (uint32_t)alpha ? lit : (uint32_t)alpha;
    if (under)
        lit += under * (65280 - (uint32_t)alpha) / 255;
    return (uint8_t)((lit + 127) / 256);
}

/* Draws a colour over a pixel. */
static inline void
fsh_texel_paint(fsh_texel colour, const fsh_tint *tint, uint8_t *pixel)
{
    int32_t red = fsh_texel_red(colour), green = fsh_texel_green(colour),
            blue = fsh_texel_blue(colour), alpha = fsh_texel_alpha(colour);

    if (tint->saturation != FSH_SATURATION_ONE) {
        int32_t grey = (77 * red + 150 * green + 29 * blue) / 256, keep = tint->saturation;

        red = grey + keep * (red - grey) / FSH_SATURATION_ONE;
        green = grey + keep * (green - grey) / FSH_SATURATION_ONE;
        blue = grey + keep * (blue - grey) / FSH_SATURATION_ONE;
    }
    pixel[0] = fsh_texel_over(red, tint->gain[0], alpha, pixel[0]);
    pixel[1] = fsh_texel_over(green, tint->gain[1], alpha, pixel[1]);
    pixel[2] = fsh_texel_over(blue, tint->gain[2], alpha, pixel[2]);
    pixel[3] = fsh_texel_over(alpha, FSH_TINT_ONE, alpha, pixel[3]);
}

/* The four bytes of a pixel, each in a lane of 16 bits. */
static inline fsh_texel
fsh_texel_load(const uint8_t *pixel)
{
    uint32_t all = (uint32_t)pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16 |
                   (uint32_t)pixel[3] << 24;

    return (all & 0x00ff00ffu) | (uint64_t)(all >> 8 & 0x00ff00ffu) << 32;
}

/* Between a pixel, the one beside it and those below, fx and fy 256ths from it. */
static inline fsh_texel
fsh_texel_between(const uint8_t *above, const uint8_t *below, uint32_t fx, uint32_t fy)
{
    uint32_t both = (fx * fy + 128) >> 8; /* with the other three it makes 256 */

    return (256 - fx - fy + both) * fsh_texel_load(above) +
           (fx - both) * fsh_texel_load(above + 4) + (fy - both) * fsh_texel_load(below) +
           both * fsh_texel_load(below + 4);
}

/* Red, green and blue become a pixel of three bytes. */
static inline void
fsh_texel_store(fsh_texel colour, uint8_t *pixel)
{
    pixel[0] = (uint8_t)((fsh_texel_red(colour) + 127) >> 8);
    pixel[1] = (uint8_t)((fsh_texel_green(colour) + 127) >> 8);
    pixel[2] = (uint8_t)((fsh_texel_blue(colour) + 127) >> 8);
}

void fsh_sampler_set(fsh_sampler *sampler, const fsh_template *template, float level);

/* The template at a place in pixels of its file; nothing outside of it. */
fsh_texel fsh_sampler_take(const fsh_sampler *sampler, fsh_point at);

#endif
