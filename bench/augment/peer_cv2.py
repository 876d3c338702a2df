"""The augmentations as one writes them in Python with OpenCV: the peer of bench_augment.

    /usr/bin/python3 bench/augment/peer_cv2.py [--size 112] [--rounds 2000]
"""
import argparse
import random
import time

import cv2
import numpy


def crop(image, size):
    large = int(round(size * 1.15))
    x, y = random.randint(0, large - size), random.randint(0, large - size)
    return cv2.resize(image, (large, large))[y:y + size, x:x + size]


def brightness(image):
    return cv2.convertScaleAbs(image, alpha=random.uniform(0.7, 1.3))


def blur(image):
    kernel = random.choice((1, 3, 5))
    return cv2.GaussianBlur(image, (kernel, kernel), 0)


def flip(image):
    return cv2.flip(image, 1) if random.random() < 0.5 else image


def rotate(image, size):
    centre = ((size - 1) / 2, (size - 1) / 2)
    turn = cv2.getRotationMatrix2D(centre, random.uniform(-60, 60), 1)
    return cv2.warpAffine(image, turn, (size, size))


STEPS = {
    "crop": crop,
    "brightness": lambda image, size: brightness(image),
    "blur": lambda image, size: blur(image),
    "flip": lambda image, size: flip(image),
    "rotate": rotate,
}


def augment(image, size):
    for step in STEPS.values():
        image = step(image, size)
    return image


def microseconds(call, image, size, rounds):
    begin = time.perf_counter()
    for _ in range(rounds):
        call(image, size)
    return (time.perf_counter() - begin) / rounds * 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--rounds", type=int, default=2000)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    image = numpy.random.default_rng(1).integers(0, 256, (given.size, given.size, 3), numpy.uint8)
    image = cv2.GaussianBlur(image, (9, 9), 0)
    for name, step in STEPS.items():
        print(f"{name:12s} {microseconds(step, image, given.size, given.rounds):8.1f} us")
    print(f"{'augment':12s} {microseconds(augment, image, given.size, given.rounds):8.1f} us")


if __name__ == "__main__":
    main()
