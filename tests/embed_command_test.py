"""Embedding pictures by command: what goes in comes out, however it is interrupted, and through plain h5py."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import h5py
import numpy

FACESHARD = os.environ["FACESHARD"]
SOURCE = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def texts(dataset):
    return [text.decode("utf-8", "surrogateescape") for text in dataset[:]]


def faceshard(case, *words, code=0):
    done = subprocess.run([FACESHARD, *map(str, words)], capture_output=True, timeout=300, check=False)
    case.assertEqual(done.returncode, code, done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"))
    return done


class EmbedCase(unittest.TestCase):
    """Drawn people, drawn once for all tests of a class; nobody writes into them."""

    @classmethod
    def setUpClass(cls):
        cls.drawn = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.people = cls.drawn / "people"
        subprocess.run([FACESHARD, "generate", cls.people, "--identities", "6", "--images", "24", "--seed", "5",
                        "--mislabelled", "0", "--bad", "0", "--log", "quiet"], check=True, timeout=300)
        (cls.people / "truth.tsv").unlink()
        cls.pictures = sorted(path.relative_to(cls.people).as_posix() for path in cls.people.glob("*/*.jpg"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.drawn)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def embed(self, given, name, *more, code=0):
        """Runs embed; gives the last event, and the path of the file."""
        output = self.folder / name
        done = faceshard(self, "embed", given, "--detector", "hog", "--output", output, "--log", "json", "--workers", 1, *more, code=code)
        return (json.loads(done.stdout.decode().strip().splitlines()[-1]) if code == 0 else done), output


class Embed(EmbedCase):
    def test_every_picture_is_a_row_that_h5py_reads(self):
        done, output = self.embed(self.people, "e.h5", "--workers", 2)
        self.assertEqual((done["samples"], done["delivered"], done["rejected"]), (24, 24, {}))
        self.assertFalse((self.folder / "e.h5.work").exists())
        with h5py.File(output) as file:
            self.assertEqual(file["embedding"].shape, (24, 128))
            self.assertEqual(texts(file["source"]), self.pictures)
            self.assertEqual(texts(file["name"]), [path.split("/")[0] for path in self.pictures])
            self.assertTrue(numpy.allclose(numpy.linalg.norm(file["embedding"][:], axis=1), 1, atol=1e-5))
            self.assertEqual(file["rejected/source"].shape, (0,))
            self.assertEqual(file.attrs["kind"], "embeddings")
            self.assertEqual(file.attrs["model"].split()[0], "faceshard_mobile")
            self.assertEqual(file.attrs["detector"].split()[0], "hog")

    def test_the_bytes_do_not_depend_on_the_workers_nor_on_where_it_is_run(self):
        copy = self.folder / "copy"
        shutil.copytree(self.people, copy)
        _, one = self.embed(self.people, "one.h5", "--workers", 1, "--set", "units.images=5")
        _, three = self.embed(copy, "three.h5", "--workers", 3, "--set", "units.images=5")
        self.assertEqual(sha256(one), sha256(three))
        self.assertNotIn(str(self.folder).encode(), three.read_bytes())

    def test_a_killed_run_continues_to_the_same_bytes(self):
        _, whole = self.embed(self.people, "whole.h5", "--set", "units.images=4")
        words = [FACESHARD, "embed", self.people, "--detector", "hog", "--output", self.folder / "killed.h5", "--log", "json",
                 "--workers", "1", "--set", "units.images=4"]
        with subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not list(self.folder.glob("killed.h5.work/shards/shard-*.h5")):
                time.sleep(0.01)
            process.kill()
        self.assertFalse((self.folder / "killed.h5").exists())
        self.assertTrue((self.folder / "killed.h5.work").exists())
        done, killed = self.embed(self.people, "killed.h5", "--set", "units.images=4")
        self.assertEqual(done["samples"], 24)
        self.assertEqual(sha256(whole), sha256(killed))
        self.assertFalse((self.folder / "killed.h5.work").exists())

    def test_what_is_embedded_is_not_embedded_again_unless_pictures_came_or_went(self):
        people = self.folder / "people"
        shutil.copytree(self.people, people)
        _, output = self.embed(people, "e.h5")
        before = output.stat().st_mtime_ns
        done = faceshard(self, "embed", people, "--detector", "hog", "--output", output, "--log", "json").stdout
        self.assertIn(b"finished_before", done)
        self.assertEqual(before, output.stat().st_mtime_ns)
        (people / self.pictures[3]).unlink()
        done, _ = self.embed(people, "e.h5")
        self.assertEqual(done["samples"], 23)
        with h5py.File(output) as file:
            self.assertNotIn(self.pictures[3], texts(file["source"]))

    def test_what_cannot_be_embedded_is_a_row_with_its_reason(self):
        people = self.folder / "people"
        shutil.copytree(self.people, people)
        (people / self.pictures[0]).write_bytes((people / self.pictures[0]).read_bytes()[:2000])
        (people / self.pictures[5]).write_bytes(b"")
        done, output = self.embed(people, "e.h5")
        self.assertEqual(done["samples"], done["delivered"] + sum(done["rejected"].values()))
        self.assertEqual(done["rejected"], {"empty": 1, "corrupt": 1})
        with h5py.File(output) as file:
            self.assertEqual(texts(file["rejected/source"]), [self.pictures[0], self.pictures[5]])
            self.assertEqual(texts(file["rejected/reason"]), ["corrupt", "empty"])
            self.assertTrue(numpy.allclose(numpy.linalg.norm(file["embedding"][:], axis=1), 1, atol=1e-5))

    def test_too_many_without_an_embedding_is_told_and_inspect_says_why(self):
        people = self.folder / "people"
        shutil.copytree(self.people, people)
        (people / "nobody").mkdir()
        (people / "nobody" / "1.jpg").write_bytes(b"no picture")
        done, output = self.embed(people, "all.h5", "--set", "limits.max_rejected=0.01", code=1)
        self.assertIn("limits.max_rejected is 1.0 %", done.stderr.decode())
        told = json.loads(faceshard(self, "inspect", output, "--json").stdout)
        self.assertEqual((told["kind"], told["pictures"], told["people"]), ("embeddings", len(self.pictures), 6))
        self.assertEqual((sum(told["rejected"].values()), told["dimension"]), (1, 128))
        self.assertTrue(told["model"].startswith("faceshard_mobile "))
        self.assertIn("faceshard_mobile ", faceshard(self, "inspect", output).stdout.decode())
        faceshard(self, "inspect", output, "--contact-sheet", self.folder / "sheet.png", code=2)

    def test_embeddings_of_other_weights_or_settings_are_told_from_those_of_the_card(self):
        output = self.embed(self.people, "all.h5")[1]
        words = ("identify", "--gallery", output, "--probes", output, "--model", "faceshard_mobile", "--threshold", "0.5")
        faceshard(self, *words)
        with h5py.File(output, "r+") as file:
            name, known = file.attrs["model"].split()
            file.attrs["model"] = f"{name} {known[::-1]}"
        self.assertIn("as its card and file are here", faceshard(self, *words, code=3).stderr.decode())

    def test_flip_is_another_job_and_is_told(self):
        _, plain = self.embed(self.people, "plain.h5")
        _, flipped = self.embed(self.people, "flipped.h5", "--flip")
        with h5py.File(plain) as a, h5py.File(flipped) as b:
            self.assertEqual((a.attrs["flip"], b.attrs["flip"]), (0, 1))
            self.assertNotEqual(a.attrs["job_hash"], b.attrs["job_hash"])

    def test_a_flat_folder_and_a_list_give_the_embeddings_of_the_folders(self):
        flat, listed = self.folder / "flat", self.folder / "listed"
        flat.mkdir()
        listed.mkdir()
        for path in self.pictures[:5]:
            shutil.copy(self.people / path, flat / path.replace("/", "-"))
        lines = [f"{self.people}/{path}\t{path.split('/')[0]}\n" for path in self.pictures[:5]]
        (listed / "list.txt").write_text("".join(reversed(lines)) + "nobody.jpg\tnobody\n")
        _, folders = self.embed(self.people, "folders.h5")
        done, from_flat = self.embed(flat, "flat.h5")
        self.assertEqual(done["delivered"], 5)
        done, from_list = self.embed(listed / "list.txt", "list.h5")
        self.assertEqual(done["rejected"], {"vanished": 1})
        with h5py.File(folders) as a, h5py.File(from_flat) as b, h5py.File(from_list) as c:
            self.assertTrue((a["embedding"][:5] == b["embedding"][:]).all())
            self.assertTrue((a["embedding"][:5] == c["embedding"][:]).all())
            self.assertEqual(texts(b["source"]), [path.replace("/", "-") for path in self.pictures[:5]])
            self.assertEqual(texts(b["name"]), [path.replace("/", "-")[:-4] for path in self.pictures[:5]])
            self.assertEqual(texts(c["name"]), texts(a["name"])[:5])
            self.assertEqual(texts(c["rejected/name"]), ["nobody"])

    def test_an_index_gives_its_embeddings_and_one_without_a_shard_is_told(self):
        job, out = self.folder / "job.yaml", self.folder / "out"
        job.write_text("models: {detector: hog, embedder: faceshard_mobile}\nunits: {images: 8}\nstages:\n"
                       "  - detect: {min_side: 0}\n  - embed\n  - variants: [[], [mask]]\n")
        faceshard(self, "run", job, "--input", self.people, "--output", out, "--log", "quiet", "--workers", 1)
        _, whole = self.embed(self.people, "whole.h5")
        done, copied = self.embed(out / "index.h5", "copied.h5")
        self.assertEqual(done["samples"], 24)
        with h5py.File(whole) as a, h5py.File(copied) as b:
            self.assertEqual(texts(a["source"]), texts(b["source"]))
            self.assertTrue((a["embedding"][:] == b["embedding"][:]).all())
        _, again = self.embed(copied, "again.h5")
        self.assertEqual(sha256(copied), sha256(again))
        # With flip they are other embeddings: made from the stored pictures.
        done, other = self.embed(out / "index.h5", "other.h5", "--flip", "--detector", "none")
        self.assertEqual(done["samples"], 24)
        with h5py.File(whole) as a, h5py.File(other) as b:
            self.assertEqual([source for source in texts(a["source"]) if source in texts(b["source"])], texts(b["source"]))
            self.assertEqual(len(texts(b["source"])) + len(texts(b["rejected/source"])), 24)
        self.assertIn(b"has no pictures", self.embed(copied, "none.h5", "--flip", code=3)[0].stderr)
        (out / "shards" / "shard-000001.h5").unlink()
        told, output = self.embed(out / "index.h5", "e.h5", code=3)
        self.assertIn(b"shard-000001.h5", told.stderr)
        self.assertFalse(output.exists())

    def test_the_first_detector_of_the_card_that_is_here_finds_the_faces(self):
        card = self.folder / "mine.yaml"
        text = (SOURCE / "models" / "faceshard_mobile.yaml").read_text()
        card.write_text("\n".join("detector: nowhere, none" if line.startswith("detector:") else line for line in text.splitlines()))
        shutil.copy(SOURCE / "models" / "faceshard_mobile.onnx", self.folder)
        told = faceshard(self, "embed", self.people, "--model", card, "--output", self.folder / "e.h5", "--explain")
        self.assertRegex(told.stdout.decode(), r"detector: \"?none\b")
        self.assertIn(b"nowhere, which suits", told.stderr)

    def test_wrong_use_is_told_with_its_remedy(self):
        self.assertIn(b"--output", faceshard(self, "embed", self.people, code=2).stderr)
        (self.folder / "text.h5").write_text("mine")
        told, output = self.embed(self.people, "text.h5", code=2)
        self.assertIn(b"remove it", told.stderr)
        self.assertEqual(output.read_text(), "mine")
        (self.folder / "empty").mkdir()
        told, _ = self.embed(self.folder / "empty", "e.h5", code=2)
        self.assertIn(b"--format", told.stderr)
        told, _ = self.embed(self.folder / "none", "e.h5", code=3)
        self.assertIn(b"no such file", told.stderr)


if __name__ == "__main__":
    unittest.main()
