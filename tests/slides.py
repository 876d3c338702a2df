"""Videos of people who walk by, made of pictures: what is to be seen when is known by construction."""
import collections

import cv2
import numpy

# A picture (BGR) that is seen from frame `first` on for some frames, moving by `step` px from x on.
Walk = collections.namedtuple("Walk", "first frames picture x step", defaults=(0, 3))

GROUND = 96


def frames(walks, size, more=4):
    """Frames of a width and height, `more` of them behind the last walk."""
    width, height = size
    for number in range(max(walk.first + walk.frames for walk in walks) + more):
        frame = numpy.full((height, width, 3), GROUND, numpy.uint8)
        for walk in walks:
            at = number - walk.first
            if 0 <= at < walk.frames:
                picture = walk.picture[:height]
                x, y = walk.x + at * walk.step, (height - len(picture)) // 2
                part = frame[y:y + len(picture), x:x + picture.shape[1]]
                part[:] = picture[:, :part.shape[1]]
        yield frame


def write(path, walks, size=(480, 224), rate=10):
    """An MJPEG video; gives the number of its frames."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, size)
    number = 0
    for number, frame in enumerate(frames(walks, size), 1):
        writer.write(frame)
    writer.release()
    return number
