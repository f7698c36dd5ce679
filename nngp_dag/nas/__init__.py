"""Architecture search: networks of search spaces, scores of untrained networks, and searches with the DAG filter."""

from nngp_dag.nas.images import Images as Images
from nngp_dag.nas.images import load_images as load_images
from nngp_dag.nas.networks.family import Family as Family
from nngp_dag.nas.networks.family import families as families
from nngp_dag.nas.networks.family import family as family
from nngp_dag.nas.scores.registry import make_score as make_score

__all__ = ["Family", "Images", "families", "family", "load_images", "make_score"]
