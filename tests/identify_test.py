"""`faceshard identify` against sorting all distances in numpy, on embeddings made here."""
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import cv2
import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import evaluation  # noqa: E402

RANKS = 20


def brute_force(gallery, gallery_names, probes, probe_names, thresholds):
    """All distances, all names: the definitions of docs/evaluation.md and nothing else."""
    people = sorted(set(gallery_names), key=str.encode)
    person = {name: i for i, name in enumerate(people)}
    rows = numpy.array([person[name] for name in gallery_names])
    who = []
    for name in probe_names:
        stem = re.sub(r"(?<=.)_[0-9]+$", "", name)
        who.append(person.get(name, person.get(stem, -1)))
    who = numpy.array(who)
    distances = numpy.stack([evaluation.squared(probe[None], gallery) for probe in probes])
    order = numpy.argsort(distances, axis=1, kind="stable")
    nearest = rows[order[:, 0]]
    distance = numpy.sqrt(distances[numpy.arange(len(probes)), order[:, 0]])
    ranks = numpy.zeros(len(probes), int)
    for i, line in enumerate(order):
        seen = list(dict.fromkeys(rows[line].tolist()))
        ranks[i] = seen.index(who[i]) + 1 if who[i] >= 0 else 0
    right, outside = (nearest == who), who < 0

    def counts(threshold):
        under = distance < threshold
        return ((under & right).sum(), (under & ~right).sum(), (~under).sum())

    found = {"thresholds": [counts(t) for t in thresholds], "outside": outside.sum(),
             "cmc": [((ranks > 0) & (ranks <= i + 1)).sum() / (~outside).sum() for i in range(RANKS)], "dir": []}
    for target in (1e-1, 1e-2, 1e-3):
        strangers = numpy.sort(distance[outside])
        allowed = max(k for k in range(len(strangers) + 1) if k / len(strangers) <= target)
        threshold = strangers[allowed] if allowed < len(strangers) else numpy.inf
        found["dir"].append(((right & (distance < threshold)).sum() / (~outside).sum(), threshold))
    found["right"] = max((right & (distance < t)).sum() + (outside & (distance >= t)).sum()
                         for t in numpy.concatenate(([0], numpy.nextafter(distance, 9))))
    mistakes = [i for i in numpy.argsort(distance, kind="stable") if not right[i]]
    found["mistakes"] = [(probe_names[i], people[nearest[i]], distance[i]) for i in mistakes]
    return found


class Identify(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.draw = numpy.random.default_rng(11)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def identify(self, *more, code=0):
        out = self.folder / "found.json"
        done = evaluation.faceshard(self, "identify", "--gallery", self.folder / "g.h5", "--probes", self.folder / "p.h5",
                                    "--json", out, *more, code=code)
        return done if code else json.loads(out.read_text())

    def write(self, name, vectors, names, **more):
        evaluation.write(self.folder / name, vectors, names, [f"{who}/{i:03d}.jpg" for i, who in enumerate(names)], **more)

    def population(self, people, outside, probes, most):
        """A gallery of one to `most` rows a person, out of order; probes of them and of others; some equal rows."""
        centres = evaluation.people(self.draw, people + outside)
        owners = self.draw.permutation(numpy.repeat(numpy.arange(people), self.draw.integers(1, most + 1, size=people)))
        gallery = evaluation.unit(centres[owners] + 0.5 * self.draw.normal(size=(len(owners), 16)))
        gallery[1::7] = gallery[0::7][:len(gallery[1::7])]
        who = self.draw.integers(people + outside, size=probes)
        vectors = evaluation.unit(centres[who] + 0.7 * self.draw.normal(size=(probes, 16)))
        vectors[:5] = gallery[:5]
        return gallery, [f"P_{i}_x" for i in owners], vectors, [f"P_{i}_x" + ("" if k % 3 else f"_{k}") for k, i in enumerate(who)]

    def check(self, gallery, gallery_names, probes, probe_names, thresholds):
        self.write("g.h5", gallery, gallery_names)
        self.write("p.h5", probes, probe_names)
        found = self.identify("--threshold", ",".join(repr(float(t)) for t in thresholds), "--mistakes", "1000")
        expected = brute_force(gallery, gallery_names, probes, probe_names, thresholds)
        self.assertEqual((found["gallery"], found["probes"]), (len(gallery), len(probes)))
        self.assertEqual(found["outside"], expected["outside"])
        for line, (correct, incorrect, unknown), threshold in zip(found["thresholds"], expected["thresholds"], thresholds):
            self.assertEqual((line["correct"], line["incorrect"], line["unknown"]), (correct, incorrect, unknown), threshold)
            self.assertEqual(line["accuracy"], correct / len(probes))
            self.assertEqual(line["threshold"], threshold)
        self.assertEqual(found["cmc"], expected["cmc"])
        self.assertEqual((found["rank1"], found["rank5"]), (expected["cmc"][0], expected["cmc"][4]))
        for name, (rate, threshold) in zip(("1e-1", "1e-2", "1e-3"), expected["dir"]):
            self.assertEqual(found["dir_at_far"][name]["dir"], rate)
            self.assertAlmostEqual(found["dir_at_far"][name]["threshold"], threshold, 14)
        best = found["best"]
        self.assertEqual(best["correct"] + expected["outside"] - best["outside_accepted"], expected["right"])
        told = [(row["name"], row["nearest"]) for row in found["mistakes"]]
        self.assertEqual(told, [row[:2] for row in expected["mistakes"]][:1000])
        for row, (_, _, distance) in zip(found["mistakes"], expected["mistakes"]):
            self.assertAlmostEqual(row["distance"], distance, 14)
        return found

    def test_every_number_is_that_of_sorting_all_distances(self):
        self.check(*self.population(120, 30, 700, 4), [0.3, 0.7, 0.8, 1.1, 2.5])

    def test_one_picture_a_person_and_few_outside_people(self):
        self.check(*self.population(40, 2, 300, 1), [0.5, 1.0])

    def test_a_distance_that_is_the_threshold_is_not_under_it(self):
        gallery = numpy.eye(4, 16, dtype=numpy.float32)
        probes = numpy.concatenate((-gallery[:1], gallery[1:2], evaluation.unit(numpy.eye(16)[8:9])))
        names = ["a", "b", "c", "d"]
        self.write("g.h5", gallery, names)
        self.write("p.h5", probes, ["a", "b_1", "nobody"])
        root = float(numpy.sqrt(2.0))
        found = self.identify("--threshold", f"0,{root!r},{numpy.nextafter(root, 2)!r},3")
        lines = [(line["correct"], line["incorrect"], line["unknown"]) for line in found["thresholds"]]
        self.assertEqual(lines, [(0, 0, 3), (1, 0, 2), (1, 2, 0), (1, 2, 0)])

    def test_the_number_of_threads_changes_nothing(self):
        gallery, names, probes, probe_names = self.population(300, 50, 900, 3)
        self.write("g.h5", gallery, names)
        self.write("p.h5", probes, probe_names)
        found = []
        for threads in ("1", "5"):
            os.environ["OMP_NUM_THREADS"] = threads
            self.identify()
            found.append((self.folder / "found.json").read_bytes())
        del os.environ["OMP_NUM_THREADS"]
        self.assertEqual(found[0], found[1])

    def test_what_could_not_be_embedded_is_told(self):
        gallery, names, probes, probe_names = self.population(10, 2, 30, 1)
        self.write("g.h5", gallery, names, rejected=[("gone", "gone/1.jpg", "no_face")])
        self.write("p.h5", probes, probe_names, rejected=[("P_1_x", "P_1_x/9.jpg", "corrupt"), ("P_2_x", "P_2_x/9.jpg", "no_face")])
        found = self.identify()
        self.assertEqual([row["reason"] for row in found["probes_rejected"]], ["corrupt", "no_face"])
        self.assertEqual(found["gallery_rejected"], [{"name": "gone", "source": "gone/1.jpg", "reason": "no_face"}])
        for line in found["thresholds"]:
            self.assertAlmostEqual(line["accuracy_with_rejected"], line["correct"] / 32, 14)

    def test_the_sheet_shows_probe_wrong_and_right(self):
        gallery, probes = numpy.eye(2, 16, dtype=numpy.float32), numpy.eye(2, 16, dtype=numpy.float32)[::-1].copy()
        grey = {"a/000.jpg": 10, "b/001.jpg": 90}
        for name, value in grey.items():
            for place in ("g", "p"):
                (self.folder / place / name).parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(self.folder / place / name), numpy.full((80, 40, 3), value + 50 * (place == "p"), numpy.uint8))
        self.write("g.h5", gallery, ["a", "b"])
        self.write("p.h5", probes, ["a", "b"])
        words = ("--sheet", self.folder / "sheet.png", "--gallery-images", self.folder / "g", "--probe-images", self.folder / "p")
        self.assertEqual(self.identify(*words)["mistakes_n"], 2)
        sheet = cv2.imread(str(self.folder / "sheet.png"))
        middle = [[int(sheet[6 + 174 * y + 84, 6 + 174 * x + 84, 0]) for x in range(3)] for y in range(2)]
        for line, expected in zip(middle, ([60, 90, 10], [140, 10, 90])):
            for value, wanted in zip(line, expected):
                self.assertLess(abs(value - wanted), 4)

    def test_wrong_use_is_told_with_the_remedy(self):
        evaluation.faceshard(self, "identify", code=2)
        gallery, names, probes, probe_names = self.population(8, 1, 9, 1)
        self.write("g.h5", gallery, names)
        self.write("p.h5", probes[:, :8] / numpy.linalg.norm(probes[:, :8], axis=1, keepdims=True), probe_names)
        self.assertIn(b"16 numbers, those of the probes 8", self.identify(code=3).stderr)
        self.assertIn(b"--gallery-images", self.identify("--sheet", self.folder / "s.png", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
