"""Inputs for the fuzz targets to begin with: `seeds.py FOLDER` makes FOLDER/NAME for every target that
needs files which a fuzzer would not invent. All are synthetic, or files of this project."""
import io
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
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


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(key, value):
    """A field of a protocol buffer: a whole number, or bytes."""
    if isinstance(value, int):
        return varint(key << 3) + varint(value)
    return varint(key << 3 | 2) + varint(len(value)) + value


def floats(n):
    return b"".join(struct.pack("<f", 0.1 * (i % 7) - 0.3) for i in range(n))


def onnx():
    """Convolution, normalisation, activation, pooling, mean, matrix."""
    def node(kind, inputs, output, *attributes):
        return field(1, b"".join(field(1, name) for name in inputs.encode().split()) + field(2, output.encode()) +
                     field(4, kind.encode()) + b"".join(field(5, a) for a in attributes))

    def numbers(name, *values):
        return field(1, name) + b"".join(field(8, value) for value in values)

    def constant(name, *dims):
        n = 1
        for size in dims:
            n *= size
        return field(5, b"".join(field(1, size) for size in dims) + field(2, 1) + field(8, name) + field(9, floats(n)))

    graph = b"".join((
        node("Conv", "x w", "a", numbers(b"kernel_shape", 3, 3), numbers(b"pads", 1, 1, 1, 1)),
        node("BatchNormalization", "a g s g v", "b"), node("PRelu", "b s3", "c"), node("Add", "c a", "d"),
        node("MaxPool", "d", "e", numbers(b"kernel_shape", 2, 2), numbers(b"strides", 2, 2)),
        node("Concat", "e e", "f", field(1, b"axis") + field(3, 1)), node("GlobalAveragePool", "f", "h"),
        node("Flatten", "h", "i"), node("Gemm", "i m", "y", field(1, b"transB") + field(3, 1)),
        constant(b"w", 8, 3, 3, 3), constant(b"g", 8), constant(b"s", 8), constant(b"s3", 8, 1, 1), constant(b"m", 4, 16),
        field(5, field(1, 8) + field(2, 1) + field(8, b"v") + field(9, struct.pack("<8f", *[1.0] * 8))),
        field(11, field(1, b"x")), field(12, field(1, b"y"))))
    return field(1, 5) + field(7, graph)


def caffe():
    def layer(name, kind, bottoms, tops, blobs=(), settings=b""):
        shaped = b"".join(field(7, field(7, field(1, b"".join(varint(size) for size in dims))) + field(5, floats(n)))
                          for dims, n in blobs)
        return field(100, field(1, name) + field(2, kind) + b"".join(field(3, b) for b in bottoms.split()) +
                     b"".join(field(4, t) for t in tops.split()) + shaped + settings)

    return b"".join((
        layer(b"in", b"Input", b"", b"x"),
        layer(b"conv", b"Convolution", b"x", b"a", [((8, 3, 3, 3), 216)], field(106, field(1, 8) + field(3, 1) + field(4, 3))),
        layer(b"scale", b"Scale", b"a", b"a", [((8,), 8), ((8,), 8)], field(142, field(4, 1))),
        layer(b"relu", b"ReLU", b"a", b"a"), layer(b"split", b"Split", b"a", b"b c"),
        layer(b"pool", b"Pooling", b"b", b"p", (), field(121, field(2, 2) + field(3, 2))),
        layer(b"turn", b"Permute", b"p", b"q", (), field(202, field(1, 0) + field(1, 2) + field(1, 3) + field(1, 1))),
        layer(b"rows", b"Reshape", b"q", b"r", (), field(133, field(1, field(1, varint(0) + varint(-1) + varint(4))))),
        layer(b"inner", b"InnerProduct", b"p", b"i", [((2, 512), 1024)], field(117, field(1, 2)))))


def records():
    """RecordIO with an index before it: a byte that counts it in lots of eight, index, records of all kinds."""
    def record(payload, kind=0):
        return struct.pack("<II", 0xCED7230A, kind << 29 | len(payload)) + payload + bytes(-len(payload) % 4)

    def image(flag, label, number, *labels):
        return struct.pack("<IfQQ", flag, label, number, 0) + struct.pack(f"<{len(labels)}f", *labels)

    parts = [record(image(0, 3, 1) + b"picture"), record(image(2, 0, 2, 3, 0) + b"one"), record(image(0, 4, 3) + b"abcd", 1),
             record(b"efgh", 2) + record(b"end", 3), record(image(2, 0, 4, 1, 4)), record(image(2, 0, 0, 4, 5))]
    rec = b"".join(parts)
    places = [0, len(parts[0]), len(parts[0]) + len(parts[1]), len(rec) - 80, len(rec) - 40]
    index = "".join(f"{key}\t{at}\n" for key, at in zip((1, 2, 3, 4, 0), places)).encode()
    index += b"\n" * (-len(index) % 8)
    return [b"\0" + rec, bytes([len(index) // 8]) + index + rec]


def lines():
    head = b"m.0a\t%s\thttp://a/b\thttp://a/\t%s\tKsQsP3Pumj2B6UE/Vj4/Pg==\tTWFu\n"
    return [head % (b"12", b"FaceId-0") + head % (b"2", b"FaceId-10"), b"m.0b\tA Name\t3\thttp://a/b\thttp://a/\tTWE=\r\n\nno tab\n"]


def tars():
    """All kinds of tar, with labels; small enough for -max_len."""
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w", format=kind) as tar:
            for name, member in (("2.jpg", b"two"), ("2.cls", b"7"), ("3.json", b'{"identity": "x"}'), ("3.png", b"3"),
                                 ("n" * 60 + "/" + "n" * 60 + ".jpg", b"long")):
                info = tarfile.TarInfo(name)
                info.size = len(member)
                tar.addfile(info, io.BytesIO(member))
        yield data.getvalue().rstrip(b"\0") + bytes(512)


def main(to):
    for i, data in enumerate(messages()):
        put(to / "messages", f"seed-{i}", data)
        put(to / "frame", f"seed-{i}", b"\x01\x05" + struct.pack("<I", len(data) - 1) + data[1:])
    put(to / "parcel", "seed", parcel())
    for name, seeds in (("recordio", records()), ("mscelebtsv", lines()), ("tar", tars())):
        for i, data in enumerate(seeds):
            put(to / name, f"seed-{i}", data)
    for path in sorted((SOURCE / "docs" / "jobs").glob("*.yaml")):
        put(to / "job", path.name, path.read_bytes())
        put(to / "job", path.name + "-set", b"stages.detect.margin=40\nseed=7\n---\n" + path.read_bytes())
    for path in sorted((SOURCE / "models").glob("*.yaml")):
        put(to / "card", path.name, path.read_bytes())
    put(to / "onnx", "seed", onnx())
    put(to / "caffe", "seed", caffe())
    put(to / "template", "seed", b"left: [0, 4]\nright: [7, 4]\nchin: [4, 7]\nstrap: [1, 2, 3]\n")
    with tempfile.TemporaryDirectory(prefix="faceshard-seeds-") as name:
        folder = pathlib.Path(name)
        for i, path in enumerate(pictures(folder)):
            put(to / "image", f"seed-{i}", path.read_bytes())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
