"""docs/shard-format.md and the table of columns that the program is built from say the same."""
import os
import re
import unittest

ROOT = os.environ.get("FACESHARD_SOURCE", os.path.join(os.path.dirname(__file__), ".."))
TYPES = {"U8": "uint8", "I8": "int8", "I32": "int32", "I64": "int64", "U64": "uint64", "F32": "float32",
         "TEXT": "UTF-8"}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def columns():
    """(dataset, type) of every row of columns.def, in order."""
    rows = re.findall(r'^COLUMN\(\w+,\s*"([\w/]+)",\s*(\w+),', read("shards/columns.def"), re.M)
    return [("/" + name, TYPES[cell]) for name, cell in rows]


class ShardFormat(unittest.TestCase):
    def test_every_column_is_described_in_order(self):
        page = read("docs/shard-format.md").split("## Attributes")[0]
        described = re.findall(r"^\| `(/[\w/]+)` \| (\S+) \|", page, re.M)
        self.assertEqual(described, columns())

    def test_every_attribute_is_described(self):
        code = read("shards/layout.c").split("fsh_shard_write_meta")[1]
        written = set(re.findall(r'\{"(\w+)",', code)) | set(re.findall(r'index \? "(\w+)" : "(\w+)",', code)[0])
        page = read("docs/shard-format.md").split("## Attributes")[1].split("## Reading")[0]
        self.assertEqual(set(re.findall(r"^\| `(\w+)` \|", page, re.M)), written)

    def test_the_number_of_reasons_is_right(self):
        reasons = re.findall(r"^REASON\((\w+)", read("base/reason.def"), re.M)
        page = read("docs/shard-format.md")
        self.assertIn(f"| `/reasons/code` | UTF-8 | [{len(reasons) - 1}] |", page)

    def test_the_format_number_is_right(self):
        number = re.search(r"FSH_SHARD_FORMAT = (\d+)", read("shards/shard.h")).group(1)
        self.assertIn(f"describes format {number} ", read("docs/shard-format.md"))


if __name__ == "__main__":
    unittest.main()
