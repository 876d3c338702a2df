"""MobileFaceNet as github.com/foamliu/MobileFaceNet has it: ReLU6 for PReLU, a separable second layer, and the pictures of ImageNet. It
has biases where others have batch norms, which that network's are folded into: for going on from its weights (`start`) at a small rate."""
import torch
from torch import nn

from faceshard_training.networks.mobilefacenet import BLOCKS


def convolution(inputs, outputs, kernel=1, stride=1, padding=0, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups)


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(convolution(inputs, wide), nn.ReLU6(), convolution(wide, wide, 3, stride, 1, wide), nn.ReLU6(),
                                  convolution(wide, outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def bottlenecks(channels):
    for expansion, outputs, n, first_stride in BLOCKS:
        for i in range(n):
            yield Bottleneck(channels, outputs, first_stride if i == 0 else 1, expansion)
            channels = outputs


class MobileFaceNetRelu6(nn.Module):
    SMALLEST = 16
    MEAN, SCALE = (123.675, 116.28, 103.53), (0.01712475, 0.017507, 0.01742919)

    def __init__(self, dimension=128, size=112, width=1.0, dropout=0.0):
        super().__init__()
        if width != 1:
            raise ValueError("mobilefacenet_relu6 has one width: 1")
        self.features = nn.Sequential(
            convolution(3, 64, 3, 2, 1), nn.ReLU6(), convolution(64, 64, 3, 1, 1, 64), nn.ReLU(), convolution(64, 64), nn.ReLU(),
            *bottlenecks(64), convolution(128, 512), nn.ReLU6(), convolution(512, 512, -(-size // 16), groups=512))
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(512, dimension)
        self.norm = nn.Identity()

    def forward(self, x):
        return self.norm(self.embed(self.dropout(torch.flatten(self.features(x), 1))))
