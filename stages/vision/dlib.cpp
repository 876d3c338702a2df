#include <algorithm>
#include <utility>
#include <vector>

#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/opencv/cv_image.h>

#include "stages/vision/dlib.h"
#include "stages/vision/guard.hpp"

using fsh::guard;

struct fsh_hog {
    dlib::frontal_face_detector detector;
};

/* cv_image only looks at the bytes, so RGB order is fine. */
static dlib::cv_image<dlib::rgb_pixel>
pixels(const fsh_image *image)
{
    return dlib::cv_image<dlib::rgb_pixel>(fsh::view(image));
}

extern "C" fsh_status
fsh_hog_open(fsh_hog **hog, fsh_err *err)
{
    return guard(err, [&] {
        *hog = new fsh_hog{dlib::get_frontal_face_detector()};
        return FSH_OK;
    });
}

extern "C" void
fsh_hog_close(fsh_hog *hog)
{
    delete hog;
}

extern "C" fsh_status
fsh_hog_run(fsh_hog *hog, const fsh_image *image, double threshold, fsh_hog_face *faces,
            uint32_t capacity, uint32_t *n, fsh_err *err)
{
    return guard(err, [&] {
        std::vector<std::pair<double, dlib::rectangle>> found;
        hog->detector(pixels(image), found, threshold);
        *n = static_cast<uint32_t>(std::min<size_t>(found.size(), capacity));
        for (uint32_t i = 0; i < *n; i++) {
            const dlib::rectangle &box = found[i].second;
            faces[i].score = static_cast<float>(found[i].first);
            faces[i].box = {static_cast<int32_t>(box.left()), static_cast<int32_t>(box.top()),
                            static_cast<int32_t>(box.width()), static_cast<int32_t>(box.height())};
        }
        return FSH_OK;
    });
}
