// Our shape predictor and dlib's own in turns:  ls PHOTOGRAPHS/*/*.jpg | bench_landmarks MODEL
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>

#include <dlib/image_processing.h>
#include <dlib/opencv/cv_image.h>
#include <opencv2/core.hpp>

extern "C" {
#include "base/files.h"
}
#include "stages/vision/decode.h"
#include "stages/vision/dlib.h"

struct tally {
    size_t faces = 0, different = 0;
    double ours_ms = 0, dlibs_ms = 0;
};

static double
processor_ms()
{
    timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

[[noreturn]] static void
stop(const fsh_err &err)
{
    std::fprintf(stderr, "%s\n", err.text);
    std::exit(3);
}

static void
compare(const fsh_image &image, const fsh_box &box, const fsh_shape *ours,
        const dlib::shape_predictor &theirs, tally &sum)
{
    fsh_err err;
    fsh_point points[68];
    cv::Mat view(image.height, image.width, CV_8UC3, image.data);
    double begin = processor_ms();

    if (fsh_shape_run(ours, &image, &box, points, &err))
        stop(err);
    double middle = processor_ms();
    auto found =
        theirs(dlib::cv_image<dlib::rgb_pixel>(view),
               dlib::rectangle(box.x, box.y, box.x + box.width - 1, box.y + box.height - 1));
    sum.dlibs_ms += processor_ms() - middle;
    sum.ours_ms += middle - begin;
    sum.faces++;
    for (unsigned long i = 0; i < 68; i++)
        sum.different += points[i].x != static_cast<float>(found.part(i).x()) ||
                         points[i].y != static_cast<float>(found.part(i).y());
}

static void
compare_picture(const std::string &path, const fsh_shape *ours, const dlib::shape_predictor &theirs,
                tally &sum)
{
    static fsh_image image;
    fsh_err err;
    fsh_reason reason;
    uint8_t *data;
    size_t n;

    if (fsh_file_read(path.c_str(), 1 << 26, &data, &n, &err) ||
        fsh_decode(data, n, 1 << 26, &image, &reason, &err))
        stop(err);
    std::free(data);
    int32_t side = image.width * 2 / 5, x = (image.width - side) / 2, y = (image.height - side) / 2;
    compare(image, {x, y, side, side}, ours, theirs, sum);
    compare(image, {x + side / 7, y - side / 9, side + side / 4, side}, ours, theirs, sum);
    compare(image, {-side / 2, y, side, side + 3}, ours, theirs, sum);
}

int
main(int argc, char **argv)
{
    fsh_err err;
    fsh_shape *ours;
    dlib::shape_predictor theirs;
    tally sum;
    std::string path;

    if (argc != 2) {
        std::fprintf(stderr, "bench_landmarks MODEL < PATHS\n");
        return 2;
    }
    double begin = processor_ms();
    if (fsh_shape_open(argv[1], &ours, &err))
        stop(err);
    double middle = processor_ms();
    dlib::deserialize(argv[1]) >> theirs;
    std::printf("model read: ours %.2f s, dlib's %.2f s\n", (middle - begin) / 1e3,
                (processor_ms() - middle) / 1e3);
    while (std::getline(std::cin, path))
        compare_picture(path, ours, theirs, sum);
    std::printf("%zu faces: ours %.3f ms, dlib's %.3f ms; %zu points differ\n", sum.faces,
                sum.ours_ms / static_cast<double>(sum.faces),
                sum.dlibs_ms / static_cast<double>(sum.faces), sum.different);
    fsh_shape_close(ours);
    return sum.different != 0;
}
