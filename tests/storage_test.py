"""A disk that is full, or read-only, in every phase: exit code 3, a text that says so, and the same bytes after the mend."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

MB = 1 << 20
WITHIN = "FACESHARD_TEST_MOUNTS"


class Storage(run_test.JobCase):
    def setUp(self):
        super().setUp()
        run_test.write_people(self.input)
        self.whole = self.folder / "whole"
        self.run_job(self.whole)
        self.out = self.folder / "out"
        self.out.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", self.out], check=True)
        self.ballast = self.out / "ballast"
        self.places = ("--input", self.input, "--output", self.out)

    def tearDown(self):
        subprocess.run(["umount", "-l", self.out], check=True)
        super().tearDown()

    def fill(self, left):
        """Fills the disk up to some bytes."""
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(MB))
            except OSError:
                pass
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                pass
            file.truncate(max(0, file.tell() - left))

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.out], check=True)

    def begin(self, phase):
        """Does all that comes before the phase, and says what begins it."""
        if phase == "plan":
            return ["plan", self.job]
        units = int(self.faceshard("plan", self.job, *self.places).stdout.decode().split()[-1])
        if phase == "unit":
            return ["unit", self.job, 0]
        if phase == "run":
            return ["run", self.job]
        for unit in range(units):
            self.faceshard("unit", self.job, unit, *self.places)
        return ["finish", self.job]

    def check_mended(self):
        self.run_job(self.out)
        self.assertEqual(run_test.sums(self.out), run_test.sums(self.whole))

    def clear(self):
        for path in self.out.iterdir():
            subprocess.run(["rm", "-rf", path], check=True)

    def test_a_full_disk_stops_every_phase_and_nothing_is_lost(self):
        cases = [("plan", 0, b""), ("plan", 8192, b""), ("run", 0, b""), ("unit", 0, b"facts"), ("unit", 65536, b"shards/"),
                 ("run", 200000, b""), ("finish", 0, b"index.h5")]
        for phase, left, where in cases:
            with self.subTest(phase=phase, left=left):
                self.clear()
                command = self.begin(phase)
                self.fill(left)
                done = self.faceshard(*command, *self.places, code=3)
                self.assertTrue(b"No space left" in done.stderr or b"full" in done.stderr, done.stderr)
                self.assertIn(where, done.stderr)
                self.assertEqual([path for path in self.out.glob("shards/.*")], [])
                self.ballast.unlink()
                self.check_mended()

    def test_a_read_only_output_stops_every_phase_and_nothing_is_lost(self):
        for phase in ("plan", "run", "unit", "finish"):
            with self.subTest(phase):
                self.clear()
                command = self.begin(phase)
                self.remount("ro")
                done = self.faceshard(*command, *self.places, code=3)
                self.assertIn(b"Read-only file system", done.stderr)
                self.assertIn(str(self.out).encode(), done.stderr)
                self.remount("rw")
                self.check_mended()

    def test_a_store_that_cannot_be_written_is_named(self):
        store = self.out / "store"
        store.mkdir()
        self.remount("ro")
        done = self.run_job(self.folder / "two", "--set", f"store.path={store}", code=3)
        self.assertIn(b"store.path", done.stderr)
        self.remount("rw")
        self.run_job(self.folder / "two", "--set", f"store.path={store}")
        self.assertEqual(run_test.sums(self.folder / "two"), run_test.sums(self.whole))


if __name__ == "__main__":
    # Mounting needs root, here or in a user name space of our own.
    if WITHIN not in os.environ:
        for ways in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
            if subprocess.run([*ways, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode == 0:
                os.execvpe(ways[0], [*ways, sys.executable, *sys.argv], {**os.environ, WITHIN: "yes"})
        print("skipped: neither root nor a user name space may mount a tmpfs here")
        sys.exit(77)
    unittest.main()
