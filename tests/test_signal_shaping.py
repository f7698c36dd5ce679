"""Shaped activations against the published constants, their own conditions, exact kernels, and finite networks.

The published numbers are those that the tests of google-deepmind/dks state for the ResNet-101 of the two papers (see
`test_signal_subnetworks`) with shortcut weight 0.6, and targets zeta = 1.2, eta = 0.75, tau = 0.2.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_mean
from scipy import stats
from test_signal_subnetworks import residual_network

from nngp_dag import Dag, InputError, kernel_fn
from nngp_dag.activations import get
from nngp_dag.kernel import pair_kernel
from nngp_dag.signal import Subnetworks, deep_kernel_shaping, local_maps, local_slope, tailored_activation
from nngp_dag.signal.local_maps import input_moments

pytestmark = pytest.mark.usefixtures("quick_compilation")

RESNET = Subnetworks.of(residual_network((3, 4, 23, 3), 0.6))
SOLVED = "the published search for the target of one activation ends within 1e-8 of the network's"
KINKED = "published with a quadrature that integrates across the kink: its slope is off by 5e-7"
APPROXIMATE_GELU = partial(jax.nn.gelu, approximate=True)


def constants(shaped):
    return [shaped.input_scale, shaped.input_shift, shaped.output_scale, shaped.output_shift]


# ---- published constants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "published"),
    [
        (jax.nn.softplus, [0.18761008168267976, 0.40688063442262007, 8.878672543665223, -0.9213466151411376]),
        ("tanh", [0.07461073057540868, 0.5566915199964182, 18.002635964442558, -0.5034378768692127]),
        ("gelu", [0.07043253126531114, 0.259489297927707, 20.21158902315857, -0.15815378961903598]),
        (APPROXIMATE_GELU, [0.07036271496383567, 0.2586837248593587, 20.249573305194307, -0.15758328114374964]),
    ],
    ids=["softplus", "tanh", "gelu", "approximate gelu"],
)
def test_published_constants_of_deep_kernel_shaping(activation, published):
    shaped = deep_kernel_shaping(RESNET, activation, max_slope=1.2)
    for found, expected in zip(constants(shaped), published, strict=True):
        assert_close(found, expected, tolerance=5e-8, reason=SOLVED)


def test_published_constants_of_deep_kernel_shaping_with_kinks():
    shaped = deep_kernel_shaping(RESNET, "leaky_relu", max_slope=1.2)
    assert_close(shaped.negative_slope, 0.8761257073473065, tolerance=5e-9, reason=SOLVED)
    assert_close(constants(shaped)[2:], [1.0651832705682147, -0.049418692997275034], tolerance=5e-9, reason=SOLVED)
    shaped = deep_kernel_shaping(RESNET, "relu", max_slope=1.2)
    published = [0.3685360046708044, 1.0, 2.721729988761473, -1.000373858553784]
    assert_close(constants(shaped), published, tolerance=3e-5, reason=KINKED)
    # E[relu^2] and E[relu'^2] at alpha z + 1 in closed form: which of the two has the slope that was asked for?
    slopes = [a**2 * stats.norm.cdf(1 / a) / relu_variance(a) for a in (shaped.input_scale, published[0])]
    assert abs(slopes[0] - shaped.local) < 1e-12
    assert 3e-7 < abs(slopes[1] - shaped.local) < 1e-6


def relu_variance(alpha):
    """Var[relu(alpha z + 1)]."""
    below, density = stats.norm.cdf(1 / alpha), stats.norm.pdf(1 / alpha)
    return (1 + alpha**2) * below + alpha * density - (below + alpha * density) ** 2


def test_published_constants_of_tailored_activations():
    shaped = tailored_activation(RESNET, "leaky_relu", max_value=0.75)
    assert_close(shaped.negative_slope, 0.6291800290346146, tolerance=2e-9, reason=SOLVED)
    assert_close(shaped.output_scale, 1.196996549778802, tolerance=2e-9, reason=SOLVED)
    softplus = tailored_activation(RESNET, jax.nn.softplus, max_curvature=0.2)
    published = [0.15011489794748328, 0.5374599901127068, 10.54880187880574, -0.996481014465811]
    assert_close(constants(softplus), published, tolerance=5e-8, reason=SOLVED)
    tanh = tailored_activation(RESNET, "tanh", max_curvature=0.2)
    published = [0.0580205218578313, 0.5218639804099805, 22.36066261763117, -0.4796430704354356]
    assert_close(constants(tanh), published, tolerance=5e-8, reason=SOLVED)


def test_published_values_at_other_targets():
    """phi(0.6) and phi(-0.6); of tanh's two mirror images the published search found the other one."""
    x = jnp.array([0.6, -0.6])
    dks, tat = {"max_slope": 12.0, "variance_slope": 0.97}, {"max_value": 0.95, "max_curvature": 4.5}
    for shaped, published, tolerance, why in [
        (deep_kernel_shaping(RESNET, jax.nn.softplus, **dks), [0.5205088334781294, -0.6970897398761904], 1e-8, SOLVED),
        (deep_kernel_shaping(RESNET, "tanh", **dks), [0.6910746968773931, -0.5122335409369118], 1e-8, SOLVED),
        (deep_kernel_shaping(RESNET, "relu", **dks), [0.6053339463256114, -0.6486764456443863], 3e-5, KINKED),
        (deep_kernel_shaping(RESNET, "leaky_relu", **dks), [0.5628988987673328, -0.6649764416535503], 3e-6, KINKED),
        (tailored_activation(RESNET, jax.nn.softplus, **tat), [0.6923574763139374, -0.4935166367766701], 1e-8, SOLVED),
        (tailored_activation(RESNET, "tanh", **tat), [0.49030275427738146, -0.6860178437500071], 1e-8, SOLVED),
        (tailored_activation(RESNET, "gelu", **tat), [0.6922429517529013, -0.49198103131465193], 1e-8, SOLVED),
    ]:
        assert_close(shaped(x), np.array(published), tolerance=tolerance, reason=why)
    leaky = tailored_activation(RESNET, **tat)
    assert_close(leaky(x), np.array([0.7954047194402861, -0.2955187511683813]), tolerance=1e-8, reason=SOLVED)


# ---- what was asked for holds ----------------------------------------------------------------------------------------


def test_conditions_hold_in_the_maps_of_kernels():
    """Q(1), Q'(1), C'(1) and C''(1) by the dual maps of the activation that is handed to kernels."""
    shaped = tailored_activation(Dag.from_code("2_02_002"), "gelu", max_curvature=0.6)
    assert_close(shaped.local, 0.2)
    sigma = shaped.activation

    @jax.jit
    def maps(one):
        row = sigma.prepare(one)
        value, slope = jax.value_and_grad(sigma.dual_diagonal)(one)
        first, second = jax.value_and_grad(lambda k: sigma.dual_derivative(row, row, k))(one)  # fdot = C'
        return jnp.stack([value, slope, first, second])

    found = np.array([sigma.normalization, *maps(jnp.float64(1.0))])
    assert_close(found, np.array([1, 1, 1, 1, 0.2]), tolerance=1e-9, reason="the solver ends at 1e-8 or below")
    assert_close(shaped.maps().curvature, 0.2, tolerance=1e-9, reason="the solver ends at 1e-8 or below")


def test_the_network_gets_what_was_asked_for():
    """A chain's own C'(1) and C(0), by the exact kernel."""
    chain = Dag.from_code("2_02")
    assert_close(local_slope(chain, 1.5) ** 2, 1.5)
    dks = deep_kernel_shaping(chain, "tanh", max_slope=1.5).activation
    nngp, ntk = pair_kernel(chain, 1.0, np.array([1.0, 0.0]), 1.0, activation=dks)
    why = "the solver ends at 1e-8 or below"
    assert_close(np.asarray(nngp), np.array([1.0, 0.0]), tolerance=1e-9, reason=why)
    assert_close(float(ntk[0] - nngp[0]), 1.5**0.5 + 1.5, tolerance=1e-9, reason=why)  # psi (1 + psi)
    tat = tailored_activation(chain, max_value=0.4).activation
    for order in ("activation-first", "activation-last"):
        kernel = kernel_fn(chain, order=order, activation=tat)(np.eye(3), get="nngp")
        assert_close(kernel, 0.6 * np.eye(3) + 0.4)


def test_a_network_that_adds_branches_gets_it_too():
    """DAG#3 with plain sums, whose largest C(0) is that of the whole DAG; orthogonal rows, activation-first."""
    dag = Dag.from_code("2_21_112")
    found = Subnetworks.of(dag, sums="plain")
    shaped = tailored_activation(found, max_value=0.3)
    nngp = kernel_fn(dag, order="activation-first", activation=shaped.activation)(np.eye(2), get="nngp")
    assert found.largest(0.0, lambda c: c).start == 0
    assert_close(float(nngp[0, 1] / nngp[0, 0]), 0.3)


def test_finite_networks_agree():
    """The mean covariance of two orthogonal inputs over networks of width 256: a chain of three tailored leaky ReLUs.

    Had the slope been that of one layer less, the covariance would be another by a quarter.
    """
    shaped = tailored_activation(Dag.from_code("2_02_002"), max_value=0.4)
    rng, width, covariances = np.random.default_rng(0), 256, []
    for _ in range(150):
        h = np.sqrt(width) * np.linalg.qr(rng.normal(size=(width, 2)))[0]
        for _ in range(3):
            z = rng.normal(size=(width, width)) @ h / np.sqrt(width)
            h = shaped.output_scale * np.where(z > 0, z, shaped.negative_slope * z)
        covariances.append(h[:, 0] @ h[:, 1] / width)
    assert_mean(covariances, 0.4, power=0.2)


# ---- quadrature, closed forms, refusals ------------------------------------------------------------------------------


def test_moments_have_their_closed_forms():
    """Of sin at alpha z + beta: E[sin^2] = (1 - exp(-2 alpha^2) cos 2 beta) / 2, and so on."""
    alpha, beta = 1.7, 0.4
    found = input_moments(get("sin"), alpha, beta)
    damped, twice = np.exp(-(alpha**2) / 2), np.exp(-2 * alpha**2)
    assert_close(found.mean, damped * np.sin(beta))
    assert_close(found.power, (1 - twice * np.cos(2 * beta)) / 2)
    assert_close(found.slope, (1 + twice * np.cos(2 * beta)) / 2)
    assert_close(found.curvature, found.power)
    assert_close(found.tilt, -alpha * damped * np.sin(beta))  # E[z F(z)] = E[F'(z)]
    assert_close(found.radial, alpha * twice * np.cos(2 * beta))


def test_kinks_away_from_zero_are_integrated_up_to():
    maps = local_maps(get("relu"), 0.8, 1.0, 1.0, 0.0)
    assert_close(maps.slope * maps.variance, 0.64 * stats.norm.cdf(1 / 0.8))


def test_what_cannot_be_shaped_is_refused():
    chain = Dag.from_code("2_02")
    for shape, says in [
        (lambda: deep_kernel_shaping(chain, "tanh", max_slope=1.0), "above 1"),
        (lambda: deep_kernel_shaping(chain, "identity", max_slope=1.5), "no scales and shifts"),
        (lambda: deep_kernel_shaping(Dag.from_code("1"), "tanh"), "no linear edge"),
        (lambda: deep_kernel_shaping(Dag.from_code("2"), "leaky_relu", max_slope=9.0), "the largest is"),
        (lambda: tailored_activation(chain, "relu"), "has a kink"),
        (lambda: tailored_activation(chain, max_value=0.9), r"between 0 and 0\.49"),
        (lambda: tailored_activation(Dag.from_code("1")), "between 0 and 0"),
        (lambda: tailored_activation(chain, "tanh", max_curvature=0.0), "positive"),
        (lambda: tailored_activation(Dag.from_code("1"), "tanh"), "no linear edge"),
    ]:
        with pytest.raises(InputError, match=says):
            shape()
