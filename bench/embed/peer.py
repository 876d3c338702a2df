"""Embeds a folder of crops as one writes it in Python: a process a core, batches, one HDF5 file.

    /usr/bin/python3 bench/embed/peer.py CROPS OUTPUT.h5 --engine cv2 --model NET.onnx [--workers 2] [--batch 32]
    /usr/bin/python3 bench/embed/peer.py CROPS OUTPUT.h5 --engine torch --model NET.pt [--precision bf16]

Prints one JSON line: images, seconds (with the start of Python), seconds_of_network (of one worker, the mean)."""
import argparse
import json
import multiprocessing
import pathlib
import time

import cv2
import h5py
import numpy


class Cv2Network:
    def __init__(self, given):
        cv2.setNumThreads(1)
        self.net = cv2.dnn.readNet(given.model)

    def run(self, faces):
        self.net.setInput(cv2.dnn.blobFromImages(faces, 0.0078125, faces[0].shape[:2], (127.5,) * 3))
        return self.net.forward()


class TorchNetwork:
    def __init__(self, given):
        import torch
        torch.set_num_threads(1)
        self.torch = torch
        self.net = torch.jit.load(given.model).eval()
        if given.precision == "bf16":
            self.net = self.net.to(torch.bfloat16)
        self.net = torch.jit.optimize_for_inference(self.net) if given.precision == "float32" else torch.jit.freeze(self.net)
        self.type = torch.bfloat16 if given.precision == "bf16" else torch.float32

    def run(self, faces):
        with self.torch.inference_mode():
            batch = self.torch.from_numpy(numpy.stack(faces)).permute(0, 3, 1, 2).float()
            return self.net(((batch - 127.5) * 0.0078125).to(self.type)).float().numpy()


def embed(given, paths):
    """[N, D] embeddings of length one, and the seconds of the network."""
    network, rows, spent = (TorchNetwork if given.engine == "torch" else Cv2Network)(given), [], 0
    for first in range(0, len(paths), given.batch):
        faces = [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths[first:first + given.batch]]
        begun = time.perf_counter()
        rows.append(network.run(faces))
        spent += time.perf_counter() - begun
    rows = numpy.concatenate(rows)
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True), spent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crops", type=pathlib.Path)
    parser.add_argument("output")
    parser.add_argument("--engine", choices=("cv2", "torch"), required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    begun = time.perf_counter()
    paths = sorted(str(path) for path in given.crops.rglob("*") if path.is_file())
    parts = [part.tolist() for part in numpy.array_split(paths, given.workers)]
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        done = pool.starmap(embed, [(given, part) for part in parts])
    with h5py.File(given.output, "w") as file:
        file["embedding"] = numpy.concatenate([rows for rows, _ in done])
        file.create_dataset("source", data=paths, dtype=h5py.string_dtype())
    print(json.dumps({"images": len(paths), "seconds": time.perf_counter() - begun,
                      "seconds_of_network": sum(spent for _, spent in done) / len(done)}))


if __name__ == "__main__":
    main()
