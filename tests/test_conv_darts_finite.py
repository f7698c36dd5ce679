"""Kernels of DARTS genotypes against networks of finite width, which accept them and reject their neighbours."""

from functools import partial

import darts_finite
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conv_finite import estimates, prior_and_tangent
from conv_reference_darts import DartsReference
from test_conv_darts import EVERY, kernels_of, matrices, text_of, two_dots

from nngp_dag.conv import darts_network
from nngp_dag.finite.montecarlo import agreement
from nngp_dag.nas import space_networks
from nngp_dag.nas.networks.initialize import draw, fan, leaf_names, rebuild
from nngp_dag.nas.networks.layers import without_normalisation
from nngp_dag.nas.networks.network_darts import DartsSpec, NetworkDarts
from nngp_dag.spaces import get


@pytest.mark.full
@pytest.mark.parametrize(
    ("kinds", "rejects_one_group", "rejects_one_matrix"),
    [(("reduce", "normal"), True, False), (("normal", "reduce", "normal"), False, True)],
)
def test_networks_of_finite_width_accept_the_kernels_and_reject_their_neighbours(
    kinds, rejects_one_group, rejects_one_matrix
):
    x, seeds = two_dots(), 64
    images = jnp.asarray(x, jnp.float32)
    priors, tangents = estimates(partial(darts_finite.prior_and_tangent, images, EVERY, kinds, 128), seeds)
    exact = kernels_of(darts_network(text_of(EVERY), kinds), x)
    assert agreement(priors, exact.nngp, seeds).accepted
    assert agreement(tangents, exact.ntk, seeds).accepted
    reference = partial(DartsReference, x[0], x[1], EVERY, kinds)
    for wrong in matrices(reference(scaled=False).readout()):
        assert not agreement(priors, wrong, seeds).accepted
        assert not agreement(tangents, wrong, seeds).accepted
    if rejects_one_group:
        nngp, ntk = matrices(reference(one_group=True).readout())
        assert not agreement(priors, nngp, seeds).accepted
        assert not agreement(tangents, ntk, seeds).accepted
    if rejects_one_matrix:
        assert not agreement(tangents, matrices(reference(matrices=1).readout())[1], seeds).accepted


SPEC = DartsSpec(
    channels=32, cells=1, classes=256, stages=2, bare_end=True, stem=1, last_relu=True, init="kaiming-fan-in"
)
"""The cells of TE-NAS's network, wide enough; outputs are many, so that their mean square has a small error."""


@pytest.mark.full
def test_the_networks_that_scores_are_about_accept_the_kernels():
    """Flax networks, of which the initialisation gives all kernels the variance 2 / fan-in, as behind a ReLU.

    The stem and the depthwise filters, with no ReLU between them and the next matrix, get half of it.
    """
    x, seeds = two_dots().astype(np.float32), 48
    genes = jnp.asarray(space_networks("darts").genes(get("darts").parse(text_of(EVERY))))

    def network(key):
        leaves, tree = jax.tree.flatten(draw(NetworkDarts, SPEC, key))
        names = leaf_names(jax.tree.unflatten(tree, leaves))
        kernels = [i for i, path in enumerate(names) if path[-1] == "kernel"]
        variances = {i: (1 if {"stem", "depthwise"} & {*names[i]} else 2) / fan(leaves[i].shape)[0] for i in kernels}

        def outputs(variables):
            filled = list(leaves)
            for i, variable in variables.items():
                filled[i] = variable * variances[i] ** 0.5
            return without_normalisation(rebuild(NetworkDarts, SPEC, jax.tree.unflatten(tree, filled)))(x, genes)[0]

        variables = {i: leaves[i] * (2 / fan(leaves[i].shape)[0]) ** -0.5 for i in kernels}
        return prior_and_tangent(outputs, variables, len(x))

    priors, tangents = estimates(network, seeds)
    kinds = ["reduce" if reduction else "normal" for _, reduction in SPEC.layers()]
    exact = kernels_of(darts_network(text_of(EVERY), kinds, last_activation=True), x.astype(np.float64))
    assert agreement(priors, exact.nngp, seeds).accepted
    assert agreement(tangents, exact.ntk, seeds).accepted
    # The classifier of DARTS itself, behind no ReLU, or a tangent kernel without the classifier's own part.
    other = kernels_of(darts_network(text_of(EVERY), kinds), x.astype(np.float64))
    assert not agreement(priors, other.nngp, seeds).accepted
    assert not agreement(tangents, exact.ntk - exact.nngp, seeds).accepted
