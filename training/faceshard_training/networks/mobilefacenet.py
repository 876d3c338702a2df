"""MobileFaceNet (Chen, Liu, Gao, Han 2018, table 1): inverted residuals of depthwise convolutions with PReLU, and a depthwise
convolution over all places that are left instead of an average. `width` multiplies all channels but the embedding's."""
import torch
from torch import nn

BLOCKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))  # expansion, channels, how many, first stride


def convolution(inputs, outputs, kernel=1, stride=1, padding=0, groups=1):
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(outputs)]


def active(inputs, outputs, *more, **named):
    return [*convolution(inputs, outputs, *more, **named), nn.PReLU(outputs)]


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(*active(inputs, wide), *active(wide, wide, 3, stride, 1, groups=wide), *convolution(wide, outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def bottlenecks(channels, scaled):
    layers = []
    for expansion, outputs, n, first_stride in BLOCKS:
        for i in range(n):
            layers.append(Bottleneck(channels, scaled(outputs), first_stride if i == 0 else 1, expansion))
            channels = scaled(outputs)
    return layers


class MobileFaceNet(nn.Module):
    SMALLEST = 16

    def __init__(self, dimension=128, size=112, width=1.0, dropout=0.0):
        super().__init__()

        def scaled(channels):
            return max(8, round(channels * width / 8) * 8)

        first, channels, last, left = scaled(64), scaled(128), scaled(512), -(-size // 16)
        self.features = nn.Sequential(
            *active(3, first, 3, 2, 1), *active(first, first, 3, 1, 1, groups=first), *bottlenecks(first, scaled),
            *active(channels, last), *convolution(last, last, left, groups=last))
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(last, dimension, bias=False)
        self.norm = nn.BatchNorm1d(dimension)

    def forward(self, x):
        return self.norm(self.embed(self.dropout(torch.flatten(self.features(x), 1))))
