"""The same networks by libtorch, beside bench_inference: TorchScript, frozen and optimised for inference (mkldnn).

    /usr/bin/python3 bench/inference/peer_torch.py PICTURE NAME=FILE.pt:SIDE...

A line for every batch and number of threads, in the form of bench_inference. Two threads are torch's own: they share a
picture, where bench_inference gives each a picture of its own."""
import sys
import time

import cv2
import torch

ROUNDS, PICTURES = 5, 32


def load(path, example):
    """What optimize_for_inference does not take is frozen only."""
    module = torch.jit.load(path).eval()
    if hasattr(module, "training"):
        module = torch.jit.freeze(module)
    module = torch.jit.optimize_for_inference(module)
    for _ in range(3):  # compiles
        module(example)
    return module


def measure(module, example):
    """Milliseconds a picture of wall and of processor, the best round."""
    batch = example.shape[0]
    best = [float("inf")] * 2
    for _ in range(ROUNDS):
        begun = time.perf_counter(), time.process_time()
        for _ in range(PICTURES // batch):
            module(example)
        passed = time.perf_counter() - begun[0], time.process_time() - begun[1]
        best = [min(a, 1e3 * b / PICTURES) for a, b in zip(best, passed)]
    return best


def main(picture, networks):
    image = cv2.imread(picture)
    for network in networks:
        name, file = network.split("=", 1)
        path, side = file.rsplit(":", 1)
        plane = cv2.resize(image, (int(side), int(side)))[:, :, ::-1].copy()
        one = torch.from_numpy(plane).permute(2, 0, 1).float().div(255).contiguous()
        for batch in (1, 4, 16):
            for threads in (1, 2):
                torch.set_num_threads(threads)
                example = one.expand(batch, -1, -1, -1).contiguous()
                with torch.inference_mode():
                    wall, processor = measure(load(path, example), example)
                print(f"{name:20} torch    batch {batch:2d} threads {threads}  {wall:7.2f} ms of wall, {processor:7.2f} ms of processor",
                      flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
