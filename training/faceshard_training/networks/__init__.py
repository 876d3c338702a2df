"""One file a network; NETWORKS names them. Each takes (dimension, size, width, dropout) and maps [N,3,size,size] to [N,dimension];
its last two layers are `embed`, linear, and `norm`, a batch norm or nothing, which an export makes one. What of a picture it takes is in
MEAN and SCALE, (x - MEAN) * SCALE, numbers or one a channel, where it is not what INPUT says."""
from faceshard_training.networks.inception_resnet_v1 import InceptionResnetV1, InceptionResnetV1Reduction
from faceshard_training.networks.mobilefacenet import MobileFaceNet
from faceshard_training.networks.mobilefacenet_relu6 import MobileFaceNetRelu6
from faceshard_training.networks.simple_resnet import SimpleResnet

NETWORKS = {"simple_resnet": SimpleResnet, "inception_resnet_v1": InceptionResnetV1,
            "inception_resnet_v1_reduction": InceptionResnetV1Reduction, "mobilefacenet": MobileFaceNet, "mobilefacenet_relu6": MobileFaceNetRelu6}
INPUT = (127.5, 0.0078125)


def build(name, size, **options):
    kind = NETWORKS[name]
    if size < kind.SMALLEST:
        raise ValueError(f"{name} takes pictures of {kind.SMALLEST} px and more, and these have {size}")
    return kind(size=size, **options)


def input_of(network):
    """(mean, scale) of the pictures that it takes."""
    return getattr(network, "MEAN", INPUT[0]), getattr(network, "SCALE", INPUT[1])
