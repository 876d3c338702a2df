"""Drawing with signed distances: outlines, coverage, shading of height fields, PNG files.

Everything is a function of its arguments, so that the same pictures come out on every machine. Pictures
are float arrays; colours are 0-1 in sRGB; x runs right, y runs down, in units of which a pixel has PX.
"""

import struct
import zlib

import numpy as np

PX = 1.25


def grid(width, height):
    """Coordinates of the centres of all pixels of a width x height picture: x and y, two arrays."""
    y, x = np.mgrid[0:round(height / PX), 0:round(width / PX)]
    return (x + 0.5) * PX, (y + 0.5) * PX


def spline(points, steps=12):
    """An open Catmull-Rom curve through points (n x 2), with its ends repeated."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = [0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                     + (3 * b - a - 3 * c + d) * t**3)
              for a, b, c, d in zip(p, p[1:], p[2:], p[3:])]
    return np.vstack(pieces + [p[-2][None]])


def loop(points, steps=12):
    """A closed Catmull-Rom curve through points (n x 2)."""
    p = np.asarray(points, float)
    curve = spline(np.vstack([p[-2:], p, p[:2]]), steps)
    return curve[2 * steps:(len(p) + 2) * steps]


def line_distance(x, y, points):
    """Distance to the open line through points."""
    square = np.full(x.shape, np.inf)
    for (ax, ay), (bx, by) in zip(points, points[1:]):
        ex, ey, dx, dy = bx - ax, by - ay, x - ax, y - ay
        t = np.clip((dx * ex + dy * ey) / max(ex * ex + ey * ey, 1e-9), 0, 1)
        square = np.minimum(square, (dx - t * ex)**2 + (dy - t * ey)**2)
    return np.sqrt(square)


def area_distance(x, y, points):
    """Signed distance to the closed polygon, negative inside (even-odd rule)."""
    closed = np.vstack([points, points[:1]])
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(closed, closed[1:]):
        if ay != by:
            crosses = ((ay > y) != (by > y)) & (x < ax + (y - ay) * (bx - ax) / (by - ay))
            inside ^= crosses
    distance = line_distance(x, y, closed)
    return np.where(inside, -distance, distance)


def join(a, b, round_off):
    """Signed distance of two shapes that flow into each other where they meet."""
    share = np.clip(0.5 + 0.5 * (b - a) / round_off, 0, 1)
    return b * (1 - share) + a * share - round_off * share * (1 - share)


def coverage(distance, soft=PX):
    """Share of a pixel that a shape with this signed distance covers; soft is the width of its edge."""
    return np.clip(0.5 - distance / soft, 0, 1)


def smooth(low, high, value):
    """0 below low, 1 above high, a cubic between them."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bump(value, centre, width):
    """A Gaussian bell of height 1."""
    return np.exp(-((value - centre) / width)**2)


def light(height, ambient=0.5, direction=(-0.12, -0.45, 0.88)):
    """Lambert shading of a height field, about 1 where the surface faces the light."""
    gy, gx = np.gradient(height, PX)
    length = np.sqrt(gx * gx + gy * gy + 1)
    toward = np.asarray(direction) / np.linalg.norm(direction)
    lambert = np.clip((-gx * toward[0] - gy * toward[1] + toward[2]) / length, 0, None)
    return ambient + (1 - ambient) * lambert / toward[2]


def ripples(x, y, count, wave_px, seed):
    """Smooth cloth-like unevenness, about -1 to 1: a sum of plane waves of fixed pseudo-random course."""
    draw = np.random.RandomState(seed)
    total = np.zeros(x.shape)
    for _ in range(count):
        angle, phase = draw.uniform(0, 2 * np.pi, 2)
        frequency = 2 * np.pi / (wave_px * draw.uniform(0.7, 1.6))
        total += np.sin(frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return total / np.sqrt(count)


def dashes(along, period_px, share):
    """1 on the dashes of a dashed line with this coordinate along it."""
    phase = np.mod(along, period_px) / period_px
    return coverage((np.abs(phase - 0.5) - share / 2) * period_px)


def over(picture, colour, alpha):
    """Paints colour (3 values or a picture) with alpha on a picture without alpha of its own."""
    alpha = alpha[..., None]
    return picture * (1 - alpha) + np.asarray(colour) * alpha


def layer(under, colour, alpha):
    """Paints colour with alpha on an RGBA picture with straight alpha."""
    base = under[..., 3] * (1 - alpha)
    total = base + alpha
    share = (alpha / np.maximum(total, 1e-9))[..., None]
    mixed = under[..., :3] * (1 - share) + np.asarray(colour) * share
    return np.dstack([mixed, total])


def png_rows(pixels):
    """Each row behind the filter of the PNG standard that leaves the smallest bytes."""
    before = np.zeros_like(pixels[0])
    for row in pixels:
        left = np.vstack([np.zeros_like(row[:1]), row[:-1]]).astype(int)
        up = before.astype(int)
        corner = np.vstack([np.zeros_like(row[:1]), before[:-1]]).astype(int)
        guess = left + up - corner
        a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        choices = [(row - p).astype(np.uint8) for p in (0 * left, left, up, (left + up) // 2, paeth)]
        cost = [np.minimum(choice, 256 - choice.astype(int)).sum() for choice in choices]
        kind = int(np.argmin(cost))
        yield bytes([kind]) + choices[kind].tobytes()
        before = row


def write_png(path, picture):
    """Writes an RGBA picture of 0-1; colours under full transparency become black. Colours are even numbers:
    nobody sees the difference, and the file is a quarter smaller."""
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    pixels[..., :3] &= 0xFE
    pixels[pixels[..., 3] == 0] = 0
    height, width = pixels.shape[:2]

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                   + chunk(b"IDAT", zlib.compress(b"".join(png_rows(pixels)), 9))
                   + chunk(b"IEND", b""))
