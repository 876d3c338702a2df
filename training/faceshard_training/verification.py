"""Pairs of pictures by LFW's protocol, from a network and the index of an evaluation set: what `faceshard verify` computes, to the
last digit where the embeddings are the same. docs/evaluation.md has the formulas."""
import dataclasses
import os

import numpy
import torch

from faceshard_training import networks
from faceshard_training.shards import ShardError, as_input

FARS = ("1e-1", "1e-2", "1e-3", "1e-4")
STEP, STEPS = 0.01, 400
BATCH = 64


@dataclasses.dataclass
class Pairs:
    pictures: list  # (NAME/NAME_0001, NAME/NAME_0002) of each
    same: numpy.ndarray
    folds: numpy.ndarray


def read_pair(words, where):
    if len(words) not in (3, 4) or not (words[1].isdigit() and words[-1].isdigit()):
        raise ShardError(f"{where}: expected name n1 n2, or name1 n1 name2 n2")
    first, second = words[0], words[0 if len(words) == 3 else 2]
    return (f"{first}/{first}_{int(words[1]):04d}", f"{second}/{second}_{int(words[-1]):04d}"), first == second


def read_pairs(path):
    """A header says the folds; without one the pairs are cut into ten by position."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        lines = [(f"{path}: line {n}", line.rstrip("\r\n")) for n, line in enumerate(file, 1)]
    rows = [(where, [word for word in line.split("\t" if "\t" in line else " ") if word]) for where, line in lines if line.strip()]
    header = rows.pop(0)[1] if rows and len(rows[0][1]) < 3 else None
    if not rows:
        raise ShardError(f"{path}: holds no pair")
    pictures, same = zip(*(read_pair(words, where) for where, words in rows))
    folds = (int(header[0]) if len(header) == 2 else 1) if header else min(10, len(rows))
    sizes = [len(part) for part in numpy.array_split(numpy.arange(len(rows)), folds)]
    return Pairs(list(pictures), numpy.array(same), numpy.repeat(numpy.arange(folds), sizes))


def unit(vectors):
    vectors = vectors.astype(numpy.float64)
    return (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float32)


@torch.no_grad()
def embed(network, dataset, rows, device="cpu", flip=False):
    """float32 [rows, D] of length 1. The network is left in the mode in which it was."""
    mode, parts = network.training, []
    network.eval()
    for first in range(0, len(rows), BATCH):
        pictures = as_input(dataset[rows[first:first + BATCH]][0], device, *networks.input_of(network))
        vectors = network(pictures)
        if flip:
            vectors = vectors + network(pictures.flip(3))
        parts.append(unit(vectors.float().cpu().numpy()))
    network.train(mode)
    return numpy.concatenate(parts)


def rows_by_picture(dataset):
    """Originals by NAME/NAME_0001, or by NAME_0001 where the source has no folder; -1 where several have that name."""
    found = {}
    originals = numpy.full(int(dataset.samples[-1]) + 1, -1)
    originals[dataset.samples[dataset.original]] = numpy.flatnonzero(dataset.original)
    sources = [source for index in dataset.indexes for source in index.sources()]
    for source, row in zip(sources, originals.tolist()):
        key = "/".join(os.path.splitext(source)[0].split("/")[-2:])
        found[key] = -1 if key in found else row
    return found


def find(pairs, dataset):
    """Rows of both pictures of each pair; -1 where there is none."""
    rows = rows_by_picture(dataset)
    return numpy.array([[rows.get(picture, rows.get(picture.split("/")[1], -1)) for picture in pair] for pair in pairs.pictures])


def squared_distances(a, b):
    """Summed up in double in the order of the components."""
    difference = a.astype(numpy.float64) - b.astype(numpy.float64)
    return numpy.cumsum(difference * difference, axis=1)[:, -1]


def by_fold(distances, same, folds):
    """(accuracy, threshold) of each fold that has pairs: the first threshold that is best on the others decides; on itself where it is alone."""
    thresholds = STEP * numpy.arange(STEPS)
    right = (distances[None] < thresholds[:, None]) == same[None]
    found = []
    for fold in numpy.unique(folds):
        others = folds != fold if (folds != fold).any() else folds == fold
        best = int(numpy.argmax(right[:, others].sum(axis=1)))
        found.append((right[best, folds == fold].mean(), thresholds[best]))
    return numpy.array(found)


def curve(distances, same):
    """FAR and TAR at every distance that occurs, from 0."""
    steps = numpy.unique(distances)
    rates = [numpy.searchsorted(numpy.sort(distances[kind]), steps, side="right") / kind.sum() for kind in (~same, same)]
    return [numpy.concatenate(([0], rate)) for rate in rates]


def equal_error(far, tar):
    """Where the curve, with straight lines between its points, meets FAR = 1 - TAR."""
    excess = far + tar - 1
    after = int(numpy.argmax(excess >= 0))
    before = max(after - 1, 0)
    part = 0 if excess[after] == excess[before] else -excess[before] / (excess[after] - excess[before])
    return float(far[before] + part * (far[after] - far[before]))


def protocol(distances, same, folds):
    accuracies, thresholds = by_fold(distances, same, folds).T
    far, tar = curve(distances, same)
    error = accuracies.std(ddof=1) / numpy.sqrt(len(accuracies)) if len(accuracies) > 1 else numpy.nan
    return {"accuracy": float(accuracies.mean()), "standard_error": float(error), "threshold": float(thresholds.mean()),
            "auc": float((numpy.diff(far) * (tar[1:] + tar[:-1])).sum() / 2), "eer": equal_error(far, tar),
            "tar_at_far": {name: float(tar[far <= float(name)][-1]) for name in FARS}}


class Verifier:
    """An evaluation set, looked up once; verifier(network) gives the figures."""

    def __init__(self, dataset, pairs):
        rows = find(pairs, dataset)
        there = (rows >= 0).all(axis=1)
        if not (there & pairs.same).any() or not (there & ~pairs.same).any():
            raise ShardError(f"{dataset.indexes[0].path}: has no pairs of both kinds: its sources are not those that the pairs name, such as "
                             f"{pairs.pictures[0][0]}")
        self.dataset, self.same, self.folds = dataset, pairs.same[there], pairs.folds[there]
        self.skipped = int((~there).sum())
        self.rows, places = numpy.unique(rows[there], return_inverse=True)
        self.first, self.second = places.reshape(-1, 2).T

    def __call__(self, network, device="cpu", flip=False):
        vectors = embed(network, self.dataset, self.rows, device, flip)
        found = protocol(squared_distances(vectors[self.first], vectors[self.second]), self.same, self.folds)
        return {**found, "pairs": len(self.same) + self.skipped, "skipped": self.skipped}
