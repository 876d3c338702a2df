#!/usr/bin/python3
"""What the page costs: one job over drawn people without it, and with it and two visitors, turn by turn.

    bench/page/run.py build/release/faceshard [--images 1200] [--rounds 3] [--chromium]

A visitor does what the page's script does: it reads every event, and fetches pictures when there are new ones. With
--chromium the visitors are two browsers, which draw on the same processors and are not counted. Printed are photographs
a second, and the processor time of the coordinator and of the process that reads pictures as a share of that of the
whole job: on a machine that others use as well, the second is the one to trust."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

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


def visit(address):
    pictures = 0
    try:
        with urllib.request.urlopen(address + "api/events") as stream:
            for line in stream:
                if line.startswith(b"data: ") and json.loads(line[6:])["pictures"] != pictures:
                    with urllib.request.urlopen(f"{address}api/pictures?after={pictures}") as answer:
                        pictures = json.load(answer)["serial"]
    except OSError:
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


def run_once(faceshard, folder, page, chromium):
    out = tempfile.mkdtemp(dir=folder)
    command = [faceshard, "run", folder / "job.yaml", "--input", folder / "people", "--output", out, "--log", "json"]
    began = time.monotonic()
    run = subprocess.Popen(command + (["--http", "127.0.0.1:0"] if page else []), stdout=subprocess.PIPE, text=True,
                           start_new_session=True)
    address = json.loads(run.stdout.readline())["address"] if page else None
    lines = []
    threading.Thread(target=lambda: lines.extend(run.stdout), daemon=True).start()
    browsers = []
    if chromium and page:
        sys.path.insert(0, str(HERE.parent.parent / "tests"))
        import browser
        browsers = [browser.Browser() for _ in range(2)]
        for one in browsers:
            one.open(address)
    elif page:
        for _ in range(2):
            threading.Thread(target=visit, args=(address,), daemon=True).start()
    spent = {}
    while run.poll() is None:
        spent.update({(pid, own): seconds for pid, own, seconds in processes_of(run.pid)})
        time.sleep(0.1)
    wall = time.monotonic() - began
    for one in browsers:
        one.close()
    return wall, sum(seconds for (_, own), seconds in spent.items() if own), sum(spent.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faceshard")
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chromium", action="store_true")
    args = parser.parse_args()
    faceshard = os.path.abspath(args.faceshard)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "job.yaml").write_text(JOB)
        subprocess.run([faceshard, "generate", folder / "people", "--identities", "100", "--images", str(args.images), "--log", "quiet"],
                       check=True)
        shares = {False: [], True: []}
        for _ in range(args.rounds):
            for page in (False, True):
                wall, own, all_of_it = run_once(faceshard, folder, page, args.chromium)
                shares[page].append(own / all_of_it)
                print(f"{'two visitors' if page else 'no page     '}  {args.images / wall:6.1f} photographs/s   "
                      f"coordinator and pictures {own:5.2f} s of {all_of_it:6.1f} s: {100 * own / all_of_it:.2f} %", flush=True)
        without, with_it = (sum(shares[page]) / args.rounds for page in (False, True))
        print(f"the page with two visitors takes {100 * (with_it - without):.2f} % of the processor time")


if __name__ == "__main__":
    main()
