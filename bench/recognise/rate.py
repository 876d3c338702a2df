"""Frames a second of `recognise` at 640 x 480 with one face and with five, before a gallery of 85,743 made embeddings; see README.md.

    FACESHARD_MODELS=MODELS /usr/bin/python3 bench/recognise/rate.py --work /tmp/rate"""
import argparse
import json
import pathlib
import subprocess
import sys

import cv2
import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import slides  # noqa: E402

PEOPLE, FRAMES = 85743, 150


def faceshard(options, *words):
    return subprocess.run([options.faceshard, *map(str, words)], capture_output=True, text=True, check=True).stdout


def blow_up(path, out):
    """A gallery with so many people whose embeddings are random, and the model of another one."""
    text = h5py.string_dtype("utf-8")
    with h5py.File(path) as few, h5py.File(out, "w", libver=("earliest", "v110")) as many:
        for name, value in few.attrs.items():
            many.attrs.create(name, value, dtype=text if isinstance(value, (str, bytes)) else value.dtype)
        dimension = few["embedding"].shape[1]
        vectors = numpy.random.default_rng(1).normal(size=(PEOPLE, dimension)).astype(numpy.float32)
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        many.create_dataset("embedding", data=vectors, chunks=(1024, dimension), maxshape=(None, dimension))
        for name in ("name", "source"):
            many.create_dataset(name, data=[f"{i:05}" for i in range(PEOPLE)], dtype=text, chunks=(1024,), maxshape=(None,))
        for name in ("rejected/name", "rejected/source", "rejected/reason"):
            many.create_dataset(name, shape=(0,), dtype=text, chunks=(16,), maxshape=(None,))
        many.create_dataset("rejected/value", shape=(0,), dtype=numpy.float32, chunks=(16,), maxshape=(None,))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="mobilefacenet_y1")
    parser.add_argument("--faceshard", default=ROOT / "build" / "release" / "faceshard")
    parser.add_argument("more", nargs="*", help="further options of recognise, behind --")
    options = parser.parse_args()
    work = options.work
    work.mkdir(exist_ok=True)
    if not (work / "many.h5").exists():
        faceshard(options, "generate", work / "people", "--identities", 5, "--images", 5, "--mislabelled", 0, "--bad", 0, "--log", "quiet")
        faceshard(options, "gallery", "build", work / "few.h5", work / "people", "--model", options.model, "--log", "quiet")
        blow_up(work / "few.h5", work / "many.h5")
    pictures = [cv2.imread(str(path)) for path in sorted((work / "people").glob("*/*.jpg"))]
    for n in (1, 5):
        side = 250 if n == 1 else 200
        walks = [slides.Walk(0, FRAMES, cv2.resize(picture, (side, side))[:, 35:side - 35] if n > 1 else cv2.resize(picture, (side, side)),
                             i * 125, 0) for i, picture in enumerate(pictures[:n])]
        slides.write(work / "walk.avi", walks, (640, 480), 25)
        told = json.loads(faceshard(options, "recognise", work / "walk.avi", "--gallery", work / "many.h5", "--attendance", "", "--log",
                                    "json", *options.more).splitlines()[-1])
        frames = told["frames"]
        print(json.dumps({"faces": n, "found": round(told["faces"] / frames, 2), "frames_a_second": round(frames / told["seconds"], 1),
                          **{f"{step}_ms": round(1000 * seconds / frames, 2) for step, seconds in told["steps"].items()}}), flush=True)


if __name__ == "__main__":
    main()
