"""The whole loop, small: people are drawn, a job makes shards of them, a network learns from these, becomes a card, and the program embeds
and verifies with it people that it has never seen."""
import json
import pathlib
import os
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
import evaluation  # noqa: E402

from faceshard_training import checkpoint, networks, settings, shards, train, verification  # noqa: E402

JOB = """
input: {{path: {people}}}
output: {{path: {output}, size: 48}}
units: {{images: 64}}
models: {{detector: hog}}
stages:
  - detect: {{min_side: 0}}
  - align
  - variants: {variants}
"""
TRAIN = """
output: {folder}/run
epochs: 8
threads: 1
data: {{index: {folder}/train-out/index.h5, batches: halves, batch: 32}}
network: {{name: simple_resnet, width: 0.5, dimension: 32}}
loss: {{kind: arcface, scale: 16, margin: 0.2}}
optimizer: {{rate: 0.003}}
verify: {{index: {folder}/eval-out/index.h5, pairs: {folder}/pairs.txt, every: 8}}
export: {{name: learned, licence: none needed, detector: hog, source: "{words}"}}
"""


class Loop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        drawn_shards.draw(cls.folder / "train", 24, 192, seed=5)
        pictures = drawn_shards.as_lfw(drawn_shards.draw(cls.folder / "eval", 8, 48, seed=77))
        cls.pairs = drawn_shards.write_pairs(cls.folder / "pairs.txt", pictures)
        cls.shards_of("train", "[[], [augment: {rotate_degrees: 15}]]")
        cls.shards_of("eval", "[[]]")
        (cls.folder / "train.yaml").write_text(TRAIN.format(folder=cls.folder, words="people who are drawn: \\\"nobody\\\""))
        train.train(settings.load(cls.folder / "train.yaml"), lambda line: None)
        cls.card = cls.folder / "run" / "learned.yaml"
        cls.network = checkpoint.network(checkpoint.load(cls.folder / "run" / "checkpoint.pt"))
        cls.unseen = shards.ShardDataset(cls.folder / "eval-out" / "index.h5")
        cls.verifier = verification.Verifier(cls.unseen, verification.read_pairs(cls.pairs))

    @classmethod
    def shards_of(cls, name, variants):
        job = cls.folder / f"{name}.job"
        job.write_text(JOB.format(people=cls.folder / name, output=cls.folder / f"{name}-out", variants=variants))
        drawn_shards.faceshard("run", job)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def verify(self, *words):
        evaluation.faceshard(self, "verify", "--pairs", self.pairs, *words, "--json", self.folder / "v.json")
        return json.loads((self.folder / "v.json").read_text())

    def test_people_that_it_has_never_seen_are_told_apart_and_the_program_says_so_too(self):
        mine = self.verifier(self.network)
        torch.manual_seed(1)
        untrained = self.verifier(networks.build("simple_resnet", 48, width=0.5, dimension=32))
        found = self.verify("--images", self.folder / "eval", "--model", self.card)
        self.assertGreater(found["auc"], 0.9)
        self.assertGreater(found["auc"], untrained["auc"] + 0.05)
        self.assertEqual(found["skipped"], 0)
        self.assertAlmostEqual(found["auc"], mine["auc"], 3)
        self.assertAlmostEqual(found["accuracy"], mine["accuracy"], 2)
        last = (self.folder / "run" / "train.csv").read_text().splitlines()[-1].split(",")
        self.assertAlmostEqual(float(last[6]), mine["accuracy"], 6)

    def test_onnx_torchscript_pytorch_and_embed_agree(self):
        pictures = shards.as_input(self.unseen[list(range(len(self.unseen)))][0])
        net = cv2.dnn.readNet(str(self.card.with_suffix(".onnx")))
        net.setInput(pictures.numpy())
        with torch.no_grad():
            expected = self.network(pictures).numpy()
            scripted = torch.jit.load(str(self.card.with_suffix(".pt")))(pictures).numpy()
        numpy.testing.assert_allclose(scripted, expected, atol=1e-4)
        numpy.testing.assert_allclose(net.forward(), expected, atol=1e-4)
        evaluation.faceshard(self, "embed", self.folder / "eval", "--model", self.card, "--output", self.folder / "e.h5")
        with h5py.File(self.folder / "e.h5") as file:
            rows = {source: vector for source, vector in zip(file["source"].asstr()[:], file["embedding"][:])}
        sources = self.unseen.indexes[0].sources()
        numpy.testing.assert_allclose([rows[source] for source in sources], verification.unit(expected), atol=1e-4)

    def test_doctor_knows_the_card(self):
        told = evaluation.faceshard(self, "doctor", self.card).stdout.decode()
        self.assertRegex(told, r"learned.yaml +embed +ok, .*% on the pairs of pairs.txt")


if __name__ == "__main__":
    unittest.main()
