"""Every system call of the commit path fails once: with EIO, ENOSPC, EINTR, and with the death of its process. The command
either does not mind, or ends with exit code 3 and a text that names the file; run again, it gives the same bytes as
a run that nobody disturbed.

The calls are opening for writing, writing, flushing, closing, renaming and making folders below the output. The short form takes a part of all
pairs of a call and a fault, those of FSH_FAULTS_SEED; FSH_LONG=1 takes all."""
import errno
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import cv2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

FACESHARD = run_test.FACESHARD
HERE = pathlib.Path(__file__).resolve().parent
LONG = bool(os.environ.get("FSH_LONG"))
SEED = int(os.environ.get("FSH_FAULTS_SEED", 1))
PAIRS = 8  # of each command, in the short form
FAULTS = [errno.EIO, errno.ENOSPC, errno.EINTR, 0]
UNINTERRUPTED = ("rename", "mkdir")  # no signal comes in between, says POSIX; and SQLite minds its own files

JOB = """
seed: 5
units: {images: 4}
models: {detector: none}
stages:
  - detect: {min_side: 20}
  - variants: [[], [augment]]
"""


def tree(folder):
    """What a folder holds, as the bytes matter: shards, index, manifest.json."""
    paths = [*folder.glob("shards/*"), folder / "index.h5", folder / "manifest.json"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.exists()}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.preload = cls.folder / "files.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", cls.preload, HERE / "faults" / "files.c", "-ldl"], check=True)
        cls.input, cls.job, cls.output = cls.folder / "people", cls.folder / "job.yaml", cls.folder / "out"
        cls.job.write_text(JOB)
        for identity in range(2):
            (cls.input / f"person {identity}").mkdir(parents=True)
            for image in range(3):
                cv2.imwrite(str(cls.input / f"person {identity}" / f"{image}.jpg"), run_test.picture(10 * identity + image))
        print(f"FSH_FAULTS_SEED={SEED}", flush=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.count, self.log = self.folder / "count", self.folder / "log"
        shutil.rmtree(self.output, ignore_errors=True)

    def faceshard(self, words, at=None, fault=0, below=""):
        """Runs a command; the call number `at` below a part of the output fails."""
        env = dict(os.environ)
        self.log.write_bytes(b"")
        if at is not None:
            self.count.write_bytes(bytes(8))
            env |= {"LD_PRELOAD": str(self.preload), "FAULT_FOLDER": str(self.output / below), "FAULT_COUNT": str(self.count),
                    "FAULT_AT": str(at), "FAULT_ERRNO": str(fault), "FAULT_LOG": str(self.log)}
        command = [FACESHARD, words[0], self.job, *words[1:], "--input", self.input, "--output", self.output]
        return subprocess.run(list(map(str, command)), capture_output=True, timeout=120, env=env, check=False)

    def done(self, words):
        done = self.faceshard(words)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))

    def break_every_call(self, words, before=(), below="", after=()):
        """before: commands that must have been run; after: those that complete the output, for the comparison."""
        self.prepare(before)
        counted = self.faceshard(words, at=0, below=below)
        self.assertEqual(counted.returncode, 0, counted.stderr.decode(errors="replace"))
        calls = int.from_bytes(self.count.read_bytes(), sys.byteorder)
        for further in after:
            self.done(further)
        expected = tree(self.output)
        self.assertGreater(calls, 5)
        pairs = [(at, fault) for at in range(1, calls + 1) for fault in FAULTS]
        if not LONG:
            pairs = random.Random(SEED).sample(pairs, min(PAIRS, len(pairs)))
        kept = sum(self.break_one_call(words, before, below, after, at, fault, expected) for at, fault in pairs)
        print(f"{' '.join(map(str, words))}: {calls} calls, {len(pairs)} faults, {kept} of them were no reason to fail", flush=True)

    def prepare(self, before):
        shutil.rmtree(self.output, ignore_errors=True)
        for words in before:
            self.done(words)

    def break_one_call(self, words, before, below, after, at, fault, expected):
        """True: the command did its work all the same."""
        self.prepare(before)
        broken = self.faceshard(words, at=at, fault=fault, below=below)
        struck = self.log.read_text().strip()
        what = f"call {at} ({struck}) with {errno.errorcode.get(fault, 'SIGKILL')}: " + broken.stderr.decode(errors="replace")
        if broken.returncode:
            self.assertFalse(fault == errno.EINTR and struck.split()[1] not in UNINTERRUPTED and "ledger" not in struck, what)
            self.assertIn(broken.returncode, (3,) if fault else (3, -signal.SIGKILL), what)
            self.check_text(broken, fault, what)
            again = self.faceshard(words)
            self.assertEqual(again.returncode, 0, what + "\nand then: " + again.stderr.decode(errors="replace"))
        for further in after:
            self.done(further)
        self.assertEqual(tree(self.output), expected, what)
        return not broken.returncode

    def check_text(self, broken, fault, what):
        if not fault:
            return
        text = broken.stderr.decode(errors="replace")
        self.assertIn(str(self.output), text, what)
        if fault == errno.ENOSPC:
            self.assertRegex(text, "(?i)no space|full", what)

    def test_plan(self):
        self.break_every_call(["plan"], after=[["unit", 0], ["unit", 1], ["finish"]])

    def test_unit(self):
        self.break_every_call(["unit", 1], before=[["plan"]])

    def test_finish(self):
        self.break_every_call(["finish"], before=[["plan"], ["unit", 0], ["unit", 1]])

    def test_run_keeps_its_ledger(self):
        self.break_every_call(["run", "--workers", 1, "--log", "quiet"], before=[["plan"]], below="state")

    def test_full_disk_where_the_ledger_begins(self):
        """SQLite looks for the file that it cannot make, and tells of that."""
        words = ["run", "--workers", 1, "--log", "quiet"]
        self.done(words)
        self.break_one_call(words, (), "state/ledger.sqlite-wal", (), 1, errno.ENOSPC, tree(self.output))

    def test_run(self):
        self.break_every_call(["run", "--workers", 1, "--log", "quiet"])


if __name__ == "__main__":
    if run_test.SANITIZED:
        print("skipped: a sanitizer's runtime has to come first, before the library that makes the faults")
        sys.exit(77)
    unittest.main()
