"""`faceshard slurm` on a real Slurm of three nodes (slurm_lab.py): the shards have the bytes of a local run, with a
coordinator and without. FSH_LONG=1: also while nodes are lost, jobs requeued and tasks cancelled, one after the other."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
import run_test  # noqa: E402
import slurm_lab  # noqa: E402

FACESHARD = run_test.FACESHARD
LONG = bool(os.environ.get("FSH_LONG"))
NODES = 3
END_S = 300


def setUpModule():
    global FOLDER, LAB  # pylint: disable=global-statement
    FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
    FOLDER.chmod(0o755)
    LAB = slurm_lab.Lab(FOLDER / "slurm", NODES)


def tearDownModule():
    LAB.close()
    shutil.rmtree(FOLDER)


class Submission:
    """What `faceshard slurm` has said."""

    def __init__(self, said):
        self.said = said
        self.jobs = dict(re.findall(r"(\w+) (\d+)(?:,|$)", re.search("^submitted (.*)$", said, re.M)[1]))


class Slurm(run_test.JobCase):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.output = self.folder / "out put"

    def write_input(self, identities):
        run_test.write_people(self.input, identities)
        self.run_job(self.folder / "local", "--workers", 2)
        return run_test.sums(self.folder / "local")

    def slurm(self, *more, code=0):
        done = LAB.on_controller([FACESHARD, "slurm", self.job, "--input", self.input, "--output", self.output, "--cpus", 1, *more],
                                 timeout=120)
        self.assertEqual(done.returncode, code, done.stderr + LAB.tell())
        return Submission(done.stdout) if code == 0 else done.stderr

    def logs(self):
        return "\n".join(f"== {path.name}\n" + path.read_text(errors="replace")[-1500:]
                         for path in sorted((self.output / "slurm" / "logs").iterdir()))

    def is_over(self, submission):
        LAB.hurry()
        return LAB.is_over(*submission.jobs.values())

    def ends(self, submission):
        try:
            LAB.wait_for(lambda: self.is_over(submission), "the end of the jobs", END_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def check_output(self, expected):
        self.assertTrue((self.output / "index.h5").exists(), self.logs())
        self.assertEqual(run_test.sums(self.output), expected, self.logs())


class Short(Slurm):
    def test_the_same_bytes_as_a_local_run_with_a_coordinator_and_without(self):
        expected = self.write_input(8)
        first = self.slurm("--workers", 3)
        self.assertEqual(set(first.jobs), {"coordinator", "workers"}, first.said)
        self.assertIn("is still there", self.slurm("--workers", 3, code=3))
        watched = LAB.on_controller([FACESHARD, "status", self.output, "--watch", "--every", "0.2"], timeout=120)
        self.assertEqual(watched.returncode, 0, watched.stderr)  # also while nothing has begun
        self.ends(first)
        self.check_output(expected)
        self.output = self.folder / "second"
        second = self.slurm("--workers", 3, "--without-coordinator", "--time", "1:00:00", "--sbatch", "--nice=1")
        self.assertEqual(set(second.jobs), {"plan", "units", "finish"}, second.said)
        self.ends(second)
        self.check_output(expected)
        tasks = [path.name for path in (self.output / "slurm" / "logs").iterdir() if "-units-" in path.name]
        self.assertEqual(len(tasks), 3)

    def test_what_slurm_refuses_is_told_and_nothing_stays_queued(self):
        run_test.write_people(self.input, 2)
        said = self.slurm("--partition", "nowhere", code=3)
        self.assertIn("is written, but not submitted: sbatch: ", said)
        self.assertIn("nowhere", said)
        self.assertTrue(LAB.is_over())

    def test_a_machine_without_slurm_is_told_so(self):
        run_test.write_people(self.input, 2)
        path = self.folder / "bin"
        path.mkdir()
        (path / "timeout").symlink_to("/usr/bin/timeout")
        done = subprocess.run([FACESHARD, "slurm", self.job, "--input", self.input, "--output", self.output], check=False,
                              env={**os.environ, "PATH": str(path)}, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertIn("sbatch is not on this machine", done.stderr)
        self.assertTrue((self.output / "slurm" / "workers.sbatch").exists())


SLOW_JOB = """
seed: 3
units: {images: 6}
models: {detector: hog}
stages:
  - detect: {min_side: 20, upsample: 1}
  - sample: {per_class: 4}
  - variants: [[], [augment], [augment: {noise: 1}]]
"""


@unittest.skipUnless(LONG, "FSH_LONG=1")
class Long(Slurm):
    """Each: some units are done, something is lost, and the job ends by itself or by the same command."""

    expected = None

    def setUp(self):
        super().setUp()
        self.input = FOLDER / "people"
        self.job.write_text(SLOW_JOB)
        if Long.expected is None:
            subprocess.run([FACESHARD, "generate", self.input, "--identities", "30", "--images", "180", "--log", "quiet"],
                           check=True, timeout=300)
            self.run_job(self.folder / "local", "--workers", 2)
            Long.expected = run_test.sums(self.folder / "local")

    def tearDown(self):
        LAB.wait_for(lambda: len(LAB.client("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()) == NODES, "idle nodes")
        super().tearDown()

    def begin(self, *more):
        submission = self.slurm("--workers", 3, *more)
        LAB.wait_for(lambda: len(list(self.output.glob("shards/*.h5"))) >= 3, "some shards")
        return submission

    def ends_as_expected(self, submission):
        left = len(Long.expected) - 2 - len(list(self.output.glob("shards/*.h5")))
        self.assertGreater(left, 3, "it was over before it was disturbed")
        self.ends(submission)
        self.check_output(Long.expected)

    def lose_node_of(self, job):
        node = LAB.node_of(job)[0]
        LAB.crash(node)
        return node

    def test_the_node_of_a_worker_is_lost(self):
        submission = self.begin()
        coordinator = LAB.node_of(submission.jobs["coordinator"])
        node = next(n for n in LAB.node_of(submission.jobs["workers"]) if n not in coordinator)
        LAB.crash(node)
        self.ends_as_expected(submission)
        LAB.boot(node)

    def test_the_node_of_the_coordinator_is_lost_and_workers_follow_it_to_another(self):
        submission = self.begin()
        node = self.lose_node_of(submission.jobs["coordinator"])
        self.ends_as_expected(submission)
        LAB.boot(node)
        self.assertIn("start 2", self.logs())

    def test_a_worker_is_requeued_and_another_is_cancelled(self):
        submission = self.begin()
        workers = submission.jobs["workers"]
        LAB.client("scontrol", "requeue", f"{workers}_1")
        LAB.client("scancel", f"{workers}_2")
        self.ends_as_expected(submission)

    def test_the_time_limit_comes_for_the_coordinator_and_a_worker(self):
        submission = self.begin()
        for job in (submission.jobs["coordinator"], f"{submission.jobs['workers']}_3"):
            LAB.client("scancel", "--batch", "--signal=USR1", job)
        self.ends_as_expected(submission)
        self.assertIn("back into the queue", self.logs())

    def test_all_is_cancelled_and_the_same_command_continues(self):
        submission = self.begin()
        LAB.client("scancel", *submission.jobs.values())
        LAB.wait_for(lambda: LAB.is_over(*submission.jobs.values()), "the end of what was cancelled")
        self.assertNotIn("back into the queue", self.logs())
        self.assertFalse((self.output / "index.h5").exists())
        self.ends_as_expected(self.slurm("--workers", 3))

    def test_units_alone_survive_a_node_a_requeue_and_a_cancelled_task(self):
        submission = self.begin("--without-coordinator")
        node = self.lose_node_of(f"{submission.jobs['units']}_0")
        LAB.client("scontrol", "requeue", f"{submission.jobs['units']}_1")
        LAB.client("scancel", f"{submission.jobs['units']}_2")
        self.ends(submission)
        LAB.boot(node)
        self.assertFalse((self.output / "index.h5").exists())
        self.assertRegex(self.logs(), "shard-[0-9]+.h5")
        self.ends_as_expected(self.slurm("--workers", 3, "--without-coordinator"))


def main():
    why = slurm_lab.missing()
    if why is not None:
        print(f"skipped: no Slurm here: {why}", flush=True)
        return 77
    hosts.enter()
    return 0 if unittest.main(verbosity=1, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
