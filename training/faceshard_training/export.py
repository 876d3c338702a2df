"""Writes a network as ONNX (opset 11) and TorchScript, with the card that faceshard reads.

    /usr/bin/python3 -m faceshard_training.export NETWORK --output PATH [--weights FILE] [--dimension 128] [--size 112]

leaves PATH.onnx, PATH.pt and PATH.yaml. The batch is dynamic; batch norms are folded into the layers before them."""
import argparse
import hashlib
import pathlib

import torch
from torch import nn

from faceshard_training.networks import NETWORKS

CARD = """# {network}, {size} x {size} px, {dimension} numbers; {weights}.
name: {name}
file: {name}.onnx
sha256: {sha256}
task: embed
width: {size}
height: {size}
channels: rgb
mean: 127.5
scale: 0.0078125
input: data
outputs: embedding
dimension: {dimension}
present: aligned
"""


def settle(network, size):
    """Gives the batch norms of random weights means and variances, so that numbers keep a sensible size."""
    network.train()
    with torch.no_grad():
        for _ in range(8):
            network(torch.randn(16, 3, size, size))


def fold(linear, norm):
    """The linear layer without bias and the batch norm behind it, as one linear layer."""
    folded = nn.Linear(linear.in_features, linear.out_features)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    with torch.no_grad():
        folded.weight.copy_(linear.weight * scale[:, None])
        folded.bias.copy_(norm.bias - norm.running_mean * scale)
    return folded


def ready(network):
    """The network as it is used: in evaluation mode, the last batch norm folded."""
    network.eval()
    network.embed, network.norm = fold(network.embed, network.norm), nn.Identity()
    return network.eval()


def build(name, dimension, size, weights, seed):
    torch.manual_seed(seed)
    network = NETWORKS[name](dimension)
    if weights:
        network.load_state_dict(torch.load(weights, map_location="cpu"))
    else:
        settle(network, size)
    return ready(network)


def write(network, path, size):
    example = torch.randn(1, 3, size, size)
    torch.onnx.export(network, example, f"{path}.onnx", opset_version=11, input_names=["data"],
                      output_names=["embedding"], dynamic_axes={"data": {0: "n"}, "embedding": {0: "n"}})
    torch.jit.save(torch.jit.trace(network, example), f"{path}.pt")


def write_card(path, given):
    sha256 = hashlib.sha256(pathlib.Path(f"{path}.onnx").read_bytes()).hexdigest()
    text = CARD.format(network=given.network, size=given.size, dimension=given.dimension, name=path.name, sha256=sha256,
                       weights=f"weights from {given.weights.name}" if given.weights else f"random weights of seed {given.seed}")
    pathlib.Path(f"{path}.yaml").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="PATH", help="without an ending")
    parser.add_argument("--weights", type=pathlib.Path, metavar="FILE", help="a state_dict; without it weights are random")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--size", type=int, default=112, help="px")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    network = build(given.network, given.dimension, given.size, given.weights, given.seed)
    write(network, given.output, given.size)
    write_card(given.output, given)


if __name__ == "__main__":
    main()
