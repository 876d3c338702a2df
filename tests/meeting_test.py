"""Workers that find their coordinator through the output folder: before it is there, after it has moved, and when the job
has ended."""
import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

FACESHARD = run_test.FACESHARD


class Meetings(run_test.JobCase):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out"
        self.meeting = self.output / "state" / "coordinator"
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        super().tearDown()

    def start(self, *words):
        process = subprocess.Popen([FACESHARD, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.processes.append(process)
        return process

    def coordinator(self, *more):
        return self.start("coordinator", self.job, "--input", self.input, "--output", self.output, "--bind", "tcp://127.0.0.1:*",
                          "--log", "json", *more)

    def read_until(self, coordinator, event):
        for line in coordinator.stdout:
            if json.loads(line)["event"] == event:
                return
        self.fail(coordinator.stderr.read().decode(errors="replace"))

    def ends_well(self, process):
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err.decode(errors="replace"))

    def test_a_worker_waits_for_a_coordinator_and_follows_it_when_it_has_moved(self):
        run_test.write_people(self.input, 40)
        self.run_job(self.folder / "undisturbed", "--workers", 1)
        self.faceshard("keygen", self.folder / "keys")
        keys = ("--keys", self.folder / "keys")
        worker = self.start("worker", self.output, "--threads", 1, *keys)
        first = self.coordinator(*keys)
        self.wait_for_a_new_shard(self.output, first)
        before = self.meeting.read_text()
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = self.coordinator(*keys)
        self.read_until(second, "worker_joined")
        second.terminate()  # it tells its workers to leave
        self.assertEqual(second.wait(60), 130)
        self.ends_well(self.coordinator(*keys))
        self.ends_well(worker)
        self.assertRegex(before, r"^tcp://\S*127\.0\.0\.1\S*:\d+\n$")
        self.assertEqual(self.meeting.read_text(), "ended\n")
        self.assertEqual(run_test.sums(self.output), run_test.sums(self.folder / "undisturbed"))
        self.ends_well(self.start("worker", self.output, *keys))  # somebody who comes too late

    def test_a_worker_that_waits_in_vain_says_where(self):
        done = self.faceshard("worker", self.folder / "nothing", "--patience", 1, code=3)
        self.assertIn(f"{self.folder}/nothing: no coordinator has told there where it is", done.stderr.decode())
        self.assertIn("longer than an address", self.faceshard("worker", "tcp://" + "a" * 600, code=2).stderr.decode())

    def test_an_address_of_every_interface_is_told_with_a_name(self):
        run_test.write_people(self.input, 2)
        coordinator = self.coordinator("--bind", "tcp://0.0.0.0:*", "--insecure", "--announce", "node-7")
        self.read_until(coordinator, "started")
        self.assertRegex(self.meeting.read_text(), r"^tcp://node-7:\d+\n$")
        coordinator.terminate()
        coordinator.communicate(timeout=60)
        self.assertRegex(self.meeting.read_text(), r"^tcp://node-7:\d+\n$")  # it may come back


if __name__ == "__main__":
    unittest.main()
