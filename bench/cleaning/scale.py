"""Time and memory of `faceshard clean` over made embeddings; see README.md.

    /usr/bin/python3 bench/cleaning/scale.py --people 10575 --pictures 494414"""
import argparse
import os
import pathlib
import resource
import subprocess
import tempfile
import time

import numpy

import planted

DIMENSION = 128
AT_ONCE = 20000


def pictures(draw, people, owners):
    """Around a direction for each person, of a quality from poor to good; a few rows at a time."""
    centres = draw.normal(size=(people, DIMENSION)).astype(numpy.float32)
    centres /= numpy.linalg.norm(centres, axis=1, keepdims=True)
    quality = numpy.clip(draw.normal(0.82, 0.06, len(owners)), 0.2, 0.95).astype(numpy.float32)[:, None]
    vectors = numpy.empty((len(owners), DIMENSION), numpy.float32)
    for first in range(0, len(owners), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        centre, noise = centres[owners[part]], draw.normal(size=(len(owners[part]), DIMENSION)).astype(numpy.float32)
        noise -= (noise * centre).sum(1, keepdims=True) * centre
        noise /= numpy.linalg.norm(noise, axis=1, keepdims=True)
        vectors[part] = quality[part] * centre + numpy.sqrt(1 - quality[part] ** 2) * noise
    return vectors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=planted.ROOT / "build/release/faceshard", type=pathlib.Path)
    parser.add_argument("--people", default=10575, type=int)
    parser.add_argument("--pictures", default=494414, type=int)
    parser.add_argument("--share", default=0.04, type=float, help="of the pictures that are moved")
    options = parser.parse_args()
    draw = numpy.random.default_rng(0)
    more = (draw.pareto(1.5, options.pictures - options.people) * options.people / 10).astype(int) % options.people
    owners = numpy.sort(numpy.concatenate([numpy.arange(options.people), more]))
    moved = draw.random(len(owners)) < options.share
    labels = numpy.where(moved, draw.integers(0, options.people, len(owners)), owners)
    moved &= labels != owners
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "made.h5"
        planted.write(path, pictures(draw, options.people, owners), labels, [f"{i:08d}.jpg" for i in range(len(owners))])
        start = time.monotonic()
        found = planted.clean(options.program, path, pathlib.Path(folder))
        seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    removed = numpy.array([found[f"{i:08d}.jpg"]["verdict"] == "remove" for i in range(len(owners))])
    print(f"{len(owners)} pictures of {options.people} people, the largest folder has {numpy.bincount(labels).max()}")
    print(f"{seconds:.1f} s (with reading the JSON here), {used.ru_utime + used.ru_stime:.1f} s of processor time on "
          f"{os.cpu_count()} processors, {used.ru_maxrss / 1024:.0f} MB")
    print("precision {:.4f} recall {:.4f} F1 {:.4f}".format(*planted.score(removed, moved)))


if __name__ == "__main__":
    main()
