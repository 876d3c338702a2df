"""`verify` and `identify` from pictures to figures, on people who are drawn here, with what is built in."""
import json
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import cv2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import evaluation  # noqa: E402

PEOPLE, PICTURES = 4, 3
MODEL = ("--model", "faceshard_mobile", "--workers", "1")


class Drawn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        drawn = cls.folder / "drawn"
        evaluation.faceshard(unittest.TestCase(), "generate", drawn, "--identities", PEOPLE, "--images", 48, "--seed", 9, "--bad", 0,
                             "--mislabelled", 0, "--log", "quiet")
        cls.files = {}
        for person in sorted(path for path in drawn.iterdir() if path.is_dir()):
            name = f"P {person.name}"
            (cls.folder / "people" / name).mkdir(parents=True)
            for i, path in enumerate(sorted(person.iterdir())[:PICTURES]):
                cls.files[name, i] = cls.folder / "people" / name / f"{name}_{i:04d}.jpg"
                shutil.copy(path, cls.files[name, i])
        cls.names = sorted({name for name, _ in cls.files})
        (cls.folder / "pairs.txt").write_text("".join(
            f"{a}\t{i}\t{k}\n" if a == b else f"{a}\t{i}\t{b}\t{k}\n"
            for n, (a, i) in enumerate(sorted(cls.files)) for m, (b, k) in enumerate(sorted(cls.files)) if n < m))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_json(self, command, *words):
        out = self.folder / "out.json"
        evaluation.faceshard(self, command, *words, "--json", out)
        return json.loads(out.read_text())

    def verify(self, *words):
        return self.run_json("verify", "--pairs", self.folder / "pairs.txt", *words)

    def test_pictures_and_their_embeddings_give_the_same(self):
        images = self.folder / "people"
        from_pictures = self.verify("--images", images, *MODEL, "--keep", self.folder / "kept.h5")
        self.assertEqual(from_pictures["skipped"], 0)
        self.assertGreater(from_pictures["auc"], 0.95)
        self.assertEqual(self.verify("--embeddings", self.folder / "kept.h5"), from_pictures)
        self.assertEqual(self.verify("--images", images, *MODEL, "--keep", self.folder / "kept.h5"), from_pictures)
        evaluation.faceshard(self, "embed", images, *MODEL, "--output", self.folder / "all.h5")
        self.assertEqual(self.verify("--embeddings", self.folder / "all.h5"), from_pictures)

    def test_an_interrupted_call_continues_and_removes_nobody_elses_folder(self):
        kept, theirs = self.folder / "late.h5", self.folder / "late.h5.pictures"
        words = ("verify", "--pairs", self.folder / "pairs.txt", "--images", self.folder / "people", *MODEL, "--keep", kept)
        theirs.mkdir()
        self.assertIn(b"in the way", evaluation.faceshard(self, *words, code=2).stderr)
        theirs.rmdir()
        with subprocess.Popen([evaluation.FACESHARD, *map(str, words), "--log", "json"], stdout=subprocess.PIPE, text=True) as running:
            for line in running.stdout:
                if '"worker_joined"' in line:
                    running.send_signal(signal.SIGINT)
                    break
            running.stdout.read()
        self.assertIn(running.returncode, (0, 130), "0: everything was done within the time of grace")
        self.assertEqual((theirs.is_dir(), kept.exists()), (running.returncode == 130, running.returncode == 0))
        done = evaluation.faceshard(self, *words)
        self.assertIn(b"skipped                   0", done.stdout)
        self.assertEqual({path.name for path in self.folder.glob("late*")}, {"late.h5"})

    def test_a_picture_that_is_broken_or_gone_is_a_reason_and_a_flat_folder_does(self):
        flat = self.folder / "flat"
        flat.mkdir()
        for path in self.files.values():
            shutil.copy(path, flat)
        broken, gone = self.files[self.names[0], 1].name, self.files[self.names[1], 2].name
        (flat / broken).write_bytes((flat / broken).read_bytes()[:2000])
        (flat / gone).unlink()
        found = self.verify("--images", flat, *MODEL)
        reasons = {}
        for pair in found["skipped_pairs"]:
            reasons.setdefault(pair["picture"].split("/")[1] + ".jpg", set()).add(pair["reason"])
        self.assertEqual(reasons, {broken: {"corrupt"}, gone: {"missing"}})
        pictures = len(self.files)
        self.assertEqual(found["skipped"], 2 * pictures - 3)
        self.assertEqual(sum(found["compared"].values()), (pictures - 2) * (pictures - 3) // 2)

    def test_a_set_of_aligned_pictures_is_unpacked_and_verified(self):
        chosen = sorted(self.files)
        bins = [cv2.imencode(".png", cv2.resize(cv2.imread(str(self.files[key])), (112, 112)))[1].tobytes() for key in chosen]
        bins[5] = b"no picture"
        path = self.folder / "set.bin"
        path.write_bytes(pickle.dumps((bins, [i % 2 == 0 for i in range(len(chosen) // 2)]), 4))
        found = self.run_json("verify", "--pairs", path, *MODEL)
        self.assertEqual((found["pairs"], found["skipped"]), (6, 1))
        self.assertEqual([(pair["line"], pair["picture"], pair["reason"]) for pair in found["skipped_pairs"]],
                         [(3, "0000005", "not_an_image")])

    def test_a_flat_folder_and_a_list_are_identified_and_mistakes_are_drawn(self):
        gallery, probes = self.folder / "gallery", self.folder / "probes.txt"
        gallery.mkdir()
        for name in self.names[:-1]:
            shutil.copy(self.files[name, 0], gallery / f"{name}.jpg")
        probes.write_text("".join(f"people/{name}/{path.name}\t{name}_{i}\n" for (name, i), path in self.files.items()))
        found = self.run_json("identify", "--gallery", gallery, "--probes", probes, *MODEL, "--threshold", "0.01,2.5",
                              "--sheet", self.folder / "sheet.png")
        self.assertEqual((found["gallery"], found["probes"], found["outside"]), (PEOPLE - 1, PEOPLE * PICTURES, PICTURES))
        near, all_of_them = found["thresholds"]
        self.assertEqual((near["correct"], near["incorrect"]), (PEOPLE - 1, 0), "each is nearest to itself")
        self.assertEqual(all_of_them["unknown"], 0)
        self.assertEqual(all_of_them["outside_accepted"], PICTURES)
        mistakes = min(found["mistakes_n"], 20)
        across = 3 if mistakes > 6 else 1
        lines = -(-mistakes // across)
        self.assertEqual(cv2.imread(str(self.folder / "sheet.png")).shape, (174 * lines + 6, 174 * 3 * across + 24 * (across - 1) + 6, 3))

    def test_nothing_is_left_behind_and_wrong_use_is_told(self):
        before = set(os.listdir(tempfile.gettempdir()))
        done = evaluation.faceshard(self, "verify", "--pairs", self.folder / "pairs.txt", "--images", self.folder, *MODEL, code=3)
        self.assertIn(b"holds none of the %d pictures" % len(self.files), done.stderr)
        after = set(os.listdir(tempfile.gettempdir()))
        self.assertEqual({name for name in after - before if name.startswith("faceshard-verify")}, set())


if __name__ == "__main__":
    unittest.main()
