#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <vector>

#include <dlib/revision.h>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "stages/vision/codec.h"
#include "stages/vision/decode.h"
#include "stages/vision/guard.hpp"

using fsh::guard;
using fsh::view;

static int
say_nothing(int, const char *, const char *, const char *, int, void *)
{
    return 0;
}

/* OpenCV writes some texts straight to std::cerr; the program is C and uses stderr, so that stream
 * is nobody else's. */
extern "C" void
fsh_vision_init(void)
{
    guard(nullptr, [] {
        cv::setNumThreads(1);
        cv::redirectError(say_nothing);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        std::cerr.setstate(std::ios::failbit);
        return FSH_OK;
    });
}

/* TurboJPEG 2 has no call and no macro that tells its version. */
extern "C" void
fsh_vision_about(char *text, size_t bytes)
{
    snprintf(text, bytes, "OpenCV %s, dlib %d.%d, TurboJPEG 2", CV_VERSION, DLIB_MAJOR_VERSION,
             DLIB_MINOR_VERSION);
}

/* To 8 bits and RGB or RGBA, whatever the file held. */
static void
spread(const cv::Mat &from, bool with_alpha, const cv::Mat &to)
{
    cv::Mat bytes = from;

    if (from.depth() == CV_16U)
        from.convertTo(bytes, CV_8U, 1 / 257.0);
    else if (from.depth() != CV_8U)
        CV_Error(cv::Error::BadDepth, "not 8 or 16 bits");
    int code = bytes.channels() == 1   ? cv::COLOR_GRAY2RGB
               : bytes.channels() == 3 ? cv::COLOR_BGR2RGB
               : with_alpha            ? cv::COLOR_BGRA2RGBA
                                       : cv::COLOR_BGRA2RGB;
    cv::cvtColor(bytes, to, code);
}

extern "C" fsh_status
fsh_opencv_decode(const uint8_t *data, size_t bytes, const fsh_header *header, fsh_image *out,
                  fsh_err *err)
{
    return guard(err, [&] {
        if (bytes > INT32_MAX)
            return fsh_fail(err, FSH_FORMAT, "%s: over 2 GiB", header->format);
        cv::Mat raw(1, static_cast<int>(bytes), CV_8UC1, const_cast<uint8_t *>(data));
        cv::Mat decoded = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
        if (decoded.empty() || decoded.cols != static_cast<int>(header->width) ||
            decoded.rows != static_cast<int>(header->height))
            return fsh_fail(err, FSH_FORMAT, "%s: damaged", header->format);
        bool alpha = decoded.channels() == 4 && !header->alpha_means_nothing;
        fsh_status status = fsh_image_shape(out, decoded.cols, decoded.rows, alpha ? 4 : 3);
        if (!status)
            spread(decoded, alpha, view(out));
        return status;
    });
}

extern "C" fsh_status
fsh_encode_png(const fsh_image *image, uint8_t **data, size_t *bytes, fsh_err *err)
{
    return guard(err, [&] {
        const cv::Mat pixels = view(image);
        cv::Mat swapped;
        std::vector<uchar> encoded;
        if (image->channels > 1)
            cv::cvtColor(pixels, swapped,
                         image->channels == 3 ? cv::COLOR_RGB2BGR : cv::COLOR_RGBA2BGRA);
        if (!cv::imencode(".png", image->channels > 1 ? swapped : pixels, encoded,
                          {cv::IMWRITE_PNG_COMPRESSION, 6}))
            return fsh_fail(err, FSH_INTERNAL, "PNG: cannot be encoded");
        auto *copy = static_cast<uint8_t *>(malloc(encoded.size()));
        if (!copy)
            return fsh_fail(err, FSH_MEMORY, "no memory for a PNG");
        memcpy(copy, encoded.data(), encoded.size());
        *data = copy;
        *bytes = encoded.size();
        return FSH_OK;
    });
}
