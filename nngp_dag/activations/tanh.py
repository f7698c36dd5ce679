"""Hyperbolic tangent: no closed form, by quadrature (see `quadrature`)."""

from __future__ import annotations

import jax.numpy as jnp

from nngp_dag.activations.quadrature import Quadrature

__all__ = ["TANH"]

TANH = Quadrature(jnp.tanh, "tanh", is_analytic=True)
