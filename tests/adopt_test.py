"""What lies in an output folder when a run begins: shards that are in no ledger, damaged ones, left-over files."""
import json
import os
import pathlib
import shutil
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402


class Adopt(run_test.JobCase):
    def setUp(self):
        super().setUp()
        run_test.write_people(self.input)
        self.out = self.folder / "out"
        self.first = self.run_job(self.out)
        self.before = run_test.sums(self.out)
        self.shards = sorted(self.out.glob("shards/*.h5"))

    def inodes(self):
        return {path.name: path.stat().st_ino for path in self.out.glob("shards/*.h5")}

    def forget(self, units=None):
        """The state in which a coordinator dies between the rename of a shard and its record."""
        ledger = sqlite3.connect(self.out / "state" / "ledger.sqlite")
        where = "" if units is None else f" WHERE number IN ({','.join(map(str, units))})"
        ledger.execute("DELETE FROM unit" + where)
        ledger.commit()
        ledger.close()
        (self.out / "manifest.json").unlink(missing_ok=True)
        (self.out / "index.h5").unlink(missing_ok=True)

    def run_again(self):
        done = self.run_job(self.out)
        self.assertEqual(self.before, run_test.sums(self.out))
        for count in ("samples", "delivered", "images", "rejected"):
            self.assertEqual(done[count], self.first[count])

    def test_shards_that_are_in_no_ledger_are_adopted(self):
        kept = self.inodes()
        self.forget([0, 2])
        self.run_again()
        self.assertEqual(kept, self.inodes())
        shutil.rmtree(self.out / "state", ignore_errors=False)
        self.run_again()
        self.assertEqual(kept, self.inodes())

    def test_shards_that_are_not_what_they_should_be_are_made_again(self):
        other = self.folder / "other"
        self.run_job(other, "--set", "seed=8")
        kept = self.inodes()
        shutil.copy(other / "shards" / self.shards[0].name, self.shards[0])
        shutil.copy(self.shards[2], self.shards[1])
        os.truncate(self.shards[2], self.shards[2].stat().st_size // 2)
        self.forget()
        self.run_again()
        new = self.inodes()
        for place, path in enumerate(self.shards):
            self.assertEqual(kept[path.name] == new[path.name], place > 2, path)

    def verify(self, *more, code=0):
        done = self.faceshard("verify-output", self.out, "--json", *more, code=code)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def damage(self):
        data = bytearray(self.shards[0].read_bytes())
        data[len(data) // 2] ^= 1
        self.shards[0].write_bytes(data)
        os.truncate(self.shards[1], 1000)
        self.shards[2].unlink()

    def test_damage_is_found_and_made_again(self):
        self.assertEqual(self.verify()[-1]["damaged"], 0)
        self.damage()
        found = self.verify("--keep", code=1)
        self.assertEqual([event.get("file") for event in found[:-1]], [f"shards/{path.name}" for path in self.shards[:3]])
        self.assertTrue(self.shards[0].exists())
        self.assertEqual([event["aside"] for event in self.verify(code=1)[:-1]], [True, True, False])
        self.assertFalse(self.shards[0].exists())
        self.run_again()
        self.assertEqual(self.verify()[-1]["damaged"], 0)

    def test_damage_to_the_index_and_to_an_unfinished_output_is_found(self):
        with open(self.out / "index.h5", "r+b") as index:
            index.seek(2000)
            index.write(b"\xff" * 16)
        self.assertEqual(self.verify(code=1)[0]["file"], "index.h5")
        self.run_again()
        (self.out / "manifest.json").unlink()
        self.damage()
        self.assertEqual(self.verify(code=1)[-1]["damaged"], 3)
        self.run_again()
        text = (self.out / "manifest.json").read_text()
        (self.out / "manifest.json").write_text(text[:len(text) // 2])
        self.assertEqual(self.verify(code=1)[-2]["file"], "manifest.json")
        self.run_again()
        self.faceshard("verify-output", self.input, code=2)

    def test_left_over_files_of_dead_writers_are_swept_and_others_stay(self):
        names = ["shards/.shard-000001-100000001.tmp", ".index.h5.77.tmp", "state/job.yaml.77.tmp"]
        for name in names:
            (self.out / name).write_bytes(b"half")
            os.utime(self.out / name, (time.time() - 7200, time.time() - 7200))
        live = self.out / "shards" / ".shard-000002-100000002.tmp"
        live.write_bytes(b"half")
        fresh = self.out / "state" / "manifest.h5.78.tmp"
        fresh.write_bytes(b"half")
        self.shards[0].unlink()
        address = f"ipc://{self.folder}/wire"
        command = [run_test.FACESHARD, "coordinator", str(self.job), "--input", str(self.input), "--output", str(self.out),
                   "--bind", address, "--log", "json"]
        with run_test.subprocess.Popen(command, stdout=run_test.subprocess.PIPE, stderr=run_test.subprocess.DEVNULL) as process:
            for line in process.stdout:
                if b'"started"' in line:
                    break
            left = [name for name in names if (self.out / name).exists()]
            there = live.exists(), fresh.exists()
            busy = self.faceshard("run", self.job, "--input", self.input, "--output", self.out, code=3)
            changed = self.run_job(self.out, "--set", "seed=5", code=3)
            process.send_signal(run_test.signal.SIGKILL)
        self.assertEqual(left, [])
        self.assertEqual(there, (True, True))
        for refused in (busy, changed):
            self.assertIn(f"process {process.pid} on ".encode(), refused.stderr)
        self.run_again()

    def test_what_is_kept_is_listed_and_freed(self):
        store = ["--set", f"store.path={self.folder / 'store'}"]
        self.run_job(self.folder / "one", *store)
        self.run_job(self.folder / "two", *store, "--set", "stages.detect.min_side=30")

        def rows(path):
            done = self.faceshard("clean-store", path, "--json")
            return [json.loads(line) for line in done.stdout.decode().splitlines()]

        listed = rows(self.folder / "store")
        self.assertEqual(sorted(row["users"].strip() for row in listed), [str(self.folder / "one"), str(self.folder / "two")])
        for row in listed:
            self.assertEqual(row["units"], len(self.shards))
            self.assertIn("stage: detect", row["about"])
            self.assertGreater(row["bytes"], 100)
        self.assertEqual(len(rows(self.out)), 1)
        shutil.rmtree(self.folder / "two")
        self.faceshard("clean-store", self.folder / "store", "--free")
        self.assertEqual([row["users"].strip() for row in rows(self.folder / "store")], [str(self.folder / "one")])
        self.faceshard("clean-store", self.folder / "store", "--remove", rows(self.folder / "store")[0]["key"])
        self.assertEqual(rows(self.folder / "store"), [])
        self.faceshard("clean-store", self.folder / "store", "--remove", "../people", code=2)
        self.assertTrue(pathlib.Path(self.input).exists())
        self.faceshard("clean-store", self.folder / "none", code=2)


if __name__ == "__main__":
    unittest.main()
