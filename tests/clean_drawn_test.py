"""Mislabels planted among drawn people, through everything: drawing, detection, embedding, cleaning. Needs MobileFaceNet y1."""
import csv
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

ROOT = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
MODEL = "mobilefacenet_y1_112x112.onnx"
PLACES = [path / MODEL for path in (ROOT / "models", ROOT.parent / "shared/models", pathlib.Path(os.environ.get("FACESHARD_MODELS", "/none")))]

JOB = """
units: {images: 2000}
models: {detector: hog, embedder: mobilefacenet_y1}
stages:
  - detect: {min_side: 0}
  - align
  - embed
  - clean: {method: robust}
  - variants: [[]]
"""


@unittest.skipUnless(any(path.exists() for path in PLACES), f"{MODEL} is not here")
class Drawn(run_test.JobCase):
    def test_planted_mislabels_are_found_by_the_command_and_by_a_job(self):
        self.faceshard("generate", self.input, "--identities", 14, "--images", 84, "--mislabelled", 0.08, "--bad", 0, "--log", "quiet")
        with open(self.input / "truth.tsv", encoding="utf-8") as file:
            rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
        wrong = {row["path"]: row["shows"] for row in rows if row["shows"] != row["path"].split("/")[0]}
        self.assertGreater(len(wrong), 3)
        self.job.write_text(JOB)
        done = self.run_job(self.folder / "out", "--set", "stages.clean.action=copy")
        kept = self.folder / "out" / "removed"
        self.check({str(path.relative_to(kept)) for path in kept.glob("*/*")}, wrong)
        self.assertEqual(done["rejected"]["mislabelled"], len(list(kept.glob("*/*"))))

        self.run_job(self.folder / "out", "--set", "stages.clean.action=flag")
        out = self.folder / "found.json"
        self.faceshard("clean", self.folder / "out" / "index.h5", "--json", out, "--log", "quiet")
        found = {row["source"]: row for row in json.loads(out.read_text())["images"] if row["verdict"] == "remove"}
        self.check(set(found), wrong)
        for source in found:
            self.assertEqual(found[source]["suggested_identity"], wrong[source])

    def check(self, removed, wrong):
        """Nobody who is right is removed, and most of the others are: one may be too poor a picture to say."""
        self.assertLessEqual(removed, set(wrong))
        self.assertGreaterEqual(len(removed), len(wrong) - 1)


if __name__ == "__main__":
    unittest.main()
