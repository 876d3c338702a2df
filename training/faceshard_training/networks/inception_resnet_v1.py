"""Inception-ResNet-v1 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, figures 10-14) as face recognition uses it: convolutions
without bias under batch norm (epsilon 1e-3), residuals scaled by 0.17, 0.10 and 0.20, and a linear embedding under a batch
norm in place of the classifier. 80 px is the smallest input."""
import torch
from torch import nn


class Convolution(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
                         nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.1), nn.ReLU())


class Branches(nn.Module):
    """Runs every branch on the same input and puts their channels one behind the other."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Residual(nn.Module):
    """relu(x + scale * (what 1 x 1 convolutions make of the branches))"""

    def __init__(self, channels, mixed, scale, branches, relu=True):
        super().__init__()
        self.branches = Branches(*branches)
        self.up = nn.Conv2d(mixed, channels, 1)
        self.scale = scale
        self.relu = relu

    def forward(self, x):
        x = x + self.scale * self.up(self.branches(x))
        return torch.relu(x) if self.relu else x


def block35():
    return Residual(256, 96, 0.17, (
        Convolution(256, 32, 1),
        nn.Sequential(Convolution(256, 32, 1), Convolution(32, 32, 3, padding=1)),
        nn.Sequential(Convolution(256, 32, 1), Convolution(32, 32, 3, padding=1), Convolution(32, 32, 3, padding=1))))


def block17():
    return Residual(896, 256, 0.10, (
        Convolution(896, 128, 1),
        nn.Sequential(Convolution(896, 128, 1), Convolution(128, 128, (1, 7), padding=(0, 3)),
                      Convolution(128, 128, (7, 1), padding=(3, 0)))))


def block8(scale=0.20, relu=True):
    return Residual(1792, 384, scale, (
        Convolution(1792, 192, 1),
        nn.Sequential(Convolution(1792, 192, 1), Convolution(192, 192, (1, 3), padding=(0, 1)),
                      Convolution(192, 192, (3, 1), padding=(1, 0)))), relu)


def stem():
    return nn.Sequential(
        Convolution(3, 32, 3, 2), Convolution(32, 32, 3), Convolution(32, 64, 3, padding=1), nn.MaxPool2d(3, 2),
        Convolution(64, 80, 1), Convolution(80, 192, 3), Convolution(192, 256, 3, 2))


def reduction_a():
    return Branches(
        Convolution(256, 384, 3, 2),
        nn.Sequential(Convolution(256, 192, 1), Convolution(192, 192, 3, padding=1), Convolution(192, 256, 3, 2)),
        nn.MaxPool2d(3, 2))


def reduction_b():
    return Branches(
        nn.Sequential(Convolution(896, 256, 1), Convolution(256, 384, 3, 2)),
        nn.Sequential(Convolution(896, 256, 1), Convolution(256, 256, 3, 2)),
        nn.Sequential(Convolution(896, 256, 1), Convolution(256, 256, 3, padding=1), Convolution(256, 256, 3, 2)),
        nn.MaxPool2d(3, 2))


class InceptionResnetV1(nn.Module):
    SMALLEST = 80
    COUNTS = (5, 10, 5)

    def __init__(self, dimension=128, size=112, width=1.0, dropout=0.6):
        super().__init__()
        if width != 1:
            raise ValueError("inception_resnet_v1 has one width: 1")
        a, b, c = self.COUNTS
        self.features = nn.Sequential(
            stem(), *[block35() for _ in range(a)], reduction_a(), *[block17() for _ in range(b)], reduction_b(),
            *[block8() for _ in range(c)], block8(scale=1.0, relu=False))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(1792, dimension, bias=False)
        self.norm = nn.BatchNorm1d(dimension, eps=1e-3, momentum=0.1)

    def forward(self, x):
        return self.norm(self.embed(self.dropout(torch.flatten(self.pool(self.features(x)), 1))))


class InceptionResnetV1Reduction(InceptionResnetV1):
    """The same stem and both reductions, with one block of a kind instead of five, ten and six: for a few people and little time."""
    COUNTS = (1, 1, 0)
