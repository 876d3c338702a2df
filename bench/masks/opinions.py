"""What a detector and a recogniser make of our masks, beside masks that people really wear; see README.md.

    /usr/bin/python3 bench/masks/opinions.py --faces LFW --pairs mfr2_dev --masked rmfd_masked --work /tmp/opinions"""
import argparse
import collections
import pathlib
import random
import shutil
import subprocess

import h5py
import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SIZE, TIMES = 224, 3
WAYS = {"fitted": "mask: {style: fitted}", "overlay": "mask: {style: overlay}"}
CHAINS = ["as it is"] + [way for way in WAYS for _ in range(TIMES)]
# A square crop with room around the head, as recognisers are given and as MFR2 comes.
CROP = "detect: {margin: 0, margin_share: 0.5, crop_shape: square, min_side: 0}"


class Bench:
    """Runs the program, three times in all, in a folder of its own."""

    def __init__(self, options):
        self.program, self.work = options.program, pathlib.Path(options.work)
        self.work.mkdir(parents=True, exist_ok=False)

    def run(self, *arguments):
        subprocess.run([self.program, *map(str, arguments), "--log", "quiet"], check=True, stdout=subprocess.DEVNULL)

    def job(self, name, stages, folder, output):
        """The index of a job over a folder; output is what its section `output` says."""
        path = self.work / f"{name}.yaml"
        lines = "".join(f"  - {stage}\n" for stage in stages)
        path.write_text(f"output: {{{output}}}\nmodels: {{detector: ssd}}\nstages:\n{lines}")
        self.run("run", path, "--input", folder, "--output", self.work / f"{name}-out")
        return self.work / f"{name}-out" / "index.h5"

    def crop(self, sets, wanted):
        """Crops of {set: [(person, photograph)]} with the chains that are wanted of each set, as pictures in
        folders whose names are set, chain and person."""
        for name, photographs in sets.items():
            for person, photograph in photographs:
                (self.work / "links" / f"{name},{person}").mkdir(parents=True, exist_ok=True)
                (self.work / "links" / f"{name},{person}" / photograph.name).symlink_to(photograph.resolve())
        variants = "variants: [" + ", ".join(f"[{WAYS.get(chain, '')}]" for chain in CHAINS) + "]"
        index = self.job("crops", [CROP, "landmarks", "sample: {per_class: 0}", variants], self.work / "links",
                         f"size: {SIZE}, encoding: png")
        with h5py.File(index) as file:
            for row, (source, variant) in enumerate(zip(file["source"].asstr()[:], file["variant"][:])):
                name, person, photograph = source.replace("/", ",", 1).split(",")
                if variant < wanted[name]:
                    folder = self.work / "crops" / f"{name},{variant},{person}"
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / f"{photograph}.png").write_bytes(file["images"][row].tobytes())
        return self.work / "crops"

    def see(self, folder):
        """{(set, chain): [how many the SSD calls masked, how many it was shown]}"""
        index = self.job("seen", ["detect: {margin: 0, min_side: 0}", "sample: {per_class: 0}"], folder,
                         "size: 32, encoding: none")
        counts = collections.defaultdict(lambda: [0, 0])
        for path in folder.iterdir():
            name, variant, _ = path.name.split(",")
            counts[name, CHAINS[int(variant)]][1] += sum(1 for _ in path.iterdir())
        with h5py.File(index) as file:
            for source, kind in zip(file["source"].asstr()[:], file["mask_class"][:]):
                name, variant, _ = source.split(",", 2)
                counts[name, CHAINS[int(variant)]][0] += int(kind == 0)
        return counts

    def embed(self, folder):
        """{set: {chain number: {person: {photograph: vector}}}}"""
        tree = lambda: collections.defaultdict(tree)
        people = tree()
        self.run("embed", folder, "--model", "mobilefacenet_y1", "--output", self.work / "embedded.h5")
        with h5py.File(self.work / "embedded.h5") as file:
            for name, source, vector in zip(file["name"].asstr()[:], file["source"].asstr()[:], file["embedding"][:]):
                kind, variant, person = name.split(",")
                people[kind][int(variant)][person][source.split("/")[-1]] = vector
        return people


def read_mfr2(folder):
    """Photographs without and with a mask, as (person, path)."""
    bare, masked = [], []
    for line in (folder / "mfr2_labels.txt").read_text().splitlines():
        person, number, kind = (word.strip() for word in line.split(","))
        (bare if kind == "no-mask" else masked).append((person, folder / person / f"{person}_{int(number):04}.png"))
    return bare, masked


def distances(bare, others):
    """{person: distances between a bare photograph and another photograph of the same person}"""
    found = {}
    for person, photographs in bare.items():
        pairs = [numpy.linalg.norm(a - b) for file, a in photographs.items()
                 for other, b in others.get(person, {}).items() if file != other]
        if pairs and len(photographs) > 1:
            found[person] = pairs
    return found


def histogram(found, people, edges):
    """Shares of distances; every person counts the same."""
    bars = [numpy.histogram(found[person], edges)[0] / len(found[person]) for person in people]
    return numpy.mean(bars, axis=0)


def mean_and_spread(found, people):
    values = numpy.concatenate([found[person] for person in people])
    weights = numpy.concatenate([numpy.full(len(found[person]), 1 / len(found[person])) for person in people])
    mean = numpy.average(values, weights=weights)
    return mean, numpy.sqrt(numpy.average((values - mean) ** 2, weights=weights))


def draw(path, edges, curves):
    """Histograms as one SVG: {name: (colour, shares)}."""
    top = max(shares.max() for _, shares in curves.values())
    x = lambda value: 60 + 560 * (value - edges[0]) / (edges[-1] - edges[0])
    y = lambda share: 300 - 260 * share / top
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="660" height="350" font-family="sans-serif" font-size="13">',
           '<rect width="660" height="350" fill="white"/><path d="M60 300H620M60 300V30" stroke="black" fill="none"/>']
    for value in numpy.arange(edges[0], edges[-1] + 1e-6, 0.2):
        out.append(f'<text x="{x(value):.0f}" y="318" text-anchor="middle">{value:.1f}</text>')
    out.append('<text x="340" y="340" text-anchor="middle">distance to another photograph of the person, without a mask</text>')
    for line, (name, (colour, shares)) in enumerate(curves.items()):
        steps = "".join(f"L{x(low):.1f} {y(share):.1f}L{x(high):.1f} {y(share):.1f}"
                        for low, high, share in zip(edges, edges[1:], shares))
        out.append(f'<path d="M{x(edges[0]):.1f} 300{steps}L{x(edges[-1]):.1f} 300" fill="{colour}" fill-opacity="0.18" '
                   f'stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="80" y="{40 + 18 * line}" fill="{colour}">{name}</text>')
    path.write_text("\n".join(out) + "\n</svg>\n")


def tell_detector(counts):
    print("the SSD's opinion: share called masked; without a face it is not")
    for (name, way), (masked, shown) in sorted(counts.items()):
        print(f"  {name:7} {way:9} {100 * masked / max(shown, 1):6.1f} % of {shown}")


def tell_recogniser(vectors, svg):
    bare = vectors["bare"]
    found = {"really masked": distances(bare[0], vectors["masked"][0]), "no mask": distances(bare[0], bare[0])}
    for way in WAYS:
        rounds = [distances(bare[0], bare[number]) for number, chain in enumerate(CHAINS) if chain == way]
        found[way] = {person: sum((one.get(person, []) for one in rounds), []) for person in rounds[0]}
    people = sorted(set.intersection(*(set(one) for one in found.values())))
    edges = numpy.arange(0.2, 1.8001, 0.1)
    bars = {name: histogram(one, people, edges) for name, one in found.items()}
    print(f"the recogniser's opinion: distance to another bare photograph of the person, {len(people)} people of equal weight")
    for name, one in found.items():
        mean, spread = mean_and_spread(one, people)
        common = numpy.minimum(bars[name], bars["really masked"]).sum()
        print(f"  {name:14} mean {mean:.3f}  spread {spread:.3f}  pairs {sum(len(one[p]) for p in people):5}  "
              f"in common with really masked {100 * common:.0f} %")
    if svg:
        colours = {"really masked": "#c03020", "fitted": "#2060c0", "overlay": "#909090"}
        draw(pathlib.Path(svg), edges, {name: (colour, bars[name]) for name, colour in colours.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("faces", "pairs", "masked", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--n", type=int, default=500, help="faces for the detector")
    parser.add_argument("--svg", help="histograms")
    parser.add_argument("--program", default=str(ROOT / "build/release/faceshard"))
    options = parser.parse_args()
    bare, masked = read_mfr2(pathlib.Path(options.pairs))
    people = sorted(path for path in pathlib.Path(options.faces).iterdir() if path.is_dir())
    random.Random(1).shuffle(people)
    sets = {"bare": bare, "masked": masked,
            "lfw": [(person.name, sorted(person.iterdir())[0]) for person in people[:options.n]],
            "rmfd": [("all", path) for path in sorted(pathlib.Path(options.masked).iterdir())]}
    bench = Bench(options)
    crops = bench.crop(sets, {"bare": len(CHAINS), "lfw": len(CHAINS), "masked": 1, "rmfd": 1})
    tell_detector(bench.see(crops))
    for path in crops.glob("lfw,*"):
        shutil.rmtree(path)
    tell_recogniser(bench.embed(crops), options.svg)


if __name__ == "__main__":
    main()
