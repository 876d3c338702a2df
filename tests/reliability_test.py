"""docs/reliability.md names tests as proofs: every one of them exists."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
TEXT = (ROOT / "docs" / "reliability.md").read_text()


class Proofs(unittest.TestCase):
    def test_every_test_that_is_named_exists(self):
        named = re.findall(r"`(\w+_test): (\w+)`", TEXT)
        self.assertGreater(len(named), 30)
        for program, test in named:
            files = [ROOT / "tests" / (program + ending) for ending in (".c", ".py")]
            source = next((file.read_text() for file in files if file.exists()), "")
            self.assertRegex(source, rf"(?m)^{test}\(void \*\*|def {test}\(", f"{program} has no {test}")

    def test_every_promise_has_a_proof(self):
        rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| promise"))]
        self.assertGreater(len(rows), 15)
        for row in rows:
            self.assertRegex(row.split("|")[3], r"`\w+_test: \w+`", row)


if __name__ == "__main__":
    unittest.main()
