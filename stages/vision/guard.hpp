/* What every exported function of stages/vision is wrapped in: no exception of C++ reaches C.
 *
 *     extern "C" fsh_status
 *     fsh_something(...) noexcept
 *     {
 *         return guard(err, [&] { ...; return FSH_OK; });
 *     }
 */
#ifndef FSH_STAGES_VISION_GUARD_HPP
#define FSH_STAGES_VISION_GUARD_HPP

#include <exception>
#include <new>
#include <opencv2/core.hpp>

#include "base/image.h"
#include "base/status.h"

namespace fsh
{

template <typename Body>
fsh_status
guard(fsh_err *err, Body body) noexcept
{
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    } catch (const cv::Exception &e) {
        return fsh_fail(err, e.code == cv::Error::StsNoMem ? FSH_MEMORY : FSH_FORMAT, "OpenCV: %s",
                        e.err.c_str());
    } catch (const std::exception &e) {
        return fsh_fail(err, FSH_FORMAT, "%s", e.what());
    } catch (...) {
        return fsh_fail(err, FSH_INTERNAL, "an exception of unknown kind");
    }
}

/* The pixels of a picture as OpenCV sees them; borrowed. */
inline cv::Mat
view(const fsh_image *image)
{
    return cv::Mat(image->height, image->width, CV_8UC(image->channels), image->data);
}

} // namespace fsh
#endif
