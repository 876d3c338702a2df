"""Glasses and sunglasses seen from the front, 640 x 256 px, without their arms."""

import numpy as np

from shapes import (area_distance, bump, coverage, grid, layer, light, line_distance, loop, smooth,
                    spline)

WIDTH, HEIGHT = 640, 256
CENTRE = (WIDTH - 1) / 2
LENS_X, LENS_Y = 158.0, 128.0  # centre of the left lens; the frame is twice as wide as its lenses stand apart

# Lenses about their centre: nose side on the right, as the left one in the picture.
LENSES = {
    "round": [(112 * np.cos(a), 104 * np.sin(a)) for a in np.arange(12) * np.pi / 6],
    "square": [(-118, -78), (0, -86), (112, -78), (118, 0), (100, 74), (0, 88), (-104, 78), (-122, 0)],
    "rectangle": [(-124, -54), (0, -62), (114, -56), (120, 0), (104, 54), (0, 62), (-112, 56), (-126, 0)],
    "cat": [(-142, -84), (-40, -70), (100, -56), (118, -10), (84, 62), (0, 82), (-90, 54), (-124, -10)],
    "pilot": [(-124, -72), (0, -82), (104, -70), (116, -24), (76, 72), (0, 102), (-84, 92), (-126, 14)],
    "wayfarer": [(-132, -78), (0, -82), (112, -70), (116, -10), (88, 70), (0, 88), (-92, 74), (-124, 0)],
    "panto": [(-110, -72), (0, -84), (106, -70), (110, 0), (66, 76), (0, 94), (-74, 78), (-114, 0)],
}


class Frame:
    """Signed distances of lenses and rims, mirrored about the middle."""

    def __init__(self, lens):
        self.x, self.y = grid(WIDTH, HEIGHT)
        self.half_x = CENTRE - np.abs(self.x - CENTRE)  # the right half looks into a mirror
        self.outline = loop(LENSES[lens]) + (LENS_X, LENS_Y)
        self.lens = area_distance(self.half_x, self.y, self.outline)
        self.picture = np.zeros((HEIGHT, WIDTH, 4))

    def anchors(self, hinge_y, bridge_y):
        return {"left_lens": (LENS_X, LENS_Y), "right_lens": (2 * CENTRE - LENS_X, LENS_Y),
                "bridge": (CENTRE, bridge_y), "left_hinge": (14.0, hinge_y),
                "right_hinge": (2 * CENTRE - 14.0, hinge_y)}

    def glass(self, colour, alpha):
        """Fills the lenses with a colour and an alpha that may both vary over the picture."""
        self.picture = layer(self.picture, colour, coverage(self.lens) * alpha)

    def reflection(self, strength):
        """A pale sky in the upper part and two slanting streaks, the same way round in both lenses."""
        inside = coverage(self.lens + 8, 6)
        local = np.where(self.x < CENTRE, self.x - LENS_X, self.x - (2 * CENTRE - LENS_X))
        slant = local * 0.8 + (self.y - LENS_Y) * 0.6
        streaks = bump(slant, -34, 15) + 0.6 * bump(slant, 4, 7)
        sky = smooth(LENS_Y - 10, LENS_Y - 90, self.y) * 0.5
        self.picture = layer(self.picture, (1.0, 1.0, 1.0), inside * strength * np.clip(streaks + sky, 0, 1))

    def solid(self, distance, colour, gloss, round_px=7):
        """A rounded bar of frame with a highlight along its upper side."""
        height = np.sqrt(np.clip(round_px**2 - np.clip(distance + round_px, 0, round_px)**2, 0, None))
        shade = light(height, 0.6)
        bright = np.clip(shade - 1.02, 0, None)[..., None] * gloss
        rgb = np.clip(np.asarray(colour) * shade[..., None] + bright, 0, 1)
        self.picture = layer(self.picture, rgb, coverage(distance))

    def rim(self, width_px, top_px=None):
        """Signed distance of a rim outside the lens, thicker at the top where top_px says so."""
        width = width_px
        if top_px:
            width = width_px + (top_px - width_px) * smooth(LENS_Y + 30, LENS_Y - 60, self.y)
        return np.maximum(self.lens - width, -self.lens - 1.5)

    def bar(self, points, width_px):
        """Signed distance of a bar along a curve of the left half and its mirror image."""
        return line_distance(self.half_x, self.y, spline(points)) - width_px

    def edge(self, y, side):
        """x where the lens outline crosses row y: side -1 outer, 1 nose side."""
        near = self.outline[np.abs(self.outline[:, 1] - y) < 14]
        return float(near[:, 0].min() if side < 0 else near[:, 0].max())


def clear(frame):
    """Lenses of ordinary glasses: a breath of grey and a faint reflection."""
    frame.glass((0.80, 0.86, 0.90), 0.045 + 0.10 * bump(frame.lens, -1, 4))
    frame.reflection(0.16)


def fit_out(frame, rim, colour, gloss, bar_px, hinge_y, bridge_y):
    """Rim, bridge and hinges in one material."""
    inner, outer = frame.edge(bridge_y, 1), frame.edge(hinge_y, -1)
    bridge = frame.bar([(inner - 2, bridge_y + 10), (CENTRE - 16, bridge_y - 5), (CENTRE + 1, bridge_y - 8)], bar_px)
    hinge = frame.bar([(outer, hinge_y + 2), (12, hinge_y)], bar_px * 1.1)
    frame.solid(np.minimum(np.minimum(rim, bridge), hinge), colour, gloss, max(bar_px, 4))
    return frame.picture, frame.anchors(hinge_y, bridge_y), colour


def plastic(lens, colour, rim_px, top_px, gloss=1.6, paint=clear, hinge_y=74.0, bridge_y=92.0):
    frame = Frame(lens)
    paint(frame)
    return fit_out(frame, frame.rim(rim_px, top_px), colour, gloss, rim_px * 0.85, hinge_y, bridge_y)


def metal(lens, colour, paint=clear, double_bridge=False, half_rim=False, hinge_y=84.0, bridge_y=100.0):
    frame = Frame(lens)
    paint(frame)
    rim = frame.rim(5.0)
    if half_rim:
        rim = np.maximum(rim, frame.y - LENS_Y - 6)
    if double_bridge:
        rim = np.minimum(rim, frame.bar([(frame.edge(60, 1) - 4, 62), (CENTRE + 1, 58)], 4.0))
    pads = frame.bar([(frame.edge(132, 1) + 2, 128), (frame.edge(132, 1) + 14, 150)], 5.0)
    frame.picture = layer(frame.picture, (0.92, 0.90, 0.86), 0.45 * coverage(pads))
    return fit_out(frame, rim, colour, 3.0, 4.5, hinge_y, bridge_y)


def rimless(colour):
    frame = Frame("rectangle")
    clear(frame)
    frame.picture = layer(frame.picture, (0.92, 0.95, 0.97), 0.55 * coverage(np.abs(frame.lens + 2) - 2))
    frame.picture = layer(frame.picture, (0.25, 0.28, 0.30), 0.35 * coverage(np.abs(frame.lens) - 1))
    return fit_out(frame, frame.lens + 1e3, colour, 3.0, 4.0, 92.0, 100.0)


def tinted(top, bottom, top_alpha, bottom_alpha, shine):
    """Lenses whose colour and alpha run from top to bottom."""
    def paint(frame):
        fade = np.clip((frame.y - 40) / 180, 0, 1)
        colour = np.asarray(top) * (1 - fade[..., None]) + np.asarray(bottom) * fade[..., None]
        frame.glass(colour, top_alpha + (bottom_alpha - top_alpha) * fade)
        frame.reflection(shine)
    return paint


def mirrored(sky, horizon, ground):
    """Lenses that show a bright sky over a dark ground, opaque."""
    def paint(frame):
        level = (frame.y - 30) / 200 + 0.06 * np.sin((frame.x - LENS_X) / 60)
        up = smooth(0.0, 0.52, level)[..., None]
        down = smooth(0.50, 0.62, level)[..., None]
        colour = np.asarray(sky) * (1 - up) + np.asarray(horizon) * up
        colour = colour * (1 - down) + np.asarray(ground) * down
        frame.glass(colour * (1 - 0.25 * bump(frame.lens, 0, 10))[..., None], 0.985)
        frame.reflection(0.22)
    return paint


GLASSES = {
    "round-tortoise": lambda: plastic("round", (0.36, 0.21, 0.11), 11, 12),
    "square-black": lambda: plastic("square", (0.07, 0.07, 0.08), 10, 14),
    "cat-eye-red": lambda: plastic("cat", (0.42, 0.06, 0.10), 9, 16, hinge_y=62.0),
    "thick-black": lambda: plastic("wayfarer", (0.05, 0.05, 0.055), 15, 22, hinge_y=66.0),
    "panto-blue": lambda: plastic("panto", (0.13, 0.20, 0.36), 9, 12),
    "pilot-gold": lambda: metal("pilot", (0.72, 0.58, 0.32), double_bridge=True),
    "round-silver": lambda: metal("round", (0.62, 0.64, 0.67)),
    "half-rim-steel": lambda: metal("rectangle", (0.22, 0.23, 0.26), half_rim=True, hinge_y=88.0),
    "rimless": lambda: rimless((0.58, 0.59, 0.62)),
}

DARK = tinted((0.03, 0.03, 0.035), (0.05, 0.05, 0.06), 0.99, 0.97, 0.14)
SUNGLASSES = {
    "classic-black": lambda: plastic("wayfarer", (0.04, 0.04, 0.045), 14, 20, paint=DARK, hinge_y=66.0),
    "square-dark": lambda: plastic("square", (0.14, 0.09, 0.06), 12, 16,
                                   paint=tinted((0.05, 0.04, 0.03), (0.20, 0.13, 0.08), 0.97, 0.88, 0.12)),
    "pilot-green": lambda: metal("pilot", (0.70, 0.57, 0.30), double_bridge=True,
                                 paint=tinted((0.05, 0.09, 0.06), (0.14, 0.20, 0.14), 0.95, 0.82, 0.14)),
    "gradient-brown": lambda: plastic("cat", (0.20, 0.11, 0.07), 9, 15, hinge_y=62.0,
                                      paint=tinted((0.12, 0.07, 0.05), (0.55, 0.38, 0.28), 0.92, 0.45, 0.12)),
    "round-grey": lambda: metal("round", (0.20, 0.20, 0.22),
                                paint=tinted((0.07, 0.08, 0.10), (0.13, 0.14, 0.16), 0.92, 0.78, 0.14)),
    "mirror-blue": lambda: plastic("wayfarer", (0.08, 0.08, 0.09), 11, 15, hinge_y=66.0,
                                   paint=mirrored((0.20, 0.42, 0.85), (0.75, 0.90, 1.0), (0.10, 0.16, 0.30))),
    "mirror-pilot": lambda: metal("pilot", (0.62, 0.63, 0.66), double_bridge=True,
                                  paint=mirrored((0.45, 0.50, 0.56), (0.93, 0.94, 0.95), (0.24, 0.23, 0.22))),
}
