"""Inputs for the fuzz targets to begin with: `seeds.py FOLDER` makes FOLDER/NAME for every target that
needs files which a fuzzer would not invent. All are synthetic, or files of this project."""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
import corpus  # noqa: E402

SEED_BYTES_MAX = 200000


def put(folder, name, data):
    if len(data) <= SEED_BYTES_MAX:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def text(value):
    return bytes([0xA0 | len(value)]) + value


def number(value):
    return b"\xcf" + struct.pack(">Q", value)


def message(*fields):
    return bytes([0x90 | len(fields)]) + b"".join(fields)


def messages():
    """Sender, then a message that this sender may send, more or less: the fuzzer finds the rest."""
    yield b"\x01" + message(b"\x01", b"\x03", text(b"0.1.0"), text(b"host"), number(7), b"\x01", text(b""), b"\x91\x01", b"\x91\x02")
    yield b"\x00" + message(b"\x05", number(1), number(1 << 32), b"\x01", number(9))
    yield b"\x01" + message(b"\x04", b"\x02")
    yield b"\x01" + message(b"\x06", b"\x91\x01", b"\x91\x02", b"\x91\x03", b"\x91\x04", number(5))
    yield b"\x03" + message(b"\x18", number(1), b"\x01", b"\x02")
    yield b"\x00" + message(b"\x07", b"\x01")


def pictures(folder):
    """The bad files of the tests, and a good one."""
    subprocess.run(["/usr/bin/python3", "-c", "import cv2, numpy, sys\n"
                    "draw = numpy.random.default_rng(1)\n"
                    "small = draw.integers(0, 255, (8, 8, 3), dtype=numpy.uint8)\n"
                    "cv2.imwrite(sys.argv[1], cv2.resize(small, (96, 96)))", folder / "face.png"], check=True)
    corpus.write(os.fsencode(folder / "people"), str(folder / "face.png"))
    return [path for path in sorted((folder / "people").rglob("*")) if path.is_file() and not path.is_symlink()]


def parcel():
    names = b"person\0a.png\0b.png\0"
    head = struct.pack("<5Q", 0, 1, 2, 0, len(names)) + struct.pack("<2I", 0, 2)
    return b"FSHPARC1" + head + names + struct.pack("<2Q", 0, 3) + b"abc" + struct.pack("<2Q", 2, 0)


def main(to):
    for i, data in enumerate(messages()):
        put(to / "messages", f"seed-{i}", data)
        put(to / "frame", f"seed-{i}", b"\x01\x05" + struct.pack("<I", len(data) - 1) + data[1:])
    put(to / "parcel", "seed", parcel())
    for path in sorted((SOURCE / "docs" / "jobs").glob("*.yaml")):
        put(to / "job", path.name, path.read_bytes())
        put(to / "job", path.name + "-set", b"stages.detect.margin=40\nseed=7\n---\n" + path.read_bytes())
    for path in sorted((SOURCE / "models").glob("*.yaml")):
        put(to / "card", path.name, path.read_bytes())
    put(to / "template", "seed", b"left: [0, 4]\nright: [7, 4]\nchin: [4, 7]\nstrap: [1, 2, 3]\n")
    with tempfile.TemporaryDirectory(prefix="faceshard-seeds-") as name:
        folder = pathlib.Path(name)
        for i, path in enumerate(pictures(folder)):
            put(to / "image", f"seed-{i}", path.read_bytes())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
