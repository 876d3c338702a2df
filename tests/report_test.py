"""report.html: what it tells of a finished job, from its own files alone."""
import base64
import html
import json
import os
import re
import sys
import unittest

import cv2
import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402
from run_test import JobCase, write_people  # noqa: E402

CLEANED = """
seed: 3
units: {images: 40}
models: {detector: none, embedder: faceshard_mobile}
stages:
  - detect: {min_side: 20}
  - clean: {threshold: 0.2}
  - variants: [[], [augment]]
"""

ONE_EACH = """
seed: 3
stages:
  - detect: {min_side: 60, margin: 10}
  - sample: {per_class: 1}
"""


class Report(JobCase):
    def setUp(self):
        super().setUp()
        self.samples = write_people(self.input)
        self.output = self.folder / "out"

    def report(self):
        return (self.output / "report.html").read_text()

    def test_it_is_written_at_the_end_and_tells_what_was_counted(self):
        (self.input / "person 0" / "broken <b>.jpg").write_bytes(b"no picture")
        done = self.run_job(self.output)
        page = self.report()
        for name, n in (("photographs", self.samples + 1), ("delivered", done["delivered"]), ("pictures", done["images"])):
            self.assertIn(f"<span>{name}</span><strong>{n}</strong>", page)
        self.assertIn("not_an_image<td class=n>1<", page)
        self.assertIn("broken &#60;b&#62;.jpg", page)
        self.assertNotIn("broken <b>", page)
        self.assertEqual(re.findall(r"(?:src|href|url\()=?[\"']?(?!data:)[a-z/.]", page), [])
        self.assertLess(len(page), 20 << 20)

    def test_it_has_a_sheet_of_every_variant_and_the_job_that_gives_the_same_again(self):
        self.run_job(self.output)
        page = self.report()
        self.assertEqual(page.count("<div class=sheet>"), 3)
        self.assertIn("seed      3", page)
        again = page[page.rindex("<pre>") + 5:page.rindex("</pre>")].replace("&#34;", '"').replace("&#39;", "'")
        (self.folder / "again.yaml").write_text(again)
        self.faceshard("run", self.folder / "again.yaml", "--log", "quiet")

    def test_what_clean_removed_is_shown_with_its_distance_beside_the_threshold(self):
        self.job.write_text(CLEANED)
        self.run_job(self.output)
        page = self.report()
        self.assertIn("threshold 0.2", page)
        distances = [float(d) for d in re.findall(r"<b>(\d\.\d\d)</b>", page[page.index("removed as mislabelled"):])]
        self.assertGreater(len(distances), 1)
        self.assertEqual(distances, sorted(distances, reverse=True))

    def test_of_a_rejected_face_it_shows_the_face_and_not_the_whole_photograph(self):
        people = self.folder / "drawn"
        self.faceshard("generate", people, "--identities", 1, "--images", 3, "--bad", 0, "--mislabelled", 0, "--log", "quiet")
        self.job.write_text(ONE_EACH)
        self.faceshard("run", self.job, "--input", people, "--output", self.output, "--log", "quiet")
        with h5py.File(self.output / "index.h5") as index:
            boxes = dict(zip(index["rejected/source"].asstr()[:], index["rejected/box"][:]))
        page, shown = self.report(), 0
        for picture, source in re.findall(r'<img alt="" src="data:image/jpeg;base64,([^"]+)" title="([^"]+)">', page):
            if html.unescape(source) not in boxes:
                continue
            x, y, width, height = boxes[html.unescape(source)]
            photograph = cv2.imread(str(people / html.unescape(source)))
            self.assertLess(width, photograph.shape[1] * 0.9)
            found = cv2.imdecode(numpy.frombuffer(base64.b64decode(picture), numpy.uint8), cv2.IMREAD_COLOR)
            size = found.shape[1::-1]
            face = cv2.resize(photograph[y:y + height, x:x + width], size, interpolation=cv2.INTER_AREA)
            whole = cv2.resize(photograph, size, interpolation=cv2.INTER_AREA)
            self.assertLess(cv2.absdiff(found, face).mean(), 8)
            self.assertGreater(cv2.absdiff(found, whole).mean(), 12)
            shown += 1
        self.assertEqual(shown, 2)

    def test_how_far_it_is_is_told_by_pictures_alone_and_at_the_end_of_a_job(self):
        self.job.write_text(CLEANED)
        (self.input / "person 0" / "broken.jpg").write_bytes(b"no picture")
        told = [self.faceshard("run", self.job, "--input", self.input, "--output", self.output, "--log", "json"),
                self.faceshard("report", self.output, "--log", "json")]
        pictures = self.report().count("<img alt=") + self.report().count("<div class=gone")
        for one in told:
            steps = [json.loads(line) for line in one.stdout.decode().splitlines()]
            steps = [step for step in steps if step.get("text") == "writing report.html" and "of" in step]
            self.assertEqual({step["of"] for step in steps}, {pictures})
            self.assertTrue(all(0 <= step["done"] <= pictures for step in steps))

    def test_an_unfinished_job_has_none_and_a_finished_one_gets_it_again(self):
        places = ("--input", self.input, "--output", self.output)
        units = int(self.faceshard("plan", self.job, *places).stdout.split()[-1])
        self.assertIn("not finished", self.faceshard("report", self.output, code=2).stderr.decode())
        for unit in range(units):
            self.faceshard("unit", self.job, unit, *places)
        self.faceshard("finish", self.job, *places)
        (self.output / "report.html").unlink()
        self.faceshard("report", self.output)
        self.assertIn("What came out of job", self.report())

    @unittest.skipUnless(browser.CHROMIUM, "no chromium: the package cannot be had here")
    def test_it_opens_offline_without_complaints(self):
        self.run_job(self.output)
        with browser.Browser() as page:
            page.open((self.output / "report.html").as_uri())
            page.wait_for('document.readyState === "complete" && document.images.length > 0')
            self.assertTrue(page.run("[...document.images].every(image => image.naturalWidth > 0)"))
            outside = [url for url in page.requests if not url.startswith(("data:", "file:", "about:"))]
            self.assertEqual((page.complaints, outside), ([], []))


if __name__ == "__main__":
    unittest.main()
