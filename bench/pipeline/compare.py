"""faceshard and the script in turns over the same photographs; see README.md.

    /usr/bin/python3 bench/pipeline/compare.py PHOTOGRAPHS --models MODELS --templates TEMPLATES"""
import argparse
import collections
import importlib.util
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
Result = collections.namedtuple("Result", "photographs delivered pictures seconds shares memory")


def build_predictor(folder):
    library = folder / "predictor.so"
    subprocess.run(["g++", "-O3", "-march=native", "-fPIC", "-shared", HERE / "predictor.cpp", "-o", library, "-ldlib",
                    "-llapack", "-lblas"], check=True)
    return library


def peak_memory(process):
    """Largest sum of the proportional sizes of a process and its children, MB, while it runs."""
    most = 0
    while process.poll() is None:
        total = 0
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getpgid(int(entry.name)) == process.pid:
                    rollup = (entry / "smaps_rollup").read_text()
                    total += int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1])
            except (OSError, TypeError):
                continue
        most = max(most, total)
        time.sleep(0.5)
    return most / 1000


def measured(command):
    """Standard output and error of a command that must succeed, and its memory."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        memory = peak_memory(process)
        said.seek(0)
        text = said.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text}")
    return text, memory


def run_ours(given, people, output):
    begun = time.perf_counter()
    text, memory = measured([given.program, "run", ROOT / "docs/jobs/masked6.yaml", "--input", people, "--output", output,
                             "--workers", str(given.workers), "--set", f"models.search={given.models}",
                             "--set", f"units.images={given.unit}", "--log", "bar"])
    seconds = time.perf_counter() - begun
    shares = {name: float(share) for name, share in re.findall(r" ([a-z]+) ([0-9.]+)%", text[text.index("\nstages "):])}
    manifest = json.loads((output / "manifest.json").read_text())
    return Result(manifest["samples"], manifest["delivered"], manifest["images"], seconds, shares, memory)


def run_peer(engine, given, people, output):
    begun = time.perf_counter()
    text, memory = measured(["/usr/bin/python3", HERE / "peer.py", people, output, "--engine", engine, "--models",
                             given.models, "--templates", given.templates, "--predictor", given.predictor, "--workers",
                             str(given.workers), "--unit", str(given.unit)])
    seconds = time.perf_counter() - begun
    told = json.loads(text.strip().splitlines()[-1])
    shares = {name: 100 * spent / seconds / given.workers for name, spent in told["stages"].items()}
    return Result(told["photographs"], told["delivered"], told["pictures"], seconds, shares, memory)


def print_table(results):
    print("| | photographs/s | seconds of each round | delivered | memory, MB |\n| --- | --- | --- | --- | --- |")
    for name, rounds in results.items():
        seconds = [r.seconds for r in rounds]
        print(f"| {name} | {rounds[0].photographs / statistics.median(seconds):.1f} | "
              f"{', '.join(f'{s:.1f}' for s in seconds)} | {rounds[0].delivered} of {rounds[0].photographs} | "
              f"{max(r.memory for r in rounds):.0f} |")
    for name, rounds in results.items():
        shares = rounds[-1].shares
        rest = 100 - sum(share for stage, share in shares.items() if stage != "rest")
        print(f"\n{name}: " + ", ".join(f"{s} {v:.1f} %" for s, v in shares.items() if s != "rest") + f", rest {rest:.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=pathlib.Path)
    parser.add_argument("--models", required=True)
    parser.add_argument("--templates", required=True)
    parser.add_argument("--program", default=ROOT / "build/release/faceshard")
    parser.add_argument("--people", type=int, default=300, help="the first ones by name")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--unit", type=int, default=64, help="photographs")
    given = parser.parse_args()
    engines = ["multiprocessing"]
    if importlib.util.find_spec("distributed"):
        engines.append("dask")
    else:
        print("python3-distributed is not installed: without Dask")
    results = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        given.predictor = build_predictor(folder)
        (folder / "people").mkdir()
        for person in sorted(given.photographs.resolve().iterdir())[:given.people]:
            shutil.copytree(person, folder / "people" / person.name)
        for turn in range(given.rounds):
            results["faceshard"].append(run_ours(given, folder / "people", folder / f"ours-{turn}"))
            for engine in engines:
                results[f"Python, {engine}"].append(run_peer(engine, given, folder / "people", folder / f"{engine}-{turn}"))
    print_table(results)


if __name__ == "__main__":
    main()
