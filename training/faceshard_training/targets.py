"""What a student is to come near to: a teacher's embedding of each photograph, which is the target of all its variants."""
import dataclasses

import h5py
import numpy
import torch

from faceshard_training.shards import ShardError


@dataclasses.dataclass
class Targets:
    vectors: torch.Tensor  # [samples, D], length 1; NaN where there is none
    samples: numpy.ndarray  # of each row

    @property
    def dimension(self):
        return self.vectors.shape[1]

    def rows(self):
        """Those that have a target."""
        return numpy.flatnonzero(~torch.isnan(self.vectors[:, 0]).numpy()[self.samples])

    def of(self, rows):
        return self.vectors[torch.from_numpy(self.samples[rows])]


def of_indexes(dataset):
    found = [index.embeddings() for index in dataset.indexes]
    for index, vectors in zip(dataset.indexes, found):
        if vectors is None:
            raise ShardError(f"{index.path}: has no /embedding; run its job with the stage `embed` and `models.embedder` of the teacher, "
                             "or give loss.targets the file of `faceshard embed`")
    return numpy.concatenate(found)


def of_file(dataset, path):
    """By source. A photograph of which there are several faces has no target: which one it is cannot be told."""
    try:
        with h5py.File(path, "r") as file:
            vectors, sources = file["embedding"][:], file["source"].asstr(errors="surrogateescape")[:]
    except (OSError, KeyError) as error:
        raise ShardError(f"{path}: {error}; `faceshard embed PHOTOGRAPHS --model TEACHER --output {path}` writes it") from None
    rows, seen = {}, set()
    for row, source in enumerate(sources):
        rows[source] = -1 if source in seen else row
        seen.add(source)
    chosen = numpy.array([rows.get(source, -1) for index in dataset.indexes for source in index.sources()], dtype=numpy.int64)
    return numpy.where((chosen >= 0)[:, None], vectors[chosen], numpy.float32("nan"))


def load(dataset, where):
    """where: `index`, or an embeddings file (docs/embeddings-format.md)."""
    vectors = of_indexes(dataset) if where == "index" else of_file(dataset, where)
    targets = Targets(torch.from_numpy(vectors.astype(numpy.float32)), dataset.samples)
    if not len(targets.rows()):
        raise ShardError(f"{where}: has a target for none of {len(dataset)} pictures; its /source must be relative to the same folder as that "
                         "of the job")
    return targets
