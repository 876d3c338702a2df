"""Which rows make a batch. A sampler gives lists of rows, each of which a ShardDataset reads at once:

    batches = Halves(dataset, batch=64, seed=1)
    loader = DataLoader(dataset, sampler=batches, batch_size=None, num_workers=2, persistent_workers=True)
    for epoch in range(20):
        batches.set_epoch(epoch)
        for pictures, labels in loader:

What an epoch's batches are is a function of (seed, epoch), so that a training can be continued at any batch."""
import math

import numpy

BLOCK = 256  # rows that stay together on their way into a window


def generator(*key):
    return numpy.random.default_rng([int(part) for part in key])


def shuffled(rows, window, draw):
    """The rows at random. With a window only blocks of neighbours are thrown together, so many rows at a time, so that a disk
    reads whole stretches; 0 is no window."""
    if not window or window >= len(rows):
        return draw.permutation(rows)
    blocks = [rows[first:first + BLOCK] for first in range(0, len(rows), BLOCK)]
    order = draw.permutation(len(blocks))
    together = max(1, window // BLOCK)
    return numpy.concatenate([draw.permutation(numpy.concatenate([blocks[block] for block in order[first:first + together]]))
                              for first in range(0, len(order), together)])


def capped(rows, labels, per_class, draw):
    """At most per_class rows of each class, drawn without replacement and in ascending order; 0 is no cap."""
    if not per_class:
        return rows
    mixed = draw.permutation(rows)
    mixed = mixed[numpy.argsort(labels[mixed], kind="stable")]
    ordered = labels[mixed]
    return numpy.sort(mixed[numpy.arange(len(mixed)) - numpy.searchsorted(ordered, ordered) < per_class])


class Batches:
    """Base of all samplers: len() batches an epoch, each a list of rows in ascending order. epoch: pictures of one, rounded down
    to whole batches, drawn again as often as that takes; 0: what the sampler takes for one."""

    def __init__(self, dataset, batch, seed=1, window=0, per_class=0, epoch=0, rows=None):
        self.labels, self.original = dataset.labels, dataset.original
        self.rows = numpy.arange(len(dataset)) if rows is None else numpy.asarray(rows)
        self.batch, self.seed, self.window, self.per_class = batch, seed, window, per_class
        self.most = max(1, epoch // batch) if epoch else None
        self.set_epoch(0)

    def set_epoch(self, epoch, first=0):
        """From its batch `first` on."""
        draw, drawn = generator(self.seed, epoch), []
        while not drawn or len(drawn) < (self.most or 0):
            drawn += self.draw(capped(self.rows, self.labels, self.per_class, draw), draw)
        self.drawn = drawn[first:self.most]

    def __len__(self):
        return len(self.drawn)

    def __iter__(self):
        return iter([sorted(batch.tolist()) for batch in self.drawn])


class Shuffled(Batches):
    """Every row once an epoch. The last batch, where it is not full, is left out: batch norms would learn from a few pictures."""

    def draw(self, rows, draw):
        rows = shuffled(rows, self.window, draw)
        n = max(1, len(rows) // self.batch)
        return [rows[first:first + self.batch] for first in range(0, n * self.batch, self.batch)]


class Halves(Batches):
    """Half of every batch are originals, half are variants. An epoch shows the kind of which there is more once, and the other as
    often as that takes."""

    def draw(self, rows, draw):
        kinds = [rows[self.original[rows]], rows[~self.original[rows]]]
        if not all(map(len, kinds)):
            raise ValueError("batches of half originals and half variants need both; `data.batches: shuffled` does without, "
                             "and a job with `variants: masked4` makes both")
        half = self.batch // 2
        n = max(1, max(map(len, kinds)) // half)
        streams = [self.stream(kind, n * half, draw) for kind in kinds]
        return [numpy.concatenate([stream[first:first + half] for stream in streams]) for first in range(0, n * half, half)]

    def stream(self, rows, n, draw):
        return numpy.concatenate([shuffled(rows, self.window, draw) for _ in range(math.ceil(n / len(rows)))])[:n]


class Identities(Batches):
    """`people` classes with `pictures` rows each, for losses that compare within the batch. Classes with fewer than two rows are left
    out; one with fewer than `pictures` shows some twice. An epoch has as many rows as there are."""

    def __init__(self, dataset, people, pictures, **more):
        self.people, self.pictures = people, pictures
        super().__init__(dataset, people * pictures, **more)

    def draw(self, rows, draw):
        rows = rows[numpy.argsort(self.labels[rows], kind="stable")]
        _, firsts = numpy.unique(self.labels[rows], return_index=True)
        classes = [group for group in numpy.split(rows, firsts[1:]) if len(group) > 1]
        if len(classes) < self.people:
            raise ValueError(f"{len(classes)} identities have two pictures or more, and `data.people` asks for {self.people} a batch")
        groups, n = [], max(1, len(rows) // self.batch)
        while len(groups) < n:
            order = draw.permutation(len(classes))
            groups += [order[first:first + self.people] for first in range(0, len(order) - self.people + 1, self.people)]
        return [numpy.concatenate([self.some(classes[i], draw) for i in group]) for group in groups[:n]]

    def some(self, rows, draw):
        if len(rows) >= self.pictures:
            return draw.choice(rows, self.pictures, replace=False)
        return numpy.concatenate([rows, draw.choice(rows, self.pictures - len(rows))])
