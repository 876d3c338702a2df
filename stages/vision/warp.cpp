#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "stages/vision/codec.h"
#include "stages/vision/decode.h"
#include "stages/vision/guard.hpp"

using fsh::guard;
using fsh::view;

namespace
{

/* The part of a width x height picture that a target of `size` sees through `inverse`, with
 * `margin` pixels around; may be empty. Cutting it out first keeps large pictures cheap, and inside
 * the 32767 pixels that OpenCV's warp can address. */
cv::Rect
seen(const fsh_affine &inverse, cv::Size size, int margin, const fsh_image *src)
{
    float left = 1e9f, top = 1e9f, right = -1e9f, bottom = -1e9f;
    for (int corner = 0; corner < 4; corner++) {
        fsh_point at = {corner & 1 ? static_cast<float>(size.width) : 0,
                        corner & 2 ? static_cast<float>(size.height) : 0};
        fsh_point from = fsh_affine_apply(&inverse, at);
        left = std::min(left, from.x);
        right = std::max(right, from.x);
        top = std::min(top, from.y);
        bottom = std::max(bottom, from.y);
    }
    auto bound = [&](float v, int limit) {
        return static_cast<int>(fsh_clampf(v, 0, static_cast<float>(limit)));
    };
    float reach = static_cast<float>(margin);
    int x = bound(std::floor(left) - reach, src->width);
    int y = bound(std::floor(top) - reach, src->height);
    int x2 = bound(std::ceil(right) + reach + 1, src->width);
    int y2 = bound(std::ceil(bottom) + reach + 1, src->height);
    return cv::Rect(x, y, x2 - x, y2 - y);
}

/* The map from the stretched part to the part: pixel edges stay on pixel edges. */
fsh_affine
unstretch(cv::Rect part, cv::Size stretched)
{
    double sx = static_cast<double>(part.width) / stretched.width;
    double sy = static_cast<double>(part.height) / stretched.height;
    return {{sx, 0, part.x + 0.5 * sx - 0.5, 0, sy, part.y + 0.5 * sy - 0.5}};
}

} // namespace

extern "C" fsh_status
fsh_image_warp(const fsh_image *src, const fsh_affine *map, int32_t width, int32_t height,
               fsh_border border, fsh_image *dst)
{
    return guard(nullptr, [&] {
        fsh_affine inverse, from_stretched, stretched_to_dst, back;
        if (fsh_affine_invert(map, &inverse))
            return FSH_FORMAT;
        fsh_status status = fsh_image_shape(dst, width, height, src->channels);
        if (status)
            return status;
        const double *m = inverse.m;
        int shrink = std::max(1, static_cast<int>(std::sqrt(std::fabs(m[0] * m[4] - m[1] * m[3]))));
        cv::Mat target = view(dst);
        /* A replicated border needs the edge of the picture even where nothing of it is seen. */
        cv::Rect part = seen(inverse, target.size(), 2 * shrink + 1, src);
        if (part.empty() && border == FSH_BORDER_BLACK) {
            target.setTo(0);
            return FSH_OK;
        }
        if (part.empty())
            part = cv::Rect(0, 0, src->width, src->height);
        cv::Mat pixels = view(src)(part), averaged;
        if (shrink > 1) {
            cv::Size size(std::max(1, part.width / shrink), std::max(1, part.height / shrink));
            cv::resize(pixels, averaged, size, 0, 0, cv::INTER_AREA);
            pixels = averaged;
        }
        from_stretched = unstretch(part, pixels.size());
        stretched_to_dst = fsh_affine_then(&from_stretched, map);
        if (fsh_affine_invert(&stretched_to_dst, &back))
            return FSH_FORMAT;
        cv::warpAffine(pixels, target, cv::Mat(2, 3, CV_64F, back.m), target.size(),
                       cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                       border == FSH_BORDER_BLACK ? cv::BORDER_CONSTANT : cv::BORDER_REPLICATE);
        return FSH_OK;
    });
}

extern "C" fsh_status
fsh_image_resize(const fsh_image *src, int32_t width, int32_t height, fsh_image *dst)
{
    return guard(nullptr, [&] {
        fsh_status status = fsh_image_shape(dst, width, height, src->channels);
        if (status)
            return status;
        bool shrinks = width < src->width || height < src->height;
        cv::resize(view(src), view(dst), {width, height}, 0, 0,
                   shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
        return FSH_OK;
    });
}
