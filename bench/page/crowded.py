#!/usr/bin/python3
"""The page of a job of a hundred thousand units and two thousand workers: how large events are, what they cost the
coordinator, and how long a browser is busy with each.

    ninja -C build/release bench_page && bench/page/crowded.py build/release/bench_page [--units 100000] [--workers 2000]

Job and workers are made up (bench_page.c); the server and the page are the real ones. The browser's time is what
Chromium says of its page's thread (Performance.getMetrics, in processor time): scripts, layout, painting, everything. First nobody looks, then
one who reads events, then Chromium."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests"))
import browser  # noqa: E402


def start(args, folder, seconds):
    run = subprocess.Popen([args.program, folder, str(args.units), str(args.workers), str(seconds), str(args.rate)],
                           stdout=subprocess.PIPE, text=True)
    return run, json.loads(run.stdout.readline())["address"]


def read_events(address, sizes):
    with urllib.request.urlopen(address + "api/events") as stream:
        for line in stream:
            if line.startswith(b"data: {\"view\""):
                sizes.append(len(line))


def with_chromium(address, seconds):
    with browser.Browser() as page:
        page.call("Performance.enable", timeDomain="threadTicks")
        page.open(address)
        page.wait_for('typeof view !== "undefined" && view !== null')
        page.run("window.looks = 0; source.addEventListener('message', () => looks++); 0")
        metrics = lambda: {m["name"]: m["value"] for m in page.call("Performance.getMetrics")["metrics"]}  # noqa: E731
        before, began = metrics(), page.run("looks")
        time.sleep(seconds)
        after, looks = metrics(), page.run("looks") - began
    busy = {name: 1e3 * (after[name] - before[name]) / looks for name in ("TaskDuration", "ScriptDuration", "LayoutDuration")}
    print(f"browser: {looks} updates, busy {busy['TaskDuration']:.1f} ms each, of these script {busy['ScriptDuration']:.1f}, "
          f"layout {busy['LayoutDuration']:.1f}; {after['JSHeapUsedSize'] / 1e6:.1f} MB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--units", type=int, default=100000)
    parser.add_argument("--workers", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=300, help="units that are done a second")
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    for who in ("nobody", "events", "chromium"):
        with tempfile.TemporaryDirectory() as folder:
            run, address = start(args, folder, args.seconds + (5 if who == "chromium" else 0))
            sizes = []
            if who == "events":
                threading.Thread(target=read_events, args=(address, sizes), daemon=True).start()
            elif who == "chromium":
                with_chromium(address, args.seconds)
            told = json.loads(run.stdout.readline())
            run.wait()
        print(f"{who:9} {told['processor_ms_a_look']:6.1f} ms of processor time a look; the loop waits {told['loop_ms_mean']:.2f} ms, "
              f"{told['loop_ms_most']:.2f} at most", flush=True)
        if sizes:
            print(f"          events: first {sizes[0]} bytes, then {sorted(sizes[1:])[len(sizes) // 2]} (median), {max(sizes[1:])} at most")


if __name__ == "__main__":
    main()
