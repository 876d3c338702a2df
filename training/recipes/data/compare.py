"""What the data do, the network held fixed: one training for each way to make shards of the same photographs.

    /usr/bin/python3 training/recipes/data/compare.py PHOTOGRAPHS EVALUATION PAIRS OUT [--pictures 40000] [--size 64] [--only masks,stratified]

Rows: originals; with masks; with masks and augmentation (masked4, masked6); the same of 2, 5, 15 photographs a person. Every row sees
as many pictures. Each is judged by pairs (`faceshard verify`) and by masked probes against an unmasked gallery (`faceshard mask-set`,
`identify`; same: the gallery's photograph with a mask, other: another one). OUT/table.md has the table; what is there is not made again, so that an
interrupted run continues. FACESHARD: the program; FACESHARD_MODELS: has yunet."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
FACESHARD = os.environ.get("FACESHARD", ROOT / "build/release/faceshard")
AUGMENT = "augment: {crop_scale: 1.08, blur_max: 3, rotate_degrees: 12}"
MASK = "mask: {style: fitted}"
MASKED4 = f"[[], [{AUGMENT}], [{MASK}, {AUGMENT}], [{MASK}, {AUGMENT}]]"
MASKED6 = MASKED4[:-1] + f", [glasses, {AUGMENT}], [glasses, {MASK}, {AUGMENT}]]"
# name: variants, photographs a person (0: all), kind of batches
ROWS = {"originals": ("[[]]", 0, "shuffled"),
        "masks": (f"[[], [{MASK}]]", 0, "halves"),
        "masked4": (MASKED4, 0, "halves"),
        "masked6": (MASKED6, 0, "halves"),
        "masked4-2": (MASKED4, 2, "halves"), "masked4-5": (MASKED4, 5, "halves"), "masked4-15": (MASKED4, 15, "halves"),
        "masked6-2": (MASKED6, 2, "halves"), "masked6-5": (MASKED6, 5, "halves"), "masked6-15": (MASKED6, 15, "halves")}
JOB = """
input:  {{path: {photographs}}}
output: {{path: {output}, size: {size}}}
units:  {{images: 128}}
models: {{detector: yunet}}
store:  {{path: {facts}}}
stages:
  - detect: {{min_side: 0}}
  - landmarks: {{unless_five: {unless_five}}}
  - align
{sample}  - variants: {variants}
"""
TRAIN = """
output: {output}
epochs: 10
threads: {threads}
data: {{index: {index}, batches: {batches}, batch: 64, epoch: {epoch}}}
network: {{name: {network}, dimension: 128}}
loss: {{kind: {loss}}}
optimizer: {{rate: 0.002}}
verify: {{index: {evaluation}, pairs: {pairs}, every: 10}}
"""


def faceshard(*words):
    done = subprocess.run([FACESHARD, *map(str, words), "--log", "quiet"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"faceshard {words[0]} ended with {done.returncode}")


def make_shards(given, name, photographs, variants, per_class):
    output = given.out / name / "shards"
    if not (output / "index.h5").exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        job = given.out / name / "job.yaml"
        sample = f"  - sample: {{per_class: {per_class}}}\n" if per_class else ""
        job.write_text(JOB.format(photographs=photographs, output=output, size=given.size, facts=given.out / "facts", sample=sample,
                                  variants=variants, unless_five="true" if variants == "[[]]" else "false"))
        faceshard("run", job)
    return output / "index.h5"


def learn(given, name, index, batches):
    """The card of the trained network."""
    sys.path.insert(0, str(ROOT / "training"))
    from faceshard_training import settings, train
    card = given.out / name / "run" / "model.yaml"
    if not card.exists():
        file = given.out / name / "train.yaml"
        file.write_text(TRAIN.format(output=card.parent, threads=given.threads, index=index, batches=batches, epoch=given.pictures // 10,
                                     network=given.network, loss=given.loss,
                                     evaluation=given.out / "evaluation" / "shards" / "index.h5", pairs=given.pairs))
        if not train.train(settings.load(file), lambda line: print(f"{name}: {line}", flush=True)):
            sys.exit("interrupted; the same command continues")
    return card


def judge(given, name, card):
    """Figures of a card, by the program."""
    results = given.out / name / "results.json"
    if not results.exists():
        found = {"verify": run_json(given, name, "verify", "--pairs", given.pairs, "--images", given.evaluation, "--model", card)}
        for probe in ("same", "other"):
            twin = given.out / f"masked-{probe}"
            found[probe] = run_json(given, name, "identify", "--gallery", twin / "gallery", "--probes", twin / "probes", "--model", card,
                                    "--threshold", "0.7")
        results.write_text(json.dumps(found))
    return json.loads(results.read_text())


def run_json(given, name, *words):
    path = given.out / name / "found.json"
    faceshard(*words, "--json", path)
    return json.loads(path.read_text())


def table(given, found):
    """Everybody on a probe is in the gallery: thresholds would only take away."""
    lines = ["| shards | pictures | accuracy, unmasked pairs | AUC | masked, same: rank 1 / 5 | masked, other: rank 1 / 5 |",
             "| --- | --- | --- | --- | --- | --- |"]
    for name, (pictures, row) in found.items():
        cells = [f"{100 * row['verify']['accuracy']:.2f} %", f"{row['verify']['auc']:.4f}"]
        cells += [f"{100 * row[probe]['rank1']:.1f} / {100 * row[probe]['rank5']:.1f} %" for probe in ("same", "other")]
        lines.append(f"| {name} | {pictures:,} | {' | '.join(cells)} |")
    (given.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("photographs", "evaluation", "pairs", "out"):
        parser.add_argument(name, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--pictures", type=int, default=40000, help="that each training sees")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0: as it likes")
    parser.add_argument("--size", type=int, default=64, help="px")
    parser.add_argument("--network", default="simple_resnet")
    parser.add_argument("--loss", default="softmax")
    parser.add_argument("--identities", type=int, default=1000, help="of the masked sets")
    parser.add_argument("--only", default=",".join(ROWS), help="rows, a list")
    return parser.parse_args()


def main():
    given = arguments()
    make_shards(given, "evaluation", given.evaluation, "[[]]", 0)
    for probe in ("same", "other"):
        if not (given.out / f"masked-{probe}").exists():
            faceshard("mask-set", given.evaluation, "--identities", given.identities, "--probe", probe, "--output", given.out / f"masked-{probe}")
    found = {}
    for name in given.only.split(","):
        variants, per_class, batches = ROWS[name]
        index = make_shards(given, name, given.photographs, variants, per_class)
        card = learn(given, name, index, batches)
        found[name] = (json.loads((index.parent / "manifest.json").read_text())["images"], judge(given, name, card))
        table(given, found)


if __name__ == "__main__":
    main()
