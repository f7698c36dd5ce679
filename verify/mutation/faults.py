"""The faults: one wrong line each, of the kinds that a theory library gets wrong.

To add one: an entry here. `old` must occur exactly once in the function; a fault that no longer fits the source is an
error, not a pass.
"""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

_ARC = "nngp_dag.activations.arc_cosine"
_RECURSION = "nngp_dag.kernel.recursion"
_CERTIFY = "nngp_dag.proofs"

FAULTS: tuple[Fault, ...] = (
    # ---- dual maps
    Fault(
        "relu-constant", "f of ReLU without its constant 2", _ARC, "arc_cosine_one", ") / jnp.pi", ") / (2 * jnp.pi)"
    ),
    Fault("relu-complement", "arccos for its complement in f", _ARC, "arc_cosine_one", "(jnp.pi - theta)", "theta"),
    Fault("relu-sine", "the sine term of f halved", _ARC, "arc_cosine_one", "q * sine", "q * sine / 2"),
    Fault(
        "slope-complement", "arccos for its complement in fdot", _ARC, "arc_cosine_zero", "(jnp.pi - theta)", "theta"
    ),
    Fault(
        "relu-mean",
        "the mean of a rectified Gaussian off by sqrt 2",
        _ARC,
        "half_normal_mean",
        "(2 * jnp.pi)",
        "jnp.pi",
    ),
    Fault(
        "relu-diagonal",
        "c applied twice on the diagonal",
        "nngp_dag.activations.relu",
        "Relu.dual_diagonal",
        "return k",
        "return 2 * k",
    ),
    Fault(
        "leaky-normalisation",
        "c of leaky ReLU is that of ReLU",
        "nngp_dag.activations.leaky_relu",
        "LeakyRelu.normalization",
        "2 / (1 + self.slope**2)",
        "2.0",
    ),
    Fault(
        "gelu-rest",
        "a factor 2 in f of GELU",
        "nngp_dag.activations.gelu",
        "Gelu.dual",
        "rest / (2 * math.pi)",
        "rest / math.pi",
    ),
    Fault(
        "erf-factor", "the covariance in f of erf not doubled", "nngp_dag.activations.erf", "Erf.dual", "2 * kxy", "kxy"
    ),
    # ---- means and covariances of nodes
    Fault(
        "dropped-mean",
        "the means left out of the output's covariance",
        _RECURSION,
        "Recursion.end_pair",
        "(covariance + mean_x * mean_y if self.means else covariance)",
        "covariance",
    ),
    Fault(
        "dropped-inner-mean",
        "the means left out of what a linear edge sees",
        _RECURSION,
        "Recursion._extend_pair",
        "covariance + x.mean * y.mean if self.means else covariance",
        "covariance",
    ),
    Fault(
        "not-centred",
        "features behind a linear edge not centred",
        _RECURSION,
        "Recursion._extend_pair",
        "f - x.feature_mean * y.feature_mean if self.means else f",
        "f",
    ),
    Fault(
        "dropped-variance-mean",
        "the means left out of the output's variance",
        _RECURSION,
        "Recursion.end_row",
        "variance + mean**2",
        "variance",
    ),
    Fault(
        "dropped-cross-covariance",
        "copies of a feature taken as independent",
        _RECURSION,
        "Recursion._weights",
        "into.skip_paths**2",
        "into.skip_paths",
    ),
    Fault(
        "correlated-independent",
        "the paper's recursion with correlated branches",
        "nngp_dag.kernel.propagate",
        "Independent.recursion",
        "correlated=False",
        "correlated=True",
    ),
    Fault(
        "means-of-first",
        "means carried in activation-first",
        "nngp_dag.kernel.propagate",
        "Exact.recursion",
        'self.setting.order == "activation-last"',
        "True",
    ),
    Fault(
        "stem-mean",
        "the stem's features taken as centred",
        "nngp_dag.kernel.embedding",
        "embed_row",
        "activation.mean(k),",
        "zero,",
    ),
    # ---- tangents
    Fault(
        "wrong-tangent",
        "T of activation-last without fdot",
        _RECURSION,
        "Recursion._tangent_through",
        "slope * (tangent + k)",
        "slope * tangent + k",
    ),
    Fault(
        "wrong-tangent-first",
        "T of activation-first with fdot",
        _RECURSION,
        "Recursion._tangent_through",
        "slope * tangent + f",
        "slope * (tangent + f)",
    ),
    Fault(
        "frozen-embedding",
        "a trained embedding taken as fixed",
        "nngp_dag.kernel.embedding",
        "embed_pair",
        'setting.embedding == "gaussian-trained"',
        "False",
    ),
    # ---- graphs
    Fault(
        "transposed-nodes",
        "the sources of a node's edges in reverse",
        "nngp_dag.kernel.mixing",
        "mixing",
        "ops[:, s, None]",
        "ops[:, t - 1 - s, None]",
    ),
    Fault(
        "unreached-sources",
        "features of nodes that nothing reaches",
        "nngp_dag.kernel.mixing",
        "mixing",
        "(ops == 2) & reached",
        "ops == 2",
    ),
    Fault(
        "path-twice",
        "a path over a skip edge counted twice",
        "nngp_dag.paths",
        "path_counts_array",
        "* (op == 1)",
        "* 2 * (op == 1)",
    ),
    Fault(
        "depth-width",
        "effective depth and width exchanged",
        "nngp_dag.paths",
        "effective_depth_width",
        "depth.astype(np.float64), width.astype(np.float64)",
        "width.astype(np.float64), depth.astype(np.float64)",
    ),
    Fault(
        "skip-for-linear",
        "skip edges counted as linear in path counts",
        "nngp_dag.paths",
        "path_counts",
        "skip + (linear << bits)",
        "(skip << bits) + linear",
    ),
    Fault(
        "width-of-all",
        "paths without a linear edge counted in the width",
        "nngp_dag.paths",
        "path_statistics",
        "Fraction(total - counts[0])",
        "Fraction(total)",
    ),
    # ---- numbers
    Fault(
        "float32",
        "inner products rounded to float32",
        "nngp_dag.kernel.products",
        "inner_products",
        "precision=lax.Precision.HIGHEST)",
        "precision=lax.Precision.HIGHEST).astype(jnp.float32).astype(x.dtype)",
    ),
    Fault(
        "unnormalised",
        "rows scaled by half their norm",
        "nngp_dag.datasets.dataset",
        "unit_rows",
        "np.linalg.norm(block, axis=1, keepdims=True)",
        "(np.linalg.norm(block, axis=1, keepdims=True) / 2)",
    ),
    Fault(
        "pair-bound",
        "the wrong eigenvalue of a 2 x 2 matrix",
        "nngp_dag.spectrum.pairs",
        "_lowest_of_pairs",
        "- b - beyond",
        "+ b - beyond",
    ),
    # ---- ball arithmetic
    Fault(
        "unsound-box",
        "a box judged by one of its ends",
        f"{_CERTIFY}.two_point",
        "two_point",
        "first.ratio.union(last.ratio)",
        "first.ratio",
    ),
    Fault(
        "certified-means",
        "means left out of certified kernels",
        f"{_CERTIFY}.two_point",
        "_exact",
        "received * means[r]",
        "0 * means[r]",
    ),
    Fault("lax-proof", "a bound of -1 taken for positive", f"{_CERTIFY}.prove", "prove", "bound > 0", "bound > -1"),
)
"""At least one fault per formula that a verdict rests on."""
