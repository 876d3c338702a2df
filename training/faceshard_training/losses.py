"""What is made small. A loss is a module: loss(embeddings [N, D], labels [N], targets [N, T] or None) gives one number; what
it learns besides the network (a classifier, say) are its parameters. LOSSES names those that `loss.kind` may be."""
import math

import torch
from torch import nn
from torch.nn import functional


class Softmax(nn.Module):
    """Cross-entropy over all classes."""

    def __init__(self, dimension, classes, _settings):
        super().__init__()
        self.classify = nn.Linear(dimension, classes)

    def forward(self, embeddings, labels, _targets):
        return functional.cross_entropy(self.classify(embeddings), labels)


class ArcFace(nn.Module):
    """Cross-entropy over cosines, where the right class's angle is made `margin` wider (Deng, Guo, Xue, Zafeiriou 2019). Where
    the angle would pass 180 degrees the cosine goes on falling in a straight line, as the authors' code has it."""

    def __init__(self, dimension, classes, settings):
        super().__init__()
        self.centres = nn.Parameter(torch.empty(classes, dimension))
        nn.init.xavier_normal_(self.centres)
        self.scale, self.margin = settings.scale, settings.margin

    def forward(self, embeddings, labels, _targets):
        cosines = functional.linear(functional.normalize(embeddings), functional.normalize(self.centres))
        right = cosines.gather(1, labels[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
        wider = torch.cos(torch.acos(right) + self.margin)
        beyond = right - self.margin * math.sin(self.margin)
        wider = torch.where(right > -math.cos(self.margin), wider, beyond)
        return functional.cross_entropy(self.scale * cosines.scatter(1, labels[:, None], wider), labels)


def squared_distances(embeddings):
    return (2 - 2 * embeddings @ embeddings.T).clamp(min=0)


class Triplet(nn.Module):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) over all pairs of one person in the batch. The negative is the
    nearest of those that are farther than the positive; where there is none, the farthest (Schroff, Kalenichenko, Philbin 2015)."""

    def __init__(self, _dimension, _classes, settings):
        super().__init__()
        self.margin = settings.margin

    def forward(self, embeddings, labels, _targets):
        distances = squared_distances(functional.normalize(embeddings))
        same = labels[:, None] == labels[None]
        others = distances.masked_fill(same, math.inf)
        farther = others[:, None, :].masked_fill(others[:, None, :] <= distances[:, :, None], math.inf).amin(2)
        farthest = distances.masked_fill(same, -math.inf).amax(1, keepdim=True)
        negative = torch.where(farther.isinf(), farthest, farther)
        pairs = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device) & ~negative.isinf()
        return functional.relu(distances - negative + self.margin)[pairs].sum() / pairs.sum().clamp(min=1)


class Distil(nn.Module):
    """Nearness to a teacher's embedding of the same photograph before masks and augmentation. `cosine` is 1 - cos; `l2` the Euclidean
    distance of both at length 1. Where the lengths of the vectors differ, a linear layer leads from one to the other.
    With `classify` over 0 so much of a cross-entropy over all classes is added."""

    def __init__(self, dimension, classes, settings, target_dimension):
        super().__init__()
        self.lead = nn.Linear(dimension, target_dimension, bias=False) if dimension != target_dimension else nn.Identity()
        self.distance, self.classify = settings.distance, settings.classify
        self.classes = ArcFace(dimension, classes, settings) if settings.classify else None

    def forward(self, embeddings, labels, targets):
        cosines = functional.cosine_similarity(self.lead(embeddings), targets)
        away = 1 - cosines if self.distance == "cosine" else torch.sqrt((2 - 2 * cosines).clamp(min=1e-12))
        loss = away.mean()
        return loss + self.classify * self.classes(embeddings, labels, None) if self.classify else loss


LOSSES = {"softmax": Softmax, "arcface": ArcFace, "triplet": Triplet, "distil": Distil}


def build(settings, dimension, classes, target_dimension=None):
    if settings.kind == "distil":
        return Distil(dimension, classes, settings, target_dimension)
    return LOSSES[settings.kind](dimension, classes, settings)
