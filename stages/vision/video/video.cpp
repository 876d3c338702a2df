/* The library faceshard_video.so; see backend.h. */
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <opencv2/highgui.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "stages/vision/video/backend.h"

namespace
{

struct video {
    cv::VideoCapture capture;
    cv::Mat bgr;
    bool camera;
};

struct writer {
    cv::VideoWriter to;
    cv::Mat bgr;
};

template <typename Body>
int
guard(char *text, size_t room, Body body) noexcept
{
    std::string what = "an exception of unknown kind";
    try {
        return body();
    } catch (const cv::Exception &e) {
        what = e.err;
    } catch (const std::exception &e) {
        what = e.what();
    } catch (...) {
    }
    if (text)
        std::snprintf(text, room, "%s", what.c_str());
    return 1;
}

/* FFmpeg writes what it thinks of a file to standard error. */
void
be_quiet()
{
    setenv("OPENCV_FFMPEG_DEBUG", "1", 1);
    setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 1);
}

/* What is not finite or not of this world is not known. */
double
sane(double value, double most)
{
    return std::isfinite(value) && value > 0 && value <= most ? value : 0;
}

int
open(const char *name, int camera, uint32_t wait_ms, void **out, fsh_video_facts *facts, char *text,
     size_t room)
{
    return guard(text, room, [&] {
        auto *made = new video{{}, {}, !name};
        int wait = static_cast<int>(wait_ms);
        be_quiet();
        bool opened = name ? made->capture.open(name, cv::CAP_FFMPEG,
                                                {cv::CAP_PROP_OPEN_TIMEOUT_MSEC, wait,
                                                 cv::CAP_PROP_READ_TIMEOUT_MSEC, wait})
                           : made->capture.open(camera, cv::CAP_V4L2);
        if (!opened) {
            delete made;
            std::snprintf(text, room, "cannot be opened");
            return 1;
        }
        const cv::VideoCapture &is = made->capture;
        facts->width = static_cast<int32_t>(sane(is.get(cv::CAP_PROP_FRAME_WIDTH), 1 << 15));
        facts->height = static_cast<int32_t>(sane(is.get(cv::CAP_PROP_FRAME_HEIGHT), 1 << 15));
        facts->rate = sane(is.get(cv::CAP_PROP_FPS), 1000);
        facts->frames =
            name ? static_cast<int64_t>(sane(is.get(cv::CAP_PROP_FRAME_COUNT), 1e12)) : 0;
        *out = made;
        return 0;
    });
}

void
close(void *opaque)
{
    guard(nullptr, 0, [&] {
        delete static_cast<video *>(opaque);
        return 0;
    });
}

int
shape(fsh_image *image, int width, int height)
{
    if (image->data && image->width == width && image->height == height && image->channels == 3)
        return 0;
    auto *data = static_cast<uint8_t *>(malloc(static_cast<size_t>(width) * height * 3));
    if (!data)
        return 1;
    free(image->data);
    *image = {data, width, height, 3};
    return 0;
}

cv::Mat
view(const fsh_image *image)
{
    return cv::Mat(image->height, image->width, CV_8UC3, image->data);
}

int
read(void *opaque, fsh_image *image, double *seconds)
{
    return guard(nullptr, 0, [&] {
        video &of = *static_cast<video *>(opaque);
        if (!of.capture.read(of.bgr) || of.bgr.empty() || of.bgr.depth() != CV_8U)
            return 1;
        *seconds = of.camera ? -1 : of.capture.get(cv::CAP_PROP_POS_MSEC) / 1000;
        if (shape(image, of.bgr.cols, of.bgr.rows))
            return 1;
        cv::cvtColor(of.bgr, view(image),
                     of.bgr.channels() == 1 ? cv::COLOR_GRAY2RGB : cv::COLOR_BGR2RGB);
        return 0;
    });
}

int
create(const char *path, double rate, int32_t width, int32_t height, void **out, char *text,
       size_t room)
{
    return guard(text, room, [&] {
        std::string name = path;
        bool avi = name.size() > 4 && name.compare(name.size() - 4, 4, ".avi") == 0;
        auto *made = new writer;
        be_quiet();
        if (!made->to.open(name, avi ? cv::CAP_OPENCV_MJPEG : cv::CAP_FFMPEG,
                           avi ? cv::VideoWriter::fourcc('M', 'J', 'P', 'G')
                               : cv::VideoWriter::fourcc('m', 'p', '4', 'v'),
                           rate, cv::Size(width, height))) {
            delete made;
            std::snprintf(text, room, "cannot be made; videos are .avi, .mp4 or .mkv");
            return 1;
        }
        *out = made;
        return 0;
    });
}

int
write(void *opaque, const fsh_image *image, char *text, size_t room)
{
    return guard(text, room, [&] {
        writer &to = *static_cast<writer *>(opaque);
        cv::cvtColor(view(image), to.bgr, cv::COLOR_RGB2BGR);
        to.to.write(to.bgr);
        return 0;
    });
}

void
finish(void *opaque)
{
    guard(nullptr, 0, [&] {
        delete static_cast<writer *>(opaque);
        return 0;
    });
}

/* Large enough to be read in a picture of this height. */
double
text_scale(const fsh_image *image)
{
    return std::max(0.5, image->height / 800.0);
}

/* Words with a dark border, so that they are seen on any ground; kept inside of the picture. */
void
put_words(fsh_image *image, const char *words, cv::Point at, cv::Scalar colour)
{
    double scale = text_scale(image);
    int below, thick = scale > 0.9 ? 2 : 1;
    cv::Size size = cv::getTextSize(words, cv::FONT_HERSHEY_SIMPLEX, scale, thick, &below);
    cv::Mat pixels = view(image);

    at.x = std::max(2, std::min(at.x, image->width - size.width - 2));
    at.y = std::max(size.height + 2, std::min(at.y, image->height - below - 2));
    cv::putText(pixels, words, at, cv::FONT_HERSHEY_SIMPLEX, scale, cv::Scalar(0, 0, 0), thick + 3,
                cv::LINE_AA);
    cv::putText(pixels, words, at, cv::FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv::LINE_AA);
}

int
mark(fsh_image *image, const fsh_box *box, const uint8_t colour[3], const char *words)
{
    return guard(nullptr, 0, [&] {
        cv::Scalar paint(colour[0], colour[1], colour[2]);
        int thick = std::max(2, image->height / 240);
        int line = static_cast<int>(30 * text_scale(image));
        cv::rectangle(view(image), cv::Rect(box->x, box->y, box->width, box->height), paint, thick);
        put_words(image, words, cv::Point(box->x, box->y + box->height + line), paint);
        return 0;
    });
}

int
caption(fsh_image *image, const char *words)
{
    return guard(nullptr, 0, [&] {
        put_words(image, words, cv::Point(8, 0), cv::Scalar(255, 255, 255));
        return 0;
    });
}

int
show(const char *title, const fsh_image *image, int *key, char *text, size_t room)
{
    return guard(text, room, [&] {
        cv::Mat bgr;
        cv::cvtColor(view(image), bgr, cv::COLOR_RGB2BGR);
        // As large as the picture; Qt would add a bar of buttons.
        static const bool made =
            (cv::namedWindow(title, cv::WINDOW_AUTOSIZE | cv::WINDOW_GUI_NORMAL), true);
        (void)made;
        cv::imshow(title, bgr);
        *key = cv::pollKey();
        return 0;
    });
}

} // namespace

extern "C" __attribute__((visibility("default"))) const fsh_video_backend fsh_video = {
    FSH_VIDEO_FORMAT, open, close, read, create, write, finish, mark, caption, show};
