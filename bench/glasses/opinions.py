"""What a detector of eyeglasses and a recogniser make of our glasses, beside glasses that people really wear; see README.md.

    /usr/bin/python3 bench/glasses/opinions.py --faces LFW --people 500 --work /tmp/opinions --models MODELS"""
import argparse
import itertools
import pathlib
import random
import subprocess

import cv2
import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHAINS = {"as it is": "", "glasses": "glasses", "sunglasses": "sunglasses"}
SIZE = 224
ARCFACE = numpy.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
PARTS = [slice(36, 42), slice(42, 48), slice(30, 31), slice(48, 49), slice(54, 55)]


def choose(faces, people, links):
    """Two to four photographs of each of so many people, as links in folders."""
    draw = random.Random(5)
    named = [path for path in sorted(faces.iterdir()) if path.is_dir() and len(list(path.iterdir())) > 1]
    for person in draw.sample(named, min(people, len(named))):
        (links / person.name).mkdir(parents=True)
        photographs = sorted(person.iterdir())
        for photograph in draw.sample(photographs, min(len(photographs), 4)):
            (links / person.name / photograph.name).symlink_to(photograph.resolve())


def synthesise(given, links):
    """The index of a job that makes every chain of every photograph."""
    job = given.work / "job.yaml"
    chains = ", ".join(f"[{chain}]" for chain in CHAINS.values())
    job.write_text(f"output: {{size: {SIZE}}}\nmodels: {{detector: ssd}}\nstages:\n"
                   "  - detect: {margin: 0, margin_share: 0.5, crop_shape: square, min_side: 0}\n"
                   f"  - landmarks: {{}}\n  - sample: {{per_class: 0}}\n  - variants: [{chains}]\n")
    subprocess.run([given.program, "run", job, "--input", links, "--output", given.work / "out", "--log", "quiet"], check=True)
    return given.work / "out" / "index.h5"


def eyes_and_mouth(landmarks):
    return numpy.array([landmarks[part].mean(0) for part in PARTS])


def wears_glasses(net, picture, landmarks):
    """The detector's logit: over 0 it sees glasses. Eyes lie at (42, 60) and (78, 60)."""
    eyes = eyes_and_mouth(landmarks)[:2].astype(numpy.float32)
    matrix, _ = cv2.estimateAffinePartial2D(eyes, numpy.array([(42, 60), (78, 60)], numpy.float32))
    crop = cv2.warpAffine(picture, matrix, (120, 120), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    crop = crop.astype(numpy.float32)
    crop *= crop.mean() / numpy.maximum(crop.mean(axis=(0, 1)), 1) / 255
    net.setInput(crop.transpose(2, 0, 1)[None])
    without, with_glasses = net.forward()[0]
    return float(with_glasses - without)


def embed(net, picture, landmarks):
    matrix, _ = cv2.estimateAffinePartial2D(eyes_and_mouth(landmarks).astype(numpy.float32), ARCFACE.astype(numpy.float32),
                                            method=cv2.LMEDS)
    crop = cv2.warpAffine(picture, matrix, (112, 112), flags=cv2.INTER_LINEAR).astype(numpy.float32)
    net.setInput(((crop - 127.5) / 128).transpose(2, 0, 1)[None])
    vector = net.forward()[0]
    return vector / numpy.linalg.norm(vector)


def look(index, models):
    """{chain: {photograph: (logit, embedding)}}; landmarks are those of the photograph."""
    detector = cv2.dnn.readNetFromONNX(str(models / "eyeglasses_classifier_120x120.onnx"))
    recogniser = cv2.dnn.readNetFromONNX(str(models / "mobilefacenet_y1_112x112.onnx"))
    seen = {chain: {} for chain in CHAINS}
    with h5py.File(index) as file:
        for row, (source, variant) in enumerate(zip(file["source"].asstr()[:], file["variant"][:])):
            picture, landmarks = file["images"][row], file["landmarks"][row]
            chain = list(CHAINS)[variant]
            seen[chain][source] = (wears_glasses(detector, picture, landmarks), embed(recogniser, picture, landmarks))
    return seen


def tell_detector(seen):
    bare = [name for name, (logit, _) in seen["as it is"].items() if logit < 0]
    worn = [logit for logit, _ in seen["as it is"].values() if logit >= 0]
    print(f"the detector of eyeglasses, on {len(bare)} photographs in which it sees none:")
    for chain in CHAINS:
        logits = [seen[chain][name][0] for name in bare if name in seen[chain]]
        print(f"  {chain:11} {100 * numpy.mean(numpy.array(logits) > 0):5.1f} % seen, median logit {numpy.median(logits):5.1f}")
    print(f"  really worn, of {len(worn)} photographs in which it sees some: median logit {numpy.median(worn):.1f}")
    return set(bare)


def tell_further(what, found):
    """How much further apart photographs are, every person counting the same."""
    means = [numpy.mean(one) for one in found if one]
    print(f"  {what:26} {numpy.mean(means):6.3f} +- {numpy.std(means) / len(means) ** 0.5:.3f}  of {len(means)} people")


def tell_recogniser(seen, bare):
    people = {}
    for name in seen["as it is"]:
        people.setdefault(name.split("/")[0], []).append(name)
    apart = lambda a, b, chain="as it is": numpy.linalg.norm(seen["as it is"][a][1] - seen[chain][b][1])
    print("how much further photographs of a person without glasses are from one with some than from each other:")
    for chain in list(CHAINS)[1:]:
        tell_further(chain, [[apart(a, b, chain) - apart(a, b) for a in names for b in names
                              if a != b and {a, b} <= bare and b in seen[chain]] for names in people.values()])
    worn = []
    for names in people.values():
        without, others = [name for name in names if name in bare], [name for name in names if name not in bare]
        usual = [apart(a, b) for a, b in itertools.combinations(without, 2)]
        worn.append([apart(a, b) - numpy.mean(usual) for a in without for b in others] if usual else [])
    tell_further("really worn", worn)
    print("distance between a photograph and itself with")
    for chain in list(CHAINS)[1:]:
        found = [apart(name, name, chain) for name in bare if name in seen[chain]]
        print(f"  {chain:11} {numpy.mean(found):.3f} {numpy.std(found):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=pathlib.Path, required=True)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--program", default=ROOT / "build/release/faceshard")
    given = parser.parse_args()
    given.work.mkdir(parents=True)
    choose(given.faces, given.people, given.work / "links")
    seen = look(synthesise(given, given.work / "links"), given.models)
    tell_recogniser(seen, tell_detector(seen))


if __name__ == "__main__":
    main()
