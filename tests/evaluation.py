"""Embeddings made here, for the tests of what looks at embeddings: files as docs/embeddings-format.md says."""
import os
import subprocess

import h5py
import numpy

FACESHARD = os.environ["FACESHARD"]


def unit(vectors):
    """Float32 rows of length 1."""
    vectors = numpy.asarray(vectors, dtype=numpy.float64)
    return (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float32)


def people(draw, n, dimension=16):
    """A direction for each of n people."""
    return draw.normal(size=(n, dimension))


def write(path, vectors, names, sources, rejected=()):
    """rejected: (name, source, reason) rows."""
    text = h5py.string_dtype("utf-8")
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for name, value in (("kind", "embeddings"), ("model", "drawn 00"), ("detector", ""), ("job_hash", ""), ("version", "0")):
            file.attrs.create(name, value, dtype=text)
        for name, value in (("format", 1), ("dimension", vectors.shape[1]), ("flip", 0)):
            file.attrs.create(name, value, dtype=numpy.uint64)
        file.create_dataset("embedding", data=vectors, chunks=True, maxshape=(None, vectors.shape[1]))
        for name, rows in (("name", names), ("source", sources), ("rejected/name", [row[0] for row in rejected]),
                           ("rejected/source", [row[1] for row in rejected]), ("rejected/reason", [row[2] for row in rejected])):
            file.create_dataset(name, data=list(rows), dtype=text, chunks=(16,), maxshape=(None,))
        file.create_dataset("rejected/value", data=numpy.full(len(rejected), numpy.nan, numpy.float32), chunks=(16,), maxshape=(None,))


def squared(a, b):
    """Squared distances of float32 rows, in double."""
    difference = a.astype(numpy.float64) - b.astype(numpy.float64)
    return (difference * difference).sum(axis=-1)


def faceshard(case, *words, code=0):
    done = subprocess.run([FACESHARD, *map(str, words)], capture_output=True, timeout=300, check=False)
    case.assertEqual(done.returncode, code, done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"))
    return done
