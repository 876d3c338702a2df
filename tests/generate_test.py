"""Drawn people: the same files whatever the threads, truth told, and faces that the built-in parts find."""
import csv
import filecmp
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import h5py
import numpy

FACESHARD = os.environ["FACESHARD"]

OPTIONS = ["--identities", 5, "--images", 36, "--bad", 0.2, "--mislabelled", 0.15, "--log", "json"]

JOB = """
seed: 1
models: {detector: hog}
stages:
  - detect: {min_side: 20}
  - landmarks: {}
  - variants: [[]]
"""


def generate(folder, *more, code=0):
    words = [FACESHARD, "generate", folder, *OPTIONS, *more]
    done = subprocess.run(list(map(str, words)), capture_output=True, timeout=300, check=False)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done


def truth_of(folder):
    lines = (folder / "truth.tsv").read_text().splitlines()
    return {row["path"]: row for row in csv.DictReader(lines[1:], delimiter="\t")}


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


class Generate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.people = cls.shared / "people"
        cls.done = json.loads(generate(cls.people, "--threads", 2).stdout.decode().splitlines()[-1])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def assert_same(self, one, other):
        self.assertEqual(files(one), files(other))
        _, different, odd = filecmp.cmpfiles(one, other, files(one), shallow=False)
        self.assertEqual(different + odd, [])

    def test_interrupted_and_continued_on_another_number_of_threads_it_draws_the_same_files(self):
        cut = self.folder / "cut"
        words = [FACESHARD, "generate", cut, *OPTIONS, "--threads", 1]
        running = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE)
        running.stdout.readline()  # the first batch is done
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=300)
        self.assertEqual(running.returncode, 130)
        self.assertFalse((cut / "truth.tsv").exists())
        generate(cut, "--seed", 2, code=2)
        generate(cut, "--threads", 3)
        self.assert_same(self.people, cut)

    def test_a_folder_with_something_in_it_is_refused(self):
        (self.folder / "mine").write_text("keep")
        self.assertIn(b"is not empty", generate(self.folder, code=2).stderr)
        self.assertEqual((self.folder / "mine").read_text(), "keep")

    def test_identities_have_one_picture_or_more_and_all_are_given_out(self):
        truth = truth_of(self.people)
        self.assertEqual(len(truth), 36)
        self.assertEqual(len({path.split("/")[0] for path in truth}), 5)
        moved = [path for path, row in truth.items() if row["planted"] == "mislabelled"]
        self.assertEqual(len(moved), self.done["mislabelled"])
        self.assertGreater(len(moved), 0)
        for path in moved:
            self.assertNotEqual(truth[path]["shows"], path.split("/")[0])

    def run_job(self, people):
        job, out = self.folder / "job.yaml", self.folder / "out"
        job.write_text(JOB)
        subprocess.run([FACESHARD, "run", job, "--input", people, "--output", out, "--log", "quiet"], timeout=300, check=True)
        return h5py.File(out / "index.h5")

    def test_the_built_in_detector_finds_the_faces_and_landmarks_sit_on_eyes_and_mouth(self):
        truth = truth_of(self.people)
        with self.run_job(self.people) as index:
            planted = {path: row["reason"] for path, row in truth.items() if row["reason"] != "-"}
            found = {path.decode(): reason.decode() for path, reason in zip(index["rejected/source"], index["rejected/reason"])}
            self.assertGreaterEqual(len(set(planted.values())), 3)
            for path, reason in planted.items():
                self.assertEqual(found.pop(path, "delivered"), reason, path)
            self.assertLessEqual(len(found), 0.05 * (len(truth) - len(planted)))
            self.assertGreaterEqual(numpy.mean(list(self.near_the_truth(index, truth))), 0.85)

    def near_the_truth(self, index, truth):
        """Of every delivered picture: do its points lie within a tenth of the distance from eyes to mouth?"""
        size = index["images"].shape[1]
        for source, box, points in zip(index["source"], index["box"], index["landmarks"]):
            row = truth[source.decode()]
            points = points * box[2:] / size + box[:2]
            seen = [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
            names = ["eye_left", "eye_right", "nose", "mouth_left", "mouth_right"]
            told = numpy.array([[float(row[name + "_x"]), float(row[name + "_y"])] for name in names])
            height = numpy.linalg.norm(told[:2].mean(0) - told[3:].mean(0))
            yield numpy.linalg.norm(seen - told, axis=1).mean() < 0.1 * height


if __name__ == "__main__":
    unittest.main()
