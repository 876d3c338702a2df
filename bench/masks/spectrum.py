"""How much there is to be seen in fine detail of what lies on the mouth, and of foreheads; see README.md.

    /usr/bin/python3 bench/masks/spectrum.py INDEX.h5

A line for each variant: root mean square of the luma coefficients of blocks of 8 x 8 px whose row and column add up to 3 to 5,
6 to 8, and more: medians over the blocks of a picture, then over pictures."""
import sys

import cv2
import h5py
import numpy

SIDE, STEP = 8, 3
BANDS = ((3, 5), (6, 8), (9, 14))
ORDER = numpy.add.outer(numpy.arange(SIDE), numpy.arange(SIDE))


def shrunk(points, share):
    return numpy.round(points.mean(0) + share * (points - points.mean(0))).astype(int)


def mouth(landmarks):
    """Jaw from below the cheekbones, and the lower half of the nose."""
    return shrunk(numpy.vstack([landmarks[3:14], 0.7 * landmarks[33] + 0.3 * landmarks[30]]), 0.85)


def forehead(landmarks):
    up = landmarks[27] - landmarks[33]
    brows = landmarks[17:27]
    return shrunk(numpy.vstack([brows + 0.25 * up, (brows + 0.9 * up)[::-1]]), 0.8)


def detail(luma, outline):
    """By band; None where the outline holds hardly a block."""
    inside = cv2.fillPoly(numpy.zeros(luma.shape, numpy.uint8), [outline], 1) > 0
    rows, columns = numpy.where(inside)
    powers = []
    if len(rows) == 0:
        return None
    for y in range(rows.min(), rows.max() - SIDE + 1, STEP):
        for x in range(columns.min(), columns.max() - SIDE + 1, STEP):
            if inside[y:y + SIDE, x:x + SIDE].all():
                squares = cv2.dct(luma[y:y + SIDE, x:x + SIDE]) ** 2
                powers.append([squares[(ORDER >= low) & (ORDER <= high)].mean() for low, high in BANDS])
    return numpy.sqrt(numpy.median(powers, axis=0)) if len(powers) > 5 else None


def main():
    with h5py.File(sys.argv[1]) as file:
        pictures, landmarks, variants = file["images"][:], file["landmarks"][:], file["variant"][:]
    for variant in numpy.unique(variants):
        for name, region in (("mouth", mouth), ("forehead", forehead)):
            found = [detail(cv2.cvtColor(pictures[row], cv2.COLOR_RGB2GRAY).astype(numpy.float32), region(landmarks[row]))
                     for row in numpy.flatnonzero(variants == variant)]
            found = [one for one in found if one is not None]
            print(f"variant {variant}, {name:8} {len(found):4} pictures " + " ".join(f"{value:6.2f}" for value in numpy.median(found, axis=0)))


if __name__ == "__main__":
    main()
