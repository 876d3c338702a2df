"""Mislabels planted into embeddings, and who finds them; see README.md.

    /usr/bin/python3 bench/cleaning/planted.py lfw.h5"""
import argparse
import collections
import json
import pathlib
import subprocess
import tempfile

import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
Score = collections.namedtuple("Score", "precision recall f1")


def read(path):
    """Vectors, names and sources of an embeddings file or of an index.h5 with one variant."""
    with h5py.File(path) as file:
        vectors, sources = file["embedding"][:], [source.decode() for source in file["source"][:]]
        names = [name.decode() for name in file["name"][:]] if "name" in file else [source.rsplit("/", 1)[0] for source in sources]
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True), numpy.array(names), numpy.array(sources)


def plant(names, least, share, seed):
    """Rows of identities with at least `least` pictures; their names with some moved to others; which were moved."""
    draw = numpy.random.default_rng(seed)
    people, counts = numpy.unique(names, return_counts=True)
    people = people[counts >= least]
    rows = numpy.flatnonzero(numpy.isin(names, people))
    labels = numpy.searchsorted(people, names[rows])
    moved = numpy.zeros(len(rows), bool)
    moved[draw.choice(len(rows), round(share * len(rows)), replace=False)] = True
    labels[moved] = (labels[moved] + draw.integers(1, len(people), moved.sum())) % len(people)
    return rows, labels, moved


def write(path, vectors, labels, sources):
    text = h5py.string_dtype("utf-8")
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for name, value in (("kind", "embeddings"), ("model", "mobilefacenet_y1 planted"), ("detector", ""), ("job_hash", ""), ("version", "0")):
            file.attrs.create(name, value, dtype=text)
        for name, value in (("format", 1), ("dimension", vectors.shape[1]), ("flip", 0)):
            file.attrs.create(name, value, dtype=numpy.uint64)
        file.create_dataset("embedding", data=vectors.astype(numpy.float32), chunks=True, maxshape=(None, vectors.shape[1]))
        for name, values in (("name", [f"{label:06d}" for label in labels]), ("source", sources), ("rejected/name", []),
                             ("rejected/source", []), ("rejected/reason", [])):
            file.create_dataset(name, data=list(values), dtype=text, chunks=(1024,), maxshape=(None,))
        file.create_dataset("rejected/value", shape=(0,), dtype=numpy.float32, chunks=(1024,), maxshape=(None,))


def score(found, planted):
    right = (found & planted).sum()
    precision, recall = right / max(found.sum(), 1), right / planted.sum()
    return Score(precision, recall, 2 * precision * recall / max(precision + recall, 1e-9))


def best(values, planted):
    """The cut over which values are found that gives the greatest F1: tuned to the truth, as nobody can."""
    order = numpy.argsort(-values)
    right, found = numpy.cumsum(planted[order]), numpy.arange(1, len(values) + 1)
    at = numpy.argmax(2 * right / (found + planted.sum()))
    return Score(right[at] / found[at], right[at] / planted.sum(), 2 * right[at] / (found[at] + planted.sum()))


def margin(vectors, labels, rounds=3):
    """Best other centroid minus own trimmed centroid, the picture itself left out."""
    count = labels.max() + 1
    inside = numpy.ones(len(vectors), bool)
    for _ in range(rounds):
        sums = numpy.zeros((count, vectors.shape[1]))
        numpy.add.at(sums, labels[inside], vectors[inside])
        own = sums[labels] - vectors * inside[:, None]
        own = (own * vectors).sum(1) / numpy.maximum(numpy.linalg.norm(own, axis=1), 1e-9)
        others = vectors @ (sums / numpy.maximum(numpy.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).T
        others[numpy.arange(len(vectors)), labels] = -1
        values = others.max(1) - own
        inside = values < 0
        inside |= numpy.bincount(labels, inside, count)[labels] == 0
    values[numpy.bincount(labels)[labels] < 2] = -9
    return values


def clean(program, path, folder):
    out = folder / "found.json"
    subprocess.run([program, "clean", path, "--json", out, "--log", "quiet", "--threshold", "1.25"], check=True, stdout=subprocess.DEVNULL)
    return {row["source"]: row for row in json.loads(out.read_text())["images"]}


def run(options, vectors, names, sources, least, seed, folder):
    rows, labels, moved = plant(names, least, options.share, seed)
    write(folder / "planted.h5", vectors[rows], labels, sources[rows])
    found = clean(options.program, folder / "planted.h5", folder)
    found = [found[source] for source in sources[rows]]
    means = numpy.array([-9 if row["mean_distance"] is None else row["mean_distance"] for row in found])
    removed = numpy.array([row["verdict"] == "remove" for row in found])
    unsure = numpy.array([row["verdict"] == "unsure" for row in found])
    named = [f"{label:06d}" == row["suggested_identity"] for row, label in zip(found, numpy.searchsorted(numpy.unique(names[rows]), names[rows]))]
    errors = [("removed, not planted", source, row["reason"]) for source, row, wrong in zip(sources[rows], found, moved) if row["verdict"] == "remove" and not wrong]
    errors += [("planted, " + row["verdict"], source, row["reason"]) for source, row, wrong in zip(sources[rows], found, moved) if row["verdict"] != "remove" and wrong]
    return {"mean_distance at 1.25": score(means > 1.25, moved), "mean_distance, best threshold": best(means, moved),
            "margin, best cut": best(margin(vectors[rows], labels), moved), "robust": score(removed, moved)}, {
                "pictures": len(rows), "people": labels.max() + 1, "planted": moved.sum(), "unsure": unsure.sum(),
                "named": numpy.mean([right for right, wrong, gone in zip(named, moved, removed) if wrong and gone])}, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("embeddings", type=pathlib.Path)
    parser.add_argument("--program", default=ROOT / "build/release/faceshard", type=pathlib.Path)
    parser.add_argument("--share", default=0.04, type=float, help="of the pictures that are moved")
    parser.add_argument("--seeds", default=20, type=int)
    parser.add_argument("--least", default="2,3,5,20", help="pictures of each identity")
    options = parser.parse_args()
    vectors, names, sources = read(options.embeddings)
    errors = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for least in map(int, options.least.split(",")):
            rounds = [run(options, vectors, names, sources, least, seed, pathlib.Path(folder)) for seed in range(options.seeds)]
            counts = {name: numpy.mean([round_[1][name] for round_ in rounds]) for name in rounds[0][1]}
            print(f"at least {least}: {counts['pictures']:.0f} pictures of {counts['people']:.0f} people, {counts['planted']:.0f} planted; "
                  f"robust: {counts['unsure']:.1f} unsure, {100 * counts['named']:.1f} % of the removed are named rightly")
            for method in rounds[0][0]:
                scores = numpy.array([round_[0][method] for round_ in rounds])
                print("  {:30} precision {:.4f} recall {:.4f} F1 {:.4f} ({:.4f} to {:.4f})".format(
                    method, *scores.mean(0), scores[:, 2].min(), scores[:, 2].max()))
            errors.update((least, kind, source) for round_ in rounds for kind, source, _ in round_[2])
    for (least, kind, source), times in sorted(errors.items()):
        print(f"at least {least}: {kind}: {source}, {times} times in {options.seeds}")


if __name__ == "__main__":
    main()
