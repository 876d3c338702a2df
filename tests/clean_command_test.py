"""`faceshard clean` over embeddings made here, with what is wrong with them known, and over index.h5 of a job."""
import base64
import json
import os
import re
import sys

import cv2
import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import evaluation  # noqa: E402
import run_test  # noqa: E402

DIMENSION = 96
PEOPLE = 50

JOB = """
units: {images: 9}
models: {detector: none}
stages:
  - detect: {min_side: 20}
  - embed: {}
  - variants: [[], [augment]]
"""


class Clean(run_test.JobCase):
    def setUp(self):
        super().setUp()
        self.draw = numpy.random.default_rng(5)
        self.centres = evaluation.unit(evaluation.people(self.draw, 3 * PEOPLE, DIMENSION))
        self.rows = []  # (identity, source, vector)

    def picture(self, person):
        """A picture of a person: two of them have a cosine of about 0.64."""
        noise = self.draw.normal(size=DIMENSION)
        noise -= (noise @ self.centres[person]) * self.centres[person]
        return evaluation.unit((0.8 * self.centres[person] + 0.6 * noise / numpy.linalg.norm(noise))[None])[0]

    def add(self, identity, vector):
        source = f"{identity}/{identity}_{len(self.rows):04d}.jpg"
        self.rows.append((identity, source, vector))
        return source

    def add_people(self, n=PEOPLE):
        for person in range(n):
            for _ in range(2 + person % 5):
                self.add(f"person {person:02d}", self.picture(person))

    def write(self, name="e.h5", rows=None, rejected=()):
        rows = self.rows if rows is None else rows
        path = self.folder / name
        evaluation.write(path, numpy.stack([row[2] for row in rows]), [row[0] for row in rows], [row[1] for row in rows],
                         rejected)
        return path

    def clean(self, path, *more):
        out = self.folder / "found.json"
        self.faceshard("clean", path, "--json", out, *more)
        return json.loads(out.read_text())

    def by_source(self, found):
        return {row["source"]: row for row in found["images"]}

    def test_mislabels_are_removed_by_name_and_nobody_else(self):
        self.add_people()
        wrong = {self.add(f"person {into:02d}", self.picture(of)): f"person {of:02d}" for into, of in ((3, 20), (10, 31), (15, 8))}
        rows = self.by_source(self.clean(self.write()))
        self.assertEqual({source: row["suggested_identity"] for source, row in rows.items() if row["verdict"] == "remove"}, wrong)
        self.assertEqual({row["verdict"] for source, row in rows.items() if source not in wrong}, {"keep"})
        for source, name in wrong.items():
            row = rows[source]
            self.assertIn(f"shows {name}", row["reason"])
            self.assertGreater(row["own_distance"], 1.1)
            self.assertLess(row["other_distance"], 1.0)
            self.assertLess(row["probability"], 0.2)

    def test_the_order_of_rows_changes_no_byte(self):
        self.add_people()
        self.add("person 03", self.picture(20))
        first = self.clean(self.write())
        self.draw.shuffle(self.rows)
        self.assertEqual(first, self.clean(self.write("shuffled.h5")))

    def test_the_mean_distance_is_that_of_all_pairs_and_its_threshold_decides(self):
        self.add_people(10)
        far = self.add("person 04", self.picture(77))
        found = self.clean(self.write(), "--method", "mean_distance", "--threshold", "1.1")
        rows = self.by_source(found)
        for identity, source, vector in self.rows:
            others = [row[2] for row in self.rows if row[0] == identity and row[1] != source]
            mean = numpy.linalg.norm(numpy.stack(others) - vector, axis=1).mean()
            self.assertAlmostEqual(rows[source]["mean_distance"], mean, places=4)
            self.assertEqual(rows[source]["verdict"], "remove" if mean > 1.1 else "keep")
        self.assertEqual(rows[far]["verdict"], "remove")
        self.assertIn("threshold 1.100", rows[far]["reason"])

    def test_near_duplicates_are_found_within_and_across_identities(self):
        self.add_people()
        twin = self.add("person 07", evaluation.unit((self.rows[0][2] + 0.01)[None])[0])
        copy = self.add("person 00", self.rows[0][2])
        found = self.clean(self.write())
        self.assertEqual(len(found["duplicates"]), 2)
        self.assertEqual({pair[side] for pair in found["duplicates"] for side in "ab"}, {self.rows[0][1], twin, copy})
        self.assertEqual(sorted(pair["same_identity"] for pair in found["duplicates"]), [False, True])
        self.assertEqual(found["duplicates"], sorted(found["duplicates"], key=lambda pair: pair["distance"]))

    def test_a_thousand_equal_pictures_are_a_chain_and_not_all_pairs(self):
        self.add_people(5)
        for _ in range(1000):
            self.add("person 99", self.centres[99])
        self.assertEqual(len(self.clean(self.write())["duplicates"]), 999)

    def test_one_person_in_two_folders_and_two_people_in_one_are_told(self):
        self.add_people()
        for _ in range(4):
            self.add("somebody", self.picture(12))
            self.add("both", self.picture(100))
        for _ in range(3):
            self.add("both", self.picture(101))
        found = self.clean(self.write())
        self.assertEqual([(row["a"], row["b"], row["b_images"]) for row in found["same_person"]], [("person 12", "somebody", 4)])
        self.assertEqual([(row["identity"], row["first"], row["second"]) for row in found["split"]], [("both", 4, 3)])
        self.assertNotIn("remove", {row["verdict"] for row in found["images"]})

    def test_an_overlap_with_another_set_is_told_by_person_and_by_picture(self):
        self.add_people()
        theirs = [(f"known {n}", f"known {n}/{k}.jpg", self.picture(person)) for n, person in enumerate((7, 120, 121)) for k in range(2)]
        theirs.append(("known 3", "known 3/0.jpg", self.rows[5][2]))
        found = self.clean(self.write(), "--against", self.write("lfw.h5", theirs))
        self.assertEqual({(row["identity"], row["against"]) for row in found["overlap"]},
                         {("person 07", "known 0"), (self.rows[5][0], "known 3")})
        self.assertEqual([(row["source"], row["against"]) for row in found["overlap_images"]], [(self.rows[5][1], "known 3/0.jpg")])

    def test_pictures_without_an_embedding_are_counted_and_one_person_is_no_trouble(self):
        self.add("alone", self.picture(0))
        found = self.clean(self.write(rejected=[("alone", "alone/x.jpg", "no_face")]))
        self.assertEqual(found["without_embedding"], 1)
        self.assertEqual([row["finding"] for row in found["images"]], ["alone"])

    def test_what_cannot_be_compared_is_refused(self):
        self.add_people(3)
        small = [("a", "a/1.jpg", evaluation.unit(self.draw.normal(size=(1, 16)))[0])]
        done = self.faceshard("clean", self.write(), "--against", self.write("small.h5", small), code=3)
        self.assertIn(b"16", done.stderr)
        (self.folder / "no.h5").write_bytes(b"nothing")
        self.faceshard("clean", self.folder / "no.h5", code=2)  # no embeddings, so pictures, and no model is said
        done = self.faceshard("clean", self.write(), "--model", "no_such_card", code=3)
        self.assertIn(b"no_such_card", done.stderr)

    def report(self, path, *more):
        out = self.folder / "report.html"
        self.faceshard("clean", path, "--report", out, *more)
        return out.read_text()

    def test_a_report_shows_every_finding_and_nothing_from_outside(self):
        self.add_people()
        wrong = self.add("person 03", self.picture(20))
        self.add("<b>&\n", self.rows[0][2])
        for _, source, _ in self.rows:
            path = self.folder / "pictures" / source
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), run_test.picture(len(source)))
        page = self.report(self.write(), "--images", self.folder / "pictures", "--against", self.write("again.h5"),
                           "--against-images", self.folder / "pictures")
        self.assertIn(wrong, page)
        self.assertIn("shows person 20", page)
        self.assertIn("under two names", page)
        self.assertIn("&#60;b&#62;&#38;\\x0a", page)
        self.assertNotIn("<b>", page)
        self.assertNotIn("http", page)
        self.assertNotIn("no picture", page)
        pictures = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', page)
        self.assertEqual(len(pictures), page.count("<img"))
        self.assertGreater(len(pictures), 20)
        shown = cv2.imdecode(numpy.frombuffer(base64.b64decode(pictures[0], validate=True), numpy.uint8), cv2.IMREAD_COLOR)
        self.assertEqual(max(shown.shape[:2]), 192)
        self.assertIn(f"pictures that are in the other set: {len(self.rows)}", page)
        self.assertIn(f"200 of {len(self.rows)} are shown", page)

    def test_a_report_without_pictures_says_so(self):
        self.add_people(5)
        page = self.report(self.write())
        self.assertIn("--images says where they are", page)
        self.assertNotIn("<img", page)

    def test_an_index_is_cleaned_without_a_change_and_every_picture_counted_once(self):
        self.job.write_text(JOB)
        count = run_test.write_people(self.input)
        done = self.run_job(self.folder / "out")
        before = run_test.sums(self.folder / "out")
        found = self.clean(self.folder / "out" / "index.h5", "--model", "faceshard_mobile", "--report", self.folder / "report.html")
        self.assertNotIn("no picture", (self.folder / "report.html").read_text())
        self.assertEqual(before, run_test.sums(self.folder / "out"))
        self.assertEqual(len(found["images"]) + found["without_embedding"], count)
        self.assertEqual(len(found["images"]), done["delivered"])
        self.assertEqual(found["keep"] + found["remove"] + found["unsure"], len(found["images"]))
        with h5py.File(self.folder / "out" / "index.h5") as index:
            self.assertEqual({row["source"] for row in found["images"]}, {name.decode() for name in index["source"][:]})


if __name__ == "__main__":
    run_test.unittest.main()
