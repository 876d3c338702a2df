"""How many are recognised, and how many strangers taken for somebody, by threshold; see README.md.

    /usr/bin/python3 bench/recognise/thresholds.py lfw.h5"""
import argparse

import h5py
import numpy


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("embeddings", help="of `faceshard embed`: people with one picture or more")
    parser.add_argument("--thresholds", default="0.7,0.8,0.9,0.95,1.0,1.05,1.1,1.15")
    options = parser.parse_args()
    with h5py.File(options.embeddings) as file:
        vectors, names = file["embedding"][:], file["name"][:]
    people, first, person, count = numpy.unique(names, return_index=True, return_inverse=True, return_counts=True)
    probes = numpy.array([numpy.flatnonzero(person == i)[1] for i in numpy.flatnonzero(count > 1)])
    distances = numpy.sqrt(numpy.maximum(0, 2 - 2 * vectors[probes] @ vectors[first].T))
    own = distances[numpy.arange(len(probes)), person[probes]].copy()
    distances[numpy.arange(len(probes)), person[probes]] = numpy.inf
    other = distances.min(axis=1)
    print(f"{len(people)} people, another picture of {len(probes)}")
    for threshold in map(float, options.thresholds.split(",")):
        print(f"{threshold:.2f}  recognised {100 * numpy.mean((own < threshold) & (own < other)):5.1f} %  "
              f"strangers taken for somebody {100 * numpy.mean(other < threshold):5.1f} %")


if __name__ == "__main__":
    main()
