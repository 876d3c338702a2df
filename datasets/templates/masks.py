"""Face masks as they look when worn, seen from the front, 512 x 448 px."""

import numpy as np

from shapes import (area_distance, bump, coverage, dashes, grid, light, line_distance, over, ripples,
                    smooth, spline)

WIDTH, HEIGHT = 512, 448
CENTRE = (WIDTH - 1) / 2

# Left halves of the outlines, from the upper corner: along the top to the nose bridge, and down the
# side to the chin. x grows along both, so that each is a function of x.
OUTLINES = {
    "surgical": dict(top=[(22, 112), (70, 84), (150, 52), (210, 30), (CENTRE, 20)],
                     bottom=[(22, 112), (32, 190), (52, 268), (98, 346), (170, 404), (CENTRE, 426)]),
    "cloth": dict(top=[(16, 116), (80, 96), (150, 66), (212, 32), (CENTRE, 14)],
                  bottom=[(16, 116), (24, 190), (52, 268), (110, 352), (180, 410), (CENTRE, 432)]),
    "folded": dict(top=[(14, 150), (40, 112), (120, 72), (200, 32), (CENTRE, 10)],
                   bottom=[(14, 150), (22, 210), (64, 290), (132, 362), (200, 416), (CENTRE, 438)]),
    "cup": dict(top=[(18, 184), (44, 118), (110, 66), (190, 34), (CENTRE, 18)],
                bottom=[(18, 184), (24, 238), (58, 318), (112, 376), (180, 414), (CENTRE, 430)]),
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
        self.below_top = self.y - upper
        half = self.bottom[:len(self.bottom) // 2 + 1]
        edge = np.interp(self.y, half[:, 1], half[:, 0])
        self.u = (self.x - CENTRE) / (CENTRE - edge)
        self.from_side = -np.sign(0.5) * (np.abs(self.x - CENTRE) - (CENTRE - edge))

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
        corner = self.top[0]
        points = {"bridge": (CENTRE, self.top[len(self.top) // 2][1]), "left_cheek": tuple(corner),
                  "left_side": (self.outline_at(side_y), side_y),
                  "left_jaw": (self.outline_at(jaw_y), jaw_y),
                  "nose": (CENTRE, nose_y), "mouth": (CENTRE, mouth_y),
                  "chin": (CENTRE, self.bottom[len(self.bottom) // 2][1])}
        for name in ("cheek", "side", "jaw"):
            x, y = points["left_" + name]
            points["right_" + name] = (2 * CENTRE - x, y)
        return points

    def body(self, nose=34, dome=95):
        """Height of a soft sheet over nose, mouth and chin."""
        u, v = np.clip(self.u, -1.2, 1.2), self.v
        height = dome * (1 - np.abs(u)**2.4) * (0.75 + 0.25 * smooth(0, 0.35, v))
        height += nose * bump(u, 0, 0.22) * (1 - smooth(0.18, 0.62, v))
        height += 16 * bump(u, 0, 0.55) * bump(v, 0.88, 0.16)
        return height - 34 * smooth(0.78, 1.05, v)**2

    def picture(self, colour, shade):
        """Colour (3 values or a picture) under the shade, cut out along the outline."""
        rgb = np.broadcast_to(np.asarray(colour), self.x.shape + (3,)) * shade[..., None]
        return np.dstack([rgb, coverage(self.distance + 0.5, 1.6)])


def weave(x, y, period_px):
    """Plain weave: -1 to 1."""
    return np.sin(2 * np.pi * x / period_px) * np.sin(2 * np.pi * y / period_px)


def surgical(colour, inner=None):
    """Three pleats, a nose wire under the upper hem, welded sides."""
    sheet = Sheet("surgical")
    height = sheet.body()
    shade_lines = np.zeros_like(height)
    bend = 0.05 * (1 - sheet.u**2)
    for fold in (0.30, 0.46, 0.62):
        step = sheet.v - fold - bend
        height += 9 * smooth(-0.12, 0.0, step) * (1 - smooth(0.0, 0.012, step))
        shade_lines += bump(step, 0.012, 0.012) * smooth(1.0, 0.72, np.abs(sheet.u))
    height += 2.2 * ripples(sheet.x, sheet.y * 1.6, 9, 150, 3) * smooth(0.1, 0.4, sheet.v)
    height += 3 * bump(sheet.below_top, 15, 7)
    shade = light(height) - 0.16 * shade_lines + 0.010 * weave(sheet.x, sheet.y, 8)
    hem = coverage(sheet.below_top - 27) * 0.05 - bump(sheet.below_top, 28, 1.6) * 0.10
    weld = coverage(sheet.from_side - 18) * smooth(0.02, 0.1, sheet.v)
    stitches = weld * dashes(sheet.y, 10, 0.45) * bump(sheet.from_side, 9, 3.5)
    shade = shade + hem - 0.05 * weld - 0.13 * stitches - 0.07 * bump(sheet.from_side, 18, 1.5)
    shade *= 1 - 0.10 * bump(sheet.distance, 0, 3)
    picture = sheet.picture(colour, shade)
    return picture, sheet.anchors(side_y=225, jaw_y=330, nose_y=150, mouth_y=268), inner or (0.93,) * 3


def cloth_shade(sheet, seam):
    """Two sewn panels of woven cloth with a stitched edge; seam is the depth of the middle seam."""
    height = sheet.body(nose=42, dome=105)
    height += 2.6 * ripples(sheet.x, sheet.y, 9, 130, 11)
    height += seam * 5 * bump(sheet.x, CENTRE, 9)
    shade = light(height, 0.46) + 0.022 * weave(sheet.x, sheet.y, 8)
    inside = -sheet.distance
    shade -= 0.14 * bump(inside, 13, 1.8) + 0.10 * dashes(sheet.x + sheet.y, 9, 0.5) * bump(inside, 8, 1.5)
    shade -= seam * (0.22 * bump(sheet.x, CENTRE, 2.2)
                     + 0.09 * dashes(sheet.y, 9, 0.5) * bump(np.abs(sheet.x - CENTRE), 8, 1.5))
    return shade * (1 - 0.14 * bump(sheet.distance, 0, 3.5))


def cloth(colour, strap=None, seam=1.0, pattern=None):
    """A sewn cloth mask; pattern paints on the flat colour before it is shaded."""
    sheet = Sheet("cloth")
    base = np.broadcast_to(np.asarray(colour, float), sheet.x.shape + (3,))
    if pattern:
        base = pattern(sheet, base)
    return (sheet.picture(base, cloth_shade(sheet, seam)),
            sheet.anchors(side_y=228, jaw_y=336, nose_y=150, mouth_y=270), strap or colour)


def plaid(sheet, base):
    """Crossed bands that bend with the sheet."""
    bent_x = CENTRE + np.arcsin(np.clip(sheet.u, -1, 1)) * 160
    bent_y = sheet.y + 14 * sheet.u**2
    for along in (bent_x, bent_y):
        base = over(base, (0.88, 0.84, 0.76), 0.55 * dashes(along, 64, 0.16))
        base = over(base, (0.10, 0.10, 0.18), 0.50 * dashes(along + 32, 64, 0.34))
    return base


def dots(sheet, base):
    """Rows of dots, every second one shifted."""
    bent_x = CENTRE + np.arcsin(np.clip(sheet.u, -1, 1)) * 160
    row = np.floor(sheet.y / 34)
    across = np.mod(bent_x + 20 * np.mod(row, 2), 40) - 20
    return over(base, (0.96, 0.95, 0.92), coverage(np.hypot(across, np.mod(sheet.y, 34) - 17) - 8, 2))


def leaves(sheet, base):
    """A scatter of pointed leaves in three colours."""
    draw = np.random.RandomState(5)
    for column in range(9):
        for row in range(8):
            cx, cy = column * 60 + draw.uniform(0, 44), row * 58 + draw.uniform(0, 40)
            angle, length = draw.uniform(0, np.pi), draw.uniform(20, 32)
            along = (sheet.x - cx) * np.cos(angle) + (sheet.y - cy) * np.sin(angle)
            across = (sheet.y - cy) * np.cos(angle) - (sheet.x - cx) * np.sin(angle)
            width = 0.42 * length * np.clip(1 - (along / length)**2, 0, 1)
            colour = [(0.93, 0.80, 0.42), (0.80, 0.36, 0.34), (0.52, 0.68, 0.52)][draw.randint(3)]
            base = over(base, colour, coverage(np.abs(across) - width, 2) * (np.abs(along) < length))
    return base


def folded(colour, strap=None):
    """A respirator that folds flat (KN95): two halves welded along the middle."""
    sheet = Sheet("folded")
    offset = np.abs(sheet.x - CENTRE)
    ridge = np.sqrt(offset**2 + 160)
    height = 105 * (1 - np.abs(np.clip(sheet.u, -1.2, 1.2))**2) - 0.34 * ridge
    height += 20 * bump(offset, 0, 50) * (1 - smooth(0.2, 0.6, sheet.v))
    height += 1.8 * ripples(sheet.x, sheet.y, 8, 160, 23)
    shade = light(height, 0.55) + 0.008 * weave(sheet.x, sheet.y, 8)
    inside = -sheet.distance
    for depth in (9, 17):
        shade -= 0.13 * dashes(sheet.x + sheet.y, 8, 0.5) * bump(inside, depth, 2.4)
    shade -= 0.16 * bump(offset, 0, 2.0) - 0.06 * bump(offset, 6, 3)
    clip = np.maximum(np.abs(sheet.x - CENTRE) - 76, np.abs(sheet.below_top - 44) - 11)
    shade += 0.05 * coverage(clip) - 0.12 * bump(clip, 0, 2) * dashes(sheet.x, 7, 0.6)
    fold = spline([(40, 238), (130, 262), (CENTRE - 14, 292)])
    mirrored = line_distance(CENTRE - offset, sheet.y, fold)
    shade -= 0.12 * bump(mirrored, 0, 2.2) * dashes(sheet.x, 9, 0.55)
    shade *= 1 - 0.10 * bump(sheet.distance, 0, 3)
    return (sheet.picture(colour, shade),
            sheet.anchors(side_y=240, jaw_y=340, nose_y=158, mouth_y=272), strap or (0.94,) * 3)


def cup(colour, valve):
    """A moulded respirator (N95), with an exhalation valve or without."""
    sheet = Sheet("cup")
    radius = np.hypot(sheet.x - CENTRE, (sheet.y - 232) * 1.12) / 246
    height = 150 * np.sqrt(np.clip(1.15 - radius**2, 0.02, None))
    height += 26 * bump(sheet.u, 0, 0.2) * (1 - smooth(0.05, 0.4, sheet.v))
    height += 1.2 * ripples(sheet.x, sheet.y, 12, 40, 31)
    rim = -sheet.distance
    height += 4 * bump(rim, 10, 7)
    shade = light(height, 0.55) - 0.10 * bump(rim, 20, 3) - 0.10 * bump(sheet.distance, 0, 3)
    shade += 0.02 * weave(sheet.x + sheet.y, sheet.x - sheet.y, 12)
    picture = sheet.picture(colour, shade)
    rgb = picture[..., :3]
    clip = line_distance(sheet.x, sheet.y, spline([(166, 76), (212, 52), (CENTRE, 44), (299, 52), (345, 76)]))
    rgb = over(rgb, np.array((0.70, 0.72, 0.75)), coverage(clip - 7))
    rgb = over(rgb, np.array((0.90, 0.91, 0.93)), 0.8 * bump(clip, 1, 2.5))
    for y in (156, 300):
        tab = np.maximum(np.abs(np.abs(sheet.x - CENTRE) - (212 if y < 200 else 172)) - 11, np.abs(sheet.y - y) - 9)
        rgb = over(rgb, np.array((0.86, 0.74, 0.26)), 0.9 * coverage(tab, 3))
    if valve:
        rgb = exhale(sheet, rgb)
    picture[..., :3] = rgb
    return picture, sheet.anchors(side_y=262, jaw_y=346, nose_y=150, mouth_y=262), (0.90, 0.80, 0.42)


def exhale(sheet, rgb):
    """The valve: a rounded square housing with slots, slightly below the middle."""
    cx, cy = CENTRE, 268
    ax, ay = np.abs(sheet.x - cx), np.abs(sheet.y - cy)
    box = np.hypot(np.maximum(ax - 38, 0), np.maximum(ay - 32, 0)) - 16
    rgb = over(rgb, rgb * 0.55, bump(np.maximum(box, 0), 0, 9) * 0.7)
    shade = light(20 * smooth(3, -13, box), 0.5)
    rgb = over(rgb, np.array((0.86, 0.87, 0.89)) * shade[..., None], coverage(box))
    slots = coverage(np.maximum(ax - 34, np.abs(np.mod(sheet.y - cy + 8, 16) - 8) - 2.5)) * (ay < 34)
    return over(rgb, np.array((0.38, 0.39, 0.42)), slots)


MASKS = {
    "surgical-blue": lambda: surgical((0.62, 0.82, 0.94)),
    "surgical-white": lambda: surgical((0.95, 0.96, 0.97)),
    "surgical-green": lambda: surgical((0.55, 0.82, 0.77)),
    "surgical-pink": lambda: surgical((0.95, 0.76, 0.80)),
    "surgical-black": lambda: surgical((0.15, 0.15, 0.165), (0.12, 0.12, 0.13)),
    "cloth-black": lambda: cloth((0.13, 0.13, 0.14)),
    "cloth-grey": lambda: cloth((0.52, 0.54, 0.57), seam=0.0),
    "cloth-navy-dots": lambda: cloth((0.14, 0.19, 0.36), pattern=dots),
    "cloth-plaid": lambda: cloth((0.66, 0.16, 0.18), (0.13, 0.13, 0.16), pattern=plaid),
    "cloth-leaves": lambda: cloth((0.17, 0.27, 0.29), seam=0.0, pattern=leaves),
    "kn95-white": lambda: folded((0.96, 0.96, 0.955)),
    "kn95-black": lambda: folded((0.16, 0.16, 0.17), (0.14, 0.14, 0.15)),
    "n95-valve": lambda: cup((0.93, 0.925, 0.91), True),
    "n95": lambda: cup((0.92, 0.90, 0.87), False),
}
