"""train.yaml: its keys are the rows of SECTIONS, from which the reader, its errors and `train --help` are made."""
import dataclasses
import difflib
import types
import typing

import yaml

from faceshard_training.losses import LOSSES
from faceshard_training.networks import NETWORKS


class SettingsError(Exception):
    """The text names the file, the line, the key, what was found and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A key. kind: int, float, bool, str; list for a path or several; choices for words. Without a default it must be given."""
    key: str
    kind: type
    default: typing.Any
    help: str
    low: float = 0
    high: float = 1e9
    choices: tuple = ()


NEEDED = object()
TOP = "top"
SECTIONS = {
    TOP: (
        Row("output", str, NEEDED, "folder for checkpoints, train.csv, train.svg and the exported model"),
        Row("epochs", int, 20, "how often all batches are seen", 1, 100000),
        Row("seed", int, 1, "of weights and order; the same seed on the same machine gives the same numbers"),
        Row("device", str, "auto", "auto: a GPU where there is one", choices=("auto", "cpu", "cuda")),
        Row("precision", str, "auto", "auto: float16 on a GPU, float32 elsewhere", choices=("auto", "float32", "float16", "bfloat16")),
        Row("threads", int, 0, "of PyTorch; 0: as it likes", 0, 1024),
        Row("start", str, "", "what training begins with: the network of a checkpoint, whose loss and optimizer are left aside, or of an ONNX file of the same layers"),
        Row("checkpoint_steps", int, 0, "batches between checkpoints within an epoch; 0: only at its end")),
    "data": (
        Row("index", list, NEEDED, "index.h5 of a job of faceshard, or a list of them"),
        Row("batches", str, "shuffled", "shuffled: all rows at random; halves: half originals, half variants; identities: people x pictures",
            choices=("shuffled", "halves", "identities")),
        Row("batch", int, 64, "pictures in a batch of shuffled and halves", 2, 65536),
        Row("people", int, 16, "identities: people in a batch", 2, 4096),
        Row("pictures", int, 4, "identities: pictures of each", 2, 4096),
        Row("per_class", int, 0, "at most so many pictures of a person in an epoch, others in the next; 0: all"),
        Row("epoch", int, 0, "pictures in an epoch, however many there are, so that trainings on different shards see as many; 0: all"),
        Row("window", int, 0, "rows that are shuffled together, so that a disk reads whole stretches; 0: all rows"),
        Row("flip", bool, True, "the mirror image of every other picture"),
        Row("workers", int, 1, "processes that read; 0: the training's own", 0, 256)),
    "network": (
        Row("name", str, "mobilefacenet", "which", choices=tuple(NETWORKS)),
        Row("dimension", int, 128, "numbers of an embedding; 128 and 256 are usual", 2, 4096),
        Row("width", float, 1.0, "multiplies the channels of mobilefacenet and simple_resnet", 0.1, 4),
        Row("dropout", float, 0.0, "share that is left out before the embedding", 0, 0.95)),
    "loss": (
        Row("kind", str, "arcface", "softmax, arcface: over all classes; triplet: semi-hard within the batch; distil: nearness to a teacher",
            choices=tuple(LOSSES)),
        Row("scale", float, 32.0, "arcface: of the cosines", 1, 256),
        Row("margin", float, 0.5, "arcface: angle in radians, 0.5 is usual; triplet: squared distance, 0.2 is usual", 0, 2),
        Row("distance", str, "cosine", "distil: of the teacher's embedding", choices=("cosine", "l2")),
        Row("targets", str, "index", "distil: an embeddings file of the teacher (`faceshard embed`); index: /embedding of data.index"),
        Row("classify", float, 0.0, "distil: share of arcface's loss that is added", 0, 1000)),
    "optimizer": (
        Row("kind", str, "adam", "which", choices=("adam", "sgd")),
        Row("rate", float, 0.001, "the highest learning rate; sgd usually takes 0.1", 0, 100),
        Row("momentum", float, 0.9, "sgd", 0, 0.9999),
        Row("weight_decay", float, 0.0005, "of all weights but those of norms and biases", 0, 1)),
    "schedule": (
        Row("kind", str, "cosine", "how the rate falls after its warm-up", choices=("cosine", "step", "constant")),
        Row("warm_up", float, 1.0, "epochs in which the rate rises from 0", 0, 1000),
        Row("every", float, 8.0, "step: epochs between two steps", 0.01, 100000),
        Row("factor", float, 0.1, "step: what the rate is multiplied by", 0, 1)),
    "verify": (
        Row("index", str, "", "index.h5 of the evaluation set: originals only, cut out as the training's; empty: no verification"),
        Row("pairs", str, "", "pairs.txt of LFW or MFR2"),
        Row("every", int, 1, "epochs between two verifications; the last is always verified", 1, 100000),
        Row("flip", bool, False, "add the embedding of the mirror image")),
    "export": (
        Row("name", str, "model", "of the card and its files"),
        Row("licence", str, "none stated", "for the card"),
        Row("source", str, "", "for the card: what the weights were made from"),
        Row("detector", str, "yunet", "for the card: the detector whose points suit the training's pictures")),
}
TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", list: "a path or a list of paths"}


def allowed(row):
    if row.choices:
        return "one of " + ", ".join(row.choices)
    return TYPES[row.kind] + (f" from {row.low:g} to {row.high:g}" if row.kind in (int, float) else "")


def fits(row, value):
    if row.kind is list:
        return isinstance(value, str) or (isinstance(value, list) and value and all(isinstance(one, str) for one in value))
    if row.kind in (int, float):
        known = isinstance(value, (int, float) if row.kind is float else int) and not isinstance(value, bool)
        return known and row.low <= value <= row.high
    return isinstance(value, row.kind) and (not row.choices or value in row.choices)


def value_of(row, value, where, key):
    if not fits(row, value):
        raise SettingsError(f"{where}: {key} is {value!r}; allowed is {allowed(row)}")
    return [value] if row.kind is list and isinstance(value, str) else row.kind(value)


def known(key, keys, where, whose):
    if key not in keys:
        near = difflib.get_close_matches(str(key), keys, 1)
        hint = f"did you mean {near[0]}?" if near else f"{whose} has {', '.join(keys)}"
        raise SettingsError(f"{where}: there is no key {key}; {hint}")


def entries(node, where):
    """(key, node of the value, line) of a mapping of YAML."""
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{where}:{node.start_mark.line + 1}: key: value pairs are expected here")
    return [(key.value, value, f"{where}:{key.start_mark.line + 1}") for key, value in node.value]


def read_section(name, found, settings):
    """Puts (key, value node, place) into the settings of this section."""
    rows = {row.key: row for row in SECTIONS[name]}
    prefix = "" if name == TOP else f"{name}."
    for key, node, place in found:
        known(key, list(rows) + (list(SECTIONS)[1:] if name == TOP else []), place, name if prefix else "the file")
        settings[f"{prefix}{key}"] = value_of(rows[key], yaml.safe_load(yaml.serialize(node)), place, f"{prefix}{key}")


def read_file(path):
    """Dotted keys and values, as far as they are given."""
    try:
        with open(path, encoding="utf-8") as file:
            root = yaml.compose(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: {error}") from None
    settings, top = {}, []
    for key, node, place in entries(root, path) if root else []:
        if key in list(SECTIONS)[1:]:
            read_section(key, entries(node, path), settings)
        else:
            top.append((key, node, place))
    read_section(TOP, top, settings)
    return settings


def override(settings, text):
    """`--set data.batch=32`"""
    key, equals, value = text.partition("=")
    rows = {dotted: row for dotted, row in all_rows()}
    if not equals:
        raise SettingsError(f"--set {text}: KEY=VALUE is expected, such as data.batch=32")
    known(key, list(rows), f"--set {text}", "train.yaml")
    settings[key] = value_of(rows[key], yaml.safe_load(value), "--set", key)


def all_rows():
    return [(row.key if section == TOP else f"{section}.{row.key}", row) for section, rows in SECTIONS.items() for row in rows]


def check(settings):
    """What no key can say by itself."""
    if bool(settings["verify.index"]) != bool(settings["verify.pairs"]):
        missing = "verify.pairs" if settings["verify.index"] else "verify.index"
        raise SettingsError(f"{missing} is empty; verification needs verify.index and verify.pairs, or neither")
    if settings["loss.kind"] == "triplet" and settings["data.batches"] != "identities":
        raise SettingsError("loss.kind triplet compares pictures of one person within a batch; set data.batches to identities")
    if settings["data.batches"] == "halves" and settings["data.batch"] % 2:
        raise SettingsError(f"data.batch is {settings['data.batch']}; batches of halves are even")


def load(path, overrides=()):
    """All settings, as settings.data.batch and so on; `flat` has them by dotted key."""
    settings = read_file(path)
    for text in overrides:
        override(settings, text)
    for key, row in all_rows():
        if key not in settings and row.default is NEEDED:
            raise SettingsError(f"{path}: {key} is missing ({row.help})")
        settings.setdefault(key, row.default)
    check(settings)
    return nest(settings)


def sections(flat):
    """As train.yaml has them."""
    found = {}
    for key, value in flat.items():
        section, dot, name = key.partition(".")
        if dot:
            found.setdefault(section, {})[name] = value
        else:
            found[key] = value
    return found


def nest(flat):
    parts = {key: types.SimpleNamespace(**value) if isinstance(value, dict) else value for key, value in sections(flat).items()}
    return types.SimpleNamespace(flat=flat, **parts)


def explain():
    """All keys with meaning, what is allowed and default."""
    lines = []
    for section, rows in SECTIONS.items():
        lines += [""] + ([f"{section}:"] if section != TOP else [])
        for row in rows:
            default = "needed" if row.default is NEEDED else f"default {row.default!r}"
            lines.append(f"  {row.key:17} {row.help} ({allowed(row)}) [{default}]")
    return "\n".join(lines)
