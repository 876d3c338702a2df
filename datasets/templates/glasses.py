"""Glasses and sunglasses seen from the front, 640 x 256 units, without their arms. Reflections are not drawn
here: they depend on the light, and the stage draws them."""

import functools

import numpy as np

from shapes import (area_distance, bump, coverage, grid, join, layer, light, line_distance, smooth, spline)

WIDTH, HEIGHT = 640, 256
CENTRE = WIDTH / 2
LENS_X, LENS_Y = 158.5, 128.0  # centre of the left lens; the frame is twice as wide as its lenses stand apart

# Lenses about their centre, nose side on the right, as the left one in the picture: half width and height, how
# square (2: an ellipse), how much narrower below, how much the nose cuts off, how far the outer corner is lifted,
# and how far the lower half hangs outwards.
LENSES = {
    "round": (106, 103, 2.0, 0.0, 0, 0, 0),
    "oval": (116, 72, 2.2, 0.04, 0, 0, 0),
    "rectangle": (123, 62, 4.2, 0.05, 8, 0, 0),
    "square": (120, 84, 3.6, 0.06, 12, 3, 0),
    "wayfarer": (121, 84, 3.3, 0.12, 10, 9, 0),
    "panto": (113, 98, 2.35, 0.10, 6, 0, 0),
    "pilot": (122, 98, 2.5, 0.05, 26, 0, 16),
    "cat": (120, 70, 3.0, 0.09, 8, 28, 0),
    "butterfly": (130, 106, 2.7, 0.05, 18, 16, 2),
    "wrap": (143, 70, 2.7, 0.07, 30, 12, 0),
}


def outline(lens):
    """The lens as a polygon: a superellipse, deformed."""
    wide, high, power, taper, cut, lift, hang = LENSES[lens]
    angle = np.arange(120) * 2 * np.pi / 120
    x, y = (np.sign(f(angle)) * np.abs(f(angle))**(2 / power) for f in (np.cos, np.sin))
    low, outer = smooth(-0.3, 1.0, y), smooth(0.1, 1.0, -x)
    moved_x = wide * x * (1 - taper * y) - cut * low * smooth(-0.6, 1, x) - hang * low
    return np.column_stack([LENS_X + moved_x, LENS_Y + high * y - lift * outer * smooth(0.5, -1, y)])


@functools.lru_cache(maxsize=None)
def lens_distance(lens):
    """Signed distance to the lenses; the right half of the picture mirrors the left one."""
    x, y = grid(WIDTH, HEIGHT)
    left = area_distance(x[:, :x.shape[1] // 2], y[:, :x.shape[1] // 2], outline(lens))
    return np.hstack([left, left[:, ::-1]])


class Frame:
    """Signed distances of lenses and rims, mirrored about the middle."""

    def __init__(self, lens):
        self.x, self.y = grid(WIDTH, HEIGHT)
        self.half_x = CENTRE - np.abs(self.x - CENTRE)  # the right half looks into a mirror
        self.outline = outline(lens)
        self.lens = lens_distance(lens)
        self.size = LENSES[lens][:2]
        self.picture = np.zeros(self.x.shape + (4,))

    def card(self, hinge, bridge_y, colour, thickness):
        """Anchors, and colour and thickness of the arms."""
        anchors = {"left_lens": (LENS_X, LENS_Y), "right_lens": (WIDTH - LENS_X, LENS_Y),
                   "bridge": (CENTRE, bridge_y), "left_hinge": hinge, "right_hinge": (WIDTH - hinge[0], hinge[1]),
                   "lens_end": tuple(self.outline.max(axis=0))}
        return anchors, colour, thickness

    def glass(self, colour, alpha):
        """Fills the lenses with a colour and an alpha that may both vary over the picture."""
        self.picture = layer(self.picture, colour, coverage(self.lens) * alpha)

    def mirror(self):
        """What polished wire mirrors: a bright sky above, dark ground below and to the sides, a lamp or two. From far away
        it is told from skin by these, not by its colour."""
        gy, gx = np.gradient(self.lens)
        length = np.hypot(gx, gy) + 1e-6
        up, out = -gy / length, np.where(self.x < CENTRE, -gx, gx) / length
        lamp = bump(up - 0.72, 0, 0.14) * smooth(-0.2, 0.2, out) + 0.6 * bump(up + 0.86, 0, 0.07)
        return 0.46 + 0.42 * smooth(0.35, 0.95, up) + 0.95 * lamp

    def solid(self, distance, colour, gloss, round_px, dapple=0.0, mirror=1.0):
        """A rounded bar of frame: light along its upper side, dark below; dapple as in tortoiseshell."""
        depth = np.clip(distance + round_px, 0, round_px)
        shade = light(np.sqrt(np.clip(round_px**2 - depth**2, 0, None)), 0.62)
        bright = np.clip(shade - 1.02, 0, None)[..., None] * gloss
        spots = np.sin(self.x / 17 + 2 * np.sin(self.y / 23)) * np.sin(self.y / 15 + 2 * np.sin(self.x / 31))
        rgb = np.asarray(colour) * (shade * (1 + dapple * spots) * mirror)[..., None] + bright
        self.picture = layer(self.picture, np.clip(rgb, 0, 1), coverage(distance))

    def rim(self, width, top):
        """Signed distance of a rim outside the lens, from width below to top above."""
        width = width + (top - width) * smooth(LENS_Y + 30, LENS_Y - 60, self.y)
        return np.maximum(self.lens - width, -self.lens - 1.5)

    def bar(self, points, half):
        """Signed distance of a bar along a curve of the left half and its mirror image."""
        return line_distance(self.half_x, self.y, spline(points)) - half

    def edge(self, y, side):
        """x where the lens outline crosses row y: side -1 outer, 1 nose side."""
        near = self.outline[np.abs(self.outline[:, 1] - y) < 14]
        return float(near[:, 0].min() if side < 0 else near[:, 0].max())

    def pads(self):
        """Nose pads on thin wires, half transparent."""
        x = self.edge(140, 1)
        self.picture = layer(self.picture, (0.90, 0.89, 0.86), 0.5 * coverage(self.bar([(x + 12, 128), (x + 20, 154)], 6)))
        self.picture = layer(self.picture, (0.97, 0.97, 0.97), 0.5 * coverage(self.bar([(x + 11, 132), (x + 15, 144)], 2)))


def clear(frame):
    """Lenses of ordinary glasses: a breath of grey, a little more along the edge."""
    frame.glass((0.50, 0.54, 0.56), 0.055 + 0.12 * bump(frame.lens, -1, 5))


def plastic(lens, colour, rim, top, gloss=1.4, paint=clear, hinge_y=70.0, bridge_y=84.0, dapple=0.0):
    """Acetate: rim, bridge and end pieces flow into each other."""
    frame = Frame(lens)
    paint(frame)
    inner, outer = frame.edge(bridge_y, 1), frame.edge(hinge_y, -1)
    bridge = frame.bar([(inner, bridge_y + 5), (CENTRE - 14, bridge_y - 3), (CENTRE + 1, bridge_y - 5)], 0.55 * top)
    end = frame.bar([(outer + 6, hinge_y), (17, hinge_y - 3)], 0.72 * top)
    whole = join(join(frame.rim(rim, top), bridge, 12), np.maximum(end, 9 - frame.half_x), 10)
    frame.solid(np.maximum(whole, -frame.lens - 1.5), colour, gloss, 0.6 * rim + 2, dapple)
    return frame.picture, *frame.card((12.0, hinge_y - 2), bridge_y, colour, 1.1 * top + 2)


def metal(lens, colour, paint=clear, double=False, half_rim=False, rim=7.0, hinge_y=84.0, bridge_y=96.0):
    """Wire: a thin rim, a bent bridge (or two), small end pieces, nose pads."""
    frame = Frame(lens)
    paint(frame)
    frame.pads()
    shape = frame.rim(rim, rim)
    if half_rim:
        shape = np.maximum(shape, frame.y - LENS_Y - 4)
        frame.picture = layer(frame.picture, (0.90, 0.93, 0.95), 0.5 * coverage(np.abs(frame.lens + 1) - 2))
    if double:
        shape = np.minimum(shape, frame.bar([(frame.edge(58, 1) - 8, 56), (CENTRE + 1, 50)], 0.55 * rim))
    shape = np.minimum(shape, ends(frame, hinge_y, bridge_y, rim))
    frame.solid(shape, colour, 2.4, 5, mirror=frame.mirror())
    return frame.picture, *frame.card((12.0, hinge_y), bridge_y, np.multiply(colour, 0.75), 1.4 * rim)


def ends(frame, hinge_y, bridge_y, rim):
    """Bridge and end pieces of wire."""
    inner, outer = frame.edge(bridge_y, 1), frame.edge(hinge_y, -1)
    bridge = frame.bar([(inner - 2, bridge_y + 8), (CENTRE - 18, bridge_y - 6), (CENTRE + 1, bridge_y - 9)], 0.6 * rim)
    return join(bridge, frame.bar([(outer - 1, hinge_y + 2), (outer - 14, hinge_y - 2), (13, hinge_y)], 0.7 * rim), 3)


def rimless(lens, colour):
    """Lenses held by screws: their polished edge is what is seen of them."""
    frame = Frame(lens)
    clear(frame)
    frame.pads()
    frame.picture = layer(frame.picture, (0.93, 0.96, 0.98), 0.62 * coverage(np.abs(frame.lens + 4.5) - 2.5))
    frame.picture = layer(frame.picture, (0.16, 0.18, 0.19), 0.62 * coverage(np.abs(frame.lens) - 2.6))
    frame.solid(ends(frame, 92.0, 98.0, 7.0), colour, 2.4, 5, mirror=0.75)
    return frame.picture, *frame.card((12.0, 92.0), 98.0, colour, 8.0)


def wrap(colour, paint):
    """Sports glasses: wide lenses that nearly meet, a bar along the top, nothing below."""
    frame = Frame("wrap")
    paint(frame)
    bar = np.maximum(np.abs(frame.lens - 2) - 7, frame.y - 118)
    bridge = frame.bar([(frame.edge(100, 1) - 4, 96), (CENTRE + 1, 92)], 19)
    frame.solid(join(bar, bridge, 10), colour, 1.4, 8)
    return frame.picture, *frame.card((12.0, 92.0), 88.0, colour, 22.0)


def tinted(top, bottom, top_alpha, bottom_alpha):
    """Lenses whose colour and alpha run from top to bottom."""
    def paint(frame):
        high = frame.size[1]
        fade = smooth(LENS_Y - 0.7 * high, LENS_Y + 0.8 * high, frame.y)
        colour = np.asarray(top) * (1 - fade[..., None]) + np.asarray(bottom) * fade[..., None]
        frame.glass(colour * (1 - 0.3 * bump(frame.lens, 0, 8))[..., None], top_alpha + (bottom_alpha - top_alpha) * fade)
    return paint


def mirrored(sky, horizon, ground):
    """Lenses that show a bright sky over a dark ground, opaque."""
    def paint(frame):
        level = (frame.y - LENS_Y) / frame.size[1] + 0.10 * np.cos((frame.half_x - LENS_X) / 70)
        up = smooth(-0.9, 0.12, level)[..., None]
        down = smooth(0.05, 0.55, level)[..., None]
        colour = np.asarray(sky) * (1 - up) + np.asarray(horizon) * up
        colour = colour * (1 - down) + np.asarray(ground) * down
        frame.glass(colour * (1 - 0.35 * bump(frame.lens, 0, 12))[..., None], 0.985)
    return paint


BLACK, BROWN = (0.06, 0.06, 0.065), (0.30, 0.18, 0.10)
GOLD, SILVER, STEEL = (0.60, 0.47, 0.26), (0.60, 0.61, 0.64), (0.20, 0.21, 0.24)

GLASSES = {
    "round-tortoise": lambda: plastic("round", BROWN, 12, 13, dapple=0.35),
    "round-silver": lambda: metal("round", SILVER),
    "panto-blue": lambda: plastic("panto", (0.13, 0.19, 0.34), 10, 12),
    "panto-clear": lambda: plastic("panto", (0.74, 0.72, 0.68), 12, 14),
    "square-black": lambda: plastic("square", BLACK, 10, 14),
    "thick-black": lambda: plastic("wayfarer", BLACK, 14, 21, hinge_y=64.0),
    "cat-eye-red": lambda: plastic("cat", (0.38, 0.06, 0.10), 10, 15, hinge_y=52.0),
    "rectangle-black": lambda: metal("rectangle", (0.09, 0.09, 0.10), rim=9.0, hinge_y=86.0),
    "oval-gold": lambda: metal("oval", GOLD, rim=8.0, hinge_y=92.0),
    "pilot-gold": lambda: metal("pilot", GOLD, rim=8.0, double=True, hinge_y=68.0),
    "half-rim-steel": lambda: metal("rectangle", STEEL, half_rim=True, rim=8.0, hinge_y=86.0),
    "rimless": lambda: rimless("rectangle", SILVER),
}

DARK = tinted((0.03, 0.03, 0.035), (0.06, 0.06, 0.07), 0.99, 0.96)
SUNGLASSES = {
    "classic-black": lambda: plastic("wayfarer", BLACK, 14, 20, paint=DARK, hinge_y=64.0),
    "classic-tortoise": lambda: plastic("wayfarer", BROWN, 14, 19, hinge_y=64.0, dapple=0.35,
                                        paint=tinted((0.06, 0.08, 0.05), (0.14, 0.16, 0.10), 0.95, 0.86)),
    "square-dark": lambda: plastic("square", (0.12, 0.08, 0.055), 12, 16,
                                   paint=tinted((0.05, 0.04, 0.03), (0.18, 0.12, 0.08), 0.96, 0.84)),
    "pilot-green": lambda: metal("pilot", GOLD, double=True, hinge_y=68.0,
                                 paint=tinted((0.05, 0.08, 0.055), (0.15, 0.20, 0.14), 0.95, 0.70)),
    "pilot-brown": lambda: metal("pilot", STEEL, double=True, hinge_y=68.0,
                                 paint=tinted((0.13, 0.08, 0.05), (0.52, 0.36, 0.24), 0.90, 0.34)),
    "round-grey": lambda: metal("round", (0.20, 0.20, 0.22),
                                paint=tinted((0.08, 0.09, 0.10), (0.14, 0.15, 0.17), 0.86, 0.70)),
    "round-rose": lambda: metal("round", GOLD, paint=tinted((0.46, 0.24, 0.25), (0.62, 0.38, 0.38), 0.62, 0.42)),
    "butterfly-brown": lambda: plastic("butterfly", (0.17, 0.09, 0.06), 10, 15, hinge_y=52.0,
                                       paint=tinted((0.11, 0.07, 0.05), (0.48, 0.33, 0.25), 0.95, 0.48)),
    "sport-dark": lambda: wrap((0.10, 0.10, 0.11), DARK),
    "mirror-blue": lambda: plastic("wayfarer", (0.08, 0.08, 0.09), 11, 15, hinge_y=64.0,
                                   paint=mirrored((0.14, 0.27, 0.52), (0.46, 0.62, 0.78), (0.07, 0.11, 0.20))),
    "mirror-pilot": lambda: metal("pilot", SILVER, double=True, hinge_y=68.0,
                                  paint=mirrored((0.30, 0.33, 0.37), (0.74, 0.76, 0.78), (0.20, 0.19, 0.18))),
}
