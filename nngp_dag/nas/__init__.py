"""Architecture search: networks of search spaces, scores of untrained networks, and searches with the DAG filter."""

from nngp_dag.nas.images import Images as Images
from nngp_dag.nas.images import load_images as load_images
from nngp_dag.nas.networks.registry import space_networks as space_networks
from nngp_dag.nas.networks.registry import spaces_with_networks as spaces_with_networks
from nngp_dag.nas.networks.space_networks import SpaceNetworks as SpaceNetworks
from nngp_dag.nas.scores.registry import make_score as make_score

__all__ = ["Images", "SpaceNetworks", "load_images", "make_score", "space_networks", "spaces_with_networks"]
