#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <opencv2/dnn.hpp>

extern "C" {
#include "stages/models.h"
}
#include "stages/vision/guard.hpp"
#include "stages/vision/cvnet.h"

using fsh::guard;

struct fsh_cvnet {
    cv::dnn::Net net;
    std::string file, input;
    std::vector<cv::String> outputs;
    std::vector<cv::Mat> results; /* what the tensors of the last run point to */
    cv::Mat blob;                 /* pictures x 3 x height x width */
    int pictures, width, height;
    float mean[3], scale[3]; /* of the planes of the blob */
    int channel[3];          /* of the picture, for each plane */
};

static std::vector<cv::String>
split(const char *names)
{
    std::vector<cv::String> list;
    std::istringstream stream(names);
    std::string name;
    while (std::getline(stream, name, ','))
        list.push_back(name.substr(name.find_first_not_of(' ')));
    return list;
}

extern "C" fsh_status
fsh_cvnet_open(const fsh_card *card, uint32_t pictures, fsh_cvnet **net, fsh_err *err)
{
    fsh_status status = guard(err, [&] {
        auto made = std::make_unique<fsh_cvnet>();
        made->net = cv::dnn::readNet(card->file_path, card->config_path);
        made->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        made->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        made->file = card->file_path;
        made->input = card->input;
        made->outputs = split(card->outputs);
        if (made->outputs.empty())
            made->outputs = made->net.getUnconnectedOutLayersNames();
        made->pictures = static_cast<int>(pictures);
        made->width = static_cast<int>(card->width);
        made->height = static_cast<int>(card->height);
        made->blob.create(std::vector<int>{made->pictures, 3, made->height, made->width}, CV_32F);
        for (int plane = 0; plane < 3; plane++) {
            made->mean[plane] = static_cast<float>(fsh_card_channel(&card->mean, plane));
            made->scale[plane] = static_cast<float>(fsh_card_channel(&card->scale, plane));
            made->channel[plane] = card->channels == 0 ? plane : 2 - plane;
        }
        *net = made.release();
        return FSH_OK;
    });
    return status == FSH_FORMAT ? fsh_fail_within(err, FSH_MODEL, "%s", card->file_path) : status;
}

extern "C" void
fsh_cvnet_close(fsh_cvnet *net)
{
    delete net;
}

static void
fill_blob(fsh_cvnet *net, size_t number, const fsh_image *picture)
{
    size_t pixels = static_cast<size_t>(net->width) * static_cast<size_t>(net->height);
    for (size_t plane = 0; plane < 3; plane++) {
        float *to = net->blob.ptr<float>() + (3 * number + plane) * pixels;
        const uint8_t *from = picture->data + net->channel[plane];
        float mean = net->mean[plane], scale = net->scale[plane];
        for (size_t i = 0; i < pixels; i++)
            to[i] = (from[3 * i] - mean) * scale;
    }
}

/* Where there are fewer pictures than the net is for, the last one is repeated. */
static fsh_status
fill_all(fsh_cvnet *net, const fsh_image *const *pictures, uint32_t count, fsh_err *err)
{
    uint32_t all = static_cast<uint32_t>(net->pictures);
    if (count < 1 || count > all)
        return fsh_fail(err, FSH_INTERNAL, "%u pictures at once", count);
    for (uint32_t i = 0; i < all; i++) {
        const fsh_image *picture = pictures[i < count ? i : count - 1];
        if (picture->width != net->width || picture->height != net->height ||
            picture->channels != 3)
            return fsh_fail(err, FSH_INTERNAL, "a picture of another size than the network's");
        fill_blob(net, i, picture);
    }
    return FSH_OK;
}

extern "C" fsh_status
fsh_cvnet_run(fsh_cvnet *net, const fsh_image *const *pictures, uint32_t count, fsh_tensor *outputs,
              uint32_t n, fsh_err *err)
{
    fsh_status status = guard(err, [&] {
        if (net->outputs.size() != n)
            return fsh_fail(err, FSH_MODEL, "%zu outputs instead of %u", net->outputs.size(), n);
        fsh_status filled = fill_all(net, pictures, count, err);
        if (filled)
            return filled;
        net->net.setInput(net->blob, net->input);
        net->net.forward(net->results, net->outputs);
        for (uint32_t i = 0; i < n; i++) {
            const cv::Mat &result = net->results.at(i);
            if (result.type() != CV_32F || !result.isContinuous())
                return fsh_fail(err, FSH_MODEL, "an output is not of 32-bit floats");
            outputs[i] = {result.ptr<float>(), result.total() / static_cast<size_t>(net->pictures)};
        }
        return FSH_OK;
    });
    if (status == FSH_FORMAT)
        status = FSH_MODEL;
    return status ? fsh_fail_within(err, status, "%s", net->file.c_str()) : FSH_OK;
}

extern "C" void
fsh_cvnet_about(char *text, size_t room)
{
    snprintf(text, room, "OpenCV %s, float32", CV_VERSION);
}
