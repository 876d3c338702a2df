// dlib's shape predictor behind two C functions, for ctypes.
#include <dlib/image_processing.h>

#include <cstdint>

using predictor = dlib::shape_predictor;

extern "C" void *
predictor_open(const char *path)
{
    auto *shape = new predictor;

    dlib::deserialize(path) >> *shape;
    return shape;
}

// rgb: height x width x 3 bytes; points: 68 pairs x, y.
extern "C" void
predictor_run(const void *shape, const uint8_t *rgb, int32_t height, int32_t width, const int32_t box[4], float *points)
{
    dlib::array2d<dlib::rgb_pixel> image(height, width);

    std::memcpy(&image[0][0], rgb, size_t(height) * size_t(width) * 3);
    auto found = (*static_cast<const predictor *>(shape))(image, dlib::rectangle(box[0], box[1], box[2], box[3]));
    for (unsigned long i = 0; i < found.num_parts(); i++) {
        points[2 * i] = float(found.part(i).x());
        points[2 * i + 1] = float(found.part(i).y());
    }
}
