"""Stored landmarks of variants beside what the landmark model finds in the variant's picture.

    /usr/bin/python3 bench/synthesis/landmarks.py --faceshard build/release/faceshard --photographs LFW --work /tmp/landmarks

Median distance as a share of the distance of the eyes, by the step that moved the pixels. The first row, in which none did, is what the
model differs from itself when the same face is cut out otherwise.
"""
import argparse
import pathlib
import subprocess

import cv2
import h5py
import numpy as np

STEPS = {
    "none": "[]",
    "crop": "[augment: {flip: off, rotate: off, blur: off, brightness: off}]",
    "flip": "[augment: {crop: off, flip: on, rotate: off, blur: off, brightness: off}]",
    "rotate to 20 degrees": "[augment: {crop: off, flip: off, rotate_degrees: 20, blur: off, brightness: off}]",
    "pose to 25 degrees": "[pose: {yaw: [-20, 20], yaw_spread: 5}]",
    "pose to 40 degrees": "[pose: {yaw: [-35, 35], yaw_spread: 5}]",
}
PARTS = {"all": range(68), "inner": range(17, 68), "eyes": range(36, 48), "nose": range(27, 36), "mouth": range(48, 68), "jaw": range(17)}
MAKE = "models: {{detector: ssd}}\noutput: {{size: 160}}\nstages:\n  - detect: {{min_side: 40, margin_share: 0.6}}\n  - landmarks\n  - variants:\n{}"
FIND = "models: {detector: ssd}\noutput: {size: 160, encoding: none}\nstages:\n  - detect: {min_side: 20, margin: 10, faces: largest}\n  - landmarks\n  - variants: [[]]\n"


def run(options, name, job, pictures):
    (options.work / f"{name}.yaml").write_text(job)
    subprocess.run([options.faceshard, "run", options.work / f"{name}.yaml", "--input", pictures, "--output", options.work / name,
                    "--log", "quiet"], check=True)
    return h5py.File(options.work / name / "index.h5")


def write_pictures(made, folder):
    for row in range(len(made["images"])):
        (folder / f"{row:06}").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{row:06}" / "1.png"), made["images"][row][:, :, ::-1])


def main():
    parser = argparse.ArgumentParser()
    for name in ("faceshard", "photographs", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    made = run(options, "made", MAKE.format("".join(f"    - {chain}\n" for chain in STEPS.values())), options.photographs)
    write_pictures(made, options.work / "pictures")
    found = run(options, "found", FIND, options.work / "pictures")
    rows = np.array([int(source[:6]) for source in found["source"].asstr()])
    box = found["box"][:].astype(float)
    seen = (found["landmarks"][:] + 0.5) / 160 * box[:, None, 2:] + box[:, None, :2] - 0.5
    stored, variant = made["landmarks"][:][rows], made["variant"][:][rows]
    eyes = np.linalg.norm(stored[:, 36:42].mean(axis=1) - stored[:, 42:48].mean(axis=1), axis=1)
    away = np.linalg.norm(stored - seen, axis=2) / eyes[:, None]
    print(f"{'step':22} faces", *(f"{part:>6}" for part in PARTS))
    for number, step in enumerate(STEPS):
        own = away[variant == number]
        print(f"{step:22} {len(own):5}", *(f"{np.median(own[:, list(part)]):6.3f}" for part in PARTS.values()))


if __name__ == "__main__":
    main()
