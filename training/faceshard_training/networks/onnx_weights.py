"""Weights of an ONNX file of somebody else's, for a network of the same layers."""
import torch


def layers(path):
    """[(weight, bias), ...] of all convolutions and linear layers, in the order of the graph. Batch norms must be folded into them."""
    try:
        import cv2
    except ImportError:
        raise ValueError(f"{path}: to read ONNX takes OpenCV: install python3-opencv, or opencv-python-headless from PyPI") from None
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise ValueError(f"{path}: OpenCV cannot read it ({error.err})") from None
    found = [net.getLayer(net.getLayerId(name)) for name in net.getLayerNames()]
    return [[torch.from_numpy(blob) for blob in layer.blobs] for layer in found if layer.type in ("Convolution", "InnerProduct")]


def put(network, path):
    """Into a network whose layers with weights are the same ones in the same order; one that is not is left as it is and refused."""
    given = [blob for layer in layers(path) for blob in layer]
    wanted = list(network.named_parameters())
    if len(given) != len(wanted):
        raise ValueError(f"{path}: has {len(given)} arrays of weights and biases, and the network {len(wanted)}: another network is needed")
    for blob, (name, parameter) in zip(given, wanted):
        if blob.numel() != parameter.numel() or blob.shape[0] not in (1, parameter.shape[0]):
            raise ValueError(f"{path}: {list(blob.shape)} stands where the network has {name}, {list(parameter.shape)}: another network is needed")
    with torch.no_grad():
        for blob, (_, parameter) in zip(given, wanted):
            parameter.copy_(blob.reshape(parameter.shape))
