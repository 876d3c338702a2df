"""What `faceshard status` tells of a job: planned, under way, interrupted, made without a coordinator, finished."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_test import FACESHARD, JobCase, write_people  # noqa: E402

LIMIT_S = 60


class Status(JobCase):
    def setUp(self):
        super().setUp()
        self.samples = write_people(self.input)
        self.output = self.folder / "out"
        self.places = ("--input", self.input, "--output", self.output)

    def status(self, *options, expect=0):
        done = subprocess.run([FACESHARD, "status", self.output, *options], capture_output=True, text=True)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stderr if expect else done.stdout

    def seen(self):
        return json.loads(self.status("--json"))

    def wait_for(self, wanted):
        """The first look of which wanted(look) is true."""
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit:
            if (self.output / "state" / "job.yaml").exists():
                look = self.seen()
                if wanted(look):
                    return look
            time.sleep(0.02)
        self.fail("never seen")

    def test_a_folder_without_a_plan_is_refused(self):
        self.assertIn("holds no plan of a job", self.status(expect=2))

    def test_a_planned_job_waits(self):
        self.faceshard("plan", self.job, *self.places)
        look = self.seen()
        self.assertEqual((look["phase"], look["samples"], look["share"]), ("stopped", self.samples, 0))
        self.assertEqual(look["units_in"]["READY"], look["units"])
        self.assertIsNone(look["rate"])

    def test_shards_that_were_made_without_a_coordinator_are_seen(self):
        self.faceshard("plan", self.job, *self.places)
        self.faceshard("unit", self.job, 0, *self.places)
        look = self.seen()
        self.assertEqual(look["units_in"]["DONE"], 1)
        self.assertGreater(look["samples_running"], 0)

    def test_a_ledger_that_is_just_being_made_is_waited_for(self):
        self.faceshard("plan", self.job, *self.places)
        ledger = sqlite3.connect(self.output / "state" / "ledger.sqlite", isolation_level=None)
        ledger.execute("BEGIN EXCLUSIVE")  # as who makes it writes-ahead
        look = subprocess.Popen([FACESHARD, "status", self.output, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with self.assertRaises(subprocess.TimeoutExpired):
            look.wait(1)
        ledger.close()
        said, err = look.communicate(timeout=LIMIT_S)
        self.assertEqual((look.returncode, err), (0, b""))
        self.assertEqual(json.loads(said)["phase"], "stopped")  # there is no table in it yet

    def test_a_finished_job_is_told_with_what_was_rejected(self):
        (self.input / "person 0" / "broken.jpg").write_bytes(b"no picture")
        self.faceshard("run", self.job, *self.places, "--log", "quiet")
        look = self.seen()
        self.assertEqual((look["phase"], look["share"]), ("finished", 1))
        self.assertEqual(look["samples"], look["delivered"] + sum(look["rejected"].values()))
        self.assertEqual(look["rejected"]["not_an_image"], 1)
        text = self.status("--watch")
        self.assertIn("finished: all is done", text)
        self.assertIn("not_an_image", text)
        self.assertNotIn("\x1b", text)

    def test_a_job_under_way_tells_of_its_workers_and_an_interrupted_one_of_nobody(self):
        shutil.rmtree(self.input)
        write_people(self.input, 80, 40)
        run = subprocess.Popen([FACESHARD, "run", self.job, *self.places, "--log", "quiet", "--workers", "1"])
        try:
            look = self.wait_for(lambda look: look["phase"] == "running" and look["workers"])
            self.assertEqual(look["workers_here"], 1)
            self.assertIn(look["workers"][0]["state"], ("working", "idle"))
            self.wait_for(lambda look: look["units_in"]["COMMITTED"] > 0)
            run.send_signal(signal.SIGKILL)
            run.wait()
            look = self.seen()
        finally:
            run.kill()
            run.wait()
        self.assertIn(look["phase"], ("stopped", "committed", "finished"))
        self.assertEqual(look["workers"], [])
        self.assertGreater(look["delivered"], 0)


if __name__ == "__main__":
    unittest.main()
