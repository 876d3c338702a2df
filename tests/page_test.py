"""The page of a running job: what it tells, whom it lets in, and what people see of it in a browser."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402
from run_test import FACESHARD, SANITIZED, JobCase, write_people  # noqa: E402

LIMIT_S = 120
SOURCE = pathlib.Path(__file__).resolve().parent.parent

# A line of Prometheus' text format: comment, or metric with labels and a number.
METRIC = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_]\w*="(\\[\\"n]|[^\\"\n])*"(,[a-zA-Z_]\w*="(\\[\\"n]|[^\\"\n])*")*\})? '
                    r'([+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|Inf)|NaN)')

DRAWN = """
seed: 3
units: {images: 12}
models: {detector: hog}
stages:
  - detect: {min_side: 40}
  - landmarks: {}
  - variants: [[], [mask: {}]]
"""


class Running:
    """A job that runs with a page, and what it has said."""

    def __init__(self, job, places, *options, command="run"):
        self.process = subprocess.Popen([FACESHARD, command, job, *places, "--log", "json", "--http", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.address = json.loads(self.process.stdout.readline())["address"]
        self.drain = threading.Thread(target=self.process.stdout.read)
        self.drain.start()

    def get(self, path, **headers):
        request = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            return answer.read().decode()

    def code(self, path, method="GET", **headers):
        try:
            urllib.request.urlopen(urllib.request.Request(self.address + path, method=method, headers=headers), timeout=LIMIT_S)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def wait_for_view(self):
        """The first one of a job that is planned."""
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            view = json.loads(self.get("api/job")) if self.code("api/job") == 200 else {"map": []}
            if view["map"]:
                return view
            time.sleep(0.02)
        raise TimeoutError("no plan is seen")

    def events(self, kind="message"):
        """Every event of a kind until the job ends."""
        with urllib.request.urlopen(self.address + "api/events", timeout=LIMIT_S) as stream:
            now = "message"
            for line in stream:
                if line.startswith(b"event: "):
                    now = line[7:].decode().strip()
                elif line.startswith(b"data: "):
                    if now == kind or kind == "any":
                        yield json.loads(line[6:])
                    now = "message"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.drain.join()
        self.process.stderr.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class PageCase(JobCase):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out"
        self.places = ("--input", self.input, "--output", self.output)


class Told(PageCase):
    """Without a browser. A coordinator without workers waits for as long as it is looked at."""

    def setUp(self):
        super().setUp()
        self.samples = write_people(self.input)

    def waiting(self, *options):
        return Running(self.job, self.places, *options, command="coordinator")

    def test_health_job_and_metrics_are_told_in_their_formats(self):
        with self.waiting() as run:
            view = run.wait_for_view()
            self.assertEqual(run.get("healthz"), "ok\n")
            self.assertEqual((view["samples"], sum(n for _, n in view["map"])), (self.samples, view["units"]))
            lines = run.get("metrics").splitlines()
        typed = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
        for line in lines:
            if line.startswith("#"):
                self.assertRegex(line, r"^# (HELP|TYPE) faceshard_\w+ \S")
            else:
                self.assertIsNotNone(METRIC.fullmatch(line), line)
                self.assertIn(re.split(r"[{ ]", line)[0], typed)
        self.assertIn(f"faceshard_samples {self.samples}", lines)
        dashboard = (SOURCE / "deploy" / "grafana" / "faceshard.json").read_text()
        known = set(re.findall(r'NUMBER\(\w+, "(\w+)"', (SOURCE / "page" / "view.def").read_text()))
        asked = set(re.findall(r"faceshard_(\w+)[{,)]", dashboard))
        self.assertEqual({name for name in asked if "faceshard_" + name not in typed} - known, set())
        self.assertEqual(len(lines), len(set(lines)))

    def test_the_dashboard_is_one_that_grafana_can_lay_out(self):
        board = json.loads((SOURCE / "deploy" / "grafana" / "faceshard.json").read_text())
        variables, taken = {one["name"] for one in board["templating"]["list"]}, set()
        self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            self.assertTrue(cells.isdisjoint(taken) and place["x"] + place["w"] <= 24, panel["title"])
            taken |= cells
            for text in [panel["datasource"]["uid"], *(target["expr"] for target in panel.get("targets", []))]:
                used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval"}
                self.assertLessEqual(used, variables, panel["title"])
                self.assertEqual([text.count(a) - text.count(b) for a, b in ("()", "{}", "[]")], [0, 0, 0], text)

    def test_it_is_only_for_reading_and_only_under_its_own_name(self):
        with self.waiting() as run:
            run.wait_for_view()
            self.assertEqual(run.code("", method="POST"), 405)
            self.assertEqual(run.code("nothing"), 404)
            self.assertEqual(run.code("", Host="somebody.example"), 403)
            self.assertEqual(run.code("", Host="localhost:1"), 200)

    def test_a_token_is_asked_for(self):
        token = self.folder / "token"
        token.write_text("0123456789abcdef\n")
        with self.waiting("--http-token", token) as run:
            self.assertEqual(run.code("healthz"), 200)
            for path in ("", "api/job", "api/events", "api/pictures", "metrics", "?token=0123456789abcdeg", "?token="):
                self.assertEqual(run.code(path), 403, path)
            self.assertEqual(run.code("metrics", Authorization="Bearer 0123456789abcde"), 403)
            run_code = lambda: run.code("metrics", Authorization="Bearer 0123456789abcdef")  # noqa: E731
            until = time.monotonic() + LIMIT_S
            while run_code() == 503 and time.monotonic() < until:
                time.sleep(0.02)
            self.assertEqual(run_code(), 200)
            with urllib.request.urlopen(run.address + "?token=0123456789abcdef") as answer:
                cookie = answer.headers["Set-Cookie"]
            self.assertIn("HttpOnly", cookie)
            self.assertEqual(run.code("", Cookie=cookie.split(";")[0]), 200)

    def test_addresses_that_others_reach_and_bad_ones_are_refused(self):
        short = self.folder / "short"
        short.write_text("abc\n")
        for options, text in ((("--http", "0.0.0.0:0"), "--http-token"), (("--http", "nonsense"), "HOST:PORT"),
                              (("--http", "127.0.0.1:0", "--http-token", short), "at least 16")):
            done = self.faceshard("coordinator", self.job, *self.places, *options, code=2)
            self.assertIn(text, done.stderr.decode())
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = self.faceshard("coordinator", self.job, *self.places, "--http",
                                  "127.0.0.1:%d" % taken.getsockname()[1], code=3)
            self.assertIn("cannot be had", done.stderr.decode())

    def test_who_sends_nonsense_or_reads_nothing_holds_up_nobody(self):
        with self.waiting() as run:
            run.wait_for_view()
            host, port = run.address[len("http://"):-1].split(":")
            silent = [socket.create_connection((host, int(port))) for _ in range(20)]
            for i, line in enumerate((b"\0\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"a" * 100000 + b"\r\n\r\n",
                                      b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")):
                try:
                    silent[i].sendall(line)
                except OSError:
                    pass
            for _ in range(3):
                self.assertEqual(run.get("healthz"), "ok\n")
            for connection in silent:
                connection.close()

    def test_events_tell_the_whole_job_and_end_with_it(self):
        with Running(self.job, self.places, "--workers", "1") as run:
            states, last, newest, album = {}, None, None, None
            for event in run.events("any"):
                if "view" not in event:
                    album = event
                    continue
                done = [first + n - 1 for first, n, state in event["units"] if state == 4]
                newest = done[-1] if done else newest
                for first, n, state in event["units"]:
                    states.update({unit: state for unit in range(first, first + n)})
                last = event["view"]
        self.assertEqual(last["phase"], "finished")
        self.assertEqual((last["samples_done"], last["share"]), (self.samples, 1))
        self.assertEqual(list(states.values()), [4] * int(last["units"]))
        # The last pictures come behind the last numbers: when the job has ended nobody is there to be asked. They are waited
        # for for five seconds, in which a sanitizer may not be done.
        if not SANITIZED:
            self.assertEqual(album["units"][-1]["unit"], newest)
        self.assertEqual(len(album["units"]), min(album["serial"], 4))


@unittest.skipUnless(browser.CHROMIUM, "no chromium: the package cannot be had here")
class Seen(PageCase):
    """In a browser: a tiny job of drawn people, one of whom has a name that is HTML."""

    @unittest.skipIf(SANITIZED, "under a sanitizer a job of drawn people takes longer than the browser waits")
    def test_the_page_moves_shows_pictures_and_dead_workers_and_the_end(self):
        self.faceshard("generate", self.input, "--identities", 12, "--images", 160, "--bad", 0.1, "--log", "quiet")
        (self.input / "0000000").rename(self.input / "<img src=x onerror=alert(1)>")
        self.job.write_text(DRAWN)
        with Running(self.job, self.places, "--workers", "1") as run, browser.Browser() as page:
            page.open(run.address)
            page.wait_for('typeof view !== "undefined" && view !== null')
            before = page.wait_for('view.share > 0 && document.getElementById("share").textContent')
            victim = page.wait_for('(view.workers.find(w => w.state === "working") || {}).pid')
            os.kill(victim, signal.SIGSTOP)  # it is the only worker: the job waits until it is given up
            try:
                page.wait_for('document.querySelector("tr.silent") !== null')
                colour = page.wait_for('document.querySelector("tr.lost") && getComputedStyle(document.querySelector("tr.lost td")).color')
            finally:
                os.kill(victim, signal.SIGKILL)
            self.assertEqual(colour, "rgb(207, 53, 53)")
            page.wait_for('document.querySelectorAll("#samples img").length > 1')
            page.wait_for('document.querySelector("#samples img").naturalWidth > 0')
            page.wait_for('document.getElementById("share").textContent !== ' + json.dumps(before))
            self.assertEqual(page.complaints, [])
            page.wait_for('document.getElementById("phase").textContent === "finished"', LIMIT_S)
            self.assertEqual(page.run('document.getElementById("share").textContent'), "100 %")
            self.assertEqual(page.run('document.querySelectorAll("#reasons .meter").length > 0'), True)
            outside = [url for url in page.requests if not url.startswith((run.address, "data:", "about:"))]
            # What was asked for in the moment in which the job ended is refused: nobody is there any more.
            complaints = [text for text in page.complaints if "ERR_CONNECTION_REFUSED" not in text]
            self.assertEqual((complaints, outside), ([], []))


if __name__ == "__main__":
    unittest.main()
