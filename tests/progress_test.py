"""What a running job tells on a terminal of any width, and where there is none."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_test import FACESHARD, JobCase, write_people  # noqa: E402


class Progress(JobCase):
    def setUp(self):
        super().setUp()
        write_people(self.input)
        self.command = [FACESHARD, "run", self.job, "--input", self.input, "--output", self.folder / "out"]

    def on_terminal(self, columns):
        """What stands on standard error, a terminal of so many columns, and on standard output."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        run = subprocess.Popen(self.command, stderr=theirs, stdout=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"})
        os.close(theirs)
        told = b""
        try:
            while chunk := os.read(ours, 65536):
                told += chunk
        except OSError:  # so Linux says that the other end is closed
            pass
        summary = run.communicate()[0].decode()
        os.close(ours)
        self.assertEqual(run.returncode, 0)
        return told.decode(), summary

    def test_the_bar_fits_every_terminal_and_leaves_a_clean_line(self):
        for columns in (200, 40, 12, 3):
            told, summary = self.on_terminal(columns)
            drawn = re.split(r"\x1b\[K|\r", told)
            self.assertGreater(len(drawn), 3)
            self.assertLess(max(map(len, drawn)), columns)
            self.assertTrue(told.endswith("\r\x1b[K"), told[-40:])
            self.assertEqual(re.findall(r"\x1b\[[0-9;]*m", told + summary), [])
            self.assertLess(len(summary.splitlines()), 20)
            for path in sorted((self.folder / "out").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()

    def test_without_a_terminal_every_event_is_a_line_of_json(self):
        done = subprocess.run(self.command, capture_output=True, check=True)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.stderr, b"")
        self.assertEqual(events[-1]["event"], "done")
        units = next(event["units"] for event in events if event["event"] == "planned")
        self.assertIn({"event": "step", "text": "joining the shards", "done": 0, "of": units}, events)

    def test_commands_of_one_long_step_show_it_on_a_terminal_and_leave_nothing_behind(self):
        where = ["--input", self.input, "--output", self.folder / "out"]
        for command, step in ((["plan", self.job, *where], ""), (["finish", self.job, *where], "joining the shards"),
                              (["verify-output", self.folder / "out"], "checking")):
            if command[0] == "finish":
                subprocess.run(self.command, capture_output=True, check=True)
            self.command, kept = [FACESHARD, *command], self.command
            told, _ = self.on_terminal(60)
            self.command = kept
            self.assertIn(step, told)
            self.assertTrue(not told or told.endswith("\r\x1b[K"), told)


if __name__ == "__main__":
    unittest.main()
