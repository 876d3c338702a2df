"""What `cmake --install` leaves, as those use it who have no checkout: the program, its manual, completion of words, and
the library that reads shards."""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_test import FACESHARD, JOB, write_people  # noqa: E402

SOURCE = pathlib.Path(os.environ["FACESHARD_SOURCE"])
BUILD = pathlib.Path(FACESHARD).resolve().parent
CMAKE = "cmake_minimum_required(VERSION 3.20)\nproject(example C)\nfind_package(faceshard-reader REQUIRED)\n" \
        "foreach(kind reader reader_static)\n    add_executable(${kind} example.c)\n" \
        "    target_link_libraries(${kind} PRIVATE faceshard::${kind})\nendforeach()\n"


def run(*words, **options):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=300, check=False, **options)
    if done.returncode:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (BUILD / "cmake_install.cmake").exists():
            raise unittest.SkipTest(f"{BUILD} is no build folder of cmake: nothing to install")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.program = cls.prefix / "bin" / "faceshard"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def commands(self):
        return re.findall(r"^  ([a-z][a-z-]+) +\S", run(self.program, "--help").split("First steps")[0], re.MULTILINE)

    def test_the_program_finds_its_own_cards_and_templates(self):
        self.assertRegex(run(self.program, "--version"), r"^faceshard \d+\.\d+\.\d+\n$")
        clean = {name: value for name, value in os.environ.items() if name != "FACESHARD_MODELS"}
        told = subprocess.run([self.program, "doctor"], capture_output=True, text=True, env=clean, cwd=self.folder, check=False)
        self.assertRegex(told.stdout, r"hog +detect +ok")
        self.assertIn(str(self.prefix / "share" / "faceshard" / "models"), told.stdout + told.stderr)
        job = self.folder / "masks.yaml"
        job.write_text("input: {path: %s}\noutput: {path: o}\nstages: [{variants: [[mask]]}]\n" % self.folder)
        self.assertIn(str(self.prefix / "share" / "faceshard" / "templates"), run(self.program, "run", job, "--explain"))
        for path in ("README.md", "docs/reading.md", "docs/jobs/masked6.yaml"):
            self.assertTrue((self.prefix / "share" / "doc" / "faceshard" / path).exists(), path)

    def test_every_command_has_a_page_that_says_what_its_help_says(self):
        pages = self.prefix / "share" / "man" / "man1"
        self.assertGreater(len(self.commands()), 15)
        for command in self.commands():
            page = gzip.decompress((pages / f"faceshard-{command}.1.gz").read_bytes()).decode()
            plain = page.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\")
            head, *options = run(self.program, command, "--help").split("\nOptions, with their [defaults]:\n")
            for line in head.splitlines()[2:]:
                self.assertIn(line, plain)
            told = re.findall(r"^  (--\S+(?: key=value| *key=value)?) +(.*)$", "".join(options), re.MULTILINE)
            self.assertEqual(re.findall(r"^\.B (--.*)\n(.*)$", plain, re.MULTILINE), told, command)
            if shutil.which("groff"):
                drawn = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", "-K", "utf8"], input=page, capture_output=True, text=True, check=True)
                self.assertEqual(drawn.stderr, "", command)
        self.assertIn("FACESHARD_MODELS", gzip.decompress((pages / "faceshard.1.gz").read_bytes()).decode())

    def test_bash_completes_commands_options_and_choices(self):
        script = self.prefix / "share" / "bash-completion" / "completions" / "faceshard"
        for words, wanted in ((["veri"], ["verify", "verify-output"]), (["clean", "--thr"], ["--threshold"]),
                              (["clean", "--log", "q"], ["quiet"]), (["run", "--exp"], ["--explain"]), (["run", "job"], [])):
            line = f'source {script}; COMP_WORDS=(faceshard {" ".join(words)}); COMP_CWORD={len(words)}; _faceshard; echo "${{COMPREPLY[@]}}"'
            self.assertEqual(run("bash", "-c", line).split(), wanted, words)

    def test_a_program_that_the_documents_show_reads_a_job_with_the_library(self):
        example = self.folder / "example.c"
        text = (SOURCE / "docs" / "reading.md").read_text()
        code = re.search(r"(?:^    .*\n|^\n)*?(^    #include <faceshard_reader.h>\n(?:^    .*\n|^\n)*)", text, re.MULTILINE).group(1)
        example.write_text(re.sub(r"^    ", "", code, flags=re.MULTILINE))
        (self.folder / "job.yaml").write_text(JOB)
        write_people(self.folder / "people", 3)
        out = self.folder / "out"
        run(self.program, "run", self.folder / "job.yaml", "--input", self.folder / "people", "--output", out, "--log", "quiet")
        lib = next(self.prefix.rglob("faceshard-reader.pc")).parent
        where = {**os.environ, "PKG_CONFIG_PATH": str(lib), "LD_LIBRARY_PATH": str(lib.parent), "ASAN_OPTIONS": ""}
        flags = run("pkg-config", "--cflags", "--libs", "faceshard-reader", env=where).split()
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", example, *flags, "-o", self.folder / "example")
        (self.folder / "CMakeLists.txt").write_text(CMAKE)
        run("cmake", "-S", self.folder, "-B", self.folder / "made", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", self.folder / "made")
        with h5py.File(out / "index.h5") as index:
            rows = zip(index["label"], index["source"].asstr(), index["variant"])
            names = index["identities/name"].asstr()
            wanted = [f"{names[label]} {source} {variant}" for label, source, variant in rows]
            wanted.append(f"{len(index['images'])} pictures, {index['images'].size} bytes")
        for program in ("example", "made/reader", "made/reader_static"):
            self.assertEqual(run(self.folder / program, out / "index.h5", env=where).splitlines(), wanted, program)
        next(out.glob("shards/*.h5")).unlink()
        broken = subprocess.run([self.folder / "example", out / "index.h5"], env=where, capture_output=True, text=True, check=False)
        self.assertEqual(broken.returncode, 1)
        self.assertRegex(broken.stderr, r"shard-\d+\.h5 is missing")


if __name__ == "__main__":
    unittest.main()
