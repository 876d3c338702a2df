"""Writes a network as ONNX (opset 9) and TorchScript, with the card that faceshard reads: PATH.onnx, PATH.pt and PATH.yaml.
The batch is dynamic; batch norms are folded into the layers before them."""
import copy
import hashlib
import inspect
import pathlib

import torch
import yaml
from torch import nn

from faceshard_training import networks

OPSET = 9  # from 11 on OpenCV 4.6 reads no ReLU6


def settle(network, size):
    """Gives the batch norms of random weights means and variances, so that numbers keep a sensible size. Slopes of PReLU that are
    all equal would become one constant in ONNX, which OpenCV 4.6 cannot read."""
    network.train()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.PReLU):
                layer.weight.uniform_(0.2, 0.3)
        for _ in range(8):
            network(torch.randn(4, 3, size, size))


def random_network(name, dimension, size, width, seed):
    """Good for measuring speed, good for nothing else."""
    torch.manual_seed(seed)
    network = networks.build(name, size, dimension=dimension, width=width)
    settle(network, size)
    return network.eval()


def fold(linear, norm):
    """The linear layer without bias and the batch norm behind it, as one linear layer."""
    folded = nn.Linear(linear.in_features, linear.out_features)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    with torch.no_grad():
        folded.weight.copy_(linear.weight * scale[:, None])
        folded.bias.copy_(norm.bias - norm.running_mean * scale)
    return folded


def ready(network):
    """A copy as it is used: on the CPU, in evaluation mode, the last batch norm folded."""
    network = copy.deepcopy(network).cpu().float().eval()
    if isinstance(network.norm, nn.BatchNorm1d):
        network.embed, network.norm = fold(network.embed, network.norm), nn.Identity()
    return network.to(memory_format=torch.contiguous_format).eval()


def write_networks(network, path, size):
    example = torch.randn(1, 3, size, size)
    older = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(network, example, f"{path}.onnx", opset_version=OPSET, input_names=["data"], output_names=["embedding"],
                      dynamic_axes={"data": {0: "n"}, "embedding": {0: "n"}}, **older)
    torch.jit.save(torch.jit.trace(network, example), f"{path}.pt")


def sum_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def card(network, path, size, about):
    """about: further keys, such as licence, source, accuracy, detector."""
    mean, scale = [list(value) if isinstance(value, tuple) else value for value in networks.input_of(network)]
    keys = {"name": path.name, "file": f"{path.name}.onnx", "sha256": sum_of(f"{path}.onnx"), **about, "task": "embed", "width": size,
            "height": size, "channels": "rgb", "mean": mean, "scale": scale, "input": "data", "outputs": "embedding",
            "dimension": network.embed.out_features, "present": "aligned"}
    return yaml.safe_dump(keys, sort_keys=False, default_flow_style=None, width=1000, allow_unicode=True)


def write(network, path, size, title, about):
    """title: the card's first line, a comment."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    network = ready(network)
    write_networks(network, path, size)
    script = f"# As TorchScript: {path.name}.pt, sha256 {sum_of(f'{path}.pt')}\n"
    path.with_name(f"{path.name}.yaml").write_text(f"# {title}\n{script}" + card(network, path, size, about))
