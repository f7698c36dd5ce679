"""Kernels of DARTS genotypes against networks of finite width, which accept them and reject their neighbours."""

from functools import partial

import darts_finite
import jax
import jax.numpy as jnp
import pytest
from conv_reference_darts import DartsReference
from test_conv_darts import EVERY, kernels_of, matrices, text_of, two_dots
from test_conv_witnesses import estimate

from nngp_dag.conv import darts_network
from nngp_dag.finite.montecarlo import agreement


@pytest.mark.parametrize(
    ("kinds", "rejects_one_group", "rejects_one_matrix"),
    [(("reduce", "normal"), True, False), (("normal", "reduce", "normal"), False, True)],
)
def test_networks_of_finite_width_accept_the_kernels_and_reject_their_neighbours(
    kinds, rejects_one_group, rejects_one_matrix
):
    x, seeds = two_dots(), 64
    compute = jax.jit(partial(darts_finite.prior_and_tangent, jnp.asarray(x, jnp.float32), EVERY, kinds, 128))
    drawn = [compute(key) for key in jax.random.split(jax.random.key(0), seeds)]
    priors, tangents = (estimate(samples) for samples in zip(*drawn, strict=True))
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
