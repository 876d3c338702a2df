"""The parts of training/: networks, losses, settings, verification, and a training that is broken off and goes on."""
import contextlib
import io
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

import numpy
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import drawn_shards  # noqa: E402
import evaluation  # noqa: E402

from faceshard_training import __main__ as command, losses, networks, settings, shards, targets, train, verification  # noqa: E402

BASE = """
output: {folder}/run
epochs: 2
threads: 1
data: {{index: {index}, batch: 24, workers: 0}}
network: {{name: simple_resnet, dimension: 16, width: 0.5, dropout: 0.1}}
"""


def loss_settings(**named):
    values = {row.key: row.default for row in settings.SECTIONS["loss"]}
    return settings.types.SimpleNamespace(**{**values, **named})


class Networks(unittest.TestCase):
    def test_each_has_the_dimension_asked_for_and_a_linear_layer_under_a_norm_at_its_end(self):
        for name in networks.NETWORKS:
            network = networks.build(name, 96, dimension=24, dropout=0.5).eval()
            self.assertEqual(network(torch.zeros(2, 3, 96, 96)).shape, (2, 24), name)
            self.assertEqual(network.embed.out_features, 24, name)
            self.assertEqual(network.embed.bias is None, isinstance(network.norm, torch.nn.BatchNorm1d), name)

    def test_widths_and_sizes(self):
        sizes = [sum(p.numel() for p in networks.build("mobilefacenet", size, width=width).parameters())
                 for size, width in ((112, 1.0), (112, 0.5), (160, 0.5))]
        self.assertLess(abs(sizes[0] - 1.0e6), 1e5)
        self.assertLess(sizes[1], sizes[0] / 2)
        self.assertGreater(sizes[2], sizes[1])
        filters = [layer.out_channels for layer in networks.build("simple_resnet", 112).modules() if isinstance(layer, torch.nn.Conv2d)]
        self.assertEqual(filters, [16] * 3 + [32] * 3 + [48] * 3 + [64] * 3)
        self.assertRaisesRegex(ValueError, "80 px", networks.build, "inception_resnet_v1", 64)


class Losses(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.embeddings = torch.randn(12, 8)
        self.labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])

    def test_arcface_is_the_formula(self):
        loss = losses.build(loss_settings(kind="arcface", scale=16.0, margin=0.4), 8, 4)
        x = torch.nn.functional.normalize(self.embeddings).double()
        centres = torch.nn.functional.normalize(loss.centres.detach()).double()
        expected = 0
        for row, label in zip(x, self.labels):
            cosines = [float(row @ centre) for centre in centres]
            angle = math.acos(cosines[label]) + 0.4
            cosines[label] = math.cos(angle) if angle < math.pi else cosines[label] - 0.4 * math.sin(0.4)
            powers = [math.exp(16 * cosine) for cosine in cosines]
            expected -= math.log(powers[label] / sum(powers)) / len(x)
        self.assertAlmostEqual(loss(self.embeddings, self.labels, None).item(), expected, 4)

    def test_triplets_are_semi_hard(self):
        loss = losses.build(loss_settings(kind="triplet", margin=0.2), 8, 4)
        x = torch.nn.functional.normalize(self.embeddings).double()
        away = ((x[:, None] - x[None]) ** 2).sum(2)
        found = []
        for a in range(12):
            others = [float(away[a, k]) for k in range(12) if self.labels[k] != self.labels[a]]
            for p in range(12):
                if p != a and self.labels[p] == self.labels[a]:
                    farther = [distance for distance in others if distance > away[a, p]]
                    found.append(max(0, float(away[a, p]) - (min(farther) if farther else max(others)) + 0.2))
        self.assertAlmostEqual(loss(self.embeddings, self.labels, None).item(), sum(found) / len(found), 5)
        self.assertEqual(loss(self.embeddings[:3], self.labels[:3], None).item(), 0, "one person has no negatives")

    def test_distillation_is_nearness_to_the_teacher_and_leads_to_its_length(self):
        same = losses.build(loss_settings(kind="distil"), 8, 4, 8)
        self.assertAlmostEqual(same(self.embeddings, self.labels, 3 * self.embeddings).item(), 0, 5)
        self.assertAlmostEqual(same(self.embeddings, self.labels, -self.embeddings).item(), 2, 5)
        far = losses.build(loss_settings(kind="distil", distance="l2"), 8, 4, 8)
        self.assertAlmostEqual(far(self.embeddings, self.labels, -self.embeddings).item(), 2, 5)
        longer = losses.build(loss_settings(kind="distil", classify=0.5), 8, 4, 32)
        loss = longer(self.embeddings, self.labels, torch.randn(12, 32))
        loss.backward()
        self.assertTrue(all(parameter.grad.abs().sum() > 0 for parameter in longer.parameters()))


class Settings(unittest.TestCase):
    def load(self, text, *overrides):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            return settings.load(file.name, overrides)

    def test_what_is_wrong_is_told_by_line_and_key(self):
        for text, expected in (("output: a\ndata: {index: b}\nepoch: 3", ":3: there is no key epoch; did you mean epochs?"),
                               ("output: a\ndata:\n  index: b\n  batch: many", ":4: data.batch is 'many'; allowed is a whole number from 2"),
                               ("output: a\ndata: {index: b}\nloss: {kind: arcfase}", ":3: loss.kind is 'arcfase'; allowed is one of softmax"),
                               ("output: a", "data.index is missing"), ("data: [1]", "pairs are expected"), ("a: [", "while parsing"),
                               ("output: a\ndata: {index: b}\nloss: {kind: triplet}", "set data.batches to identities"),
                               ("output: a\ndata: {index: b}\nverify: {pairs: p}", "verify.index is empty")):
            with self.subTest(text), self.assertRaises(settings.SettingsError) as caught:
                self.load(text)
            self.assertIn(expected, str(caught.exception))

    def test_keys_can_be_set_by_the_command_and_help_has_all_of_them(self):
        found = self.load("output: a\ndata: {index: b}", "data.batch=8", "optimizer.rate=1", "data.index=[x, y]")
        self.assertEqual((found.data.batch, found.optimizer.rate, found.data.index), (8, 1.0, ["x", "y"]))
        self.assertRaisesRegex(settings.SettingsError, "did you mean data.batch", self.load, "output: a", "data.bach=8")
        for _, row in settings.all_rows():
            self.assertIn(row.help, settings.explain())

    def test_the_recipes_have_no_wrong_key(self):
        for path in (drawn_shards.ROOT / "training" / "recipes").glob("*/train.yaml"):
            self.assertTrue(settings.load(path).data.index)

    def test_the_rate_warms_up_and_falls(self):
        text = "output: a\ndata: {index: b}\noptimizer: {rate: 2}\nschedule: {warm_up: 2, every: 3, factor: 0.5}"
        rates = [train.rate_at(self.load(text), 10, epoch) for epoch in (0, 1, 2, 6, 10)]
        numpy.testing.assert_allclose(rates, (0, 1, 2, 1, 0), atol=1e-12)
        rates = [train.rate_at(self.load(text, "schedule.kind=step"), 10, epoch) for epoch in (1, 2, 4.9, 5, 8)]
        numpy.testing.assert_allclose(rates, (1, 2, 2, 1, 0.5))


class Drawn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        people = drawn_shards.draw(cls.folder / "people", 6, 40)
        cls.pictures = drawn_shards.as_lfw(people)
        cls.index = drawn_shards.run(people, cls.folder / "out")
        cls.pairs = drawn_shards.write_pairs(cls.folder / "pairs.txt", cls.pictures)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def tearDown(self):
        shutil.rmtree(self.folder / "run", ignore_errors=True)

    def train(self, *overrides, stop_after=None):
        """The training, and what it told. stop_after: batches until somebody interrupts it."""
        path, told = self.folder / "train.yaml", []
        path.write_text(BASE.format(folder=self.folder, index=self.index))
        training = train.Training(settings.load(path, overrides), told.append)
        if stop_after is not None:
            learn = training.learn

            def learn_and_stop(*words):
                learn(*words)
                training.stopped = training.epoch * len(training.sampler) + training.step >= stop_after

            training.learn = learn_and_stop
        training.run()
        return training, told

    def outcome(self, training):
        return ([{key: value for key, value in row.items() if key != "seconds"} for row in training.history],
                {key: value.numpy().copy() for key, value in training.network.state_dict().items()})

    def test_a_training_that_was_broken_off_goes_on_to_the_same_numbers(self):
        words = ("data.batches=halves", "loss.kind=arcface", f"verify.index={self.index}", f"verify.pairs={self.pairs}")
        history, weights = self.outcome(self.train(*words)[0])
        steps = history[0]["batches"]
        shutil.rmtree(self.folder / "run")
        self.train(*words, stop_after=2)
        self.train(*words, stop_after=steps + 1)
        training, told = self.train(*words)
        again, its_weights = self.outcome(training)
        self.assertIn("going on", told[0])
        self.assertEqual(history, again)
        for key, value in weights.items():
            numpy.testing.assert_array_equal(value, its_weights[key], key)
        self.assertEqual(len((self.folder / "run" / "train.csv").read_text().splitlines()), 3)
        self.assertIn("polyline", (self.folder / "run" / "train.svg").read_text())

    def test_another_training_is_not_continued_and_a_broken_checkpoint_is_told(self):
        self.train(stop_after=1)
        self.assertRaisesRegex(shards.ShardError, "optimizer.rate 0.001, and now it is 0.1", self.train, "optimizer.rate=0.1")
        (self.folder / "run" / "checkpoint.pt").write_bytes(b"nothing")
        self.assertRaisesRegex(shards.ShardError, "is no checkpoint", self.train)

    def test_every_loss_and_optimizer_makes_the_loss_smaller(self):
        for words in (("loss.kind=softmax", "optimizer.kind=sgd", "optimizer.rate=0.05", "schedule.kind=step", "schedule.every=1"),
                      ("loss.kind=triplet", "data.batches=identities", "data.people=4", "loss.margin=0.2"),
                      ("loss.kind=distil", f"loss.targets={self.teacher()}", "precision=bfloat16")):
            with self.subTest(words):
                losses_seen = [row["loss"] for row in self.train("epochs=3", *words)[0].history]
                self.assertLess(losses_seen[-1], losses_seen[0])
                shutil.rmtree(self.folder / "run")

    def teacher(self):
        """A direction for each person, as an embeddings file."""
        names = sorted({name for name, _ in self.pictures})
        vectors = evaluation.people(numpy.random.default_rng(3), len(names))
        rows = [names.index(name) for name, _ in self.pictures]
        evaluation.write(self.folder / "teacher.h5", evaluation.unit(vectors[rows]), [name for name, _ in self.pictures],
                         [f"{name}/{name}_{number:04d}.jpg" for name, number in self.pictures])
        return self.folder / "teacher.h5"

    def test_the_target_of_every_variant_is_the_photographs_own(self):
        dataset = shards.ShardDataset(self.index)
        found = targets.load(dataset, self.teacher())
        self.assertEqual(len(found.rows()), len(dataset))
        vectors = found.of(numpy.arange(len(dataset))).numpy()
        for label in set(dataset.labels):
            self.assertEqual(len(numpy.unique(vectors[dataset.labels == label], axis=0)), 1)
        self.assertRaisesRegex(shards.ShardError, "stage `embed`", targets.load, dataset, "index")
        self.assertRaisesRegex(shards.ShardError, "faceshard embed", targets.load, dataset, self.folder / "none.h5")

    def test_verification_is_that_of_the_program(self):
        dataset = shards.ShardDataset(self.index)
        network = networks.build("simple_resnet", 32, dimension=16)
        for flip in (False, True):
            mine = verification.Verifier(dataset, verification.read_pairs(self.pairs))(network, flip=flip)
            rows = numpy.flatnonzero(dataset.original)
            sources = dataset.indexes[0].sources()
            evaluation.write(self.folder / "e.h5", verification.embed(network, dataset, rows, flip=flip),
                             [source.split("/")[0] for source in sources], sources)
            evaluation.faceshard(self, "verify", "--pairs", self.pairs, "--embeddings", self.folder / "e.h5", "--json", self.folder / "v.json")
            theirs = json.loads((self.folder / "v.json").read_text())
            for key in ("accuracy", "standard_error", "threshold", "auc", "eer"):
                self.assertAlmostEqual(mine[key], theirs[key], 12, key)
            for key in ("tar_at_far", "pairs", "skipped"):
                self.assertEqual(mine[key], theirs[key], key)

    def test_interrupted_with_its_readers_it_leaves_a_checkpoint_and_goes_on(self):
        path = self.folder / "train.yaml"
        path.write_text(BASE.format(folder=self.folder, index=self.index))
        words = [sys.executable, "-m", "faceshard_training", "train", path, "--set", "epochs=1000", "--set", "data.workers=2"]
        with subprocess.Popen(words, cwd=drawn_shards.ROOT / "training", stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
            self.assertIn("epoch   1", running.stdout.readline())
            os.killpg(running.pid, signal.SIGINT)
            running.stdout.read()
        self.assertEqual(running.returncode, 130)
        self.assertIn("going on", self.train("epochs=1")[1][0])

    def test_the_script_of_the_readme_trains(self):
        text = (drawn_shards.ROOT / "README.md").read_text()
        script = textwrap.dedent(text[text.index("    import h5py, torch\n"):text.index("`training/` does it")])
        done = subprocess.run([sys.executable, "-c", script], cwd=self.index.parent.parent, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = [float(line.split()[1]) for line in done.stdout.splitlines()]
        self.assertEqual(len(told), 5)
        self.assertLess(told[-1], told[0])

    def test_wrong_use_is_a_text_and_an_exit_code(self):
        path = self.folder / "wrong.yaml"
        path.write_text(f"output: {self.folder}/run\ndata: {{index: {self.folder}/none.h5}}\n")
        for words, code, text in (((), 3, "none.h5: is not there; `faceshard run"), (("--set", "epochs=0"), 2, "epochs is 0; allowed"),
                                  (("--explain",), 0, "")):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                self.assertEqual(command.main(["train", str(path), *words]), code)
            self.assertIn(text, err.getvalue())
        path.write_text(out.getvalue())
        self.assertEqual(settings.load(path).flat, settings.load(path).flat | {"epochs": 20, "data.index": [f"{self.folder}/none.h5"]})


if __name__ == "__main__":
    unittest.main()
