/* The library faceshard_torch.so; see backend.h. */
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>

#include "stages/vision/torch/backend.h"

namespace
{

struct network {
    torch::jit::Module module;
    torch::Device device{torch::kCPU};
    std::vector<int64_t> dims;
    std::vector<torch::Tensor> outputs; /* of the last run: contiguous floats in memory */
};

/* libtorch's texts go on with where in its own code they were made. */
int
say(const std::string &what, char *text, size_t room)
{
    std::snprintf(text, room, "%s", what.substr(0, what.find('\n')).c_str());
    return 1;
}

template <typename Body>
int
guard(char *text, size_t room, Body body) noexcept
{
    try {
        body();
        return 0;
    } catch (const c10::Error &e) {
        return say(e.what_without_backtrace(), text, room);
    } catch (const std::exception &e) {
        return say(e.what(), text, room);
    } catch (...) {
        return say("an exception of unknown kind", text, room);
    }
}

void
about(char *text, size_t room)
{
    std::snprintf(text, room, "libtorch %s", TORCH_VERSION);
}

uint32_t
cuda_devices()
{
    return at::hasCUDA() ? static_cast<uint32_t>(at::getNumGPUs()) : 0;
}

/* Parallelism is over pictures, outside. */
void
load(network &net, const char *path, const char *device, const fsh_torch_shape &shape)
{
    at::set_num_threads(1);
    net.device = torch::Device(device);
    net.module = torch::jit::load(path, net.device);
    net.module.eval();
    net.module = torch::jit::freeze(net.module);
    if (net.device.is_cpu())
        net.module = torch::jit::optimize_for_inference(net.module);
    net.dims = {shape.pictures, 3, shape.height, shape.width};
}

int
open(const char *path, const char *device, const fsh_torch_shape *shape, void **net, char *text,
     size_t room)
{
    return guard(text, room, [&] {
        auto made = std::make_unique<network>();
        load(*made, path, device, *shape);
        *net = made.release();
    });
}

void
close(void *net)
{
    delete static_cast<network *>(net);
}

torch::Tensor
in_memory(const torch::jit::IValue &value, int64_t pictures)
{
    if (!value.isTensor())
        throw std::runtime_error("an output is not a tensor");
    torch::Tensor made = value.toTensor().to(torch::kCPU, torch::kFloat32).contiguous();
    if (made.dim() < 1 || made.size(0) != pictures)
        throw std::runtime_error("an output is not for each picture");
    return made;
}

/* A tensor, or a tuple or list of them. */
std::vector<torch::Tensor>
tensors_of(const torch::jit::IValue &value, int64_t pictures)
{
    std::vector<torch::Tensor> all;
    if (value.isTuple())
        for (const torch::jit::IValue &one : value.toTupleRef().elements())
            all.push_back(in_memory(one, pictures));
    else if (value.isTensorList())
        for (const torch::Tensor &one : value.toTensorVector())
            all.push_back(in_memory(one, pictures));
    else
        all.push_back(in_memory(value, pictures));
    return all;
}

int
run(void *opaque, const float *input, fsh_tensor *outputs, uint32_t n, char *text, size_t room)
{
    return guard(text, room, [&] {
        network &net = *static_cast<network *>(opaque);
        c10::InferenceMode no_gradients;
        /* from_blob takes what is not const, and changes nothing. */
        torch::Tensor given = torch::from_blob(const_cast<float *>(input), net.dims);
        net.outputs = tensors_of(net.module.forward({given.to(net.device)}), net.dims[0]);
        if (net.outputs.size() != n)
            throw std::runtime_error(std::to_string(net.outputs.size()) + " outputs instead of " +
                                     std::to_string(n));
        for (uint32_t i = 0; i < n; i++)
            outputs[i] = {net.outputs[i].data_ptr<float>(),
                          static_cast<size_t>(net.outputs[i].numel() / net.dims[0])};
    });
}

} // namespace

extern "C" __attribute__((visibility("default")))
const fsh_torch_backend fsh_torch = {FSH_TORCH_FORMAT, about, cuda_devices, open, close, run};
