"""How a DataLoader's worker hands batches to the training: through memory that both see, and that is used again.

PyTorch makes shared memory anew for every batch, which costs the worker more processor than reading the batch does. Here each
worker has room for some batches. What goes through the pipe says where a batch lies; when the last tensor on that room is gone
the worker may use it again. Nobody waits: without free room a batch is an ordinary tensor, which PyTorch hands over.

    array = handover.room((64, 112, 112, 3))                             worker: to read into; elsewhere an ordinary array
    return Batch(torch.from_numpy(array).permute(0, 3, 1, 2), labels)    is a tuple; what the training receives is one too"""
import math
import mmap
import multiprocessing.reduction
import os
import typing
import weakref

import numpy
import torch

PLACES = 8  # of a worker: two that wait are usual, one or two are with the training; those never used take no memory
HEAD = mmap.PAGESIZE  # holds whether each place is taken


class Batch(typing.NamedTuple):
    pictures: torch.Tensor
    labels: torch.Tensor


class Places:
    """The memory as one process sees it."""

    def __init__(self, descriptor, room):
        self.memory, self.room = mmap.mmap(descriptor, HEAD + PLACES * room), room
        self.taken = numpy.frombuffer(self.memory, numpy.uint8, PLACES)

    def array(self, place, shape):
        """The array, and what calls `free` when nothing refers to it any more."""
        flat = numpy.frombuffer(self.memory, numpy.uint8, math.prod(shape), HEAD + place * self.room)
        array = flat.reshape(shape)
        watch = weakref.finalize(array, self.free, place, os.getpid())
        watch.atexit = False
        return array, watch

    def free(self, place, process):
        if process == os.getpid():  # and not one that was forked while we had it
            self.taken[place] = 0


class Lender(Places):
    """The worker's side."""

    def __init__(self, room):
        self.process, self.descriptor, self.lent = os.getpid(), os.memfd_create("faceshard-batches"), {}
        os.ftruncate(self.descriptor, HEAD + PLACES * room)
        super().__init__(self.descriptor, room)

    def lend(self, shape):
        """None: nothing is free, or it has not so much room."""
        free = numpy.flatnonzero(self.taken == 0)
        if math.prod(shape) > self.room or not len(free):
            return None
        self.taken[free[0]] = 1
        array, watch = self.array(free[0], shape)
        self.lent[int(free[0])] = array.ctypes.data, shape, watch
        return array

    def where(self, pictures):
        """The place whose pictures these are, all of them as they were lent, and their shape: it is the receiver's now. Or None."""
        array = pictures.permute(0, 2, 3, 1) if pictures.ndim == 4 else pictures
        for place, (address, shape, watch) in list(self.lent.items()):
            if array.data_ptr() == address and array.shape == shape and array.is_contiguous() and watch.detach():
                del self.lent[place]
                return place, shape
        return None


lender = None


def room(shape, _type=numpy.uint8):
    """A uint8 array for a batch that will be handed over, [n, S, S, 3]. A worker's first batch says how much room its places have."""
    global lender
    if torch.utils.data.get_worker_info() is None or not all(shape) or not hasattr(os, "memfd_create"):
        return numpy.empty(shape, numpy.uint8)
    if lender is None or lender.process != os.getpid():
        lender = Lender(math.prod(shape))
    array = lender.lend(shape)
    return numpy.empty(shape, numpy.uint8) if array is None else array


seen = {}  # of the receiver: by the memory's inode, which nobody else has while we hold it


def look_at(process, descriptor, inode, size):
    """The memory of a worker. Of those that have ended nothing is kept but what is in use."""
    if inode not in seen:
        for other in [key for key, (_, path) in seen.items() if not os.path.exists(path)]:
            del seen[other]
        path = f"/proc/{process}/fd/{descriptor}"
        try:
            with open(path, "r+b", buffering=0) as file:
                seen[inode] = Places(file.fileno(), size), path
        except OSError as error:
            raise RuntimeError(f"{path}: {error.strerror}; the batches of this reader cannot be seen, and num_workers=0 does without") from None
    return seen[inode][0]


def receive(memory, place, shape, labels):
    pictures = torch.from_numpy(look_at(*memory).array(place, shape)[0])
    return Batch(pictures.permute(0, 3, 1, 2), torch.from_numpy(labels))


def reduce(batch):
    """As what a batch goes through the pipe."""
    own = lender is not None and lender.process == os.getpid() and isinstance(batch.pictures, torch.Tensor)
    where = lender.where(batch.pictures) if own and isinstance(batch.labels, torch.Tensor) else None
    if where is None:
        return Batch, tuple(batch)
    memory = lender.process, lender.descriptor, os.fstat(lender.descriptor).st_ino, lender.room
    return receive, (memory, *where, batch.labels.numpy())


multiprocessing.reduction.ForkingPickler.register(Batch, reduce)
