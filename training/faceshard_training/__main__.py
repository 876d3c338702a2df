"""python -m faceshard_training train|verify|export"""
import argparse
import json
import pathlib
import sys

import yaml

from faceshard_training import checkpoint, export, networks, settings, train, verification
from faceshard_training.shards import ShardDataset, ShardError

TRAIN = """Trains an embedder on the shards of faceshard. Needs one file; the shortest that does something:

  output: runs/first
  data:   {index: out/index.h5}

with which `python -m faceshard_training train train.yaml` trains MobileFaceNet by ArcFace for 20 epochs. It leaves runs/first/train.csv,
train.svg and checkpoint.pt after each epoch, and at the end model.onnx, model.pt and model.yaml, which `faceshard embed --model
runs/first/model.yaml` takes. Interrupted, the same command continues, to the same numbers. Paths are relative to the current folder.

Keys of the file:"""
EXIT_ENVIRONMENT, EXIT_USAGE, EXIT_STOPPED = 3, 2, 130


def run_train(given):
    found = settings.load(given.file, given.set)
    if given.explain:
        print(yaml.safe_dump(settings.sections(found.flat), sort_keys=False), end="")
        return 0
    return 0 if train.train(found, lambda line: print(line, flush=True)) else EXIT_STOPPED


def run_verify(given):
    verifier = verification.Verifier(ShardDataset(given.index), verification.read_pairs(given.pairs))
    found = verifier(checkpoint.network(checkpoint.load(given.checkpoint)), flip=given.flip)
    print(json.dumps(found, indent=2))
    return 0


def run_export(given):
    if given.checkpoint:
        state = checkpoint.load(given.checkpoint)
        size = state["network"]["size"]
        export.write(checkpoint.network(state), given.output, size, *train.about(state["settings"], state["history"], size))
    else:
        network = export.random_network(given.network, given.dimension, given.size, given.width, given.seed)
        export.write(network, given.output, given.size, f"{given.network}, random weights of seed {given.seed}", {})
    return 0


def add_train(commands):
    parser = commands.add_parser("train", help="train, or continue a training", description=TRAIN + settings.explain(),
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="TRAIN.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any key of the file, such as data.batch=32")
    parser.add_argument("--explain", action="store_true", help="print all keys with their values, and do nothing")
    parser.set_defaults(run=run_train)


def add_verify(commands):
    parser = commands.add_parser("verify", help="LFW's protocol for a checkpoint: what `faceshard verify` computes")
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--index", required=True, help="index.h5 of the evaluation set, cut out as the training's")
    parser.add_argument("--pairs", required=True, help="pairs.txt of LFW or MFR2")
    parser.add_argument("--flip", action="store_true", help="add the embedding of the mirror image")
    parser.set_defaults(run=run_verify)


def add_export(commands):
    parser = commands.add_parser("export", help="ONNX, TorchScript and card", description=export.__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?", choices=sorted(networks.NETWORKS), help="with random weights: for measuring speed")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="of a training, instead of a network")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="PATH", help="without an ending")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--size", type=int, default=112, help="px")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.set_defaults(run=run_export)


def parse(words):
    parser = argparse.ArgumentParser(prog="python -m faceshard_training", description="Trains face embedders on the shards of faceshard.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (add_train, add_verify, add_export):
        add(commands)
    given = parser.parse_args(words)
    if given.run is run_export and bool(given.network) == bool(given.checkpoint):
        parser.error("export takes the name of a network, or --checkpoint FILE")
    return given


def main(words=None):
    given = parse(words)
    try:
        return given.run(given)
    except settings.SettingsError as error:
        code, text = EXIT_USAGE, error
    except (ShardError, ValueError, FloatingPointError, OSError) as error:
        code, text = EXIT_ENVIRONMENT, error
    print(f"faceshard_training: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
