"""A small residual network: four blocks of two 3 x 3 convolutions with a convolved shortcut, 16-32-48-64 filters, 2 x 2 pooling after
each, and a linear embedding. `size` is the side of its pictures: the embedding sees every place of the last block."""
import torch
from torch import nn

FILTERS = (16, 32, 48, 64)


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        return self.pool(torch.relu(self.body(x) + self.shortcut(x)))


class SimpleResnet(nn.Module):
    SMALLEST = 16

    def __init__(self, dimension=128, size=112, width=1.0, dropout=0.0):
        super().__init__()
        filters = [3] + [max(4, round(n * width)) for n in FILTERS]
        self.features = nn.Sequential(*[Block(a, b) for a, b in zip(filters, filters[1:])])
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(filters[-1] * (size // 16) ** 2, dimension, bias=False)
        self.norm = nn.BatchNorm1d(dimension)

    def forward(self, x):
        return self.norm(self.embed(self.dropout(torch.flatten(self.features(x), 1))))
