"""`faceshard verify` against the protocol as numpy would have it, on embeddings made here."""
import json
import pathlib
import pickle
import shutil
import sys
import os
import tempfile
import unittest
import xml.etree.ElementTree

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import evaluation  # noqa: E402

FARS = ("1e-1", "1e-2", "1e-3", "1e-4")


def accuracies(distances, same, folds, folds_n):
    """By fold: accuracy and the threshold that the others chose."""
    thresholds = numpy.arange(0, 4, 0.01)
    right = (distances[None] < thresholds[:, None]) == same[None]
    found = []
    for fold in range(folds_n):
        if (folds == fold).any() and (folds != fold).any():
            best = numpy.argmax(right[:, folds != fold].mean(axis=1))
            found.append((right[best, folds == fold].mean(), thresholds[best]))
    return numpy.array(found)


def vals(distances, same, folds, folds_n, target=1e-3):
    """By fold: VAL and FAR at the largest threshold whose FAR on the others is at most the target."""
    thresholds = numpy.arange(0, 4, 0.001)
    accepted = distances[None] < thresholds[:, None]
    found = []
    for fold in range(folds_n):
        here, others = folds == fold, folds != fold
        far = accepted[:, others & ~same].mean(axis=1)
        chosen = numpy.flatnonzero(far <= target)[-1]
        found.append((accepted[chosen, here & same].mean(), accepted[chosen, here & ~same].mean()))
    return numpy.array(found)


def curve(distances, same):
    steps = numpy.unique(distances)
    far = (distances[~same][None] <= steps[:, None]).mean(axis=1)
    tar = (distances[same][None] <= steps[:, None]).mean(axis=1)
    return numpy.concatenate(([0], far)), numpy.concatenate(([0], tar))


def equal_error(far, tar):
    """By bisection on the curve with straight lines between its points."""
    place = numpy.arange(len(far))
    low, high = 0.0, len(far) - 1.0
    for _ in range(200):
        middle = (low + high) / 2
        under = numpy.interp(middle, place, far) + numpy.interp(middle, place, tar) < 1
        low, high = (middle, high) if under else (low, middle)
    return numpy.interp(low, place, far)


class Verify(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.draw = numpy.random.default_rng(5)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def population(self, people, pictures, noise):
        """Vectors of people, some twice the same picture, so that there are ties."""
        centres = evaluation.people(self.draw, people)
        rows, names, sources = [], [], []
        for person in range(people):
            for picture in range(pictures):
                rows.append(centres[person] + noise * self.draw.normal(size=16) if picture % 4 else centres[person])
                names.append(f"P_{person}")
                sources.append(f"P_{person}/P_{person}_{picture:04d}.jpg")
        return evaluation.unit(rows), names, sources

    def pairs(self, people, pictures, n):
        """(person, picture, person, picture), half of them of one person."""
        rows = []
        for i in range(n):
            a, b = self.draw.integers(people, size=2)
            b = a if i % 2 else (a + 1 + b) % people if b == a else b
            rows.append((a, self.draw.integers(pictures), b, self.draw.integers(pictures)))
        return rows

    def verify(self, pairs, *more, code=0):
        json_path = self.folder / "out.json"
        done = evaluation.faceshard(self, "verify", "--pairs", pairs, "--embeddings", self.folder / "e.h5", "--json", json_path,
                                    *more, code=code)
        return done if code else json.loads(json_path.read_text())

    def write_pairs(self, rows, header=""):
        path = self.folder / "pairs.txt"
        lines = [f"P_{a}\t{i}\t{k}" if a == b else f"P_{a}\t{i}\tP_{b}\t{k}" for a, i, b, k in rows]
        path.write_text(header + "\n".join(lines) + "\n")
        return path

    def check(self, found, distances, same, folds, folds_n):
        by_fold = accuracies(distances, same, folds, folds_n)
        self.assertEqual([fold["accuracy"] for fold in found["folds"] if fold["accuracy"] is not None], by_fold[:, 0].tolist())
        self.assertEqual([fold["threshold"] for fold in found["folds"] if fold["accuracy"] is not None], by_fold[:, 1].tolist())
        self.assertAlmostEqual(found["accuracy"], by_fold[:, 0].mean(), 14)
        self.assertAlmostEqual(found["std"], numpy.std(by_fold[:, 0]), 14)
        self.assertAlmostEqual(found["standard_error"], numpy.std(by_fold[:, 0], ddof=1) / numpy.sqrt(len(by_fold)), 14)
        far, tar = curve(distances, same)
        wins = (distances[same][:, None] < distances[~same][None]).mean() + (distances[same][:, None] == distances[~same][None]).mean() / 2
        self.assertAlmostEqual(found["auc"], wins, 13)
        self.assertAlmostEqual(found["auc"], numpy.trapz(tar, far), 13)
        self.assertAlmostEqual(found["eer"], equal_error(far, tar), 12)
        for name in FARS:
            self.assertEqual(found["tar_at_far"][name], tar[far <= float(name)][-1], name)
            self.assertEqual(name in found["far_unresolved"], 1 / (~same).sum() > float(name), name)

    def test_every_number_is_that_of_the_protocol_in_numpy(self):
        vectors, names, sources = self.population(30, 8, 0.9)
        evaluation.write(self.folder / "e.h5", vectors, names, sources)
        rows = self.pairs(30, 8, 1200)
        path = self.write_pairs(rows, "6\t100\n")
        where = {source: i for i, source in enumerate(sources)}
        a = vectors[[where[f"P_{a}/P_{a}_{i:04d}.jpg"] for a, i, _, _ in rows]]
        b = vectors[[where[f"P_{b}/P_{b}_{k:04d}.jpg"] for _, _, b, k in rows]]
        same, folds = numpy.array([a == b for a, _, b, _ in rows]), numpy.arange(1200) // 200
        distances = evaluation.squared(a, b)
        self.assertGreater((distances == 0).sum(), 10, "no ties")
        found = self.verify(path)
        self.check(found, distances, same, folds, 6)
        by_fold = vals(distances, same, folds, 6)
        self.assertAlmostEqual(found["val_at_far_1e-3"]["mean"], by_fold[:, 0].mean(), 14)
        self.assertAlmostEqual(found["val_at_far_1e-3"]["std"], numpy.std(by_fold[:, 0]), 14)
        self.assertAlmostEqual(found["val_at_far_1e-3"]["far"], by_fold[:, 1].mean(), 14)
        self.check(self.verify(path, "--metric", "l2"), numpy.sqrt(distances), same, folds, 6)

    def test_a_skipped_pair_keeps_its_fold_and_is_told_with_its_reason(self):
        vectors, names, sources = self.population(20, 6, 0.9)
        rows = self.pairs(20, 6, 333)
        gone, twice = 3 * 6 + 1, 5 * 6 + 2
        rejected = [(names[gone], sources[gone], "no_face")]
        keep = [i for i in range(len(names)) if i != gone] + [twice]
        evaluation.write(self.folder / "e.h5", vectors[keep], [names[i] for i in keep], [sources[i] for i in keep], rejected)
        found = self.verify(self.write_pairs(rows + [(1, 77, 1, 0)]))
        picture = numpy.array([[a * 6 + i, b * 6 + k] for a, i, b, k in rows])
        reasons = {gone: "no_face", twice: "ambiguous"}
        expected = [(i + 1, next(reasons[p] for p in pair if p in reasons)) for i, pair in enumerate(picture) if set(pair) & set(reasons)]
        told = [(pair["line"], pair["reason"]) for pair in found["skipped_pairs"]]
        self.assertGreater(len(expected), 5)
        self.assertEqual(told, expected + [(334, "missing")])
        self.assertEqual((found["pairs"], found["skipped"]), (334, len(told)))
        folds = numpy.concatenate([numpy.full(len(part), i) for i, part in enumerate(numpy.array_split(numpy.arange(334), 10))])[:333]
        used = ~numpy.isin(picture, list(reasons)).any(axis=1)
        distances = evaluation.squared(vectors[picture[:, 0]], vectors[picture[:, 1]])
        same = numpy.array([a == b for a, _, b, _ in rows])
        self.check(found, distances[used], same[used], folds[used], 10)

    def test_a_set_in_a_pickle_is_verified_like_a_list(self):
        vectors, names, _ = self.population(8, 6, 0.9)
        same = numpy.array([i % 3 > 0 for i in range(24)])
        order = numpy.arange(48)
        evaluation.write(self.folder / "e.h5", vectors, names, [f"{i:07d}.jpg" for i in order])
        for protocol in (2, 4):
            bins = [bytearray(b"picture %d" % i) for i in order]
            path = self.folder / f"set{protocol}.bin"
            path.write_bytes(pickle.dumps(([bytes(b) for b in bins], [bool(s) for s in same]), protocol) if protocol == 4
                             else b"\x80\x02](" + b"".join(b"U" + bytes([len(b)]) + bytes(b) for b in bins) + b"e](" +
                             b"".join(b"\x88" if s else b"\x89" for s in same) + b"e\x86.")
            folds = numpy.concatenate([numpy.full(len(part), i) for i, part in enumerate(numpy.array_split(numpy.arange(24), 10))])
            self.check(self.verify(path), evaluation.squared(vectors[0::2], vectors[1::2]), same, folds, 10)

    def test_a_pickle_that_runs_something_is_refused(self):
        path = self.folder / "set.bin"
        path.write_bytes(pickle.dumps(([print], [True]), 2))
        vectors, names, sources = self.population(2, 2, 0.9)
        evaluation.write(self.folder / "e.h5", vectors, names, sources)
        done = self.verify(path, code=3)
        self.assertIn(b"GLOBAL", done.stderr)

    def test_plots_are_whole_svg_files_that_need_nothing_else(self):
        vectors, names, sources = self.population(20, 6, 0.9)
        evaluation.write(self.folder / "e.h5", vectors, names, sources)
        self.verify(self.write_pairs(self.pairs(20, 6, 400)), "--plots", self.folder / "plots")
        for name in ("roc.svg", "histogram.svg"):
            text = (self.folder / "plots" / name).read_text()
            root = xml.etree.ElementTree.fromstring(text)
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertEqual(text.count("http"), 1, "something is loaded from elsewhere")
            self.assertNotIn("nan", text)

    def test_what_is_missing_is_told_with_the_remedy(self):
        evaluation.faceshard(self, "verify", code=2)
        vectors, names, sources = self.population(2, 2, 0.9)
        evaluation.write(self.folder / "e.h5", vectors, names, sources)
        done = self.verify(self.folder / "nowhere.txt", code=3)
        self.assertIn(b"nowhere.txt", done.stderr)
        done = self.verify(self.write_pairs([(7, 1, 8, 1)]), code=3)
        self.assertIn(b"1 of 1 pairs skipped", done.stderr)


if __name__ == "__main__":
    unittest.main()
