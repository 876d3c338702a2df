"""What was put on, and what could not be, as it stands in shards of whole jobs."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import cv2
import h5py

FACESHARD = os.environ["FACESHARD"]

# most: 0 refuses every face that is turned at all, after the mask was put on.
REFUSED = "[mask: {template: n95, under_nose: 1}, pose: {most: 0}]"
JOB = """
models: {{detector: none}}
stages:
  - detect: {{min_side: 0, margin: 0}}
  - landmarks
  - variants: [{chains}]
"""


def faceshard(*words):
    return subprocess.run([FACESHARD, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)


class Worn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        done = faceshard("generate", cls.folder / "people", "--identities", 2, "--images", 3, "--bad", 0, "--mislabelled", 0, "--log", "quiet")
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def rejected(self, name, chains):
        job = self.folder / f"{name}.yaml"
        job.write_text(JOB.format(chains=chains))
        done = faceshard("run", job, "--input", self.folder / "people", "--output", self.folder / name, "--workers", 1, "--log", "quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.folder / name / "index.h5") as index:
            return list(zip(index["rejected/variant"][:].tolist(), index["rejected/reason"].asstr()[:], index["rejected/worn"].asstr()[:]))

    def test_a_sample_without_any_picture_says_what_it_should_have_worn(self):
        self.assertEqual(self.rejected("whole", REFUSED), 3 * [(255, "too_turned", "masks/n95:under_nose")])
        told = faceshard("inspect", self.folder / "whole" / "index.h5").stdout
        self.assertRegex(told, r"masks/n95:under_nose +0 +3\b")

    def test_a_missing_picture_of_a_sample_that_has_others_says_it_too(self):
        self.assertEqual(self.rejected("part", f"[], {REFUSED}"), 3 * [(1, "too_turned", "masks/n95:under_nose")])

    def masked(self, compression):
        """{photograph: picture} of a job that puts on one mask, compressed by so much."""
        job, output = self.folder / "pressed.yaml", self.folder / f"pressed-{compression}"
        job.write_text(JOB.format(chains=f"[mask: {{template: cloth-check, compression: {compression}}}]"))
        done = faceshard("run", job, "--input", self.folder / "both", "--output", output, "--workers", 1, "--log", "quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(output / "index.h5") as index:
            return dict(zip(index["source"].asstr()[:], index["images"][:]))

    def test_what_is_put_on_a_jpeg_is_compressed_as_it_was_and_nothing_else_is(self):
        photograph = sorted((self.folder / "people").rglob("*.jpg"))[0]
        (self.folder / "both/one").mkdir(parents=True)
        shutil.copy(photograph, self.folder / "both/one/a.jpg")
        cv2.imwrite(str(self.folder / "both/one/b.png"), cv2.imread(str(photograph)))
        without, compressed = self.masked(0), self.masked(1)
        changed = {name: (without[name] != compressed[name]).any(axis=2).mean() for name in without}
        self.assertEqual(changed["one/b.png"], 0)
        self.assertGreater(changed["one/a.jpg"], 0.05)
        self.assertLess(changed["one/a.jpg"], 0.6)


if __name__ == "__main__":
    unittest.main()
