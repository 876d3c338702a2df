#!/usr/bin/env python3
"""Contact sheets of what is put on faces: a row a photograph, the face as it is and then a column a chain.

    sheet.py FACES SHEET.png --chains masks         # every template of masks/
    sheet.py FACES SHEET.png --chains glasses       # ... of glasses/; or sunglasses
    sheet.py FACES SHEET.png --chains pose          # turned to -45, -30, -15, 15, 30, 45 degrees
    sheet.py FACES SHEET.png --chains ways          # masks in three ways and by the reference rule, with glasses, augmented
    sheet.py FACES SHEET.png --chains '[[mask], [pose, mask]]'

FACES is a folder of folders, one a person, or of photographs. --only NAME,NAME takes these templates; --first K --count N
only some of the chains."""
import argparse
import json
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAYS = [[{"mask": {"template": "surgical-blue"}}], [{"mask": {"template": "surgical-white"}}], ["mask"],
        [{"mask": {"under_nose": 1}}], [{"mask": {"under_chin": 1}}], [{"mask": {"style": "overlay"}}], ["glasses"],
        ["sunglasses"], ["glasses", "mask"], ["sunglasses", "mask"], ["mask", "augment"]]


def make_chains(wanted, templates, only):
    if wanted in ("masks", "glasses", "sunglasses"):
        names = only or sorted(path.stem for path in (templates / wanted).glob("*.png"))
        return names, [[{"mask" if wanted == "masks" else wanted: {"template": name}}] for name in names]
    if wanted == "pose":
        angles = (-45, -30, -15, 15, 30, 45)
        return [str(a) for a in angles], [[{"pose": {"yaw": [a], "yaw_spread": 0, "pitch_spread": 0}}] for a in angles]
    chains = WAYS if wanted == "ways" else json.loads(subprocess.run(
        ["/usr/bin/python3", "-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.argv[1])))", wanted],
        check=True, capture_output=True, text=True).stdout)
    return [json.dumps(chain) for chain in chains], chains


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=pathlib.Path)
    parser.add_argument("sheet", type=pathlib.Path)
    parser.add_argument("--chains", default="ways")
    parser.add_argument("--only", default="")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--size", type=int, default=160, help="px of a picture")
    parser.add_argument("--margin", type=int, default=60, help="px around the face that the detector finds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--templates", type=pathlib.Path, default=ROOT / "datasets/templates")
    parser.add_argument("--program", default=str(ROOT / "build/release/faceshard"))
    options = parser.parse_args()
    names, chains = make_chains(options.chains, options.templates, [name for name in options.only.split(",") if name])
    part = slice(options.first, options.first + options.count)
    job = {"input": {"format": "folders", "path": str(options.faces.resolve())}, "seed": options.seed,
           "output": {"size": options.size}, "models": {"detector": "ssd"}, "templates": {"path": str(options.templates)},
           "stages": [{"detect": {"margin": options.margin, "min_side": 40, "crop_shape": "square"}}, {"landmarks": {}},
                      {"variants": [[], *chains[part]]}]}
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "job.yaml").write_text(json.dumps(job))
        subprocess.run([options.program, "run", work / "job.yaml", "--output", work / "out", "--log", "quiet"], check=True)
        manifest = json.loads((work / "out/manifest.json").read_text())
        subprocess.run([options.program, "inspect", work / "out/index.h5", "--contact-sheet", options.sheet, "--rows", str(manifest["delivered"])],
                       check=True, stdout=subprocess.DEVNULL)
    print(f"{manifest['samples']} photographs: {manifest['delivered']} rows, missing {manifest['rejected'] or 'none'}")
    print("as it is, " + ", ".join(names[part]))


if __name__ == "__main__":
    main()
