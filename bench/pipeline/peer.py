"""The pipeline as a Python script: people in, HDF5 shards out.

    /usr/bin/python3 bench/pipeline/peer.py PHOTOGRAPHS OUTPUT --engine multiprocessing|dask --models M --templates T
        --predictor LIBRARY [--workers 2] [--unit 512]

Prints one JSON line: photographs, delivered, pictures, seconds, stages (seconds of all workers)."""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import time

import cv2
import h5py
import numpy

import peer_stages

MARGIN, MIN_SIDE, SIZE, THRESHOLD = 44, 100, 112, 1.25
Face = collections.namedtuple("Face", "path crop points vector")


class Worker:
    def __init__(self, given):
        cv2.setNumThreads(1)
        self.detector = peer_stages.Detector(given.models)
        self.landmarks = peer_stages.Landmarks(given.predictor)
        self.embedder = peer_stages.Embedder(given.models)
        self.worn = peer_stages.Worn(given.templates)
        self.output = given.output

    def look(self, path, clock):
        image = clock.call("decode", cv2.imread, str(path))
        if image is None:
            return None
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        box = clock.call("detect", self.detector.run, rgb)
        if box is None:
            return None
        left, top, right, bottom = crop = [int(v) for v in numpy.clip(
            box + numpy.float32([-1, -1, 1, 1]) * MARGIN / 2, 0, (rgb.shape[1], rgb.shape[0]) * 2)]
        if min(right - left, bottom - top) <= MIN_SIDE + MARGIN / 2:
            return None
        points = clock.call("landmarks", self.landmarks.run, rgb, box)
        vector = clock.call("embed", self.embedder.run, rgb, points)
        inside = (points - (left, top)) * (SIZE / (right - left), SIZE / (bottom - top))
        return Face(path, cv2.resize(rgb[top:bottom, left:right], (SIZE, SIZE)), inside, vector)

    def person(self, folder, clock):
        faces = [face for face in (self.look(path, clock) for path in sorted(folder.iterdir())) if face]
        far = clock.call("clean", peer_stages.mean_distances, [face.vector for face in faces])
        return [face for face, distance in zip(faces, far) if distance <= THRESHOLD]

    def unit(self, number, people):
        clock, pictures, labels, sources, delivered = peer_stages.Clock(), [], [], [], 0
        for label, folder in people:
            for face in self.person(folder, clock):
                made = clock.call("synthesise", lambda: list(peer_stages.masked6(self.worn, face.crop, face.points)))
                pictures += made
                labels += [label] * len(made)
                sources += [str(face.path)] * len(made)
                delivered += 1
        clock.call("shard", self.write, number, pictures, labels, sources)
        return delivered, len(pictures), clock.seconds

    def write(self, number, pictures, labels, sources):
        with h5py.File(f"{self.output}/shard-{number:06d}.h5", "w") as file:
            shape = (len(pictures), SIZE, SIZE, 3)
            images = file.create_dataset("images", shape, "u1", chunks=(1, *shape[1:]) if pictures else None)
            if pictures:
                images[:] = numpy.stack(pictures)
            file["label"] = numpy.array(labels, "i8")
            file.create_dataset("source", data=sources, dtype=h5py.string_dtype())


WORKER = None


def begin(given):
    global WORKER
    WORKER = Worker(given)


def work(given, number, people):
    if WORKER is None:
        begin(given)
    return WORKER.unit(number, people)


def cut(folder, bound):
    """Units of whole people with at most `bound` photographs."""
    units, count = [[]], 0
    for label, person in enumerate(sorted(folder.iterdir())):
        n = len(os.listdir(person))
        if count and count + n > bound:
            units.append([])
            count = 0
        units[-1].append((label, person))
        count += n
    return units


def with_multiprocessing(given, units):
    with multiprocessing.Pool(given.workers, begin, (given,)) as pool:
        return pool.starmap(work, [(given, k, unit) for k, unit in enumerate(units)], chunksize=1)


def with_dask(given, units):
    import distributed
    with distributed.LocalCluster(n_workers=given.workers, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            client.upload_file(peer_stages.__file__)
            client.upload_file(__file__)
            import peer
            return client.gather([client.submit(peer.work, given, k, unit) for k, unit in enumerate(units)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--engine", choices=("multiprocessing", "dask"), default="multiprocessing")
    parser.add_argument("--models", required=True)
    parser.add_argument("--templates", required=True)
    parser.add_argument("--predictor", required=True, help="shared library made from predictor.cpp")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--unit", type=int, default=128, help="photographs")
    given = parser.parse_args()
    begun = time.perf_counter()
    given.output.mkdir(parents=True, exist_ok=True)
    units = cut(given.photographs, given.unit)
    done = (with_dask if given.engine == "dask" else with_multiprocessing)(given, units)
    stages = collections.Counter()
    for _, _, seconds in done:
        stages.update(seconds)
    print(json.dumps({"photographs": sum(len(os.listdir(person)) for unit in units for _, person in unit),
                      "delivered": sum(d for d, _, _ in done), "pictures": sum(p for _, p, _ in done),
                      "seconds": time.perf_counter() - begun, "stages": stages}))


if __name__ == "__main__":
    main()
