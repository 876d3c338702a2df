"""Mean 3-D face of the 68 landmarks, and how faces differ from it, out of landmarks of many photographs.

    faceshard run training/head/landmarks.yaml --input PHOTOGRAPHS --output out
    /usr/bin/python3 training/head/derive.py out/index.h5 shape.npz

Structure from motion of a deformable shape (Tomasi and Kanade, "Shape and motion from image streams under orthography",
IJCV 1992; Torresani, Hertzmann and Bregler, "Nonrigid structure-from-motion", PAMI 2008): each face is seen by scaled
orthography as R (mean + sum of modes) + shift. Faces are told apart by different people, turns and expressions; every
photograph is taken with its mirror image, so that mean and modes are symmetric. The jaw of the far side of a turned head is
the outline, another place of the cheek at every turn: there it has no weight.

Frame: x to the right of the picture, y down, z to the viewer, millimetres with eye centres 63 apart.
"""
import sys

import h5py
import numpy as np

MODES = 8
MIRROR = np.array([*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38,
                   37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65])


def read(path):
    """Landmarks, centred on the eyes' middle and about as large as a face of 63 mm between the eyes."""
    with h5py.File(path) as index:
        points, box = index["landmarks"][:].astype(np.float64), index["box"][:].astype(np.float64)
    points = (points + 0.5) * box[:, None, 2:]  # crops are stretched on to squares; photographs are not
    points = points[np.isfinite(points).all(axis=(1, 2))]
    mirrored = points[:, MIRROR] * [-1, 1]
    points = np.concatenate([points, mirrored])
    points -= points.mean(axis=1, keepdims=True)
    return points / np.sqrt((points ** 2).sum(axis=(1, 2)) / 68)[:, None, None] * 45


def first_shape(points):
    """Rank-3 factorisation of the inner points with the metric upgrade; the jaw comes later."""
    inner = np.arange(17, 68)
    x = points[:, inner] - points[:, inner].mean(axis=1, keepdims=True)
    tall = np.concatenate([x[:, :, 0], x[:, :, 1]])
    u, s, v = np.linalg.svd(tall, full_matrices=False)
    motion, shape = u[:, :3] * s[:3], v[:3]
    n = len(points)
    rows, right = [], []

    def products(a, b):
        return np.stack([a[:, 0] * b[:, 0], a[:, 0] * b[:, 1] + a[:, 1] * b[:, 0], a[:, 0] * b[:, 2] + a[:, 2] * b[:, 0],
                         a[:, 1] * b[:, 1], a[:, 1] * b[:, 2] + a[:, 2] * b[:, 1], a[:, 2] * b[:, 2]], axis=1)

    i, j = motion[:n], motion[n:]
    rows = np.concatenate([products(i, i) - products(j, j), products(i, j), products(i, i).sum(axis=0)[None] / n])
    right = np.zeros(len(rows))
    right[-1] = 1
    rows[-1] *= n
    right[-1] *= n
    q = np.linalg.lstsq(rows, right, rcond=None)[0]
    q = np.array([[q[0], q[1], q[2]], [q[1], q[3], q[4]], [q[2], q[4], q[5]]])
    values, vectors = np.linalg.eigh(q)
    root = vectors * np.sqrt(np.maximum(values, 1e-6 * values.max()))
    return np.linalg.solve(root, shape).T, inner


def orient(shape):
    """Turns a shape of inner points so that x is across, y down, z forward, eyes 63 apart; midline at x = 0."""
    index = {p: k for k, p in enumerate(range(17, 68))}
    eye = [shape[[index[p] for p in range(a, a + 6)]].mean(axis=0) for a in (36, 42)]
    mouth = shape[[index[48], index[54]]].mean(axis=0)
    across = (eye[1] - eye[0]) / np.linalg.norm(eye[1] - eye[0])
    down = mouth - (eye[0] + eye[1]) / 2
    down -= across * (down @ across)
    down /= np.linalg.norm(down)
    forward = np.cross(across, down)
    turned = (shape - (eye[0] + eye[1]) / 2) @ np.stack([across, down, forward], axis=1)
    if turned[index[30], 2] < turned[index[27], 2]:
        turned[:, 2] *= -1
    return turned * 63 / np.linalg.norm(eye[1] - eye[0])


def poses(points, shapes, weights):
    """Scaled rotation (n, 2, 3) and shift of each face, by least squares and the nearest scaled rotation."""
    w = weights / weights.sum(axis=1, keepdims=True)
    pm, sm = np.einsum("np,npc->nc", w, points), np.einsum("np,npc->nc", w, shapes)
    p, s = points - pm[:, None], shapes - sm[:, None]
    a = np.einsum("np,npi,npj->nij", w, p, s)
    b = np.einsum("np,npi,npj->nij", w, s, s)
    m = a @ np.linalg.inv(b)
    u, d, v = np.linalg.svd(m, full_matrices=False)
    scale = d.mean(axis=1)
    rotation = u @ v
    for _ in range(6):  # Gauss-Newton: the rotation nearest to m is only a start
        third = np.cross(rotation[:, 0], rotation[:, 1])
        full = np.concatenate([rotation, third[:, None]], axis=1)
        turned = np.einsum("nij,npj->npi", full, s)
        seen = scale[:, None, None] * turned[:, :, :2]
        rest = p - seen
        jac = np.zeros((*p.shape, 4))
        k = scale[:, None]
        jac[:, :, 1, 0] = -k * turned[:, :, 2]
        jac[:, :, 0, 1] = k * turned[:, :, 2]
        jac[:, :, 0, 2], jac[:, :, 1, 2] = -k * turned[:, :, 1], k * turned[:, :, 0]
        jac[:, :, :, 3] = turned[:, :, :2]
        normal = np.einsum("np,npci,npcj->nij", w, jac, jac) + 1e-9 * np.eye(4)
        step = np.linalg.solve(normal, np.einsum("np,npci,npc->ni", w, jac, rest)[..., None])[..., 0]
        step[:, :3] = np.clip(step[:, :3], -0.3, 0.3)
        full = small_turn(step[:, :3]) @ full
        rotation, scale = full[:, :2], scale + step[:, 3]
    shift = pm - scale[:, None] * np.einsum("nij,nj->ni", rotation, sm)
    return scale, rotation, shift


def small_turn(r):
    angle = np.linalg.norm(r, axis=1)[:, None, None] + 1e-12
    k = np.zeros((len(r), 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -r[:, 2], r[:, 1], -r[:, 0]
    k -= k.transpose(0, 2, 1)
    return np.eye(3) + np.sin(angle) / angle * k + (1 - np.cos(angle)) / angle ** 2 * (k @ k)


def yaw_of(rotation):
    third = np.cross(rotation[:, 0], rotation[:, 1])
    return np.arctan2(-third[:, 0], third[:, 2])


def weigh(yaw):
    """Outline points of the side that is turned away slide: without weight from a turn of 12 degrees on."""
    w = np.ones((len(yaw), 68))
    far = np.clip((np.degrees(np.abs(yaw)) - 4) / 8, 0, 1)[:, None]
    right = (yaw > 0)[:, None]
    w[:, 0:7] *= 0.3 * np.where(right, 1, 1 - far)
    w[:, 10:17] *= 0.3 * np.where(right, 1 - far, 1)
    w[:, 7:10] *= 0.5
    return w


def symmetric(shape):
    return (shape + shape[..., MIRROR, :] * [-1, 1, 1]) / 2


def update_coefficients(points, mean, modes, spread, noise, pose, weights):
    scale, rotation, shift = pose
    seen = np.einsum("n,nij,kpj->nkpi", scale, rotation, modes)
    rest = points - shift[:, None] - np.einsum("n,nij,pj->npi", scale, rotation, mean)
    normal = np.einsum("np,nkpi,nlpi->nkl", weights, seen, seen) / noise + np.eye(len(modes)) / spread[:, None] ** 2
    right = np.einsum("np,nkpi,npi->nk", weights, seen, rest) / noise
    return np.linalg.solve(normal, right[..., None])[..., 0], np.linalg.inv(normal)


def update_shapes(points, coefficients, spreads, pose, weights, depth_prior, old):
    """Mean and modes by least squares, point by point; a weak pull to the old values keeps depths that no turn shows."""
    scale, rotation, shift = pose
    n, k = coefficients.shape
    c = np.concatenate([np.ones((n, 1)), coefficients], axis=1)
    cc = np.einsum("nk,nl->nkl", c, c)
    cc[:, 1:, 1:] += spreads
    rr = np.einsum("n,nij,nik->njk", scale ** 2, rotation, rotation)
    target = points - shift[:, None]
    made = np.empty((k + 1, 68, 3))
    for p in range(68):
        normal = np.einsum("n,nkl,nij->kilj", weights[:, p], cc, rr).reshape(3 * (k + 1), -1)
        right = np.einsum("n,nk,n,nji,nj->ki", weights[:, p], c, scale, rotation, target[:, p]).ravel()
        normal += depth_prior * np.eye(len(normal))
        right += depth_prior * old[:, p].ravel()
        made[:, p] = np.linalg.solve(normal, right).reshape(k + 1, 3)
    return made[0], made[1:]


def first_modes(points, mean, pose, weights):
    """Principal directions of what the mean face leaves, laid back into the head's frame without depth."""
    scale, rotation, shift = pose
    rest = points - shift[:, None] - np.einsum("n,nij,pj->npi", scale, rotation, mean)
    laid = np.einsum("n,nij,npi->npj", 1 / scale, rotation, rest * weights[:, :, None])
    laid = symmetric(laid).reshape(len(points), -1)
    s, v = np.linalg.svd(laid, full_matrices=False)[1:]
    return (s[:MODES, None] / np.sqrt(len(points)) * v[:MODES]).reshape(MODES, 68, 3)


def derive(points, mean_rounds=6, rounds=12):
    start, inner = first_shape(points)
    mean = np.zeros((68, 3))
    mean[inner] = orient(start)
    arc = np.pi * np.arange(17) / 16
    mean[:17] = np.stack([-72 * np.cos(arc), 5 + 105 * np.sin(arc), -70 + 70 * np.sin(arc)], axis=1)
    mean, modes = symmetric(mean), np.zeros((0, 68, 3))
    coefficients, spreads = np.zeros((len(points), 0)), np.zeros((len(points), 0, 0))
    weights = np.ones((len(points), 68))
    weights[:, :17] = 0
    for turn in range(rounds):
        shapes = mean + np.einsum("nk,kpj->npj", coefficients, modes)
        pose = poses(points, shapes, weights)
        weights = weigh(yaw_of(pose[1]))
        if turn == mean_rounds:
            modes = first_modes(points, mean, pose, weights)
        if turn >= mean_rounds:
            coefficients, spreads = update_coefficients(points, mean, modes, np.ones(MODES), noise, pose, weights)
        old = np.concatenate([mean[None], modes])
        mean, modes = update_shapes(points, coefficients, spreads, pose, weights, 5.0, old)
        mean, modes = symmetric(mean), symmetric(modes)
        if turn >= mean_rounds:
            mean, modes, coefficients, spreads = tidy(mean, modes, coefficients, spreads)
        shapes = mean + np.einsum("nk,kpj->npj", coefficients, modes)
        seen = np.einsum("n,nij,npj->npi", pose[0], pose[1], shapes) + pose[2][:, None]
        square = (weights * ((points - seen) ** 2).sum(axis=2)).sum(axis=1) / weights.sum(axis=1)
        if turn == mean_rounds + 4:  # landmarks that are none
            good = np.sqrt(square) / pose[0] < 4.5
            points, coefficients, spreads, weights = points[good], coefficients[good], spreads[good], weights[good]
            pose, square = tuple(part[good] for part in pose), square[good]
        noise = np.mean(square) / 2
        print(turn, "rms mm", round(float(np.sqrt(2 * noise) / pose[0].mean()), 3), "nose", mean[30].round(1), "jaw", mean[0].round(1),
              "modes", (np.linalg.norm(modes, axis=(1, 2)) / np.sqrt(68)).round(2), flush=True)
    return (*upright(mean, modes, pose), coefficients)


def tidy(mean, modes, coefficients, spreads):
    """Modes at a right angle with coefficients of spread 1; no mode turns, shifts or scales the head; mean eyes 63 apart."""
    centred = coefficients.mean(axis=0)
    mean, coefficients = mean + np.einsum("k,kpj->pj", centred, modes), coefficients - centred
    k = len(modes)
    flat = modes.reshape(k, -1)
    rigid = [np.tile(axis, (68, 1)).ravel() for axis in np.eye(3)]
    rigid += [np.cross(axis, mean).ravel() for axis in np.eye(3)] + [mean.ravel()]
    q = np.linalg.qr(np.array(rigid).T)[0]
    flat = flat - flat @ q @ q.T
    cov = coefficients.T @ coefficients / len(coefficients) + spreads.mean(axis=0)
    u, s, v = np.linalg.svd(np.linalg.cholesky(cov + 1e-9 * np.eye(k)).T @ flat, full_matrices=False)
    new = s[:, None] * v
    change = np.linalg.lstsq(new.T, flat.T, rcond=None)[0]  # flat = change.T @ new
    coefficients = coefficients @ change.T
    spreads = np.einsum("ik,nkl,jl->nij", change, spreads, change)
    eyes = [mean[a:a + 6].mean(axis=0) for a in (36, 42)]
    size = 63 / np.linalg.norm(eyes[1] - eyes[0])
    mean = (mean - (eyes[0] + eyes[1]) / 2) * size
    return mean, new.reshape(modes.shape) * size, coefficients, spreads


def upright(mean, modes, pose):
    """Pitch 0 is how the middle one of all photographs looks at us."""
    third = np.cross(pose[1][:, 0], pose[1][:, 1])
    pitch = np.median(np.arctan2(pose[1][:, 1, 2], third[:, 2]))
    turn = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    return mean @ turn.T, modes @ turn.T, (pose[0], pose[1] @ turn.T, pose[2])


if __name__ == "__main__":
    found = derive(read(sys.argv[1])[::3])
    np.savez(sys.argv[2], mean=found[0], modes=found[1], scale=found[2][0], rotation=found[2][1], coefficients=found[3])
