"""Shards of people who are drawn here, for the tests of training/."""
import os
import pathlib
import subprocess
import sys

import torch

ROOT = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(ROOT / "training"))
torch.set_num_threads(1)  # tests run side by side, and threads that wait for each other wait long then
FACESHARD = os.environ["FACESHARD"]
# The whole photograph is the face: nothing is looked for, so that a set is made in a second.
JOB = """
input: {{path: {people}}}
output: {{path: {output}, size: {size}, encoding: {encoding}}}
units: {{images: {unit}}}
models: {{detector: none}}
stages:
  - detect: {{min_side: 0, margin: 0}}
  - variants: [[], [augment], [augment]]
"""


def faceshard(*words):
    done = subprocess.run([FACESHARD, *map(str, words), "--log", "quiet"], capture_output=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr.decode(errors="replace")
    return done


def draw(folder, identities, images, seed=3):
    faceshard("generate", folder, "--identities", identities, "--images", images, "--seed", seed, "--bad", 0, "--mislabelled", 0)
    return folder


def run(people, output, size=32, encoding="raw", unit=12):
    """Runs the job; returns its index."""
    job = output.with_suffix(".yaml")
    job.write_text(JOB.format(people=people, output=output, size=size, encoding=encoding, unit=unit))
    faceshard("run", job)
    return output / "index.h5"


def as_lfw(people):
    """Renames the pictures as LFW has them, NAME/NAME_0001.jpg; returns (name, number) of each."""
    found = []
    for person in sorted(path for path in people.iterdir() if path.is_dir()):
        for number, path in enumerate(sorted(person.iterdir()), 1):
            path.rename(person / f"{person.name}_{number:04d}{path.suffix}")
            found.append((person.name, number))
    return found


def write_pairs(path, pictures):
    """All pairs of the pictures, those of one person spread evenly among the others, so that every fold has both."""
    pairs = [(a, b) for n, a in enumerate(pictures) for b in pictures[n + 1:]]
    kinds = [[pair for pair in pairs if (pair[0][0] == pair[1][0]) == same] for same in (True, False)]
    placed = sorted((i / len(kind), pair) for kind in kinds for i, pair in enumerate(kind))
    path.write_text("".join(f"{a}\t{i}\t{k}\n" if a == b else f"{a}\t{i}\t{b}\t{k}\n" for _, ((a, i), (b, k)) in placed))
    return path
