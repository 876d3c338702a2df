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

JOB = """
seed: 1
models: {detector: hog}
stages:
  - detect: {min_side: 20}
  - landmarks: {}
  - variants: [[]]
"""


def generate(folder, *more, code=0):
    words = [FACESHARD, "generate", folder, "--identities", 6, "--images", 48, "--bad", "0.2", "--log", "json", *more]
    done = subprocess.run(list(map(str, words)), capture_output=True, timeout=300, check=False)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done


def truth_of(folder):
    lines = (folder / "truth.tsv").read_text().splitlines()
    return {row["path"]: row for row in csv.DictReader(lines[1:], delimiter="\t")}


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


class Generate(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def assert_same(self, one, other):
        self.assertEqual(files(one), files(other))
        _, different, odd = filecmp.cmpfiles(one, other, files(one), shallow=False)
        self.assertEqual(different + odd, [])

    def test_the_same_options_draw_the_same_files_on_any_threads_and_interrupted(self):
        one, three, cut = (self.folder / name for name in ("one", "three", "cut"))
        generate(one, "--threads", 1)
        generate(three, "--threads", 3)
        self.assert_same(one, three)
        words = [FACESHARD, "generate", cut, "--identities", "6", "--images", "48", "--bad", "0.2", "--threads", "1", "--log", "json"]
        running = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE)
        running.stdout.readline()  # the first batch is done
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=300)
        self.assertEqual(running.returncode, 130)
        self.assertFalse((cut / "truth.tsv").exists())
        generate(cut, "--seed", 2, code=2)
        generate(cut)
        self.assert_same(one, cut)

    def test_a_folder_with_something_in_it_is_refused(self):
        (self.folder / "mine").write_text("keep")
        self.assertIn(b"is not empty", generate(self.folder, code=2).stderr)
        self.assertEqual((self.folder / "mine").read_text(), "keep")

    def test_identities_have_one_picture_or_more_and_all_are_given_out(self):
        people = self.folder / "people"
        done = json.loads(generate(people, "--mislabelled", "0.3").stdout.decode().splitlines()[-1])
        truth = truth_of(people)
        self.assertEqual(len(truth), 48)
        self.assertEqual(len({path.split("/")[0] for path in truth}), 6)
        moved = [path for path, row in truth.items() if row["planted"] == "mislabelled"]
        self.assertEqual(len(moved), done["mislabelled"])
        self.assertGreater(len(moved), 0)
        for path in moved:
            self.assertNotEqual(truth[path]["shows"], path.split("/")[0])

    def run_job(self, people):
        job, out = self.folder / "job.yaml", self.folder / "out"
        job.write_text(JOB)
        subprocess.run([FACESHARD, "run", job, "--input", people, "--output", out, "--log", "quiet"], timeout=300, check=True)
        return h5py.File(out / "index.h5")

    def test_the_built_in_detector_finds_the_faces_and_landmarks_sit_on_eyes_and_mouth(self):
        people = self.folder / "people"
        generate(people)
        truth = truth_of(people)
        with self.run_job(people) as index:
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
