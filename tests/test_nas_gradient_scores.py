"""Scores by gradients against literal transcriptions of their definitions, and what they do not depend on."""

import dataclasses

import jax
import jax.numpy as jnp
import nas_oracle
import nas_oracle_darts
import nas_oracle_scores
import numpy as np
import pytest
from helpers import assert_close
from nas_cases import random_images, tiny_networks

from nngp_dag.errors import InputError
from nngp_dag.nas import space_networks
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.initialize import draw
from nngp_dag.nas.networks.network_darts import DartsSpec
from nngp_dag.nas.scores import fisher, grad_norm, grasp, jacob_cov, snip, synflow, zico
from nngp_dag.nas.scores.batches import LabelledImages, labelled_batches
from nngp_dag.spaces import get
from nngp_dag.spaces.genotype_text import parse_genotype
from nngp_dag.support.x64 import enable_x64

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.key(2)
IMAGES = random_images()
BATCH = labelled_batches(6).draw(IMAGES, np.random.default_rng(0))
TWO = labelled_batches(6, batches=2).draw(IMAGES, np.random.default_rng(0))
NETWORKS = tiny_networks()
DARTS = dataclasses.replace(
    space_networks("darts"),
    wot=DartsSpec(channels=2, cells=1, classes=3, stages=1, stem=2, last_relu=True, dtype="float64"),
)
ALIVE = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"
FULL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|nor_conv_3x3~1|nor_conv_3x3~2|"
DEAD_END = "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_3x3~0|none~1|none~2|"
DEAD = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"
PUBLISHED = (  # a normal cell with every kind of operation
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('dil_conv_3x3', 0), ('sep_conv_3x3', 1),"
    " ('max_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('dil_conv_5x5', 2)], normal_concat=range(2, 6),"
    " reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0),"
    " ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
)
UNPOOLED = PUBLISHED.replace("max_pool_3x3", "skip_connect").replace("avg_pool_3x3", "skip_connect")


class Case:
    """An architecture of one of the spaces, its networks, and the literal network of it."""

    def __init__(self, networks, architecture):
        self.networks, self.text = networks, architecture
        if networks.space.name == "darts":
            (normal, _), (reduce, _) = parse_genotype(architecture)
            self.architecture, self.literal = {"normal": normal, "reduce": reduce}, nas_oracle_darts.Network
        else:
            self.architecture, self.literal = get("nasbench201").parse(architecture)[0], nas_oracle.Network

    def network(self, values, normalised=True):
        return self.literal(values, self.networks.wot, normalised)

    def values(self):
        return nas_oracle.parameters(draw(self.networks.network, self.networks.wot, KEY))


CASES = {
    "alive": Case(NETWORKS, ALIVE),
    "full": Case(NETWORKS, FULL),
    "dead-end": Case(NETWORKS, DEAD_END),
    "darts": Case(DARTS, PUBLISHED),
}


def quick(*names):
    """Names of cases, those of the full profile marked so: a transcription compiles each of its steps by itself."""
    return [pytest.param(name, marks=() if name in names else pytest.mark.full) for name in CASES]


@pytest.fixture(params=quick("alive"))
def case(request):
    return CASES[request.param]


@pytest.mark.parametrize(
    "score",
    [grad_norm, snip, pytest.param(grasp, marks=pytest.mark.full)],
    ids=lambda module: module.__name__.split(".")[-1],
)
def test_scores_of_the_loss_equal_their_transcription(case, score):
    transcription = getattr(nas_oracle_scores, score.__name__.split(".")[-1])
    expected = transcription(case.network, case.values(), BATCH.x.astype(float), BATCH.y, case.architecture)
    assert_close(score.make(case.networks)(case.text, BATCH, KEY), expected)


@pytest.mark.parametrize("counts", fisher.COUNTS)
def test_fisher_equals_its_transcription(case, counts):
    x = BATCH.x.astype(float)
    expected = nas_oracle_scores.fisher(case.network, case.values(), x, BATCH.y, case.architecture, counts)
    assert_close(fisher.make(case.networks, counts)(case.text, BATCH, KEY), expected)


@pytest.mark.parametrize("case", quick("dead-end"), indirect=True)  # with weights whose gradient is zero
def test_zico_equals_its_transcription(case):
    expected = nas_oracle_scores.zico(case.network, case.values(), TWO.x.astype(float), TWO.y, case.architecture)
    assert_close(zico.make(case.networks)(case.text, TWO, KEY), expected)


def test_jacob_cov_equals_its_transcription(case):
    expected = nas_oracle_scores.jacob_cov(case.network, case.values(), BATCH.x.astype(float), case.architecture)
    assert_close(jacob_cov.make(case.networks)(case.text, BATCH.x, KEY), expected)


@pytest.mark.full
def test_jacob_cov_of_features_without_a_last_relu_holds_the_statistics():
    """Summed over the batch, they are constant: differentiated through its statistics, J would be rounding error."""
    case = Case(dataclasses.replace(DARTS, wot=DARTS.wot.replace(last_relu=False)), UNPOOLED)
    x = BATCH.x.astype(float)
    literal = case.network({name: jnp.asarray(value) for name, value in case.values().items()})
    rounding = jax.grad(lambda x: literal(x, case.architecture).sum())(jnp.asarray(x))
    single = jax.grad(lambda x: literal(x, case.architecture)[0, 0])(jnp.asarray(x))
    assert float(abs(rounding).max()) < 1e-12 * float(abs(single).max())
    expected = nas_oracle_scores.jacob_cov(case.network, case.values(), x, case.architecture, held=True)
    assert_close(jacob_cov.make(case.networks)(case.text, BATCH.x, KEY), expected)


def test_synflow_equals_its_transcription(case):
    expected = nas_oracle_scores.synflow(case.network, case.values(), case.architecture)
    assert_close(synflow.make(case.networks)(case.text, None, KEY), expected)


# ---- what scores do not depend on ----------------------------------------------------------------------------------


def reordered(batch, order):
    axis = batch.y.ndim - 1
    return LabelledImages(batch.x.take(order, axis), batch.y.take(order, axis), batch.classes)


@pytest.mark.parametrize(("module", "batch"), [(grad_norm, BATCH), (snip, BATCH), (fisher, BATCH), (zico, TWO)])
def test_the_order_of_a_batch_does_not_matter_but_its_labels_do(module, batch):
    score, order = module.make(NETWORKS), np.random.default_rng(1).permutation(6)
    value = score(ALIVE, batch, KEY)
    assert_close(score(ALIVE, reordered(batch, order), KEY), value)
    other = LabelledImages(batch.x, (batch.y + 1) % batch.classes, batch.classes)
    assert abs(score(ALIVE, other, KEY) - value) > 1e-3 * abs(value)


def test_jacob_cov_does_not_depend_on_the_order_of_a_batch():
    score, order = jacob_cov.make(NETWORKS), np.random.default_rng(1).permutation(6)
    assert_close(score(ALIVE, BATCH.x[order], KEY), score(ALIVE, BATCH.x, KEY))


def test_correlations_that_are_known():
    """Uncorrelated rows have eigenvalues 1; equal ones N and zeros, which cost 1 / k each; scales do not matter."""
    rows = np.array([[1.0, -1, 0, 0], [0, 0, 2, -2]])
    assert_close(jacob_cov.correlation_score(rows), -2 * (np.log(1 + 1e-5) + 1 / (1 + 1e-5)))
    assert_close(jacob_cov.correlation_score(rows[[0, 0]]), -(np.log(1e-5) + 1e5 + np.log(2 + 1e-5) + 1 / (2 + 1e-5)))
    assert jacob_cov.correlation_score(np.array([[1.0, 2], [3, 3]])) == -np.inf


def test_snip_of_homogeneous_layers_and_zico_of_scaled_gradients():
    rng = np.random.default_rng(0)
    weights, gradients = [rng.normal(size=(3, 2)) for _ in range(2)], [rng.normal(size=(3, 2)) for _ in range(2)]
    halved, doubled = [w / 2 for w in weights], [2 * g for g in gradients]
    assert_close(float(snip.saliency(halved, doubled)), float(snip.saliency(weights, gradients)))
    assert_close(float(grad_norm.layer_norms(doubled)), 2 * float(grad_norm.layer_norms(gradients)))
    both = [gradients, [rng.normal(size=(3, 2)) for _ in range(2)]]
    assert_close(
        float(zico.steadiness([[5 * g for g in batch] for batch in both])),
        float(zico.steadiness(both)),
        tolerance=1e-9,
        reason="two roundings of each of twelve ratios",
    )


def test_synflow_needs_no_data_and_no_global_float64():
    score = synflow.make(NETWORKS)
    value = score(ALIVE, None, KEY)
    assert score(ALIVE, BATCH, KEY) == value
    with enable_x64(False):
        assert score(ALIVE, None, KEY) == value


def test_synflow_beyond_float64_is_refused(monkeypatch):
    """Four hundred cells get there; what they give is put in their place, since they take minutes."""
    monkeypatch.setattr(synflow, "flow", lambda *arguments: jnp.array(np.inf))
    with pytest.raises(InputError, match="beyond float64: choose fewer"):
        synflow.make(NETWORKS)(FULL, None, KEY)


def test_networks_that_are_constant_score_the_least():
    for module, batch in ((grasp, BATCH), (zico, TWO), (jacob_cov, BATCH.x), (synflow, None)):
        assert module.make(NETWORKS)(DEAD, batch, KEY) == -np.inf
    for module in (grad_norm, snip):
        assert module.make(NETWORKS)(DEAD, BATCH, KEY) == 0


# ---- batches with labels -------------------------------------------------------------------------------------------


def test_labels_are_those_of_the_images_or_random():
    rng = np.random.default_rng
    batch = labelled_batches(5, batches=2).draw(IMAGES, rng(3))
    assert batch.x.shape == (2, 5, 4, 4, 3)
    assert batch.classes == 3
    flat = batch.x.reshape(10, -1)
    places = [int(np.flatnonzero((IMAGES.x.reshape(40, -1) == row).all(1))[0]) for row in flat]
    assert len(set(places)) == 10
    assert (batch.y.ravel() == IMAGES.y[places]).all()
    bare = Images(IMAGES.x, None, "bare")
    random, again = (labelled_batches(30).draw(bare, rng(3)) for _ in range(2))
    assert random.classes == 10
    assert len(set(random.y.ravel().tolist())) > 5
    assert (random.y == again.y).all()
    assert (random.y != labelled_batches(30).draw(bare, rng(4)).y).any()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (BATCH.x, "images with labels"),
        (LabelledImages(BATCH.x, BATCH.y[:5], 3), "labels of images of type int64 and shape"),
        (LabelledImages(BATCH.x, BATCH.y.astype(float), 3), "labels of images of type float64"),
        (LabelledImages(BATCH.x, BATCH.y, 2), "labels of images from 0 to 2: 2 classes start at 0"),
        (LabelledImages(BATCH.x[0], BATCH.y, 3), "images of shape"),
    ],
)
def test_batches_without_proper_labels_are_refused(batch, message):
    with pytest.raises(InputError, match=message):
        grad_norm.make(NETWORKS)(ALIVE, batch, KEY)
