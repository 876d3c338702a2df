/* ONNX files: any bytes are refused with a text, or are a network that is made into steps or refused. */
#include "tests/fuzz/network.h"

#include "stages/inference/onnx.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    return fuzz_graph(data, bytes, fsh_onnx_read);
}
