"""Face masks as they look when worn, seen from the front, 512 x 448 units. A mask is an outline, a body
(its shape in space, which gives the shade), a finish (pleats, seams, valves) and a colour or a print."""

import functools

import numpy as np

from prints import arc, check, dots, flowers, leaves, plaid, stars, stripes
from shapes import (area_distance, bump, coverage, dashes, grid, light, line_distance, over, ripples,
                    smooth, spline)

WIDTH, HEIGHT = 512, 448
CENTRE = WIDTH / 2

# Left halves of the outlines, from the upper corner: along the top to the nose bridge, and down the
# side to the chin. x grows along both, so that each is a function of x.
OUTLINES = {
    "surgical": {"top": [(22, 112), (70, 86), (150, 56), (210, 33), (CENTRE, 22)],
                 "bottom": [(22, 112), (32, 190), (52, 268), (98, 346), (170, 404), (CENTRE, 426)]},
    "cloth": {"top": [(16, 116), (80, 96), (150, 66), (212, 32), (CENTRE, 16)],
              "bottom": [(16, 116), (24, 190), (52, 268), (110, 352), (180, 410), (CENTRE, 432)]},
    "folded": {"top": [(14, 150), (40, 112), (120, 72), (200, 32), (CENTRE, 12)],
               "bottom": [(14, 150), (22, 210), (64, 290), (132, 362), (200, 416), (CENTRE, 438)]},
    "cup": {"top": [(18, 184), (44, 118), (110, 66), (190, 34), (CENTRE, 20)],
            "bottom": [(18, 184), (24, 238), (58, 318), (112, 376), (180, 414), (CENTRE, 430)]},
    "boat": {"top": [(12, 176), (52, 128), (130, 78), (206, 38), (CENTRE, 22)],
             "bottom": [(12, 176), (26, 226), (76, 312), (140, 380), (202, 420), (CENTRE, 432)]},
    "bill": {"top": [(14, 168), (58, 118), (130, 70), (204, 36), (CENTRE, 22)],
             "bottom": [(14, 168), (30, 232), (58, 300), (104, 366), (172, 406), (CENTRE, 418)]},
    "sport": {"top": [(14, 130), (74, 104), (146, 66), (210, 30), (CENTRE, 16)],
              "bottom": [(14, 130), (18, 196), (54, 286), (122, 366), (192, 416), (CENTRE, 432)]},
}


class Sheet:
    """An outline with the coordinates that cloth is drawn in: u from -1 (left edge) to 1, v from 0 (upper
    edge) to 1."""

    def __init__(self, kind):
        outline = OUTLINES[kind]
        self.x, self.y = grid(WIDTH, HEIGHT)
        self.top, self.bottom = self.whole(outline["top"]), self.whole(outline["bottom"])
        self.distance = area_distance(self.x, self.y,
                                      np.vstack([self.top, self.bottom[-2:0:-1]]))
        upper = np.interp(self.x, *self.top.T)
        lower = np.interp(self.x, *self.bottom.T)
        self.v = (self.y - upper) / np.maximum(lower - upper, 1)
        self.below_top, self.above_bottom = self.y - upper, lower - self.y
        half = self.bottom[:len(self.bottom) // 2 + 1]
        edge = np.interp(self.y, half[:, 1], half[:, 0])
        self.u = (self.x - CENTRE) / np.maximum(CENTRE - edge, 1)
        self.offset = np.abs(self.x - CENTRE)
        self.from_side = CENTRE - edge - self.offset

    @staticmethod
    def whole(half):
        """The curve through the left half and its mirror image."""
        mirrored = [(2 * CENTRE - x, y) for x, y in half[-2::-1]]
        return spline(list(half) + mirrored)

    def outline_at(self, y):
        """x of the left edge in this row of the side."""
        half = self.bottom[:len(self.bottom) // 2 + 1]
        return float(np.interp(y, half[:, 1], half[:, 0]))

    def anchors(self, side_y, jaw_y, nose_y, mouth_y):
        """The card's points: corners and sides on the outline, the others on the middle line."""
        points = {"bridge": (CENTRE, self.top[len(self.top) // 2][1]), "left_cheek": tuple(self.top[0]),
                  "left_side": (self.outline_at(side_y), side_y),
                  "left_jaw": (self.outline_at(jaw_y), jaw_y),
                  "nose": (CENTRE, nose_y), "mouth": (CENTRE, mouth_y),
                  "chin": (CENTRE, self.bottom[len(self.bottom) // 2][1])}
        for name in ("cheek", "side", "jaw"):
            x, y = points["left_" + name]
            points["right_" + name] = (2 * CENTRE - x, y)
        return points

    def body(self, nose=46, wide=0.0):
        """Height of a soft sheet: it bends around the face, stands out over the nose, hangs from its tip to
        the chin, and turns under there. wide: how much of the nose's ridge is bridged."""
        height = 150 * np.sqrt(np.clip(1.22 - (self.offset / 250)**2, 0.02, None))
        down = np.clip((self.y - 40) / 380, 0, 1)
        ridge = 34 + 90 * smooth(0, 0.45, down) + 60 * wide
        height += nose * smooth(-0.15, 0.34, down) * (1 - 0.62 * smooth(0.34, 0.85, down)) * bump(self.offset, 0, ridge)
        inside = np.clip(self.above_bottom, 0, None)
        return height - 58 * np.exp(-inside / 46) - 26 * smooth(260, 420, self.y)**2

    def creases(self, strength, seed):
        """Soft folds that run from the ears towards the mouth; about -1 to 1 times strength."""
        draw, total = np.random.RandomState(seed), np.zeros(self.x.shape)
        for side in (-1, 1):
            for _ in range(5):
                first = np.array((CENTRE + side * draw.uniform(205, 235), draw.uniform(150, 260)))
                last = np.array((CENTRE + side * draw.uniform(60, 130), first[1] + draw.uniform(-10, 110)))
                along = ((self.x - first[0]) * (last[0] - first[0]) + (self.y - first[1]) * (last[1] - first[1]))
                along /= ((last - first)**2).sum()
                across = ((self.y - first[1]) * (last[0] - first[0]) - (self.x - first[0]) * (last[1] - first[1]))
                across = side * across / np.hypot(*(last - first)) + 10 * np.sin(2.4 * along + draw.uniform(0, 6))
                fade = smooth(-0.1, 0.15, along) * smooth(1.1, 0.3, along) * draw.uniform(0.5, 1)
                total += fade * (bump(across, -4, 8) - bump(across, 5, 7))
        return strength * total

    def picture(self, colour, shade, edge=1.0):
        """Colour (3 values or a picture) under the shade, cut out along the outline; edge: alpha there."""
        rgb = np.broadcast_to(np.asarray(colour), self.x.shape + (3,)) * shade[..., None]
        cover = coverage(self.distance + 0.5, 2.2)
        return np.dstack([rgb, cover * (1 - (1 - edge) * smooth(-26, -2, self.distance))])


@functools.lru_cache(maxsize=None)
def sheet_of(kind):
    """The sheet with this outline: distances take the time, and several masks share them."""
    return Sheet(kind)


def weave(x, y, period):
    """Plain weave: -1 to 1."""
    return np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period)


def sheen(shade, dark):
    """Dark cloth is not black paint: what little it reflects shows its folds."""
    return shade + dark * (0.9 * smooth(0.86, 1.15, shade) + 0.15)


def surgical(colour, inner=None, dark=0.0, pattern=None):
    """Three pleats, a nose wire under the upper hem, welded sides, thin at the edges."""
    sheet = sheet_of("surgical")
    shade = 1.03 * light(sheet.body() + 2.4 * ripples(sheet.x, sheet.y * 1.4, 9, 170, 3), 0.58)
    shade += sheet.creases(0.055, 8)
    level = smooth(1.0, 0.3, np.abs(sheet.u))
    for middle, side in ((0.31, 0.33), (0.48, 0.43), (0.66, 0.53)):
        below = (sheet.v - side - (middle - side) * (1 - sheet.u**2)) * 380
        shade += (0.5 + 0.5 * level) * (0.06 * bump(below, -7, 8) - 0.22 * (below > 0) * np.exp(-np.clip(below, 0, None) / 7)
                                        - 0.08 * bump(below, -1, 2.5))
    shade += 0.05 * coverage(sheet.below_top - 27) - 0.09 * bump(sheet.below_top, 28, 1.6)
    wire = np.maximum(np.abs(sheet.below_top - 14) - 4, sheet.offset - 92)
    shade += 0.06 * bump(wire, -3, 2.5) - 0.05 * bump(wire, 1, 1.8)
    weld = coverage(sheet.from_side - 18) * smooth(0.02, 0.1, sheet.v)
    stitches = weld * dashes(sheet.y, 10, 0.45) * bump(sheet.from_side, 9, 3.5)
    shade -= 0.03 * weld + 0.09 * stitches + 0.06 * bump(sheet.from_side, 18, 1.6)
    base = np.broadcast_to(np.asarray(colour, float), sheet.x.shape + (3,))
    base = pattern(sheet, base) if pattern else base
    return (sheet.picture(base, sheen(shade, dark), 0.93),
            sheet.anchors(side_y=225, jaw_y=330, nose_y=150, mouth_y=268), inner or (0.93,) * 3)


def cloth(colour, strap=None, seam=1.0, dark=0.0, pattern=None):
    """Two sewn panels (or, without a seam, one) of woven cloth with a stitched edge; pattern paints on the
    flat colour before it is shaded."""
    sheet = sheet_of("cloth")
    base = np.broadcast_to(np.asarray(colour, float), sheet.x.shape + (3,))
    base = pattern(sheet, base) if pattern else base
    height = sheet.body(nose=54) + 3.4 * ripples(sheet.x, sheet.y, 9, 150, 11) + seam * 5 * bump(sheet.offset, 0, 11)
    shade = light(height, 0.5) + sheet.creases(0.06, 21) + 0.016 * weave(sheet.x, sheet.y, 7.5)
    inside = -sheet.distance
    shade -= 0.10 * bump(inside, 13, 2.0) + 0.07 * dashes(sheet.x + sheet.y, 10, 0.5) * bump(inside, 8, 1.8)
    shade -= seam * (0.16 * bump(sheet.offset, 0, 2.4)
                     + 0.07 * dashes(sheet.y, 10, 0.5) * bump(sheet.offset, 8, 1.8))
    shade *= 1 - 0.10 * bump(sheet.distance, 0, 4)
    return (sheet.picture(base, sheen(shade, dark)),
            sheet.anchors(side_y=228, jaw_y=336, nose_y=150, mouth_y=270), strap or colour)


def welds(sheet, shade, depths):
    """Rows of welded points along the edge."""
    for depth in depths:
        shade = shade - 0.09 * dashes(sheet.x + sheet.y, 8, 0.5) * bump(-sheet.distance, depth, 2.6)
    return shade


def folded(colour, strap=None, dark=0.0):
    """A respirator that folds flat (KN95): two halves welded along the middle, a metal clip at the nose."""
    sheet = sheet_of("folded")
    ridge = np.sqrt(sheet.offset**2 + 500)
    height = 118 * np.sqrt(np.clip(1.2 - (sheet.offset / 262)**2, 0.02, None)) - 0.30 * ridge
    height += 22 * bump(sheet.offset, 0, 60) * (1 - smooth(0.2, 0.6, sheet.v))
    height -= 40 * np.exp(-np.clip(sheet.above_bottom, 0, None) / 40)
    shade = 1.02 * light(height + 2.0 * ripples(sheet.x, sheet.y, 8, 160, 23), 0.58)
    shade = welds(sheet, shade, (9, 18))
    shade -= 0.13 * bump(sheet.offset, 0, 2.4) - 0.05 * bump(sheet.offset, 7, 4)
    clip = np.maximum(sheet.offset - 76, np.abs(sheet.below_top - 40) - 10)
    shade += 0.05 * coverage(clip) - 0.09 * bump(clip, 0, 2)
    fold = line_distance(CENTRE - sheet.offset, sheet.y, spline([(44, 236), (130, 262), (CENTRE - 14, 292)]))
    shade -= 0.07 * bump(fold, 0, 2.4) * dashes(sheet.x, 10, 0.55)
    shade *= 1 - 0.08 * bump(sheet.distance, 0, 4)
    return (sheet.picture(colour, sheen(shade, dark)),
            sheet.anchors(side_y=240, jaw_y=340, nose_y=158, mouth_y=272), strap or (0.94,) * 3)


def panels(sheet, colour, height, folds, dark):
    """Flat-folded panels whose edges are folds: above each a bright ledge, below it a shade."""
    shade = 1.02 * light(height + 1.8 * ripples(sheet.x, sheet.y, 8, 190, 5), 0.58)
    for fold in folds:
        below = sheet.y - np.interp(sheet.offset, *np.asarray(fold, float).T)
        shade += 0.05 * bump(below, -7, 7) - 0.13 * (below > 0) * np.exp(-np.clip(below, 0, None) / 16)
        shade -= 0.09 * bump(below, 0, 2.2)
    shade = welds(sheet, shade, (8,)) + 0.05 * bump(sheet.below_top, 16, 8)
    shade *= 1 - 0.08 * bump(sheet.distance, 0, 4)
    return sheet.picture(colour, sheen(shade, dark))


def boat(colour, strap=None, dark=0.0):
    """A fish-shaped flat fold (FFP2, KF94): a middle panel between a nose and a chin panel."""
    sheet = sheet_of("boat")
    height = sheet.body(nose=40, wide=0.6) + 16 * bump(sheet.y, 232 - 0.1 * sheet.offset, 70)
    curve = np.linspace(0, 250, 26)
    upper = np.column_stack([curve, 150 + 34 * (curve / 250)**2])
    lower = np.column_stack([curve, 318 - 118 * (curve / 250)**2])
    return (panels(sheet, colour, height, (upper, lower), dark),
            sheet.anchors(side_y=250, jaw_y=346, nose_y=150, mouth_y=268), strap or (0.94,) * 3)


def bill(colour, strap=None, dark=0.0):
    """A duckbill: two panels that meet in a wide edge in front of the mouth."""
    sheet = sheet_of("bill")
    curve = np.linspace(0, 250, 26)
    edge = np.column_stack([curve, 262 - 66 * smooth(70, 250, curve)])
    below = sheet.y - np.interp(sheet.offset, *edge.T)
    height = sheet.body(nose=22, wide=1.2) + 46 * np.exp(-np.abs(below) / 90) * smooth(235, 90, sheet.offset)
    return (panels(sheet, colour, height, (edge,), dark),
            sheet.anchors(side_y=244, jaw_y=340, nose_y=152, mouth_y=266), strap or (0.95,) * 3)


def cup(colour, valve):
    """A moulded respirator (N95), with an exhalation valve or without."""
    sheet = sheet_of("cup")
    radius = np.hypot(sheet.x - CENTRE, (sheet.y - 232) * 1.12) / 246
    height = 150 * np.sqrt(np.clip(1.15 - radius**2, 0.02, None))
    height += 26 * bump(sheet.u, 0, 0.2) * (1 - smooth(0.05, 0.4, sheet.v))
    height += 0.5 * ripples(sheet.x, sheet.y, 12, 46, 31) + 4 * bump(-sheet.distance, 10, 7)
    shade = light(height, 0.6) - 0.08 * bump(sheet.distance, -20, 3.5) - 0.08 * bump(sheet.distance, 0, 4)
    shade += 0.012 * weave(sheet.x + sheet.y, sheet.x - sheet.y, 12.5)
    picture = sheet.picture(colour, shade)
    rgb = picture[..., :3]
    clip = line_distance(sheet.x, sheet.y, spline([(166, 78), (212, 54), (CENTRE, 46), (300, 54), (346, 78)]))
    rgb = over(rgb, np.array((0.72, 0.74, 0.77)), coverage(clip - 7))
    rgb = over(rgb, np.array((0.90, 0.91, 0.93)), 0.7 * bump(clip, 1, 3))
    for y, reach in ((156, 212), (300, 172)):
        tab = np.maximum(np.abs(sheet.offset - reach) - 11, np.abs(sheet.y - y) - 9)
        rgb = over(rgb, np.array((0.86, 0.74, 0.26)), 0.9 * coverage(tab, 3))
    picture[..., :3] = exhale(sheet, rgb, CENTRE, 268, 1.0) if valve else rgb
    return picture, sheet.anchors(side_y=262, jaw_y=346, nose_y=150, mouth_y=262), (0.90, 0.80, 0.42)


def exhale(sheet, rgb, cx, cy, scale, colour=(0.86, 0.87, 0.89)):
    """A valve: a rounded square housing with slots."""
    ax, ay = np.abs(sheet.x - cx) / scale, np.abs(sheet.y - cy) / scale
    box = np.hypot(np.maximum(ax - 38, 0), np.maximum(ay - 32, 0)) - 16
    rgb = over(rgb, rgb * 0.55, bump(np.maximum(box, 0), 0, 9) * 0.6)
    shade = light(20 * scale * smooth(3, -13, box), 0.55)
    rgb = over(rgb, np.array(colour) * shade[..., None], coverage(box * scale))
    slots = coverage(scale * np.maximum(ax - 34, np.abs(np.mod((sheet.y - cy) / scale + 8, 16) - 8) - 2.5)) * (ay < 34)
    return over(rgb, np.array(colour) * 0.4, slots)


def sport(colour, valves, trim, dark=0.5):
    """A close-fitting knitted or neoprene mask, with a trim along the edge and two round valves or none."""
    sheet = sheet_of("sport")
    height = sheet.body(nose=58) + 2.2 * ripples(sheet.x, sheet.y, 9, 180, 41)
    shade = light(height, 0.5) + sheet.creases(0.03, 4)
    shade += 0.02 * np.sin(2 * np.pi * arc(sheet, 80) / 7.5) * np.sin(2 * np.pi * sheet.y / 7.5)
    curve = line_distance(CENTRE - sheet.offset, sheet.y, spline([(30, 262), (120, 232), (190, 150), (236, 96)]))
    shade -= 0.12 * bump(curve, 0, 2.2) - 0.05 * bump(curve, 6, 3)
    rgb = sheet.picture(colour, sheen(shade, dark))
    rgb[..., :3] = over(rgb[..., :3], np.asarray(trim) * shade[..., None], coverage(np.abs(sheet.distance + 5) - 5, 3))
    for side in (-1, 1) if valves else ():
        rgb[..., :3] = exhale(sheet, rgb[..., :3], CENTRE + side * 104, 284, 0.62, (0.24, 0.24, 0.26))
    return rgb, sheet.anchors(side_y=232, jaw_y=340, nose_y=150, mouth_y=268), colour


MASKS = {
    "surgical-blue": lambda: surgical((0.62, 0.80, 0.91)),
    "surgical-white": lambda: surgical((0.94, 0.95, 0.96)),
    "surgical-green": lambda: surgical((0.56, 0.80, 0.75)),
    "surgical-pink": lambda: surgical((0.93, 0.76, 0.79)),
    "surgical-lilac": lambda: surgical((0.74, 0.69, 0.86)),
    "surgical-black": lambda: surgical((0.135, 0.135, 0.15), (0.12, 0.12, 0.13), dark=0.9),
    "surgical-child": lambda: surgical((0.90, 0.94, 0.96), pattern=stars),
    "cloth-black": lambda: cloth((0.115, 0.115, 0.125), dark=0.9),
    "cloth-grey": lambda: cloth((0.52, 0.54, 0.57), seam=0.0),
    "cloth-navy-dots": lambda: cloth((0.14, 0.19, 0.36), pattern=dots),
    "cloth-plaid": lambda: cloth((0.62, 0.16, 0.18), (0.13, 0.13, 0.16), pattern=plaid),
    "cloth-leaves": lambda: cloth((0.17, 0.27, 0.29), seam=0.0, pattern=leaves),
    "cloth-stripes": lambda: cloth((0.88, 0.87, 0.83), (0.30, 0.38, 0.50), seam=0.0, pattern=stripes),
    "cloth-check": lambda: cloth((0.90, 0.90, 0.88), (0.88, 0.88, 0.86), pattern=check),
    "cloth-flowers": lambda: cloth((0.86, 0.80, 0.72), (0.86, 0.80, 0.72), pattern=flowers),
    "kn95-white": lambda: folded((0.94, 0.94, 0.935)),
    "kn95-black": lambda: folded((0.135, 0.135, 0.145), (0.14, 0.14, 0.15), dark=0.9),
    "ffp2-white": lambda: boat((0.94, 0.94, 0.94)),
    "ffp2-sand": lambda: boat((0.80, 0.70, 0.60), (0.80, 0.70, 0.60)),
    "duckbill-blue": lambda: bill((0.80, 0.88, 0.93)),
    "n95-valve": lambda: cup((0.92, 0.915, 0.90), True),
    "n95": lambda: cup((0.91, 0.89, 0.86), False),
    "sport-valves": lambda: sport((0.12, 0.12, 0.13), True, (0.10, 0.10, 0.11)),
    "sport-blue": lambda: sport((0.16, 0.25, 0.42), False, (0.10, 0.16, 0.28), dark=0.15),
}
