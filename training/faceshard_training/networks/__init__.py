"""One file a network; NETWORKS names them. Each takes (dimension, size, width, dropout) and maps [N,3,size,size] to [N,dimension];
its last two layers are `embed`, linear without bias, and `norm`, a batch norm, which an export makes one."""
from faceshard_training.networks.inception_resnet_v1 import InceptionResnetV1, InceptionResnetV1Reduction
from faceshard_training.networks.mobilefacenet import MobileFaceNet
from faceshard_training.networks.simple_resnet import SimpleResnet

NETWORKS = {"simple_resnet": SimpleResnet, "inception_resnet_v1": InceptionResnetV1,
            "inception_resnet_v1_reduction": InceptionResnetV1Reduction, "mobilefacenet": MobileFaceNet}


def build(name, size, **options):
    kind = NETWORKS[name]
    if size < kind.SMALLEST:
        raise ValueError(f"{name} takes pictures of {kind.SMALLEST} px and more, and these have {size}")
    return kind(size=size, **options)
