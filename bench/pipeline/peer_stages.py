"""The stages as one writes them in Python with OpenCV and numpy, on one thread."""
import ctypes
import math
import pathlib
import random
import time

import cv2
import numpy

TEMPLATE = numpy.float32([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
                          (70.7299, 92.2041)])
SHAPES = "/usr/share/dlib/shape_predictor_68_face_landmarks.dat"


def anchors():
    """[5972, 4] of centre x, y, width, height."""
    rows = []
    for cells, sizes in zip((33, 17, 9, 5, 3), ((.04, .056), (.08, .11), (.16, .22), (.32, .45), (.64, .72))):
        shapes = [(sizes[0], sizes[0]), (sizes[1], sizes[1])]
        shapes += [(sizes[0] * math.sqrt(ratio), sizes[0] / math.sqrt(ratio)) for ratio in (0.62, 0.42)]
        for row in range(cells):
            for column in range(cells):
                rows += [((column + .5) / cells, (row + .5) / cells, w, h) for w, h in shapes]
    return numpy.float32(rows)


class Detector:
    def __init__(self, models):
        self.net = cv2.dnn.readNet(f"{models}/face_mask_detection.caffemodel", f"{models}/face_mask_detection.prototxt")
        self.anchors = anchors()

    def run(self, rgb):
        """The face nearest to the middle as left, top, right, bottom in px, or None."""
        height, width = rgb.shape[:2]
        self.net.setInput(cv2.dnn.blobFromImage(rgb, 1 / 255, (260, 260)))
        place, score = (out[0] for out in self.net.forward(["loc_branch_concat", "cls_branch_concat"]))
        best = score.max(1)
        keep = best > 0.5
        if not keep.any():
            return None
        a, place = self.anchors[keep], place[keep]
        centre = a[:, :2] + place[:, :2] * 0.1 * a[:, 2:]
        size = a[:, 2:] * numpy.exp(place[:, 2:] * 0.2)
        boxes = numpy.hstack([centre - size / 2, centre + size / 2]) * (width, height, width, height)
        rows = cv2.dnn.NMSBoxes([(x, y, r - x, b - y) for x, y, r, b in boxes], best[keep].tolist(), 0.5, 0.4)
        return min((boxes[i] for i in numpy.array(rows).flatten()),
                   key=lambda box: math.hypot((box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2))


class Landmarks:
    def __init__(self, path):
        self.dlib = ctypes.CDLL(path)
        self.dlib.predictor_open.restype = ctypes.c_void_p
        self.shape = ctypes.c_void_p(self.dlib.predictor_open(SHAPES.encode()))

    def run(self, rgb, box):
        """[68, 2] px; the box is made square, 0.9 of the longer side, and moved down a little."""
        left, top, right, bottom = box
        side = 0.9 * max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2 + 0.05 * (bottom - top)
        square = numpy.int32([x - side / 2, y - side / 2, x + side / 2, y + side / 2])
        points = numpy.empty((68, 2), numpy.float32)
        rgb = numpy.ascontiguousarray(rgb)
        self.dlib.predictor_run(self.shape, rgb.ctypes.data_as(ctypes.c_void_p), rgb.shape[0], rgb.shape[1],
                                   square.ctypes.data_as(ctypes.c_void_p), points.ctypes.data_as(ctypes.c_void_p))
        return points


class Embedder:
    def __init__(self, models):
        self.net = cv2.dnn.readNet(f"{models}/mobilefacenet_y1_112x112.onnx")

    def run(self, rgb, points):
        five = numpy.float32([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
        turn, _ = cv2.estimateAffinePartial2D(five, TEMPLATE, method=cv2.LMEDS)
        face = cv2.warpAffine(rgb, turn, (112, 112))
        self.net.setInput(cv2.dnn.blobFromImage(face, 0.0078125, (112, 112), (127.5, 127.5, 127.5)))
        vector = self.net.forward()[0]
        return vector / numpy.linalg.norm(vector)


def mean_distances(vectors):
    """To the other pictures of one person."""
    if len(vectors) < 2:
        return numpy.zeros(len(vectors))
    stacked = numpy.stack(vectors)
    return numpy.linalg.norm(stacked[:, None] - stacked[None], axis=2).sum(1) / (len(vectors) - 1)


def templates(folder):
    return [cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
            for path in sorted(pathlib.Path(folder).glob("*.png"))]


def paste(image, template, left, top):
    """Lays RGBA over RGB, clipped to the picture."""
    x, y = max(left, 0), max(top, 0)
    right, bottom = min(left + template.shape[1], image.shape[1]), min(top + template.shape[0], image.shape[0])
    if right <= x or bottom <= y:
        return image
    part = template[y - top:bottom - top, x - left:right - left]
    alpha = part[..., 3:].astype(numpy.float32) / 255
    under = image[y:bottom, x:right]
    image[y:bottom, x:right] = (alpha * part[..., :3] + (1 - alpha) * under).astype(numpy.uint8)
    return image


class Worn:
    def __init__(self, folder):
        self.masks, self.glasses = templates(f"{folder}/masks"), templates(f"{folder}/glasses")

    def mask(self, image, points):
        (left, top), (right, bottom) = points[48:].min(0), points[48:].max(0)
        width, height = right - left, bottom - top
        left, right, top, bottom = left - width / 3, right + width / 3, top - height / 3, bottom + height / 3
        size = max(int(right - left), 1), max(int(bottom - top), 1)
        return paste(image, cv2.resize(random.choice(self.masks), size), int(left), int(top))

    def wear_glasses(self, image, points):
        left, right = points[36:42].mean(0), points[42:48].mean(0)
        middle, across = (left + right) / 2, right - left
        template = random.choice(self.glasses)
        scale = 2.2 * numpy.linalg.norm(across) / template.shape[1]
        turn = cv2.getRotationMatrix2D((template.shape[1] / 2, template.shape[0] / 2),
                                       -math.degrees(math.atan2(across[1], across[0])), scale)
        turn[:, 2] += middle - (template.shape[1] / 2, template.shape[0] / 2)
        return paste(image, cv2.warpAffine(template, turn, image.shape[1::-1]), 0, 0)


def augment(image):
    size = image.shape[0]
    large = int(round(size * 1.15))
    x, y = random.randint(0, large - size), random.randint(0, large - size)
    image = cv2.resize(image, (large, large))[y:y + size, x:x + size]
    image = cv2.convertScaleAbs(image, alpha=random.uniform(0.7, 1.3))
    kernel = random.choice((1, 3, 5))
    image = cv2.GaussianBlur(image, (kernel, kernel), 0)
    if random.random() < 0.5:
        image = cv2.flip(image, 1)
    centre = ((size - 1) / 2, (size - 1) / 2)
    return cv2.warpAffine(image, cv2.getRotationMatrix2D(centre, random.uniform(-60, 60), 1), (size, size))


def masked6(worn, image, points):
    """Original; augmented; mask twice; glasses; glasses under a mask."""
    glasses = worn.wear_glasses(image.copy(), points)
    yield image
    yield augment(image)
    yield augment(worn.mask(image.copy(), points))
    yield augment(worn.mask(image.copy(), points))
    yield augment(glasses)
    yield augment(worn.mask(glasses.copy(), points))


class Clock:
    """Seconds by stage."""

    def __init__(self):
        self.seconds = {}

    def call(self, stage, function, *given):
        begin = time.perf_counter()
        result = function(*given)
        self.seconds[stage] = self.seconds.get(stage, 0) + time.perf_counter() - begin
        return result
