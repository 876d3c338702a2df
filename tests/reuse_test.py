"""A job whose parameters change over the same photographs: what is reused, and that the bytes are those of a fresh run."""
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import sys
import hashlib
import tempfile
import unittest

import cv2
import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

JOB = """
seed: 3
units: {images: 9}
models: {detector: none}
stages:
  - detect: {min_side: 20}
  - landmarks: {}
  - embed: {}
  - clean: {threshold: 1.9}
  - sample: {per_class: 4}
  - variants: [[], [augment]]
"""

CHANGES = {
    "seed": ["--set", "seed=4"],
    "variants": ["--set", "stages.variants=[[], [mask], [augment: {noise: 1}]]"],
    "clean, sample, output": ["--set", "stages.clean.threshold=0.5", "--set", "stages.clean.method=robust", "--set", "stages.sample.per_class=2",
                              "--set", "output.size=64", "--set", "output.encoding=png"],
}

HEADING_BYTES, RECORD_BYTES, SUM_BYTES = 96, 48, 32


class Reuse(run_test.JobCase):
    def setUp(self):
        super().setUp()
        self.job.write_text(JOB)
        run_test.write_people(self.input)

    def events(self, output, *more):
        done = self.faceshard("run", self.job, "--input", self.input, "--output", output, "--log", "json", "--workers", 1, *more)
        return {event["event"]: event for event in map(json.loads, done.stdout.decode().strip().splitlines())}

    def facts(self, store):
        return sorted(pathlib.Path(store).glob("*/*.facts"))

    def test_other_parameters_reuse_facts_and_give_the_bytes_of_a_fresh_run(self):
        out = self.folder / "out"
        self.assertNotIn("reuse", self.events(out))
        kept = {path: path.stat().st_mtime_ns for path in self.facts(out / "facts")}
        self.assertGreater(len(kept), 1)
        for name, change in CHANGES.items():
            with self.subTest(name):
                told = self.events(out, *change)["reuse"]
                self.assertEqual(told["reused"], ["detect", "landmarks", "embed"])
                self.assertEqual(told["redone"], ["clean", "sample", "variants"])
                self.assertEqual(kept, {path: path.stat().st_mtime_ns for path in self.facts(out / "facts")})
                self.run_job(self.folder / name, *change)
                self.assertEqual(run_test.sums(out), run_test.sums(self.folder / name))

    def test_other_stages_over_the_photographs_reuse_nothing_and_say_so(self):
        out = self.folder / "out"
        self.run_job(out)
        told = self.events(out, "--set", "stages.detect.margin=40")["reuse"]
        self.assertTrue(told["replaced"])
        self.assertEqual(told["reused"], [])
        self.run_job(self.folder / "fresh", "--set", "stages.detect.margin=40")
        self.assertEqual(run_test.sums(out), run_test.sums(self.folder / "fresh"))

    def test_other_bounds_of_units_are_planned_again(self):
        out = self.folder / "out"
        self.run_job(out)
        self.run_job(out, "--set", "units.images=30")
        self.run_job(self.folder / "fresh", "--set", "units.images=30")
        self.assertLess(len(run_test.sums(out)), 5)
        self.assertEqual(run_test.sums(out), run_test.sums(self.folder / "fresh"))

    def edit(self, path, mend):
        """Moves the crop of the first face by one px; mend: with a right sum."""
        data = bytearray(path.read_bytes()[:-SUM_BYTES])
        place = HEADING_BYTES + RECORD_BYTES + 4 + 4 + 16  # behind reason, value and face
        data[place:place + 4] = struct.pack("<i", struct.unpack_from("<i", data, place)[0] + 1)
        path.write_bytes(data + (hashlib.sha256(data).digest() if mend else path.read_bytes()[-SUM_BYTES:]))

    def boxes(self, output):
        with h5py.File(output / "index.h5") as index:
            return {source: tuple(box) for source, box in zip(index["source"][:], index["box"][:].tolist())}

    def test_facts_that_are_kept_are_what_is_used(self):
        out = self.folder / "out"
        self.run_job(out)
        before = self.boxes(out)
        for path in self.facts(out / "facts"):
            self.edit(path, mend=True)
        self.run_job(out, "--set", "seed=4", "--set", "stages.sample.per_class=100")
        after = self.boxes(out)
        moved = [source for source in before if after[source][0] != before[source][0]]
        self.assertGreater(len(moved), 0)
        self.assertEqual({after[source][0] - before[source][0] for source in moved}, {1})

    def test_damaged_facts_are_found_out_again(self):
        out, fresh = self.folder / "out", self.folder / "fresh"
        self.run_job(fresh, "--set", "seed=4")
        self.run_job(out)
        paths = self.facts(out / "facts")
        whole = [path.read_bytes() for path in paths]
        self.edit(paths[0], mend=False)
        paths[1].write_bytes(whole[1][:100])
        paths[2].write_bytes(b"")
        self.run_job(out, "--set", "seed=4")
        self.assertEqual(run_test.sums(out), run_test.sums(fresh))
        self.assertEqual(whole, [path.read_bytes() for path in paths])

    def test_a_file_that_changed_is_looked_at_again(self):
        out = self.folder / "out"
        self.run_job(out)
        changed = sorted(self.input.rglob("*.jpg"))
        cv2.imwrite(str(changed[0]), cv2.resize(run_test.picture(999), (170, 190)))
        changed[1].unlink()
        self.run_job(out, "--set", "seed=4")
        self.run_job(self.folder / "fresh", "--set", "seed=4")
        self.assertEqual(run_test.sums(out), run_test.sums(self.folder / "fresh"))

    def test_a_store_may_be_shared(self):
        store = ["--set", f"store.path={self.folder / 'store'}"]
        self.run_job(self.folder / "one", *store)
        told = self.events(self.folder / "two", *store, "--set", "seed=9")["reuse"]
        self.assertEqual((told["replaced"], told["reused"]), (False, ["detect", "landmarks", "embed"]))
        self.run_job(self.folder / "fresh", "--set", "seed=9")
        self.assertEqual(run_test.sums(self.folder / "two"), run_test.sums(self.folder / "fresh"))
        self.assertFalse((self.folder / "two" / "facts").exists())

    def test_a_replacement_that_is_killed_anywhere_continues_to_either_job(self):
        first, second = self.folder / "first", self.folder / "second"
        self.job.write_text(run_test.JOB)
        self.run_job(first)
        self.run_job(second, "--set", "seed=4")

        def forget(out):
            with sqlite3.connect(out / "state" / "ledger.sqlite") as ledger:
                ledger.executescript("DELETE FROM unit; DELETE FROM about WHERE key IN ('job','input','units')")
            ledger.close()

        steps = [lambda out: (out / "manifest.json").unlink(), lambda out: (out / "index.h5").unlink(), forget,
                 lambda out: (out / "shards" / "shard-000000.h5").unlink(),
                 lambda out: [path.unlink() for path in out.glob("shards/*")],
                 lambda out: (out / "state" / "job.yaml").unlink(),
                 lambda out: (out / "state" / "manifest.h5").unlink()]
        ways = [([], first), (["--set", "seed=4"], second)]
        for done in range(1, len(steps) + 1):
            change, expected = ways[done % 2]
            out = self.folder / "out"
            shutil.copytree(first, out)
            job = out / "state" / "job.yaml"
            job.write_text(job.read_text().replace(str(first), str(out)))
            for step in steps[:done]:
                step(out)
            self.run_job(out, *change)
            self.assertEqual(run_test.sums(out), run_test.sums(expected), (done, change))
            shutil.rmtree(out)

    def test_another_input_is_refused(self):
        self.run_job(self.folder / "out")
        other = self.folder / "others"
        shutil.copytree(self.input, other)
        before = run_test.sums(self.folder / "out")
        done = self.faceshard("run", self.job, "--input", other, "--output", self.folder / "out", "--set", "seed=4", code=2)
        self.assertIn(b"another input", done.stderr)
        self.assertEqual(before, run_test.sums(self.folder / "out"))

    def test_photographs_that_were_moved_are_not_left_out_in_silence(self):
        out = self.folder / "out"
        self.run_job(out, "--set", "stages.clean.action=move", "--set", "stages.clean.threshold=0.1")
        moved = list((out / "removed").rglob("*.jpg"))
        self.assertGreater(len(moved), 0)
        done = self.run_job(out, "--set", "seed=4", code=2)
        self.assertIn(b"moved photographs", done.stderr)
        self.assertEqual(moved, list((out / "removed").rglob("*.jpg")))

    def test_a_finished_job_says_so_and_writes_nothing(self):
        out = self.folder / "out"
        self.run_job(out)
        before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.parent.name != "state"}
        self.assertIn("finished_before", self.events(out))
        after = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.parent.name != "state"}
        self.assertEqual(before, after)


if __name__ == "__main__":
    unittest.main()
