"""deploy/dask: a job on a Dask cluster of this machine has the bytes of a local run, although every unit fails at first."""
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "dask" / "faceshard_dask.py"

# Stands for the program: the first attempt at each unit fails, and unit 1 fails for ever where there is a file `never`.
FAILING = """#!/bin/sh
if [ "$1" = unit ] && { [ ! -e "%(folder)s/tried-$3" ] || { [ "$3" = 1 ] && [ -e "%(folder)s/never" ]; }; }; then
    : >"%(folder)s/tried-$3"
    echo "no luck with unit $3" >&2
    exit 3
fi
exec "%(program)s" "$@"
"""


class Dask(run_test.JobCase):
    def run_on_dask(self, code):
        program = self.folder / "program"
        program.write_text(FAILING % {"folder": self.folder, "program": run_test.FACESHARD})
        program.chmod(0o755)
        done = subprocess.run(["/usr/bin/python3", SCRIPT, self.job, "--input", self.input, "--output", self.folder / "dask",
                               "--set", "seed=4", "--workers", "2", "--retries", "1", "--faceshard", program],
                              capture_output=True, text=True, timeout=300, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_units_are_tried_again_and_what_has_failed_for_good_is_told_and_made_by_the_same_command(self):
        run_test.write_people(self.input, 4)
        self.run_job(self.folder / "local", "--workers", 1, "--set", "seed=4")
        (self.folder / "never").touch()
        said = self.run_on_dask(3)
        self.assertIn("unit 1: no luck with unit 1", said)
        self.assertIn("1 units have failed; the same command tries them again", said)
        (self.folder / "never").unlink()
        self.assertRegex(self.run_on_dask(0), r"units (\d+) of \1, 0 failed, 2 workers")
        self.assertEqual(run_test.sums(self.folder / "dask"), run_test.sums(self.folder / "local"))


if __name__ == "__main__":
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        print(f"skipped: no Dask here: {error}: package python3-distributed", flush=True)
        sys.exit(77)
    unittest.main()
