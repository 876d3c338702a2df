"""What training/ reads from shards, and in which order: against plain h5py."""
import os
import pathlib
import pickle
import shutil
import sys
import tempfile
import unittest

import cv2
import h5py
import numpy
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import drawn_shards  # noqa: E402

from faceshard_training import samplers, shards  # noqa: E402

PEOPLE, PICTURES = 6, 40


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.people = drawn_shards.draw(cls.folder / "people", PEOPLE, PICTURES)
        cls.path = drawn_shards.run(cls.people, cls.folder / "raw")
        with h5py.File(cls.path) as file:
            cls.pictures, cls.labels, cls.variants = file["images"][:], file["label"][:], file["variant"][:]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.dataset = shards.ShardDataset(self.path)

    def batches_of(self, context):
        loader = torch.utils.data.DataLoader(self.dataset, sampler=[[3, 1], [100, 7], [55, 54]], batch_size=None, num_workers=2,
                                             multiprocessing_context=context)
        return [pictures.numpy() for pictures, _ in loader]


class Halved(torch.utils.data.Dataset):
    """The first half of each batch, on the memory where it was read."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __getitem__(self, rows):
        batch = self.dataset[rows]
        return batch._replace(pictures=batch.pictures[:len(rows) // 2])


class Named(Halved):
    def __getitem__(self, rows):
        pictures, label = self.dataset[rows]
        return {"pictures": pictures, "label": label}


class Dataset(Case):
    def test_every_row_is_that_of_the_index(self):
        self.assertEqual(len(self.dataset), len(self.pictures))
        self.assertGreater(len(self.dataset.files), 2)
        rows = numpy.random.default_rng(1).permutation(len(self.dataset))
        pictures, labels = self.dataset[rows]
        numpy.testing.assert_array_equal(pictures.permute(0, 2, 3, 1).numpy(), self.pictures[rows])
        numpy.testing.assert_array_equal(labels.numpy(), self.labels[rows])
        for row in (0, 50, -1):
            picture, label = self.dataset[row]
            numpy.testing.assert_array_equal(picture.permute(1, 2, 0).numpy(), self.pictures[row])
            self.assertEqual(label, self.labels[row])
        numpy.testing.assert_array_equal(self.dataset.original, self.variants == 0)
        self.assertEqual(self.dataset.samples[-1] + 1, len(self.dataset) // 3)
        self.assertRaises(IndexError, self.dataset.__getitem__, [len(self.dataset)])

    def test_rows_are_read_in_ascending_order(self):
        read, shard = [], self.dataset.shard
        self.dataset.shard = lambda number: read.append(number) or shard(number)
        self.dataset[numpy.random.default_rng(2).permutation(len(self.dataset))]
        self.assertEqual(read, sorted(read))

    def test_forked_and_spawned_workers_and_a_pickle_read_the_same(self):
        expected = [self.pictures[rows].transpose(0, 3, 1, 2) for rows in ([3, 1], [100, 7], [55, 54])]
        self.dataset[[0, 100]]
        for context in ("fork", "spawn"):
            for found, pictures in zip(self.batches_of(context), expected):
                numpy.testing.assert_array_equal(found, pictures)
        copy = pickle.loads(pickle.dumps(self.dataset))
        numpy.testing.assert_array_equal(copy[[3, 1]][0].numpy(), expected[0])

    def test_a_batch_of_a_worker_stays_as_it_is_while_anything_refers_to_it_and_its_room_is_used_again(self):
        rows = [[i, i + 1, i + 2] for i in range(0, 60, 2)]
        loader = torch.utils.data.DataLoader(self.dataset, sampler=rows + [[5] * 9], batch_size=None, num_workers=1)
        held, places, sizes = {}, set(), []
        for number, (pictures, labels) in enumerate(loader):
            place = pictures.data_ptr()
            self.assertNotIn(place, [view.data_ptr() - 5 for view in held.values()])
            places.add(place)
            sizes.append(len(labels))
            if number % 3 == 0 and number < 30:  # more than a worker has room for
                held[number] = pictures.flatten()[5:]
        self.assertEqual(sizes, [3] * 30 + [9])
        self.assertLess(len(places), 30)
        for number, view in held.items():
            expected = torch.from_numpy(self.pictures[rows[number]]).permute(0, 3, 1, 2).flatten()[5:]
            self.assertTrue(torch.equal(view, expected), number)

    def test_what_a_dataset_makes_of_a_batch_in_its_worker_arrives(self):
        for make in (Halved, Named):
            loader = torch.utils.data.DataLoader(make(self.dataset), sampler=[[i, i + 1] for i in range(30)], batch_size=None, num_workers=1)
            for number, found in enumerate(loader):
                pictures, label = (found["pictures"], found["label"]) if make is Named else found
                numpy.testing.assert_array_equal(pictures[0].permute(1, 2, 0).numpy(), self.pictures[number])
                self.assertEqual(label[0], self.labels[number])
                self.assertEqual(len(pictures), 1 if make is Halved else 2)

    def test_few_shards_are_open_at_a_time(self):
        limit, shards.OPEN_SHARDS = shards.OPEN_SHARDS, 1
        try:
            before = len(os.listdir("/proc/self/fd"))
            numpy.testing.assert_array_equal(self.dataset.read(range(len(self.dataset))), self.pictures)
            self.assertLessEqual(len(os.listdir("/proc/self/fd")), before + 1)
        finally:
            shards.OPEN_SHARDS = limit

    def test_encoded_pictures_are_decoded(self):
        path = drawn_shards.run(self.people, self.folder / "jpeg", encoding="jpeg")
        with h5py.File(path) as file:
            expected = [cv2.imdecode(file["images"][row], cv2.IMREAD_COLOR)[:, :, ::-1] for row in (70, 2)]
        numpy.testing.assert_array_equal(shards.ShardDataset(path).read([70, 2]), expected)

    def test_several_indexes_are_one_behind_the_other_and_must_have_one_size(self):
        both = shards.ShardDataset([self.path, self.path])
        n = len(self.dataset)
        self.assertEqual((len(both), len(both.names), both.samples[-1] + 1), (2 * n, 2 * PEOPLE, 2 * n // 3))
        numpy.testing.assert_array_equal(both.read([n + 5, 5]), self.pictures[[5, 5]])
        self.assertEqual(both.labels[n + 5], both.labels[5] + PEOPLE)
        small = drawn_shards.run(self.people, self.folder / "small", size=16)
        self.assertRaisesRegex(shards.ShardError, "different sizes.*output.size", shards.ShardDataset, [self.path, small])

    def test_a_shard_that_is_gone_or_short_is_told_at_the_start_with_the_remedy(self):
        other = self.folder / "other"
        shutil.copytree(self.path.parent, other)
        victim = other / "shards" / "shard-000001.h5"
        victim.write_bytes(victim.read_bytes()[:5000])
        self.assertRaisesRegex(shards.ShardError, f"{victim}: 5000 bytes.*manifest.json.*verify-output", shards.ShardDataset, other / "index.h5")
        victim.unlink()
        self.assertRaisesRegex(shards.ShardError, f"{victim}: .*not there.*verify-output {other}", shards.ShardDataset, other / "index.h5")
        self.assertRaisesRegex(shards.ShardError, "faceshard run", shards.ShardDataset, self.folder / "none.h5")
        self.assertRaisesRegex(shards.ShardError, "no index", shards.ShardDataset, self.path.parent / "shards" / "shard-000000.h5")


class Samplers(Case):
    def epochs(self, sampler, n=2):
        found = []
        for epoch in range(n):
            sampler.set_epoch(epoch)
            found.append(list(sampler))
            self.assertEqual(len(sampler), len(found[-1]))
            self.assertTrue(all(batch == sorted(batch) for batch in found[-1]))
        return found

    def test_shuffled_shows_every_row_once_in_another_order_each_epoch(self):
        first, second = self.epochs(samplers.Shuffled(self.dataset, 8))
        self.assertEqual(len(set(sum(first, []))), len(self.dataset) // 8 * 8)
        self.assertEqual({len(batch) for batch in first}, {8})
        self.assertNotEqual(first, second)
        again = samplers.Shuffled(self.dataset, 8)
        again.set_epoch(1)
        self.assertEqual(list(again), second)
        self.assertNotEqual(list(samplers.Shuffled(self.dataset, 8, seed=2)), first)

    def test_a_window_keeps_neighbours_together(self):
        rows = samplers.shuffled(numpy.arange(10000), 512, numpy.random.default_rng(1))
        self.assertEqual(sorted(rows), list(range(10000)))
        for first in range(0, 9000, 512):
            self.assertLessEqual(len(set(rows[first:first + 512] // samplers.BLOCK)), 4)
        self.assertGreater(len(set(rows[:1024] // samplers.BLOCK)), 3)

    def test_halves_are_half_originals_and_half_variants(self):
        for batches in self.epochs(samplers.Halves(self.dataset, 10)):
            for batch in batches:
                self.assertEqual((len(batch), self.dataset.original[batch].sum()), (10, 5))
        variants = [row for batch in batches for row in batch if not self.dataset.original[row]]
        self.assertEqual(len(variants), len(set(variants)))
        self.assertRaisesRegex(ValueError, "masked4", samplers.Halves, self.dataset, 10, rows=numpy.flatnonzero(self.dataset.original))

    def test_identities_are_people_times_pictures(self):
        for batches in self.epochs(samplers.Identities(self.dataset, 3, 4)):
            for batch in batches:
                _, counts = numpy.unique(self.dataset.labels[batch], return_counts=True)
                self.assertEqual(counts.tolist(), [4, 4, 4])
        self.assertEqual(set(self.dataset.labels[sum(batches, [])]), set(range(PEOPLE)))
        few = samplers.Identities(self.dataset, PEOPLE, 50)
        self.assertEqual({len(batch) for batch in few}, {PEOPLE * 50})
        self.assertRaisesRegex(ValueError, "data.people", samplers.Identities, self.dataset, PEOPLE + 1, 2)

    def test_an_epoch_can_have_any_number_of_pictures(self):
        for pictures in 24, 5 * len(self.dataset):
            for sampler in samplers.Shuffled(self.dataset, 8, epoch=pictures), samplers.Halves(self.dataset, 8, epoch=pictures):
                first, second = self.epochs(sampler)
                self.assertEqual({len(first), len(second)}, {pictures // 8})
                self.assertNotEqual(first, second)
                sampler.set_epoch(0, first=2)
                self.assertEqual(list(sampler), first[2:])
        rows = sum(self.epochs(samplers.Shuffled(self.dataset, 8, epoch=5 * len(self.dataset)))[0], [])
        _, counts = numpy.unique(rows, return_counts=True)
        self.assertLessEqual(counts.max(), 6)  # all as often as that goes, less the last batch of each time

    def test_a_cap_draws_others_each_epoch(self):
        first, second = [sum(batches, []) for batches in self.epochs(samplers.Shuffled(self.dataset, 2, per_class=4))]
        for rows in first, second:
            _, counts = numpy.unique(self.dataset.labels[rows], return_counts=True)
            self.assertEqual(counts.tolist(), [4] * PEOPLE)
            self.assertEqual(len(rows), len(set(rows)))
        self.assertNotEqual(set(first), set(second))


if __name__ == "__main__":
    unittest.main()
