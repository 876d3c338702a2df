"""The layers of the program: who may include whom, and which file alone knows which library."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))

# Each folder may include itself and what stands behind it.
LAYERS = {
    "base": [],
    "proto": ["base"],
    "datasets": ["base"],
    "shards": ["base"],
    "stages": ["base"],
    "job": ["base", "proto", "datasets", "shards", "stages"],
    "worker": ["base", "proto", "datasets", "shards", "stages", "job"],
    "coordinator": ["base", "proto", "datasets", "shards", "stages", "job"],
    "evaluate": ["base", "proto", "datasets", "shards", "stages", "job"],
    "door": ["base", "datasets", "shards", "stages", "evaluate"],
    "page": ["base", "proto", "datasets", "shards", "stages", "job", "worker", "coordinator", "evaluate"],
    "cli": ["base", "proto", "datasets", "shards", "stages", "job", "worker", "coordinator", "evaluate", "door", "page"],
}

# Headers of libraries, and the only files that include them.
LIBRARIES = {
    r"zmq\.h": r"proto/(link|socket|watch|door|monitor|allowed|keys)\.c",
    r"hdf5\.h": r"base/store_(disk|hdf5)\.h",
    r"sqlite3\.h": r"coordinator/ledger_parts\.h",
    r"microhttpd\.h": r"page/inside\.h",
    r"msgpack(/.*)?\.h": r"proto/.*",
    r"opencv2?/.*": r"stages/vision/.*\.(cpp|hpp)",
    r"(oneapi/dnnl/)?dnnl.*\.h": r"stages/inference/steps\.h",
    r"dlib/.*": r"stages/vision/.*\.(cpp|hpp)",
    r"(torch|ATen|c10)/.*": r"stages/vision/torch/torch\.cpp",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def sources():
    """Every source file with what it includes, as (path, header) below the root."""
    for folder in LAYERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".cpp", ".hpp", ".def"):
                for header in INCLUDE.findall(path.read_text()):
                    yield path.relative_to(ROOT).as_posix(), header


class Layers(unittest.TestCase):
    def test_a_folder_includes_only_what_lies_below_it(self):
        for path, header in sources():
            folder, of = path.split("/")[0], header.split("/")[0]
            if of in LAYERS and of != folder:
                self.assertIn(of, LAYERS[folder], f"{path} includes {header}")

    def test_a_header_of_ours_is_named_from_the_root(self):
        for path, header in sources():
            self.assertNotIn("..", header, path)
            beside = (ROOT / path).parent / header
            self.assertFalse("/" not in header and beside.exists(), f"{path} includes {header}")

    def test_each_library_is_known_to_one_place(self):
        for path, header in sources():
            for library, place in LIBRARIES.items():
                if re.fullmatch(library, header):
                    self.assertRegex(path, f"^{place}$", f"{path} includes {header}")

    def test_cplusplus_lives_in_one_folder(self):
        for folder in LAYERS:
            for path in (ROOT / folder).rglob("*"):
                if path.suffix in (".cpp", ".hpp", ".cc", ".cxx"):
                    self.assertTrue(path.relative_to(ROOT).as_posix().startswith("stages/vision/"), path)

    def test_every_folder_says_what_lives_in_it(self):
        folders = list(LAYERS) + ["stages/inference", "stages/vision", "models", "deploy", "bench", "tests"]
        without = [folder for folder in folders if not (ROOT / folder / "README.md").exists()]
        self.assertEqual(without, [], "folders without a README.md")

    def test_no_photograph_is_committed(self):
        """Pictures are templates, drawn by us, and those of the documents, of generated people."""
        if not (ROOT / ".git").exists():
            self.skipTest("not a checkout")
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True)
        for name in listed.stdout.decode().split("\0"):
            if re.search(r"\.(jpe?g|png|bmp|webp|tiff?|h5)$", name, re.IGNORECASE):
                self.assertRegex(name, r"^(datasets/templates|docs)/")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
