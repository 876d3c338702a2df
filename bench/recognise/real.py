"""Real faces walk by in a slide show: how many are recognised, with and without masked twins in the gallery; see README.md.

    FACESHARD_MODELS=MODELS /usr/bin/python3 bench/recognise/real.py --lfw LFW --mfr2 MFR2 --work /tmp/real"""
import argparse
import collections
import csv
import json
import pathlib
import random
import shutil
import subprocess
import sys

import cv2
import h5py

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import slides  # noqa: E402

SHOWN, GAP, RATE, SIZE = 4, 2, 5, (640, 480)
# Somebody in the video: what is expected in the attendance (None: unknown), the picture, whether a mask is worn.
Guest = collections.namedtuple("Guest", "name picture masked")


def faceshard(options, *words, code=(0, 1)):
    done = subprocess.run([options.faceshard, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode not in code:
        sys.exit(f"{words}: {done.stderr}")
    return done.stdout


def first_and_second(folder):
    """People with two pictures, and those with one."""
    several, single = {}, {}
    for person in sorted(folder.iterdir()):
        pictures = sorted(person.iterdir())
        (several if len(pictures) > 1 else single)[person.name] = pictures
    return several, single


def masks_of(mfr2):
    """What is worn in each picture, by its name."""
    worn = {}
    for line in (mfr2 / "mfr2_labels.txt").read_text().splitlines():
        words = [word.strip() for word in line.split(",")]
        if len(words) == 3:
            worn[f"{words[0]}_{int(words[1]):04}.png"] = words[2] != "no-mask"
    return worn


def choose(options):
    """Pictures of the gallery by person; guests of the LFW video and of the masked one."""
    draw = random.Random(options.seed)
    several, single = first_and_second(options.lfw)
    known = draw.sample(sorted(several), options.known + options.unknown)
    known, strangers = known[:options.known], known[options.known:]
    others = draw.sample(sorted(set(single) | set(several) - set(known) - set(strangers)), options.others)
    gallery = {name: (several.get(name) or single[name])[0] for name in known + others}
    plain = [Guest(name, several[name][1], False) for name in known] + [Guest(None, several[name][1], False) for name in strangers]
    masked, worn = [], masks_of(options.mfr2)
    for person in sorted(path for path in options.mfr2.iterdir() if path.is_dir()):
        pictures = [path for path in sorted(person.iterdir()) if path.name in worn]
        bare = [path for path in pictures if not worn[path.name]]
        if bare:
            gallery[person.name] = bare[0]
        masked += [Guest(person.name if bare else None, path, True) for path in pictures if worn[path.name]]
    draw.shuffle(plain)
    draw.shuffle(masked)
    return gallery, {"lfw": plain, "mfr2": masked}


def film(path, guests):
    walks = []
    for number, guest in enumerate(guests):
        picture = cv2.imread(str(guest.picture))
        picture = cv2.resize(picture, None, fx=250 / len(picture), fy=250 / len(picture), interpolation=cv2.INTER_LINEAR)
        walks.append(slides.Walk(number * (SHOWN + GAP), SHOWN, picture, 150, 6))
    slides.write(path, walks, SIZE, RATE)


def without_twins(path, plain):
    """The same gallery without rows of twins."""
    shutil.copy(path, plain)
    with h5py.File(plain, "r+") as file:
        kept = [i for i, source in enumerate(file["source"][:]) if b"#" not in source]
        for name in ("embedding", "name", "source"):
            rows = file[name][:][kept]
            file[name].resize(len(kept), axis=0)
            file[name][:] = rows


def judge(guests, rows):
    """Each guest by the rows of the attendance that lie in the time of their walk."""
    found = collections.Counter()
    for number, guest in enumerate(guests):
        begin = number * (SHOWN + GAP) / RATE
        end = begin + (SHOWN - 1) / RATE
        seen = [row for row in rows if row["first"] < end + 0.05 and row["last"] > begin - 0.05]
        names = {row["name"] for row in seen if not row["name"].startswith("unknown ")}
        kind = "known" if guest.name else "stranger"
        found[kind] += 1
        if names:
            found[f"{kind} correct" if names == {guest.name} else f"{kind} wrong"] += 1
        else:
            found[f"{kind} unknown" if seen else f"{kind} not seen"] += 1
        if seen:
            most = max(seen, key=lambda row: row["frames"])
            found["mask told"] += most["mask"] != ""
            found["mask right"] += most["mask"] == ("yes" if guest.masked else "no")
    return dict(found)


def read(path):
    def seconds(text):
        hours, minutes, rest = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(rest)

    with open(path, newline="", encoding="utf-8") as file:
        return [{"name": row["name"], "first": seconds(row["first_seen"]), "last": seconds(row["last_seen"]), "mask": row["mask_worn"],
                 "frames": int(row["frames"])} for row in csv.DictReader(file)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lfw", type=pathlib.Path, required=True, help="folder with a folder per person")
    parser.add_argument("--mfr2", type=pathlib.Path, required=True, help="MFR2 with mfr2_labels.txt")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="mobilefacenet_y1")
    parser.add_argument("--known", type=int, default=100)
    parser.add_argument("--unknown", type=int, default=50)
    parser.add_argument("--others", type=int, default=1000)
    parser.add_argument("--thresholds", default="0.9,1.0,1.1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faceshard", default=ROOT / "build" / "release" / "faceshard")
    options = parser.parse_args()
    work = options.work
    work.mkdir(exist_ok=True)
    gallery, videos = choose(options)
    twins, plain = work / "twins.h5", work / "plain.h5"
    if not twins.exists():
        for name, picture in gallery.items():
            (work / "gallery" / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, work / "gallery" / name)
        faceshard(options, "gallery", "build", twins, work / "gallery", "--model", options.model, "--twins", "masks", "--log", "quiet")
        without_twins(twins, plain)
    for name, guests in videos.items():
        video = work / f"{name}.avi"
        film(video, guests)
        for kind, rows in (("without twins", plain), ("with masked twins", twins)):
            for threshold in options.thresholds.split(","):
                attendance = work / "attendance.csv"
                attendance.unlink(missing_ok=True)
                told = faceshard(options, "recognise", video, "--gallery", rows, "--threshold", threshold, "--pause", 0.3, "--settle", 0.5,
                                 "--attendance", attendance, "--log", "json")
                print(json.dumps({"video": name, "gallery": kind, "threshold": float(threshold), **judge(guests, read(attendance)),
                                  "seconds": json.loads(told.splitlines()[-1])["seconds"]}), flush=True)


if __name__ == "__main__":
    main()
