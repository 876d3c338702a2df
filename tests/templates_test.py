#!/usr/bin/python3
"""The templates that every job has by default: drawn by their script, and with cards that fit them."""

import pathlib
import re
import sys
import unittest

import cv2
import numpy as np

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "datasets/templates"
sys.path.insert(0, str(FOLDER))
from glasses import GLASSES, SUNGLASSES
from masks import MASKS

KINDS = {"masks": MASKS, "glasses": GLASSES, "sunglasses": SUNGLASSES}
# One of every way of drawing.
DRAWN = {"masks": ["surgical-child", "cloth-check", "kn95-white", "ffp2-sand", "n95-valve"],
         "glasses": ["round-tortoise", "half-rim-steel", "rimless"], "sunglasses": ["sport-dark", "mirror-blue"]}


def card_of(path):
    """Points and colours of a card."""
    rows = re.findall(r"^(\w+): \[(.*)\]$", path.with_suffix(".yaml").read_text(encoding="utf-8"), re.MULTILINE)
    return {name: [float(value) for value in values.split(",")] for name, values in rows}


class Templates(unittest.TestCase):
    def pictures(self, kind):
        for path in sorted((FOLDER / kind).glob("*.png")):
            yield path, cv2.imread(str(path), cv2.IMREAD_UNCHANGED)

    def test_there_are_many_of_each_kind_and_they_are_small(self):
        for kind, least in (("masks", 12), ("glasses", 8), ("sunglasses", 6)):
            self.assertGreaterEqual(len(KINDS[kind]), least)
            names = {path.stem for path, _ in self.pictures(kind)}
            self.assertEqual(names, set(KINDS[kind]), f"{kind}: run datasets/templates/draw")
        self.assertLess(sum(path.stat().st_size for path in FOLDER.rglob("*.png")), 2.2e6)

    def test_the_script_draws_the_committed_pictures(self):
        """Pixels, not bytes: encoders and the last digit of a sine differ between machines."""
        for kind, names in DRAWN.items():
            for name in names:
                drawn = np.round(np.clip(KINDS[kind][name]()[0], 0, 1) * 255)
                kept = cv2.imread(str(FOLDER / kind / f"{name}.png"), cv2.IMREAD_UNCHANGED)
                kept = cv2.cvtColor(kept, cv2.COLOR_BGRA2RGBA).astype(float)
                seen = kept[..., 3:] > 0
                self.assertEqual(kept.shape, drawn.shape, name)
                self.assertLessEqual(np.abs(kept - drawn)[np.broadcast_to(seen, kept.shape)].max(), 3, name)

    def test_cards_have_every_point_where_the_picture_shows_something(self):
        outer = {"masks": ["bridge", "chin", "nose", "mouth"] + [f"{side}_{point}" for side in ("left", "right")
                                                                 for point in ("cheek", "side", "jaw")],
                 "glasses": ["left_hinge", "right_hinge"], "sunglasses": ["left_hinge", "right_hinge"]}
        for kind, points in outer.items():
            for path, picture in self.pictures(kind):
                card = card_of(path)
                for point in points:
                    x, y = np.round(card[point]).astype(int)
                    near = picture[max(y - 8, 0):y + 9, max(x - 8, 0):x + 9, 3]
                    self.assertGreater(near.max(initial=0), 128, f"{path.name}: {point} is beside the picture")

    def test_glasses_have_their_lenses_where_the_card_says(self):
        for kind in ("glasses", "sunglasses"):
            for path, picture in self.pictures(kind):
                card = card_of(path)
                width = picture.shape[1]
                self.assertAlmostEqual(card["left_lens"][0] + card["right_lens"][0], width - 1, delta=1)
                for lens in ("left_lens", "right_lens"):
                    x, y = np.round(card[lens]).astype(int)
                    alpha = picture[y - 20:y + 21, x - 20:x + 21, 3]
                    self.assertGreater(alpha.min(), 0, f"{path.name}: no glass at {lens}")
                    if kind == "glasses":
                        self.assertLess(alpha.max(), 64, f"{path.name}: {lens} is not clear")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
