"""Masked twins of a set: names that match, the same files again, what is masked and what is not."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

import cv2
import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from embed_command_test import FACESHARD, EmbedCase, faceshard, sha256  # noqa: E402


def sums(folder):
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


class MaskSet(EmbedCase):
    def mask_set(self, name, *more, people=None, code=0):
        output = self.folder / name
        done = faceshard(self, "mask-set", people or self.people, "--output", output, "--log", "json", "--workers", 1, *more, code=code)
        return (json.loads(done.stdout.decode().strip().splitlines()[-1]) if code == 0 else done), output

    def test_the_same_photograph_masked_keeps_the_upper_face(self):
        done, output = self.mask_set("set", "--identities", 3, "--probe", "same")
        self.assertEqual((done["identities"], done["probes"]), (3, 3))
        told = json.loads((output / "mask-set.json").read_text())
        self.assertEqual(told["probe"], "same")
        for person in told["people"]:
            (probe,) = person["probes"]
            self.assertEqual(person["gallery"]["file"], f"gallery/{person['name']}.png")
            self.assertEqual(probe["file"], f"probes/{person['name']}_1.png")
            self.assertEqual(person["gallery"]["source"], probe["source"])
            plain, masked = (cv2.imread(str(output / file)).astype(int) for file in (person["gallery"]["file"], probe["file"]))
            self.assertEqual(plain.shape, (224, 224, 3))
            changed = numpy.abs(plain - masked).max(axis=2) > 8
            self.assertGreater(changed.mean(), 0.02)
            self.assertGreater(changed[112:].sum(), 4 * changed[:112].sum())

    def test_another_photograph_is_another_one_and_the_names_match(self):
        _, output = self.mask_set("set", "--identities", 4, "--probe", "other", "--probes", 2)
        told = json.loads((output / "mask-set.json").read_text())
        self.assertEqual(len(told["people"]), 4)
        for person in told["people"]:
            sources = [probe["source"] for probe in person["probes"]]
            self.assertEqual(len({person["gallery"]["source"], *sources}), 1 + len(sources))
            self.assertTrue(all(source.split("/")[0] == person["name"] for source in sources))
        for part in ("gallery", "probes"):
            listed = [line.split("\t") for line in (output / part / "names.tsv").read_text().splitlines()]
            self.assertEqual({file for file, _ in listed}, {path.name for path in (output / part).glob("*.png")})
            done, _ = self.embed(output / part, f"{part}.h5")
            self.assertEqual(done["samples"], len(listed))
            self.assertEqual(done["samples"], done["delivered"] + sum(done["rejected"].values()))
            if part == "gallery":
                self.assertEqual(done["delivered"], len(listed))

    def test_the_same_request_gives_the_same_files_and_another_seed_others(self):
        _, first = self.mask_set("first", "--identities", 3)
        _, second = self.mask_set("second", "--identities", 3, "--workers", 3)
        self.assertEqual(sums(first), sums(second))
        _, other = self.mask_set("other", "--identities", 3, "--seed", 2)
        self.assertNotEqual(sums(first), sums(other))
        again = faceshard(self, "mask-set", self.people, "--output", first, "--identities", 3, "--log", "json")
        self.assertIn(b"finished_before", again.stdout)
        told, _ = self.mask_set("first", "--identities", 2, code=2)
        self.assertIn(b"remove it", told.stderr)

    def test_a_killed_run_continues_to_the_same_files(self):
        _, whole = self.mask_set("whole", "--identities", 4, "--set", "units.images=3")
        killed = self.folder / "killed"
        words = [FACESHARD, "mask-set", self.people, "--output", killed, "--identities", 4, "--set", "units.images=3",
                 "--workers", 1, "--log", "quiet"]
        with subprocess.Popen(list(map(str, words))) as process:
            while process.poll() is None and not list(self.folder.glob("killed.work/*/made-0/shards/shard-*.h5")):
                time.sleep(0.01)
            process.kill()
        self.assertFalse(killed.exists())
        self.mask_set("killed", "--identities", 4, "--set", "units.images=3")
        self.assertEqual(sums(whole), sums(killed))
        self.assertFalse((self.folder / "killed.work").exists())

    def test_people_without_enough_usable_pictures_are_skipped_and_told(self):
        people = self.folder / "people"
        shutil.copytree(self.people, people)
        lost = max(people.iterdir(), key=lambda path: len(list(path.glob("*.jpg"))))
        for path in lost.glob("*.jpg"):
            path.write_bytes(b"no picture")
        done, output = self.mask_set("set", "--identities", 6, people=people)
        self.assertEqual(done["skipped"], 1)
        self.assertEqual(done["identities"] + done["skipped"] + done["too_few_photographs"], 6)
        self.assertEqual(json.loads((output / "mask-set.json").read_text())["skipped"], [lost.name])


del EmbedCase  # its tests are run where they stand

if __name__ == "__main__":
    unittest.main()
