"""What is printed on or woven into a mask: each paints on the flat colour of a sheet before it is shaded."""

import numpy as np

from shapes import coverage, dashes, over

WIDE, HIGH = 512, 448


def arc(sheet, scale=160):
    """A coordinate along the cloth around the face: patterns get narrower towards the ears."""
    return WIDE / 2 + np.arcsin(np.clip((sheet.x - WIDE / 2) / 262, -1, 1)) * scale


def bent(sheet):
    """Rows of a pattern hang slightly in the middle."""
    return sheet.y + 14 * np.clip(sheet.u, -1.2, 1.2)**2


def scatter(seed, columns, rows):
    """Places of a scattered print, with the generator for what else is drawn there."""
    draw = np.random.RandomState(seed)
    for column in range(columns):
        for row in range(rows):
            yield ((column + draw.uniform(0, 0.8)) * WIDE / columns, (row + draw.uniform(0, 0.8)) * HIGH / rows, draw)


def plaid(sheet, base):
    """Crossed bands, light and dark."""
    for along in (arc(sheet), bent(sheet)):
        base = over(base, (0.88, 0.84, 0.76), 0.55 * dashes(along, 64, 0.16))
        base = over(base, (0.10, 0.10, 0.18), 0.50 * dashes(along + 32, 64, 0.34))
    return base


def check(sheet, base):
    """Small even checks of one colour, as woven: darkest where the bands cross."""
    for along in (arc(sheet), bent(sheet)):
        base = over(base, (0.22, 0.36, 0.50), 0.50 * dashes(along, 30, 0.5))
    return base


def stripes(sheet, base):
    """Upright stripes, a broad one and a fine one in turn."""
    base = over(base, (0.30, 0.38, 0.50), 0.9 * dashes(arc(sheet), 34, 0.36))
    return over(base, (0.66, 0.30, 0.30), 0.8 * dashes(arc(sheet) + 17, 34, 0.10))


def dots(sheet, base):
    """Rows of dots, every second one shifted."""
    row = np.floor(sheet.y / 34)
    across = np.mod(arc(sheet) + 20 * np.mod(row, 2), 40) - 20
    return over(base, (0.93, 0.92, 0.89), coverage(np.hypot(across, np.mod(sheet.y, 34) - 17) - 8, 2))


def leaves(sheet, base):
    """A scatter of pointed leaves in three colours."""
    for cx, cy, draw in scatter(5, 9, 8):
        angle, length = draw.uniform(0, np.pi), draw.uniform(20, 32)
        along = (sheet.x - cx) * np.cos(angle) + (sheet.y - cy) * np.sin(angle)
        across = (sheet.y - cy) * np.cos(angle) - (sheet.x - cx) * np.sin(angle)
        width = 0.42 * length * np.clip(1 - (along / length)**2, 0, 1)
        colour = [(0.88, 0.76, 0.42), (0.74, 0.36, 0.34), (0.50, 0.64, 0.50)][draw.randint(3)]
        base = over(base, colour, coverage(np.abs(across) - width, 2) * (np.abs(along) < length))
    return base


def flowers(sheet, base):
    """A scatter of five-petalled flowers and small leaves."""
    for cx, cy, draw in scatter(9, 8, 7):
        dx, dy, turn, size = sheet.x - cx, sheet.y - cy, draw.uniform(0, 6), draw.uniform(13, 22)
        radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx) + turn
        colour = [(0.72, 0.28, 0.34), (0.84, 0.52, 0.46), (0.36, 0.42, 0.62), (0.80, 0.64, 0.34)][draw.randint(4)]
        leaf = np.hypot(dx - 1.2 * size * np.cos(turn), 1.8 * (dy - 1.2 * size * np.sin(turn))) - 0.7 * size
        base = over(base, (0.36, 0.46, 0.34), 0.85 * coverage(leaf, 2))
        base = over(base, colour, coverage(radius - size * (0.72 + 0.28 * np.cos(5 * angle)), 2.5))
        base = over(base, (0.90, 0.82, 0.52), coverage(radius - 0.26 * size, 2))
    return base


def stars(sheet, base):
    """A child's print: stars and balls in cheerful colours."""
    for cx, cy, draw in scatter(12, 8, 8):
        turn, size = draw.uniform(0, 6), draw.uniform(12, 18)
        colour = [(0.92, 0.66, 0.20), (0.86, 0.36, 0.42), (0.28, 0.58, 0.78), (0.42, 0.68, 0.42)][draw.randint(4)]
        radius, angle = np.hypot(sheet.x - cx, sheet.y - cy), np.arctan2(sheet.y - cy, sheet.x - cx) + turn
        points = 0.24 * np.cos(5 * angle) if draw.randint(3) else 0
        base = over(base, colour, 0.9 * coverage(radius - size * (0.72 + points), 2.5))
    return base
