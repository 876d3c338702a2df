"""Nearest neighbours of made embeddings, here and in numpy, on the same data in the same run:
    peer_numpy.py build/release/bench_search [GALLERY_N [PROBES_N]]
numpy takes probes in blocks of 256: a product, argpartition, and the K of each in order. Where Debian's torch is there
it runs as well (torch.topk over the same blocks), because numpy's product is that of whatever BLAS is installed."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy

DIMENSION, K, BLOCK = 128, 5, 256
THREADS = os.environ.setdefault("OMP_NUM_THREADS", "1")


def processor_seconds():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def draw(n, seed):
    vectors = numpy.random.default_rng(seed).normal(size=(n, DIMENSION)).astype(numpy.float32)
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def by_numpy(gallery, probes):
    half, rows = (gallery * gallery).sum(axis=1) / 2, []
    for first in range(0, len(probes), BLOCK):
        scores = half - probes[first:first + BLOCK] @ gallery.T
        near = numpy.argpartition(scores, K, axis=1)[:, :K]
        order = numpy.argsort(numpy.take_along_axis(scores, near, axis=1), axis=1, kind="stable")
        rows.append(numpy.take_along_axis(near, order, axis=1))
    return numpy.concatenate(rows)


def by_torch(gallery, probes):
    import torch
    torch.set_num_threads(int(THREADS))
    gallery, probes = torch.from_numpy(gallery), torch.from_numpy(probes)
    half = (gallery * gallery).sum(dim=1) / 2
    return numpy.concatenate([torch.topk(probes[first:first + BLOCK] @ gallery.T - half, K, dim=1).indices.numpy()
                              for first in range(0, len(probes), BLOCK)])


def measure(name, find, gallery, probes, expected):
    start, start_cpu = time.monotonic(), processor_seconds()
    rows = find(gallery, probes)
    seconds, cpu = time.monotonic() - start, processor_seconds() - start_cpu
    tell(name, seconds, cpu, gallery, probes)
    print(f"{'':12} {100 * (rows == expected).mean():.4f} % of the rows are the same")


def tell(name, seconds, cpu, gallery, probes):
    flop = 2 * len(gallery) * len(probes) * DIMENSION
    print(f"{name:12} {seconds:8.3f} s   {cpu:8.3f} s of processor   {flop / cpu / 1e9:6.1f} GFLOP/s of processor", flush=True)


def main():
    program = sys.argv[1]
    gallery = draw(int(sys.argv[2]) if len(sys.argv) > 2 else 85742, 1)
    probes = draw(int(sys.argv[3]) if len(sys.argv) > 3 else 1000, 2)
    print(f"{len(gallery)} x {len(probes)} x {DIMENSION}, the {K} nearest, {THREADS} thread(s)")
    with tempfile.TemporaryDirectory(prefix="faceshard-bench-") as name:
        folder = pathlib.Path(name)
        gallery.tofile(folder / "gallery")
        probes.tofile(folder / "probes")
        done = subprocess.run([program, folder / "gallery", folder / "probes", str(DIMENSION), str(K), folder / "rows"],
                              capture_output=True, check=True, text=True)
        found = json.loads(done.stdout)
        tell("faceshard", found["seconds"], found["processor_seconds"], gallery, probes)
        print(f"{'':12} {found['fallbacks']} probes needed all distances in double")
        rows = numpy.fromfile(folder / "rows", dtype=numpy.uint32).reshape(-1, K)
    measure("numpy", by_numpy, gallery, probes, rows)
    try:
        measure("torch", by_torch, gallery, probes, rows)
    except ImportError:
        print("torch        is not installed")


if __name__ == "__main__":
    main()
