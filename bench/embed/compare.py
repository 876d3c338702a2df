"""`faceshard embed` and a Python script in turns over the same crops; see README.md.

    /usr/bin/python3 bench/embed/compare.py PHOTOGRAPHS --models MODELS"""
import argparse
import collections
import itertools
import json
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import cv2

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SIZE = 112
Round = collections.namedtuple("Round", "images seconds")


def make_crops(photographs, count, folder):
    """Writes `count` JPEGs of 112 px, 20 in a folder, photographs taken again where there are too few."""
    paths = sorted(path for path in photographs.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for number, path in zip(range(count), itertools.cycle(paths)):
        person = folder / f"person{number // 20:06d}"
        person.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(person / f"{number:06d}.jpg"), cv2.resize(cv2.imread(str(path)), (SIZE, SIZE)))


def export(folder):
    """Inception-ResNet-v1 with random weights: ONNX, TorchScript, card."""
    subprocess.run(["/usr/bin/python3", "-m", "faceshard_training", "export", "inception_resnet_v1", "--output", folder / "irv1"],
                   cwd=ROOT / "training", check=True, stdout=subprocess.DEVNULL)
    return folder / "irv1.yaml"


def script_y1(models, folder):
    """TorchScript of y1 there is none: the script runs it with cv2."""
    return {"cv2": models / "mobilefacenet_y1_112x112.onnx"}


def card_with(card, folder, backend):
    """The card, run by this backend."""
    text = re.sub(r"^(backend|name):.*\n", "", card.read_text(), flags=re.M)
    path = folder / f"{card.stem}-{backend}.yaml"
    path.write_text(text + f"name: {path.stem}\nbackend: {backend}\n")
    return path


def run(command):
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout, time.perf_counter() - begun


def ours(given, crops, card, output):
    output.unlink(missing_ok=True)
    _, seconds = run([given.program, "embed", crops, "--model", card, "--output", output, "--detector", "aligned", "--workers",
                      str(given.workers), "--set", f"models.search={given.models}", "--log", "quiet"])
    return Round(given.images, seconds)


def peer(given, crops, engine, model, precision, output):
    text, seconds = run(["/usr/bin/python3", HERE / "peer.py", crops, output, "--engine", engine, "--model", model, "--workers",
                         str(given.workers), "--precision", precision])
    return Round(json.loads(text.strip().splitlines()[-1])["images"], seconds)


def has_bf16():
    return "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text()


def contestants(given, crops, folder):
    """Pairs of a name and what runs it."""
    cards = {"Inception-ResNet-v1": (export(folder), {"cv2": folder / "irv1.onnx", "torch": folder / "irv1.pt"}),
             "MobileFaceNet y1": (ROOT / "models/mobilefacenet_y1.yaml", script_y1(given.models, folder))}
    for network, (card, scripts) in cards.items():
        for backend in ("onednn", "opencv"):
            made = card_with(card, folder, backend)
            yield f"{network}, faceshard, {backend}", lambda made=made: ours(given, crops, made, folder / "ours.h5")
        for engine, model in scripts.items():
            for precision in ("float32", "bf16") if engine == "torch" and has_bf16() else ("float32",):
                yield (f"{network}, Python, {engine}, {precision}",
                       lambda e=engine, m=model, p=precision: peer(given, crops, e, m, p, folder / "peer.h5"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--program", default=ROOT / "build/release/faceshard")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if not has_bf16():
        print("bfloat16 is left out: this processor has no AVX512-BF16")
    results = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_crops(given.photographs.resolve(), given.images, folder / "crops")
        entries = list(contestants(given, folder / "crops", folder))
        for _ in range(given.rounds):
            for name, call in entries:
                results[name].append(call())
    print("| network, program | images/s | seconds of each round |\n| --- | --- | --- |")
    for name, rounds in results.items():
        seconds = [r.seconds for r in rounds]
        print(f"| {name} | {rounds[0].images / statistics.median(seconds):.0f} | {', '.join(f'{s:.1f}' for s in seconds)} |")
    print(f"largest process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000:.0f} MB")


if __name__ == "__main__":
    main()
