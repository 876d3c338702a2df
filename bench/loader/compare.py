"""Reading for a training: random batches from index.h5, beside the same pictures as a folder of JPEGs.

    /usr/bin/python3 bench/loader/compare.py INDEX.h5 [--batch 64] [--seconds 5] [--rounds 2] [--workers 0,1,2]

All in turns in one run, each for so many seconds of reading: pictures a second until they are uint8 batches, and processor time of all processes
for a picture, which tells more where others use the machine. (To make float32 of them costs everybody the same.) The start of workers is not counted, nor
is the end of an epoch: for everybody all epochs are one. ImageFolder is torchvision's; where that is not installed the same is done with Pillow, and the
line says so. What is read at random is read in another order each time; the page cache is warm, which favours the JPEGs: they are the fewer bytes. The
limit is a read of whole shards from first to last."""
import argparse
import itertools
import os
import pathlib
import sys
import tempfile
import time

import cv2
import h5py
import numpy
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "training"))
from faceshard_training import samplers, shards  # noqa: E402

QUALITY = 95
WARM_UP_S = 1


class PlainIndex(torch.utils.data.Dataset):
    """What is written in a minute: h5py, opened when it is first needed. The data set is kept: to open one that is virtual takes a
    millisecond."""

    def __init__(self, path):
        self.path, self.images = path, None
        with h5py.File(path) as file:
            self.labels = file["label"][:]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, row):
        if self.images is None:
            self.images = h5py.File(self.path)["images"]
        return torch.from_numpy(self.images[row]).permute(2, 0, 1), int(self.labels[row])


class PillowFolder(torch.utils.data.Dataset):
    def __init__(self, folder):
        from PIL import Image
        self.image = Image
        self.paths = sorted(folder.rglob("*.jpg"))
        names = sorted({path.parent.name for path in self.paths})
        self.labels = [names.index(path.parent.name) for path in self.paths]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, row):
        picture = numpy.asarray(self.image.open(self.paths[row]).convert("RGB"))
        return torch.from_numpy(picture.copy()).permute(2, 0, 1), self.labels[row]


def image_folder(folder):
    """Name and dataset; pictures stay uint8, as everybody's here do."""
    try:
        from torchvision import datasets, transforms
    except ImportError:
        return "folder of JPEGs, Pillow (no torchvision here)", PillowFolder(folder)
    return "folder of JPEGs, torchvision's ImageFolder", datasets.ImageFolder(str(folder), transforms.PILToTensor())


def write_jpegs(dataset, folder):
    for row in range(len(dataset)):
        person = folder / f"{dataset.labels[row]:06d}"
        person.mkdir(exist_ok=True)
        cv2.imwrite(str(person / f"{row:08d}.jpg"), dataset.read([row])[0][:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def spent():
    """Processor seconds of this process and of those that it has started."""
    total = time.process_time()
    for path in pathlib.Path("/proc/self/task").glob("*/children"):
        for child in path.read_text().split():
            fields = pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def measure(batches, seconds):
    """Pictures a second, and microseconds of processor for one. Nothing is counted before WARM_UP_S: workers start, shards are opened,
    and what workers have ready when the first batch comes is used up."""
    pictures, began, first = 0, None, time.monotonic()
    for batch, _ in batches:
        if began is None:
            if time.monotonic() - first > WARM_UP_S:
                began, used = time.monotonic(), spent()
            continue
        pictures += len(batch)
        passed = time.monotonic() - began
        if passed > seconds:  # told before the workers end
            return pictures / passed, 1e6 * (spent() - used) / pictures


def endlessly(batches):
    while True:
        yield from batches


class Endless(torch.utils.data.Sampler):
    """Epoch after epoch as if they were one, for everybody: a small set shows what a large one gives, where an epoch's end is rare."""

    def __init__(self, sampler):
        self.sampler = sampler

    def __iter__(self):
        for epoch in itertools.count():
            if hasattr(self.sampler, "set_epoch"):
                self.sampler.set_epoch(epoch)
            yield from self.sampler


def by_batch(dataset, workers, batch):
    """A dataset that reads a batch at once."""
    return torch.utils.data.DataLoader(dataset, num_workers=workers, batch_size=None, sampler=Endless(samplers.Shuffled(dataset, batch)))


def by_picture(dataset, workers, batch):
    each = torch.utils.data.BatchSampler(Endless(torch.utils.data.RandomSampler(dataset)), batch, drop_last=True)
    return torch.utils.data.DataLoader(dataset, num_workers=workers, batch_sampler=each)


class Sequential:
    """h5py reads whole shards, some batches at a time."""

    def __init__(self, files, batch):
        self.files, self.batch = files, batch

    def __iter__(self):
        for path in self.files:
            with h5py.File(path) as file:
                for first in range(0, len(file["images"]), 8 * self.batch):
                    pictures = torch.from_numpy(file["images"][first:first + 8 * self.batch]).permute(0, 3, 1, 2)
                    yield from ((part, None) for part in pictures.split(self.batch))


def contenders(given, folder):
    dataset = shards.ShardDataset(given.index)
    write_jpegs(dataset, folder)
    name, jpegs = image_folder(folder)
    rows = [("shards in order, whole (the limit)", "", lambda: endlessly(Sequential(dataset.files, given.batch)))]
    plain = PlainIndex(given.index)
    for n in map(int, given.workers.split(",")):
        rows += [("index.h5, ShardDataset", n, lambda n=n: by_batch(dataset, n, given.batch)),
                 ("index.h5, plain h5py", n, lambda n=n: by_picture(plain, n, given.batch)),
                 (name, n, lambda n=n: by_picture(jpegs, n, given.batch))]
    return dataset, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", default="0,1,2", help="of the DataLoader, a list")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        dataset, rows = contenders(given, pathlib.Path(folder))
        print(f"{len(dataset)} pictures of {dataset.size} px in {len(dataset.files)} shards, batches of {given.batch}, load {os.getloadavg()[0]:.1f}")
        found = {}
        for _ in range(given.rounds):
            for what, workers, make in rows:
                found.setdefault((what, workers), []).append(measure(make(), given.seconds))
        for (what, workers), rounds in found.items():
            rate, used = max(rounds)
            print(f"{what:48} workers {workers!s:2} {rate:9.0f} pictures/s, {used:5.0f} us of processor each   "
                  f"(rounds: {', '.join(f'{one:.0f}' for one, _ in rounds)})")


if __name__ == "__main__":
    main()
