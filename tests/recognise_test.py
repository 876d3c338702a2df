"""`faceshard recognise` and `gallery`: drawn people walk by, and who came when is known by construction."""
import collections
import contextlib
import csv
import http.server
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

import cv2
import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import evaluation  # noqa: E402
import slides  # noqa: E402

SOURCE = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
SHARED = SOURCE.parent / "shared" / "models"
RATE, SHOWN = 10, 8  # frames a second, and frames of a walk
PLAIN, MASK, SUNGLASSES = 0, 1, 2
WITHIN = "FACESHARD_TEST_MOUNTS"

JOB = """
input: {format: folders, path: people}
output: {path: pictures, size: 224, encoding: raw}
models: {detector: hog}
stages:
  - detect: {margin: 0, margin_share: 1, min_side: 60, crop_shape: square}
  - landmarks: {}
  - variants: [[], [mask], [sunglasses]]
"""

# Who walks by: person, photograph, what is worn, frames since the one before ended (negative: together).
Visit = collections.namedtuple("Visit", "person photo worn gap x", defaults=(3, 0))

# Other photographs than those of the gallery, but for one; what is worn is known by the twins of the gallery.
VISITS = [Visit(5, 2, PLAIN), Visit(15, 3, MASK), Visit(0, 2, PLAIN), Visit(7, 1, PLAIN), Visit(13, 2, PLAIN), Visit(11, 1, PLAIN, -SHOWN, 230),
          Visit(3, 1, PLAIN), Visit(5, 2, SUNGLASSES), Visit(8, 2, MASK), Visit(8, 2, MASK, 5), Visit(7, 1, PLAIN), Visit(12, 2, PLAIN),
          Visit(0, 1, SUNGLASSES, -SHOWN, 230)]
SEEN = {(visit.person, visit.photo) for visit in VISITS} | {(8, 1), (5, 1)}
THRESHOLD = 0.65
GALLERY = (0, 5, 8, 11, 12, 13, 15)
STUDIO = None
NAMES = {0: 'O"Hara, Zoë', 11: "Ünal"}  # the others are called by their number


def name_of(person):
    return NAMES.get(person, f"person {person}") if person in GALLERY else None


class Studio:
    """What all tests share: drawn people in three states. Photograph k of person p is pictures[p, k, worn], BGR."""

    def __init__(self):
        case = unittest.TestCase()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.people = self.folder / "people"
        evaluation.faceshard(case, "generate", self.people, "--identities", 16, "--images", 64, "--mislabelled", 0, "--bad", 0, "--seed", 11,
                             "--log", "quiet")
        for person, photo in SEEN:
            (self.folder / "seen" / f"{person:07}").mkdir(parents=True, exist_ok=True)
            shutil.copy(self.people / f"{person:07}" / f"{photo:03}.jpg", self.folder / "seen" / f"{person:07}")
        (self.folder / "job.yaml").write_text(JOB)
        evaluation.faceshard(case, "run", self.folder / "job.yaml", "--input", self.folder / "seen", "--output", self.folder / "pictures",
                             "--log", "quiet", "--workers", 1)
        self.pictures = {}
        with h5py.File(self.folder / "pictures" / "index.h5") as index:
            for picture, source, worn in zip(index["images"], index["source"], index["variant"]):
                person, photo = source.decode().split("/")
                self.pictures[int(person), int(photo.split(".")[0]), int(worn)] = picture[..., ::-1]
        self.staff, self.gallery = self.folder / "staff", self.folder / "staff.h5"
        for person in GALLERY:
            (self.staff / name_of(person)).mkdir(parents=True)
            shutil.copy(self.people / f"{person:07}" / "001.jpg", self.staff / name_of(person))
        evaluation.faceshard(case, "gallery", "build", self.gallery, self.staff, "--detector", "hog", "--twins",
                             "masks,sunglasses", "--workers", 1, "--log", "quiet")


class RecogniseCase(unittest.TestCase):
    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.addCleanup(shutil.rmtree, self.here)
        self.attendance = self.here / "attendance.csv"

    def faceshard(self, *words, code=0):
        done = subprocess.run([evaluation.FACESHARD, *map(str, words)], capture_output=True, cwd=self.here, timeout=300, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"))
        return done

    def events(self, *words, code=0):
        return [json.loads(line) for line in self.faceshard(*words, "--log", "json", code=code).stdout.splitlines()]

    def rows(self):
        with open(self.attendance, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def walk(self, visits):
        """The walks of visits, one after the other."""
        walks, at = [], 0
        for visit in visits:
            walks.append(slides.Walk(at + visit.gap, SHOWN, STUDIO.pictures[visit.person, visit.photo, visit.worn], visit.x, 1))
            at = walks[-1].first + SHOWN
        return walks

    def film(self, visits, name="walk.avi"):
        slides.write(self.here / name, self.walk(visits), rate=RATE)
        return self.here / name

    def nobody(self):
        slides.write(self.here / "nobody.avi", [slides.Walk(0, 3, STUDIO.pictures[5, 1, PLAIN][:4])])
        return self.here / "nobody.avi"


def seconds(text):
    hours, minutes, rest = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


# A visit as it is expected, or as it was found; unknown people are told apart by number.
Row = collections.namedtuple("Row", "name first last masked")


def expected_rows(walks, visits, pause):
    """One for each time that somebody is there, shorter absences than the pause left out."""
    rows, numbers = [], {}
    for walk, visit in zip(walks, visits):
        name = name_of(visit.person) or f"unknown {numbers.setdefault(visit.person, len(numbers) + 1)}"
        first, last = walk.first / RATE, (walk.first + walk.frames - 1) / RATE
        for i, row in enumerate(rows):
            if row.name == name and first - row.last < pause:
                rows[i] = row._replace(last=last)
                break
        else:
            rows.append(Row(name, first, last, visit.worn == MASK))
    return rows


class Attendance(RecogniseCase):
    def check(self, gallery, words):
        """Precision and recall of names, times, and mask states are what the video was made of."""
        pause, walks = 1, self.walk(VISITS)
        film = self.film(VISITS)
        events = self.events("recognise", film, "--gallery", gallery, "--pause", pause, "--settle", 1, "--attendance", self.attendance,
                             "--out", self.here / "seen.avi", "--threshold", THRESHOLD, *words)
        expected = expected_rows(walks, VISITS, pause)
        found = [Row(row["name"], seconds(row["first_seen"]), seconds(row["last_seen"]), row["mask_worn"]) for row in self.rows()]
        right = [(row, true) for row in found for true in expected
                 if row.name == true.name and abs(row.first - true.first) < 0.35 and abs(row.last - true.last) < 0.35]
        told = f"expected {expected}\nfound    {found}"
        self.assertEqual(len(right), len(found), f"precision\n{told}")
        self.assertEqual(len(right), len(expected), f"recall\n{told}")
        self.assertEqual(len({id(true) for _, true in right}), len(expected), told)
        done = events[-1]
        self.assertEqual((done["event"], done["dropped"], done["visits"]), ("done", 0, len(expected)))
        self.assertEqual(done["unknown"], sum(row.name.startswith("unknown") for row in expected))
        self.assertEqual([event["event"] for event in events if event["event"] == "went"], ["went"] * len(expected))
        return right, done["frames"]

    def test_drawn_people_who_walk_by_are_in_the_attendance(self):
        right, frames = self.check(STUDIO.gallery, ("--masks", ""))
        self.assertEqual({row.masked for row, _ in right}, {""}, "nobody can tell masks")
        self.assertEqual(self.count_frames(), frames)
        for path in (STUDIO.gallery, self.attendance, self.here / "seen.avi"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        self.assertEqual({path.name for path in self.here.iterdir()}, {"walk.avi", "seen.avi", "attendance.csv"})

    def test_a_detector_that_tells_masks_says_who_wears_one(self):
        if not (SHARED / "yunet_n_320_320.onnx").exists() or not (SHARED / "face_mask_detection.caffemodel").exists():
            self.skipTest("the detectors yunet and ssd, which tells masks, are not here (../shared/models)")
        gallery = self.here / "staff.h5"
        self.faceshard("gallery", "build", gallery, STUDIO.staff, "--detector", "yunet", "--twins", "masks,sunglasses", "--workers", 1, "--log",
                       "quiet")
        right, frames = self.check(gallery, ())
        wrong = [(row, true) for row, true in right if row.masked != ("yes" if true.masked else "no")]
        self.assertLessEqual(len(wrong), len(right) // 10, f"mask state: {wrong}")
        self.assertEqual(self.count_frames(), frames)
        self.assertGreater(self.count_colour((40, 200, 60)), 100, "green boxes")
        self.assertGreater(self.count_colour((230, 50, 40)), 100, "red boxes")

    def count_frames(self):
        film = cv2.VideoCapture(str(self.here / "seen.avi"))
        return sum(1 for _ in iter(lambda: film.read()[0], False))

    def count_colour(self, rgb):
        """Pixels of a colour in the annotated video."""
        film, n = cv2.VideoCapture(str(self.here / "seen.avi")), 0
        while True:
            there, frame = film.read()
            if not there:
                return n
            n += int((abs(frame.astype(int) - rgb[::-1]).max(axis=2) < 40).sum())


class Sources(RecogniseCase):
    WORDS = ("--threshold", THRESHOLD, "--masks", "", "--pause", 1, "--settle", 1)

    def recognise(self, source, *words, code=0):
        return self.faceshard("recognise", source, "--gallery", STUDIO.gallery, "--attendance", self.attendance, *self.WORDS,
                              "--log", "json", *words, code=code)

    def test_a_folder_of_frames_with_a_broken_one_is_gone_through_by_number(self):
        folder = self.here / "frames"
        folder.mkdir()
        for number, frame in enumerate(slides.frames(self.walk([Visit(5, 1, PLAIN)]), (480, 224))):
            cv2.imwrite(str(folder / f"frame{number}.png"), frame)
        (folder / "frame9.png").write_bytes((folder / "frame9.png").read_bytes()[:500])
        done = self.recognise(folder, "--rate", RATE)
        self.assertIn(b"frame9.png", done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["damaged"], 1)
        row, = self.rows()
        self.assertEqual((row["name"], row["first_seen"], row["last_seen"]), ("person 5", "00:00:00.300", "00:00:01.000"))

    def test_frames_without_faces_are_no_visits(self):
        self.assertEqual(json.loads(self.recognise(self.nobody()).stdout.splitlines()[-1])["faces"], 0)
        self.assertEqual(self.rows(), [])

    def test_a_video_that_is_cut_off_says_so_and_what_was_seen_is_kept(self):
        film = self.film([Visit(5, 1, PLAIN)])
        whole = film.read_bytes()
        film.write_bytes(whole[:len(whole) * 3 // 5])
        done = self.recognise(film)
        self.assertIn(b"cannot be read", done.stderr)
        self.assertGreater(json.loads(done.stdout.splitlines()[-1])["damaged"], 0)
        self.assertEqual([row["name"] for row in self.rows()], ["person 5"])

    def test_what_cannot_be_is_refused_with_what_to_do(self):
        film = self.film([Visit(5, 1, PLAIN)])
        (self.here / "text.avi").write_text("no video")
        (self.here / "empty").mkdir()
        for source, gallery, words, code, told in (
                (film, STUDIO.gallery, ("--model", "nosuch"), 3, b"not of nosuch"),
                (film, STUDIO.gallery, ("--no-frames", "--out", "x.avi"), 2, b"--no-frames"),
                (film, STUDIO.gallery, ("--out", "x.txt"), 2, b".avi, .mp4 or .mkv"),
                (film, self.here / "nobody", (), 3, b"there is no such"),
                (self.here / "text.avi", STUDIO.gallery, (), 3, b"no video that FFmpeg can read"),
                (self.here / "empty", STUDIO.gallery, (), 3, b"has no pictures"),
                (self.here / "gone.avi", STUDIO.gallery, (), 3, b"no file"),
                (99999, STUDIO.gallery, (), 3, b"camera 99999"),
                ("http://127.0.0.1:9/stream", STUDIO.gallery, (), 3, b"does it answer")):
            done = self.faceshard("recognise", source, "--gallery", gallery, "--attendance", self.attendance, *words, code=code)
            self.assertIn(told, done.stderr, source)
        if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            self.assertIn(b"no display", self.faceshard("recognise", film, "--gallery", STUDIO.gallery, "--show", code=3).stderr)

    def test_rows_of_a_video_are_not_added_to_unless_that_is_said(self):
        film = self.film([Visit(5, 1, PLAIN)])
        self.recognise(film)
        self.assertIn(b"--add", self.recognise(film, code=2).stderr)
        self.recognise(film, "--add")
        self.assertEqual([row["name"] for row in self.rows()], ["person 5"] * 2)

    @contextlib.contextmanager
    def camera(self, clients):
        """A camera on the network that is there for so many clients, each for as many frames, without an end where that is None."""
        pictures = [cv2.imencode(".jpg", frame)[1].tobytes()
                    for frame in slides.frames([slides.Walk(0, 30, STUDIO.pictures[5, 1, PLAIN], 0, 1)], (480, 224), 0)]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                if not clients:
                    self.send_error(503)
                    return
                left = clients.pop(0)
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with contextlib.suppress(OSError):
                    at = 0
                    while left is None or at < left:
                        picture = pictures[at % len(pictures)]
                        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture))
                        self.wfile.write(picture + b"\r\n")
                        at += 1

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/stream.mjpg"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def start(self, url):
        return subprocess.Popen([evaluation.FACESHARD, "recognise", url, "--gallery", STUDIO.gallery, "--attendance",
                                 self.attendance, *map(str, self.WORDS), "--log", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_for(self, stream, what):
        for line in stream:
            if what in line:
                return line
        self.fail(f"it ended before {what}")

    def test_a_camera_that_is_lost_is_had_back_and_frames_are_dropped_instead_of_queued(self):
        with self.camera([200, None]) as url, self.start(url) as running:
            self.wait_for(running.stderr, b"is lost")
            self.wait_for(running.stderr, b"is back")
            self.wait_for(running.stdout, b'"came"')
            running.send_signal(signal.SIGTERM)
            done = json.loads(running.stdout.read().splitlines()[-1])
            self.assertEqual(running.wait(), 0)
        self.assertEqual((done["lost"], done["damaged"]), (1, 0))
        self.assertGreater(done["dropped"], 0)
        row, = self.rows()
        self.assertEqual(row["name"], "person 5")
        self.assertRegex(row["first_seen"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$")

    def test_a_kill_loses_no_visit_and_the_next_run_goes_on_behind_it(self):
        with self.camera([None, None]) as url:
            with self.start(url) as running:
                self.wait_for(running.stdout, b'"came"')
                running.kill()
            self.assertEqual([row["name"] for row in self.rows()], ["person 5"])
            self.assertTrue((self.here / "attendance.csv.open").exists())
            with self.start(url) as running:
                self.wait_for(running.stdout, b'"came"')
                running.send_signal(signal.SIGINT)
                running.stdout.read()
        self.assertEqual([row["name"] for row in self.rows()], ["person 5"] * 2)
        self.assertFalse((self.here / "attendance.csv.open").exists())


class Disk(RecogniseCase):
    def test_a_full_disk_stops_the_run_and_keeps_all_rows_until_then(self):
        if not os.environ.get(WITHIN):
            self.skipTest("neither root nor a user name space may mount a tmpfs here")
        disk = self.here / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.attendance = disk / "attendance.csv"
        visits = [Visit(5, 1, PLAIN), Visit(8, 1, PLAIN)]
        gallery, film = STUDIO.gallery, self.film(visits)
        words = ("recognise", film, "--gallery", gallery, "--attendance", self.attendance, *Sources.WORDS, "--log", "quiet")
        self.faceshard(*words)
        before = self.attendance.read_text()
        with open(disk / "ballast", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        done = self.faceshard(*words, "--add", code=3)
        self.assertIn(b"attendance.csv", done.stderr)
        self.assertTrue(self.attendance.read_text().startswith(before))
        (disk / "ballast").unlink()
        self.faceshard(*words, "--add")
        names = [row["name"] for row in self.rows()]
        self.assertEqual((names[:2], names[-2:]), (["person 5", "person 8"],) * 2)


class Gallery(RecogniseCase):
    def list(self, path):
        return {person["name"]: person for person in json.loads(self.faceshard("gallery", "list", path, "--json").stdout)["people"]}

    def test_people_are_added_with_twins_listed_and_removed(self):
        path = self.here / "staff.h5"
        shutil.copy(STUDIO.gallery, path)
        before = self.list(path)
        self.assertEqual(set(before), {name_of(person) for person in GALLERY})
        self.assertEqual(before['O"Hara, Zoë'], {"name": 'O"Hara, Zoë', "pictures": 1, "masks": 1, "glasses": 0, "sunglasses": 1})
        photo = STUDIO.people / "0000003" / "001.jpg"
        done = self.faceshard("gallery", "add", path, photo, "--name", "a\nb", "--twins", "masks,glasses")
        self.assertEqual(self.list(path)["a\nb"], {"name": "a\nb", "pictures": 1, "masks": 1, "glasses": 1, "sunglasses": 0})
        self.assertIn(b"there already", self.faceshard("gallery", "add", path, photo, "--name", "a\nb").stderr)
        self.assertIn(b"nothing is removed", self.faceshard("gallery", "remove", path, "Ünal", "Unal", code=2).stderr)
        self.faceshard("gallery", "remove", path, "Ünal", "a\nb")
        self.assertEqual(set(self.list(path)), set(before) - {"Ünal"})
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, done)
        blank = self.here / "blank.png"
        cv2.imwrite(str(blank), slides.GROUND * slides.numpy.ones((200, 200, 3), slides.numpy.uint8))
        self.assertIn(b"no face", self.faceshard("gallery", "add", path, blank, code=1).stderr)
        self.faceshard("gallery", "remove", path, "blank", *(set(self.list(path))))
        film = self.film([Visit(5, 1, PLAIN)])
        self.assertIn(b"is empty", self.faceshard("recognise", film, "--gallery", path, code=3).stderr)

    def test_a_gallery_with_twins_is_the_same_by_any_number_of_threads(self):
        path = self.here / "staff.h5"
        self.faceshard("gallery", "build", path, STUDIO.staff, "--detector", "hog", "--twins", "masks,sunglasses", "--workers", 3, "--log", "quiet")
        self.assertEqual(path.read_bytes(), STUDIO.gallery.read_bytes())

    def test_a_folder_is_embedded_once_and_again_when_somebody_is_new(self):
        staff = self.here / "staff"
        shutil.copytree(STUDIO.staff, staff)
        words = ("recognise", self.film([Visit(5, 1, PLAIN)]), "--gallery", staff, "--detector", "hog", "--threshold", THRESHOLD, "--masks", "",
                 "--workers", 1, "--attendance", "")
        first = {event["event"] for event in self.events(*words)}
        kept = self.here / "staff.gallery.h5"
        made = kept.stat().st_mtime_ns
        again = {event["event"] for event in self.events(*words)}
        self.assertIn("worker_joined", first)
        self.assertNotIn("worker_joined", again)
        self.assertEqual(kept.stat().st_mtime_ns, made)
        self.assertIn("came", again)
        (staff / "new").mkdir()
        shutil.copy(STUDIO.people / "0000003" / "001.jpg", staff / "new")
        self.assertIn("worker_joined", {event["event"] for event in self.events(*words)})
        self.assertIn("new", self.list(kept))

    def test_a_picture_that_is_replaced_under_its_name_is_embedded_again_and_no_other(self):
        staff, kept = self.here / "staff", self.here / "staff.gallery.h5"
        shutil.copytree(STUDIO.staff, staff)
        (staff / "person 8" / "link.jpg").symlink_to(self.here / "not yet there.jpg")
        (staff / "list\nof\tnames").mkdir()
        shutil.copy(STUDIO.people / "0000004" / "001.jpg", staff / "list\nof\tnames" / "a b.jpg")
        (staff / "person 8" / "blank.png").write_bytes(cv2.imencode(".png", slides.GROUND * slides.numpy.ones((200, 200, 3), "uint8"))[1])
        words = ("recognise", self.nobody(), "--gallery", staff, "--detector", "hog", "--masks", "", "--workers", 1,
                 "--attendance", "", "--log", "quiet")
        self.faceshard(*words)
        replaced = staff / "person 5" / "001.jpg"
        before = replaced.stat()
        shutil.copy(STUDIO.people / "0000003" / "001.jpg", replaced)
        os.truncate(replaced, max(before.st_size, replaced.stat().st_size))
        shutil.rmtree(staff / name_of(11))
        shutil.copy(STUDIO.people / "0000015" / "003.jpg", self.here / "not yet there.jpg")
        shutil.copy(STUDIO.people / "0000015" / "003.jpg", staff / "person 8" / "zz.jpg")
        (staff / "flat.txt").write_text("a stray")
        told = self.faceshard(*words).stderr.decode()
        self.assertIn("3 of 10 pictures are new, were replaced or could not be read before, 1 have gone", told)
        self.faceshard("embed", staff, "--output", self.here / "anew.h5", "--detector", "hog", "--workers", 1, "--log", "quiet")
        self.assertEqual(kept.read_bytes(), (self.here / "anew.h5").read_bytes(), "the same file as when all are embedded")
        self.assertNotIn("brought up to date", self.faceshard(*words).stderr.decode())
        os.utime(replaced, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        self.assertIn("1 of 10", self.faceshard(*words).stderr.decode())
        self.assertEqual(kept.read_bytes(), (self.here / "anew.h5").read_bytes())
        (self.here / "staff.gallery.h5.seen").write_text("faceshard pictures 1\n12 rubbish")
        self.faceshard(*words)
        self.assertEqual(kept.read_bytes(), (self.here / "anew.h5").read_bytes())
        self.assertEqual(stat.S_IMODE((self.here / "staff.gallery.h5.seen").stat().st_mode), 0o600)

    def test_a_gallery_of_one_folder_with_a_list_of_names_is_brought_up_to_date(self):
        staff, kept = self.here / "staff", self.here / "staff.gallery.h5"
        staff.mkdir()
        for person in GALLERY[:4]:
            shutil.copy(STUDIO.people / f"{person:07}" / "001.jpg", staff / f"{person}.jpg")
        (staff / "names.tsv").write_text("".join(f"{person}.jpg\tnumber {person}\n" for person in GALLERY[:4]))
        words = ("recognise", self.nobody(), "--gallery", staff, "--detector", "hog", "--masks", "", "--workers", 1,
                 "--attendance", "", "--log", "quiet")
        self.faceshard(*words)
        self.assertEqual(set(self.list(kept)), {f"number {person}" for person in GALLERY[:4]})
        shutil.copy(STUDIO.people / "0000003" / "001.jpg", staff / "0.jpg")
        (staff / "names.tsv").write_text("0.jpg\tnumber 3\n5.jpg\tnumber 5\n8.jpg\tnumber 8\n")
        self.assertIn("1 of 3 pictures are new, were replaced or could not be read before, 2 have gone", self.faceshard(*words).stderr.decode())
        self.assertEqual(set(self.list(kept)), {"number 3", "number 5", "number 8"})


def setUpModule():  # noqa: N802
    global STUDIO  # noqa: PLW0603
    STUDIO = Studio()
    unittest.addModuleCleanup(shutil.rmtree, STUDIO.folder)


def within_own_mounts():
    """Again in a mount name space of its own, where a tmpfs may be mounted; else as it is."""
    if os.environ.get(WITHIN):
        return
    for ways in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if subprocess.run([*ways, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode == 0:
            os.execvpe(ways[0], [*ways, sys.executable, *sys.argv], {**os.environ, WITHIN: "1"})


if __name__ == "__main__":
    within_own_mounts()
    unittest.main(verbosity=1)
