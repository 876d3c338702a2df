"""The same pictures through every reader give the same shards, and shards that are exported and read again are the same
pictures. Files of other formats are made here, byte by byte, and exported ones are read by a few lines of our own."""
import base64
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tarfile
import tempfile
import unittest

import cv2
import h5py
import numpy

FACESHARD = os.environ["FACESHARD"]
MAGIC = struct.pack("<I", 0xCED7230A)

# The whole photograph is the face.
JOB = """
output: {size: 40, encoding: %s}
units: {images: 5}
models: {detector: none}
stages:
  - detect: {min_side: 0, margin: 0}
  - variants: %s
"""


def faceshard(*words, code=(0, 1)):
    done = subprocess.run([FACESHARD, *map(str, words)], capture_output=True, timeout=300, check=False)
    if done.returncode not in code:
        raise AssertionError(f"{words}: {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done


def picture(seed):
    """A smooth random picture that no two seeds share, as the bytes of a JPEG file."""
    small = numpy.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=numpy.uint8)
    return cv2.imencode(".jpg", cv2.resize(small, (40, 40), interpolation=cv2.INTER_CUBIC))[1].tobytes()


def people():
    """(name, file name, bytes) of three people, in the order of a scan, one picture cut off."""
    names = {"anna b": (1, 12, 2), "bob": (3,), "m.0z": (1, 2, 10, 7)}
    found = [(name, f"{rank}-FaceId-0.jpg", picture(rank + 100 * len(name))) for name, ranks in names.items() for rank in ranks]
    found = sorted(found)
    name, file, data = found[4]
    found[4] = (name, file, data[:len(data) // 2])
    return found


# ---- the same pictures in every format ----

def as_folders(folder, samples):
    for name, file, data in samples:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_bytes(data)
    return folder


def as_list(folder, samples):
    as_folders(folder / "pictures", samples)
    lines = [f"pictures/{name}/{file}\t{name}\n" for name, file, _ in samples]
    (folder / "list.tsv").write_text("".join(reversed(lines)))
    return folder / "list.tsv"


def as_csv(folder, samples):
    as_folders(folder / "pictures", samples)
    (folder / "list.csv").write_text("path,label\n" + "".join(f'"pictures/{name}/{file}","{name}"\n' for name, file, _ in samples))
    return folder / "list.csv"


def record(payload):
    """As dmlc-core writes it: cut where the magic number stands at a multiple of four bytes."""
    parts, begin = [], 0
    for at in range(0, len(payload) - 3, 4):
        if payload[at:at + 4] == MAGIC:
            parts.append(payload[begin:at])
            begin = at + 4
    parts.append(payload[begin:])
    flags = [0] if len(parts) == 1 else [1] + [2] * (len(parts) - 2) + [3]
    return b"".join(MAGIC + struct.pack("<I", flag << 29 | len(part)) + part + bytes(-len(part) % 4) for flag, part in zip(flags, parts))


def as_recordio(folder, samples, index=True, shuffled=False):
    folder.mkdir()
    names = sorted({name for name, _, _ in samples})
    rec, idx = b"", ""
    records = [(key, struct.pack("<IfQQ", 0, names.index(name), key, 0) + data) for key, (name, _, data) in enumerate(samples, 1)]
    for key, payload in reversed(records) if shuffled else records:
        idx += f"{key}\t{len(rec)}\n"
        rec += record(payload)
    (folder / "train.rec").write_bytes(rec)
    if index:
        (folder / "train.idx").write_text(idx)
    (folder / "property").write_text(f"{len(names)},112,112\n")
    (folder / "identities.tsv").write_text("".join(f"{n}\t{name}\n" for n, name in enumerate(names)))
    return folder


def as_scanned_recordio(folder, samples):
    return as_recordio(folder, samples, index=False)


def as_shuffled_recordio(folder, samples):
    return as_recordio(folder, samples, shuffled=True)


def as_tsv(folder, samples):
    folder.mkdir()
    with open(folder / "faces.tsv", "w", encoding="utf-8") as out:
        for name, file, data in reversed(samples):
            rank, _, face = file[:-4].partition("-")
            out.write("\t".join((name, rank, "http://a/1.jpg", "http://a/", face, "KsQsP3Pumj2B6UE/Vj4/Pg==", base64.b64encode(data).decode())) + "\n")
    return folder / "faces.tsv"


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def as_tar(folder, samples):
    folder.mkdir()
    with tarfile.open(folder / "all.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, file, data in reversed(samples):
            add(tar, f"{name}/{file}", data)
    return folder / "all.tar"


def as_webdataset(folder, samples):
    folder.mkdir()
    for half in (0, 1):
        with tarfile.open(folder / f"set-{half}.tar", "w", format=tarfile.PAX_FORMAT) as tar:
            for number, (name, _, data) in list(enumerate(samples))[half::2]:
                add(tar, f"{number:06d}.jpg", data)
                add(tar, f"{number:06d}.json", json.dumps({"identity": name, "box": [1, 2]}).encode())
    return folder


FORMATS = {"folders": (as_folders, "folders"), "list": (as_list, "list"), "csv": (as_csv, "list"), "recordio": (as_recordio, "recordio"),
           "scanned": (as_scanned_recordio, "recordio"), "shuffled": (as_shuffled_recordio, "recordio"), "tsv": (as_tsv, "mscelebtsv"),
           "tar": (as_tar, "tar"), "webdataset": (as_webdataset, "tar")}


def contents(index):
    """What must be the same: pixels, labels, names, what was rejected and why."""
    with h5py.File(index) as f:
        images = [cv2.imdecode(i, cv2.IMREAD_COLOR) if i.ndim == 1 else i for i in f["images"][:]]
        digest = hashlib.sha256(b"".join(i.tobytes() for i in images)).hexdigest()
        return (len(images), digest, f["label"][:].tolist(), f["identities/name"].asstr()[:].tolist(), f["identities/label"][:].tolist(),
                f["rejected/reason"].asstr()[:].tolist(), f["rejected/label"][:].tolist())


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_job(self, given, name, encoding="raw", variants="[[]]", extra=()):
        job = self.folder / f"{name}.yaml"
        job.write_text(JOB % (encoding, variants))
        faceshard("run", job, "--input", given, "--output", self.folder / name, "--workers", 1, "--log", "quiet", *extra)
        return self.folder / name / "index.h5"


class Same(Case):
    def test_the_same_pictures_through_every_reader_give_the_same_shards(self):
        samples, expected = people(), None
        for name, (make, format_name) in FORMATS.items():
            given = make(self.folder / f"{name}-in", samples)
            index = self.run_job(given, name)
            with self.subTest(name):
                found = contents(index)
                expected = expected or found
                self.assertEqual(found, expected)
                self.assertIn(f"format: {format_name}", (self.folder / name / "state/job.yaml").read_text())
        self.assertEqual(expected[0], len(samples) - 1)
        self.assertEqual(expected[5], ["corrupt"])
        # and through shards: what was cut off is no picture there either
        self.assertEqual(contents(self.run_job(self.folder / "folders/index.h5", "shards")), expected)

    def test_workers_that_see_no_input_give_the_same_shards(self):
        given = as_tsv(self.folder / "streamed-in", people())
        seen = contents(self.run_job(given, "seen"))
        self.assertEqual(contents(self.run_job(given, "streamed", extra=("--set", "transport.mode=stream"))), seen)

    def test_a_clean_list_keeps_what_it_names(self):
        given = as_tsv(self.folder / "kept-in", people())
        keep = self.folder / "clean.txt"
        keep.write_text("m.0z m.0z/10-FaceId-0.jpg\nbob/3\n0 m.0z/2-FaceId-0\nnobody/1.jpg\n")
        index = self.run_job(given, "kept", extra=("--set", f"input.keep={keep}"))
        with h5py.File(index) as f:
            self.assertEqual(f["source"].asstr()[:].tolist(), ["bob/3-FaceId-0.jpg", "m.0z/10-FaceId-0.jpg", "m.0z/2-FaceId-0.jpg"])
            self.assertEqual(f["identities/name"].asstr()[:].tolist(), ["bob", "m.0z"])
        keep.write_text("somebody/1.jpg\n")
        done = faceshard("plan", self.folder / "kept.yaml", "--input", given, "--output", self.folder / "none", "--set", f"input.keep={keep}", code=(2,))
        self.assertIn(b"none of its 1 lines names a sample", done.stderr)


# ---- exports, read without the program ----

def read_records(path):
    """{key: (flag, label or labels, id, picture)} and the keys in the order of the file."""
    data, found = path.read_bytes(), {}
    order = [tuple(map(int, line.split("\t"))) for line in path.with_suffix(".idx").read_text().splitlines()]
    for key, at in order:
        payload, flag = b"", 1
        while flag in (1, 2):
            assert data[at:at + 4] == MAGIC
            word, = struct.unpack_from("<I", data, at + 4)
            flag, size = word >> 29, word & (1 << 29) - 1
            payload += (MAGIC if flag in (2, 3) else b"") + data[at + 8:at + 8 + size]
            at += 8 + (size + 3) // 4 * 4
        labels, label, number, _ = struct.unpack_from("<IfQQ", payload)
        if labels:
            label = struct.unpack_from(f"<{labels}f", payload, 24)
        found[key] = (labels, label, number, payload[24 + 4 * labels:])
    assert at == len(data) or order[-1][0] != 0
    return found, [key for key, _ in order]


def decode(data):
    return cv2.cvtColor(cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


class Export(Case):
    @classmethod
    def setUpClass(self):
        super().setUpClass()
        samples = people()
        (self.folder / "in" / "emma").mkdir(parents=True)  # nobody: her label must stay
        self.index = self.run_job(as_folders(self.folder / "in", samples), "out", variants="[[], [augment]]")
        with h5py.File(self.index) as f:
            self.images, self.labels = f["images"][:], f["label"][:].tolist()
            self.names = f["identities/name"].asstr()[:].tolist()
            self.sources = f["source"].asstr()[:].tolist()

    def export(self, kind, *words, to=None, code=(0,)):
        target = self.folder / (to or f"exported-{kind}")
        return target, faceshard("export", self.folder / "out", "--format", kind, "--output", target, "--log", "quiet", *words, code=code)

    def test_exports_that_are_read_again_are_the_same_pictures(self):
        for kind in ("folders", "recordio", "tar"):
            with self.subTest(kind):
                target, _ = self.export(kind, "--per-tar", 5)
                again = self.run_job(target, f"again-{kind}")
                with h5py.File(again) as f:
                    self.assertEqual(f["label"][:].tolist(), self.labels)
                    self.assertEqual(f["identities/name"].asstr()[:].tolist(), self.names)
                    self.assertTrue(numpy.array_equal(f["images"][:], self.images))

    def test_records_are_read_by_a_few_lines_of_python(self):
        target, _ = self.export("recordio", to="records")
        found, order = read_records(target / "train.rec")
        last = len(self.labels)
        self.assertEqual(order, list(range(1, last + len(self.names) + 1)) + [0])
        for key in range(1, last + 1):
            flag, label, number, data = found[key]
            self.assertEqual((flag, label, number), (0, self.labels[key - 1], key))
            self.assertTrue(numpy.array_equal(decode(data), self.images[key - 1]))
        self.assertEqual(found[0], (2, (last + 1, last + 1 + len(self.names)), 0, b""))
        for label in range(len(self.names)):
            flag, (first, end), _, data = found[last + 1 + label]
            self.assertEqual((flag, data), (2, b""))
            self.assertEqual([self.labels[key - 1] for key in range(int(first), int(end))], [label] * self.labels.count(label))
        self.assertEqual((target / "property").read_text(), f"{len(self.names)},40,40\n")

    def test_tars_are_what_webdataset_reads(self):
        target, _ = self.export("tar", "--per-tar", 5, to="tars")
        tars, place = sorted(target.iterdir()), 0
        self.assertEqual([path.name for path in tars], [f"faces-{n:06d}.tar" for n in range(-(-len(self.labels) // 5))])
        for path in tars:
            with tarfile.open(path) as tar:
                members = [m for m in tar.getmembers() if m.isfile()]
                for image, label, facts in zip(*[iter(members)] * 3):
                    keys = {os.path.dirname(m.name) + "/" + os.path.basename(m.name).split(".")[0] for m in (image, label, facts)}
                    self.assertEqual(len(keys), 1)
                    self.assertTrue(numpy.array_equal(decode(tar.extractfile(image).read()), self.images[place]))
                    self.assertEqual(int(tar.extractfile(label).read()), self.labels[place])
                    told = json.loads(tar.extractfile(facts).read())
                    self.assertEqual((told["label"], told["identity"], told["source"]), (self.labels[place], self.names[self.labels[place]], self.sources[place]))
                    place += 1
        self.assertEqual(place, len(self.labels))

    def test_encoded_pictures_are_copied_byte_by_byte(self):
        index = self.run_job(self.folder / "in", "packed", encoding="jpeg", variants="[[]]")
        target = self.folder / "copied"
        faceshard("export", index, "--output", target, "--log", "quiet")
        with h5py.File(index) as f:
            stored = [bytes(i) for i in f["images"][:]]
        files = sorted(target.rglob("*.jpg"), key=lambda p: (p.parent.name, p.name))
        self.assertEqual([p.read_bytes() for p in files], stored)
        self.assertEqual(sorted(p.name for p in target.iterdir()), self.names)

    def test_variants_can_be_chosen_and_jpeg_asked_for(self):
        target, _ = self.export("folders", "--variants", 0, "--encoding", "jpeg", "--quality", 90, to="originals")
        names = sorted(str(p.relative_to(target)) for p in target.rglob("*.jpg"))
        self.assertEqual(names, sorted(set(self.sources)))
        _, told = self.export("folders", "--variants", "0,2", to="other", code=(2,))
        self.assertIn(b"from 0 to 1", told.stderr)

    def test_names_that_would_not_keep_their_order_get_numbers(self):
        given = self.folder / "odd"
        (given / "x").mkdir(parents=True)
        for file, seed in (("a-b.png", 1), ("a.png", 2), ("a.jpg", 3)):
            cv2.imwrite(str(given / "x" / file), decode(picture(seed)))
        index = self.run_job(given, "odd-out")
        target = self.folder / "odd-exported"
        faceshard("export", index, "--output", target, "--log", "quiet")
        self.assertEqual(sorted(p.name for p in target.rglob("*.png")), ["000000-a-b.png", "000001-a.png", "000002-a.png"])
        self.assertEqual(contents(self.run_job(target, "odd-again"))[1], contents(index)[1])

    def test_what_is_there_is_not_touched(self):
        target = self.folder / "mine"
        target.mkdir()
        (target / "a.txt").write_text("mine")
        _, told = self.export("folders", to="mine", code=(2,))
        self.assertIn(b"is there already", told.stderr)
        self.assertEqual(os.listdir(target), ["a.txt"])

    def test_an_interrupted_export_leaves_nothing_half(self):
        target, hidden = self.folder / "stopped", self.folder / ".stopped.faceshard-export"
        hidden.mkdir()
        (hidden / "left over").write_text("of one that was killed: it is cleared away")
        running = subprocess.Popen([FACESHARD, "export", self.folder / "out", "--output", target, "--log", "quiet"], stderr=subprocess.DEVNULL)
        while (hidden / "left over").exists() and running.poll() is None:
            pass
        running.send_signal(signal.SIGINT)
        self.assertIn(running.wait(60), (0, 130))
        self.assertFalse(hidden.exists())
        self.assertEqual(target.exists(), running.returncode == 0)

    def test_an_unfinished_job_says_what_to_do(self):
        done = faceshard("export", self.folder / "in", "--output", self.folder / "x", code=(3,))
        self.assertIn(b"holds no index.h5", done.stderr)


if __name__ == "__main__":
    unittest.main()
