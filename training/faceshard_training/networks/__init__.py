"""One file a network; NETWORKS names them. Each takes (dimension) and maps [N,3,H,W] to [N,dimension]."""
from faceshard_training.networks.inception_resnet_v1 import InceptionResnetV1

NETWORKS = {"inception_resnet_v1": InceptionResnetV1}
