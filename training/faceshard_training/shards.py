"""What faceshard has written, as a map-style dataset of PyTorch.

    from faceshard_training.shards import ShardDataset
    dataset = ShardDataset("out/index.h5")
    picture, label = dataset[0]                # uint8 [3, S, S], RGB; int
    pictures, labels = dataset[[7, 3, 9]]      # uint8 [3, 3, S, S]; int64 [3]

Labels and order come from the index; pictures from the shards themselves, because an index of many shards looks through all
of them at every read and gives black pictures where one is missing (docs/shard-format.md). Each process opens files for
itself, so that a dataset may be pickled, forked and spawned. Rows are read in ascending order, whatever was asked for."""
import collections
import json
import os
import pathlib

import h5py
import numpy
import torch

from faceshard_training import handover

OPEN_SHARDS = 64  # a process keeps so many open; docs/shard-format.md says what each takes
REMEDY = "`faceshard verify-output {folder}` puts aside what is damaged, `faceshard run` with the job makes it again"


class ShardError(Exception):
    """Something is wrong with what was found on disk; the text names the file and what mends it."""


class Shard:
    def __del__(self):
        self.close()

    def close(self):
        self.file.close()


class RawShard(Shard):
    """Pictures without encoding: HDF5 says where each one's chunk lies, and they are read from there."""

    def __init__(self, path, images):
        self.file = open(path, "rb", buffering=0)
        self.offsets = [images.id.get_chunk_info_by_coord((row, 0, 0, 0)).byte_offset for row in range(len(images))]

    def read(self, row, into):
        if os.preadv(self.file.fileno(), [into], self.offsets[row]) != into.nbytes:
            raise ShardError(f"{self.file.name}: picture {row} ends early: the file is damaged")


class EncodedShard(Shard):
    """JPEG or PNG; needs OpenCV."""

    def __init__(self, path, images):
        import cv2
        self.file, self.images, self.cv2 = images.file, images, cv2

    def read(self, row, into):
        picture = self.cv2.imdecode(self.images[row], self.cv2.IMREAD_COLOR)
        if picture is None or picture.shape != into.shape:
            raise ShardError(f"{self.file.filename}: picture {row} cannot be decoded: the file is damaged")
        into[:] = picture[:, :, ::-1]


def open_shard(path):
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ShardError(f"{path}: {error}; {REMEDY.format(folder=path.parent.parent)}") from None
    if file.attrs["encoding"] == "raw":
        with file:
            return RawShard(path, file["images"])
    return EncodedShard(path, file["images"])


def numbered(ids):
    """Rows of one sample follow each other: which sample each row is of, from 0."""
    begins = numpy.ones(len(ids), bool)
    begins[1:] = ids[1:] != ids[:-1]
    return numpy.cumsum(begins) - 1


class Index:
    """One index.h5: its side columns in memory, and which shard has which rows."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        with self.open() as file:
            if file.attrs.get("kind") != "index" or "images" not in file:
                raise ShardError(f"{path}: no index of a job with pictures; give OUT/index.h5 of a job whose `output.encoding` is not none")
            self.size = int(file.attrs["size"])
            self.label, self.variant = file["label"][:], file["variant"][:]
            self.sample = numbered(file["sample_id"][:])
            self.chains = file.attrs["variants"].strip("\n").split("\n")
            self.names = list(file["identities/name"].asstr(errors="surrogateescape")[:])
            self.files = [self.path.parent / name for name in file["shards/file"].asstr()[:]]
            self.rows_n = file["shards/images"][:].astype(numpy.int64)
        if not len(self.label):
            raise ShardError(f"{path}: holds no picture; `faceshard inspect {path}` tells why all were rejected")
        self.check_files()

    def open(self):
        try:
            return h5py.File(self.path, "r")
        except OSError as error:
            why = error if self.path.is_file() else "is not there"
            raise ShardError(f"{self.path}: {why}; `faceshard run JOB` or `faceshard finish JOB` writes it") from None

    def check_files(self):
        """No shard is missing, and each is as long as the manifest says: an index does not notice."""
        manifest = self.path.parent / "manifest.json"
        told = json.loads(manifest.read_text())["shards"] if manifest.exists() else []
        sizes = {shard["file"]: shard["bytes"] for shard in told}
        for file in self.files:
            remedy = REMEDY.format(folder=self.path.parent)
            if not file.is_file():
                raise ShardError(f"{file}: {self.path.name} names this shard, and it is not there; {remedy}")
            expected = sizes.get(file.relative_to(self.path.parent).as_posix(), file.stat().st_size)
            if file.stat().st_size != expected:
                raise ShardError(f"{file}: {file.stat().st_size} bytes, {expected} in {manifest.name}; {remedy}")

    def firsts(self):
        """The first row of each sample: all its variants follow each other."""
        return numpy.flatnonzero(numpy.diff(self.sample, prepend=-1))

    def sources(self):
        """The photograph of each sample."""
        with self.open() as file:
            return file["source"].asstr(errors="surrogateescape")[:][self.firsts()]

    def embeddings(self):
        """[samples, D] of the photographs' faces; None where the job has not embedded."""
        with self.open() as file:
            if "embedding" not in file:
                return None
        parts = []
        for path in self.files:
            with h5py.File(path, "r") as shard:
                parts.append(shard["embedding"][:])
        return numpy.concatenate(parts)[self.firsts()]


def joined(numbers):
    """Numbers from 0 without gaps, of several indexes: those of the second begin behind those of the first."""
    firsts = numpy.cumsum([0] + [int(part[-1]) + 1 if len(part) else 0 for part in numbers])
    return numpy.concatenate([part + first for part, first in zip(numbers, firsts)])


def classes_of(indexes):
    """Labels from 0 without gaps, over all indexes: only identities that have a picture. A name that two indexes have is two classes."""
    labels, names = [], []
    for index in indexes:
        present, dense = numpy.unique(index.label, return_inverse=True)
        labels.append(dense + len(names))
        names += [index.names[label] for label in present]
    return numpy.concatenate(labels).astype(numpy.int64), names


class ShardDataset(torch.utils.data.Dataset):
    """All pictures of one index.h5, or of several: one behind the other.

    labels [N]: classes from 0 without gaps; names: of the classes; samples [N]: number of the photograph's face, from 0;
    original [N]: the picture itself, no chain of changes."""

    def __init__(self, paths):
        paths = [paths] if isinstance(paths, (str, os.PathLike)) else paths
        self.indexes = [Index(path) for path in paths]
        if len({index.size for index in self.indexes}) != 1:
            sizes = ", ".join(f"{index.path}: {index.size}" for index in self.indexes)
            raise ShardError(f"pictures of different sizes cannot be one dataset ({sizes}); run the jobs with one `output.size`")
        self.size = self.indexes[0].size
        self.labels, self.names = classes_of(self.indexes)
        self.samples = joined([index.sample for index in self.indexes])
        self.original = numpy.concatenate([numpy.array(index.chains)[index.variant] == "original" for index in self.indexes])
        self.files = [file for index in self.indexes for file in index.files]
        self.ends = numpy.cumsum(numpy.concatenate([index.rows_n for index in self.indexes]))
        self.forget()

    def __len__(self):
        return len(self.labels)

    def __getstate__(self):
        return {**self.__dict__, "opened": None, "owner": None}

    def forget(self):
        self.opened, self.owner = collections.OrderedDict(), os.getpid()

    def shard(self, number):
        """Opened by this process: another one's files are not used, whether it was forked or spawned."""
        if self.owner != os.getpid():
            self.forget()
        if number not in self.opened:
            while len(self.opened) >= OPEN_SHARDS:
                self.opened.popitem(last=False)[1].close()
            self.opened[number] = open_shard(self.files[number])
        self.opened.move_to_end(number)
        return self.opened[number]

    def read(self, rows, room=numpy.empty):
        """uint8 [n, S, S, 3] in the order of `rows`, in an array that `room` gives."""
        rows = numpy.asarray(rows, dtype=numpy.int64)
        if rows.size and not (0 <= rows.min() and rows.max() < len(self)):
            raise IndexError(f"rows are from 0 to {len(self) - 1}")
        pictures = room((len(rows), self.size, self.size, 3), numpy.uint8)
        shards = numpy.searchsorted(self.ends, rows, side="right")
        within = rows - numpy.concatenate(([0], self.ends))[shards]
        for place in numpy.argsort(rows, kind="stable"):
            self.shard(shards[place]).read(within[place], pictures[place])
        return pictures

    def __getitem__(self, rows):
        """One picture and its label, or a batch of them where `rows` is a list: (pictures, labels)."""
        if numpy.ndim(rows) == 0:
            rows = rows + len(self) if rows < 0 else rows
            return torch.from_numpy(self.read([rows])[0]).permute(2, 0, 1), int(self.labels[rows])
        pictures = torch.from_numpy(self.read(rows, handover.room)).permute(0, 3, 1, 2)
        return handover.Batch(pictures, torch.from_numpy(self.labels[rows]))


def as_input(pictures, device="cpu", mean=127.5, scale=0.0078125):
    """uint8 pictures as a network takes them: (x - mean) * scale, each a number or one a channel."""
    mean, scale = [torch.tensor(value, device=device).reshape(-1, 1, 1) for value in (mean, scale)]
    return pictures.to(device, non_blocking=True).float().sub_(mean).mul_(scale)
