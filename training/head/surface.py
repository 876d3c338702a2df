"""Numbers of the generic head: landmarks with their modes, and what they do not show from the drawn head warped to them.

    build/dev/print_head > head.txt
    /usr/bin/python3 training/head/surface.py shape.npz head.txt stages/head_shape.def

Frame as in derive.py. The drawn head (datasets/people/head.c) has half-widths of 70 mm, y up and its origin in the axis.
"""
import re
import sys

import numpy as np

from derive import MIRROR

REACH = 60.0  # mm over which a landmark moves what is around it

# Where landmarks lie on the drawn head, seen from the front: x, y. The jaw's are found by projection.
RIGHT = {8: (0, -1.585), 9: (.20, -1.56), 22: (.17, .25), 23: (.33, .31), 24: (.50, .33), 25: (.66, .30), 26: (.82, .22),
         27: (0, .03), 28: (0, -.15), 29: (0, -.33), 30: (0, -.50), 33: (0, -.66), 34: (.09, -.65), 35: (.19, -.63),
         42: (.235, 0), 43: (.37, .085), 44: (.51, .085), 45: (.65, .01), 46: (.51, -.07), 47: (.37, -.07),
         51: (0, -.93), 52: (.08, -.92), 53: (.22, -.945), 54: (.375, -1.0), 55: (.24, -1.075), 56: (.11, -1.115),
         57: (0, -1.12), 62: (0, -.992), 63: (.11, -.99), 64: (.33, -1.0), 65: (.11, -1.012), 66: (0, -1.01)}

# Where places lie on the drawn head: x, y, z, right side; they are moved onto its surface.
PLACES = {"NASION": (0, .04, 1.1), "BRIDGE": (0, -.2, 1.3), "NOSE_TIP": (0, -.52, 1.6), "NOSE_SIDE": (.14, -.12, 1.1),
          "CHEEKBONE": (.64, -.30, .85), "TEMPLE": (.97, .06, .42), "EAR_TOP": (1.02, .14, -.20), "EAR_ROOT": (1.01, -.16, -.08),
          "EAR_LOBE": (.97, -.5, -.16), "JAW_ANGLE": (.85, -.95, .12), "CHIN": (0, -1.47, 1.1), "CHIN_UNDER": (0, -1.625, .62),
          "NECK": (0, -1.85, .45), "FOREHEAD": (0, .72, 1.15), "CROWN": (0, 1.60, .3)}


# Vertices of the surface: rows of the drawn head from the crown to under the chin, columns from the middle line on.
ROWS = [*range(4, 44, 8), *range(44, 150, 4)]
COLUMNS = [3, 6, 9, 12, 16, 20, 24, 28, 33, 38, 43, 48, 53, 58, 63, 68]


def drawn_head(path):
    """Vertices (mm, our axes, origin between the eyes) and normals, of head and neck, as a list of sheets."""
    rows = np.loadtxt(path)
    sheets = []
    for part in (0, 2):
        own = rows[rows[:, 0] == part]
        grid = own[:, 3:].reshape(int(own[:, 1].max()) + 1, -1, 3)
        normal = np.cross(np.roll(grid, -1, 1) - np.roll(grid, 1, 1), np.gradient(grid, axis=0))
        normal *= np.sign((normal * (grid - grid.mean(axis=(0, 1)))).sum())
        normal /= np.linalg.norm(normal, axis=2, keepdims=True) + 1e-9
        sheets.append((grid, normal))
    return sheets


def to_ours(points):
    return (points - [0, 0, 1.0]) * [70, -70, 70]


def on_front(grid, x, y):
    flat = grid.reshape(-1, 3)
    front = flat[flat[:, 2] > 0.2]
    return front[np.argmin((front[:, 0] - x) ** 2 + (front[:, 1] - y) ** 2)] * [0 if x == 0 else 1, 1, 1]


def anchors_on(grid, mean):
    """The drawn head's landmarks, in our axes, after the head was turned and scaled on to the mean: (68, 3), map."""
    found = {}
    for index, (x, y) in RIGHT.items():
        found[index] = to_ours(on_front(grid, x, y))
        found[int(MIRROR[index])] = found[index] * [-1, 1, 1]
    known = sorted(found)
    a, b = np.array([found[i] for i in known]), mean[known]
    ca, cb = a.mean(axis=0), b.mean(axis=0)
    u, s, v = np.linalg.svd((b - cb).T @ (a - ca))
    turn = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    scale = s.sum() / ((a - ca) ** 2).sum()

    def place(points):
        return scale * (to_ours(points) - ca) @ turn.T + cb

    flat = place(grid.reshape(-1, 3))
    anchors = np.array([place(np.zeros(3)) if i not in found else scale * turn @ (found[i] - ca) + cb for i in range(68)])
    for index in [*range(7), *range(10, 17)]:  # of the jaw: what is nearest in the picture's plane and about as deep
        anchors[index] = flat[np.argmin((((flat - mean[index]) * [1, 1, 0.5]) ** 2).sum(axis=1))]
    print("scale", scale, "turn", np.degrees(np.arcsin(turn[2, 1])), file=sys.stderr)
    return anchors, place, turn


def kernel(a, b):
    return np.exp(-np.linalg.norm(a[:, None] - b[None], axis=2) / REACH)


def follow(places, landmarks):
    """How much each landmark moves each place: (n, 68)."""
    return kernel(places, landmarks) @ np.linalg.inv(kernel(landmarks, landmarks) + 0.02 * np.eye(68))


def place_rows(sheets, place, turn, anchors, mean, modes):
    names = re.findall(r"^PLACE\((\w+),", open(sys.argv[3].replace("head_shape", "head_places")).read(), re.M)
    for name in names:
        side = -1 if name.startswith("LEFT_") else 1
        grid, normal = sheets[name == "NECK"]
        at = np.array(PLACES[re.sub("^(LEFT|RIGHT)_", "", name)])
        k = np.argmin(((grid.reshape(-1, 3) - at) ** 2).sum(axis=1))
        middle = 0 if at[0] == 0 else 1
        point = place(grid.reshape(-1, 3)[k] * [side * middle, 1, 1])
        look = turn @ (normal.reshape(-1, 3)[k] * [side * middle, -1, 1])
        weights = follow(point[None], anchors)
        point = point + (weights @ (mean - anchors))[0]
        weights = follow(point[None], mean)
        yield name, point, look / np.linalg.norm(look), np.einsum("p,kpj->kj", weights[0], modes)


def surface_rows(grid, place, anchors, mean):
    """The middle line and the right half of the drawn head's front, thinned out, warped: rows of points."""
    columns = grid.shape[1] // 2
    middle = (grid[:, columns - 1] + grid[:, columns]) / 2 * [0, 1, 1]
    for row in ROWS:
        points = np.concatenate([middle[row][None], grid[row, [columns - 1 + c for c in COLUMNS]]])
        points = place(points)
        points = points + follow(points, anchors) @ (mean - anchors)
        points[0, 0] = 0
        yield points


def numbers(values):
    return ", ".join(f"{v:.1f}f".replace("-0.0f", "0.0f") for v in np.ravel(values))


def main():
    shape, sheets = np.load(sys.argv[1]), drawn_head(sys.argv[2])
    mean, modes = shape["mean"], shape["modes"]
    anchors, place, turn = anchors_on(sheets[0][0], mean)
    print("moved by mm", np.linalg.norm(mean - anchors, axis=1).round(1), file=sys.stderr)
    with open(sys.argv[3], "w") as out:
        out.write("/* Made by training/head/surface.py; not edited by hand. Millimetres in the frame of head.h.\n"
                  " *     LANDMARK(x, y, z, then x, y, z of each mode for one standard deviation, times ten)\n"
                  " *     PLACE(name, x, y, z, direction that the skin looks, the same modes)  in the order of head_places.def */\n")
        out.write("#ifdef LANDMARK\n")
        for p in range(68):
            out.write(f"LANDMARK({numbers(mean[p])}, " + ", ".join(str(int(round(10 * v))) for v in modes[:, p].ravel()) + ")\n")
        out.write("#endif\n#ifdef PLACE\n")
        for name, point, look, own in place_rows(sheets, place, turn, anchors, mean, modes):
            out.write(f"PLACE({name}, {numbers(point)}, " + ", ".join(f"{v:.2f}f" for v in look) + ", " +
                      ", ".join(str(int(round(10 * v))) for v in own.ravel()) + ")\n")
        out.write("#endif\n")
    with open(sys.argv[4], "w") as out:
        out.write("/* Made by training/head/surface.py; not edited by hand. The front of the generic head: ROW(x, y, z, x, y, z ...), tenths\n"
                  " * of a mm in the frame of head.h, from the crown down, in a row from the middle line to the right. */\n")
        for points in surface_rows(sheets[0][0], place, anchors, mean):
            out.write("ROW(" + ", ".join(str(int(round(10 * v))) for v in points.ravel()) + ")\n")


if __name__ == "__main__":
    main()
