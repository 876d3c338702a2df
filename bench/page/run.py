#!/usr/bin/python3
"""What those cost who watch the page: one job over drawn people, and two visitors who come and go.

    bench/page/run.py build/release/faceshard [--seconds 10] [--pairs 12] [--chromium]

Periods without and with visitors follow each other while the job runs; each pair is compared within itself, so that what
changes slowly on the machine counts for both, and the order changes from pair to pair. Printed are means, the mean difference
and its standard error: photographs a second, and processor time of everything the job is, of the coordinator with the process
that reads pictures alone. On a machine that others use the last is the one to trust.

A visitor does what the page's script does: it reads every event, and fetches pictures when there are new ones. With
--chromium the visitors are two browsers, which draw on the same processors and are not counted; each period then begins with
a page that is loaded. The first visitor's start of the picture process is in the first pair."""
import argparse
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SETTLE_S = 1  # after somebody has come or gone
HERE = pathlib.Path(__file__).resolve().parent
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
JOB = """
seed: 1
units: {images: 60}
stages:
  - detect: {min_side: 60}
  - landmarks: {}
  - align: {}
  - variants: masked6
"""


def visit(address, stop):
    pictures = 0
    try:
        with urllib.request.urlopen(address + "api/events") as stream:
            for line in stream:
                if stop.is_set():
                    return
                if line.startswith(b"data: ") and json.loads(line[6:]).get("pictures", pictures) != pictures:
                    with urllib.request.urlopen(f"{address}api/pictures?after={pictures}") as answer:
                        pictures = json.load(answer)["serial"]
    except (OSError, http.client.HTTPException):
        pass


def processes_of(session):
    """Processor time of every process of a session, all threads, as (pid, is it the page's, seconds)."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == session:
                pid = int(path.name)
                own = pid == session or b"page_pictures" in (path / "cmdline").read_bytes()
                yield pid, own, (int(fields[11]) + int(fields[12])) * TICK_S
        except OSError:  # it has just ended
            pass


class Visitors:
    """Two who watch, or two windows of Chromium."""

    def __init__(self, address, chromium):
        self.address, self.stop, self.threads = address, None, []
        self.browsers = []
        if chromium:
            sys.path.insert(0, str(HERE.parent.parent / "tests"))
            import browser
            self.browsers = [browser.Browser() for _ in range(2)]

    def come(self):
        for one in self.browsers:
            one.open(self.address)
        if not self.browsers:
            self.stop = threading.Event()
            self.threads = [threading.Thread(target=visit, args=(self.address, self.stop), daemon=True) for _ in range(2)]
            for thread in self.threads:
                thread.start()

    def leave(self):
        for one in self.browsers:
            one.open("about:blank")
        if self.stop:
            self.stop.set()
        for thread in self.threads:
            thread.join()
        self.threads = []

    def close(self):
        for one in self.browsers:
            one.close()


class Meter:
    """What the job has done and spent so far; processes that have ended count with what was last seen of them."""

    def __init__(self, session, address):
        self.session, self.address, self.spent = session, address, {}

    def read(self):
        """(time, photographs, processor time of coordinator and picture process, of all), or None: the job is at its end."""
        try:
            with urllib.request.urlopen(self.address + "api/job") as answer:
                job = json.load(answer)
        except (OSError, http.client.HTTPException):
            return None
        now = time.monotonic()
        self.spent.update({(pid, own): seconds for pid, own, seconds in processes_of(self.session)})
        if job["phase"] != "running":
            return None
        return (now, (job["samples_done"] or 0) + (job["samples_running"] or 0),
                sum(seconds for (_, own), seconds in self.spent.items() if own), sum(self.spent.values()))


def period(meter, seconds):
    """Photographs a second, processor time of coordinator and pictures a second, and of all for a photograph; None at the end."""
    first = meter.read()
    time.sleep(seconds)
    last = first and meter.read()
    if not last:
        return None
    passed, done = last[0] - first[0], last[1] - first[1]
    return done / passed, (last[2] - first[2]) / passed, (last[3] - first[3]) / done if done else float("nan")


def pairs_of(meter, visitors, seconds):
    """Periods without and with visitors, as long as the job runs: (without, with). Whoever is first in one pair is second in the next."""
    for number in range(10 ** 6):
        found = {}
        for watched in ((False, True), (True, False))[number % 2]:
            if watched:
                visitors.come()
            time.sleep(SETTLE_S)
            found[watched] = period(meter, seconds)
            if watched:
                visitors.leave()
            if not found[watched]:
                return
        if all(one[0] for one in found.values()):  # in one that is too short nothing may have been told
            yield found[False], found[True]


def told(name, pairs, unit, scale=1):
    """Means, and the mean of the differences of a pair with its standard error."""
    without, with_it = ([pair[side] * scale for pair in pairs] for side in (0, 1))
    differences = [b - a for a, b in zip(without, with_it)]
    mean = statistics.mean(without)
    difference, error = statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5
    print(f"{name:44} without {mean:8.3f}  with {statistics.mean(with_it):8.3f} {unit:22} "
          f"difference {difference:+8.3f} +- {error:.3f} ({100 * difference / mean:+.2f} +- {100 * error / mean:.2f} %)")


def measure(faceshard, folder, args):
    command = [faceshard, "run", folder / "job.yaml", "--input", folder / "people", "--output", folder / "out", "--log", "json", "--http", "127.0.0.1:0"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    address = json.loads(run.stdout.readline())["address"]
    threading.Thread(target=run.stdout.read, daemon=True).start()
    meter, visitors, pairs = Meter(run.pid, address), Visitors(address, args.chromium), []
    try:
        while run.poll() is None and not (meter.read() or (0, 0))[1]:
            time.sleep(0.5)
        for without, with_it in pairs_of(meter, visitors, args.seconds):
            pairs.append((without, with_it))
            print(f"pair {len(pairs):2}: {without[0]:6.1f} and {with_it[0]:6.1f} photographs/s, coordinator and pictures "
                  f"{1e3 * without[1]:6.1f} and {1e3 * with_it[1]:6.1f} ms/s, load {os.getloadavg()[0]:.1f}", flush=True)
            if len(pairs) == args.pairs:
                break
    finally:
        visitors.close()
        run.terminate()
        run.wait()
    return pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faceshard")
    parser.add_argument("--images", type=int, default=6000, help="drawn photographs: enough for all pairs (default 6000)")
    parser.add_argument("--seconds", type=float, default=10, help="of a period")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--people", type=pathlib.Path, help="a folder of photographs instead of drawn ones")
    parser.add_argument("--chromium", action="store_true")
    args = parser.parse_args()
    faceshard = os.path.abspath(args.faceshard)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "job.yaml").write_text(JOB)
        if args.people:
            (folder / "people").symlink_to(args.people.resolve())
        else:
            subprocess.run([faceshard, "generate", folder / "people", "--identities", "100", "--images", str(args.images), "--log", "quiet"],
                           check=True)
        pairs = measure(faceshard, folder, args)
    if len(pairs) < 2:
        sys.exit("the job ended before there were two pairs: more --images, or fewer --seconds")
    told("photographs", [(a[0], b[0]) for a, b in pairs], "a second")
    told("processor, all, for a photograph", [(a[2], b[2]) for a, b in pairs], "ms", 1e3)
    told("processor, coordinator and picture process", [(a[1], b[1]) for a, b in pairs], "ms a second", 1e3)
    added = statistics.mean(b[1] - a[1] for a, b in pairs)
    print(f"of {os.cpu_count()} processors that is {100 * added / os.cpu_count():+.3f} %")


if __name__ == "__main__":
    main()
