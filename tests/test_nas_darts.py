"""The DARTS network against a literal transcription of genotypes, its scores and searches, its size."""

import dataclasses
import itertools
import re
from functools import partial

import jax
import jax.numpy as jnp
import nas_oracle
import nas_oracle_darts
import numpy as np
import pytest
from flax import nnx
from helpers import assert_close
from nas_cases import random_images

from nngp_dag.conv import conv_kernel_fn, darts_network
from nngp_dag.errors import InputError
from nngp_dag.nas import make_score, space_networks
from nngp_dag.nas.networks.cell_darts import EDGES, CellDarts
from nngp_dag.nas.networks.darts import edge_operations, genotype, is_cut
from nngp_dag.nas.networks.initialize import draw, rebuild
from nngp_dag.nas.networks.network_darts import DartsSpec, NetworkDarts
from nngp_dag.nas.networks.operations_darts import OPERATIONS, SEPARABLE, DartsEdge
from nngp_dag.nas.networks.probe import code_agreement, patterns
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.fp_nas import FpNasSettings
from nngp_dag.nas.search.rules import NearestCentroid
from nngp_dag.nas.search.run import SearchSettings, make_rule, run_search
from nngp_dag.nas.search.te_nas import prune_search
from nngp_dag.spaces import genotype as notation
from nngp_dag.spaces import get
from nngp_dag.spaces.genotype_text import parse_genotype

pytestmark = pytest.mark.usefixtures("quick_compilation")

SPACE = get("darts")
TINY = DartsSpec(channels=2, cells=1, classes=3, stages=2, stem=2, last_relu=True, dtype="float64")
SIDE = 5  # odd, so that halving has an edge to get wrong
PUBLISHED = (  # DARTS_V2
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),"
    " ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6),"
    " reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0),"
    " ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
)


@pytest.fixture(scope="module")
def tiny():
    """The space's networks with a single cell."""
    spec = TINY.replace(stages=1)
    return dataclasses.replace(space_networks("darts"), wot=spec, train=spec.replace(dtype="float32"))


@pytest.fixture(scope="module")
def forward():
    """Logits and agreement of the compiled tiny network, and its weights (random in batch normalisations too)."""
    state = draw(NetworkDarts, TINY, jax.random.key(3))
    rng = np.random.default_rng(5)
    state = jax.tree.map(lambda leaf: leaf + 0.3 * rng.normal(size=leaf.shape), state)

    @jax.jit
    def run(genes, x):
        logits, reports = rebuild(NetworkDarts, TINY, state)(x, genes, code_agreement)
        return logits, sum(report.sum(0) for report in reports)

    return run, nas_oracle.parameters(state)


def genotype_of(line):
    (normal, _), (reduce, _) = parse_genotype(line)
    return {"normal": normal, "reduce": reduce}


def images(n=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, SIDE, SIDE, 3))


@pytest.mark.parametrize("seed", range(5))
def test_logits_and_codes_equal_the_literal_transcription(forward, tiny, seed):
    """Normal, reduction, and a normal cell that follows a reduction."""
    run, values = forward
    rows = SPACE.sample(1, np.random.default_rng(seed))[0]
    network = nas_oracle_darts.Network(values, TINY)
    logits, kernel = run(jnp.asarray(tiny.genes(rows)), images(seed=seed))
    assert_close(logits, network(images(seed=seed), genotype_of(SPACE.write(rows))))
    assert (np.asarray(kernel) == nas_oracle.wot_kernel(network.relus, "once")).all()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_where_the_notation_says(forward, tiny, name):
    run, values = forward
    edges = ", ".join(f"('{name}', {node})" for i in range(4) for node in (i, i + 1))
    line = f"Genotype(normal=[{edges}], normal_concat=[2,3,4,5], reduce=[{edges}], reduce_concat=[2,3,4,5])"
    logits, _ = run(jnp.asarray(tiny.genes(SPACE.parse(line))), images())
    assert_close(logits, nas_oracle_darts.Network(values, TINY)(images(), genotype_of(line)))


def test_a_supernet_edge_sums_its_weighted_operations():
    rng = np.random.default_rng(0)
    for stride in (1, 2):
        graph, state = nnx.split(DartsEdge(2, stride=stride, dtype=jnp.float64))
        edge = nnx.merge(graph, jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), state))
        x = jnp.asarray(rng.normal(size=(3, SIDE, SIDE, 2)))
        weights = jnp.array([0.3, 0.1, 0.2, 0.0, 0.25, 0.05, 0.15, 0.25])

        @jax.jit
        def run(gene, x, edge=edge):
            return edge(x, gene, patterns)

        single = [run(jnp.int32(i), x) for i in range(len(OPERATIONS))]
        total, reports = run(weights, x)
        assert_close(total, sum(w * y for w, (y, _) in zip(weights[1:], single[1:], strict=True)))
        # The ReLUs within separable convolutions report where their operation runs, and are off elsewhere.
        for place, name in enumerate(SEPARABLE):
            for i, (_, alone) in enumerate(single):
                assert alone[place].any() == (OPERATIONS[i] == name)
            assert (reports[place] == single[OPERATIONS.index(name)][1][place]).all()


def test_relus_are_counted_by_indices_and_by_weights_alike():
    """By hand: a convolution reads its source through a ReLU; so does a skip that halves the image."""
    genes = space_networks("darts").genes(SPACE.parse(PUBLISHED))
    expected = {False: [[2, 3, 1, 0, 0]], True: [[0, 0, 0, 0, 0]]}
    for reduction in (False, True):
        cell = CellDarts(2, 2, 2, reduction=reduction, halved=False, dtype=jnp.float32)
        row = genes[int(reduction)]
        assert cell._relu_counts(jnp.asarray(row)).tolist() == expected[reduction][0]
        assert cell._relu_counts(jnp.eye(8)[row] * 0.5).tolist() == expected[reduction][0]
        every = jnp.full((14, 8), 1 / 8).at[:, 0].set(0)
        assert cell._relu_counts(every).tolist() == ([20, 20, 12, 8, 4] if reduction else [16, 16, 12, 8, 4])


def test_sizes_are_the_publishers():
    """The paper of DARTS: 3.3 million parameters; its log says 3.349342; the literature counts 528 million."""
    networks = space_networks("darts")
    spec = networks.wot.replace(channels=36, cells=6)
    assert len(spec.layers()) == 20 and len(networks.wot.layers()) == 8
    size = networks.size(spec, networks.genes(networks.read(PUBLISHED)), 32)
    assert size.parameters == 3_349_342
    assert round(size.multiply_adds / 1e6) == 528


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "('sep_conv_3x3', 0), ('sep_conv_3x3', 1)",
            "('sep_conv_3x3', 0), ('sep_conv_3x3', 0)",
            "two edges from node 0",
        ),
        ("normal_concat=range(2, 6)", "normal_concat=[4, 5]", "all four nodes"),
    ],
)
def test_genotypes_without_a_network_are_refused(old, new, message):
    networks = space_networks("darts")
    with pytest.raises(InputError, match=message):
        networks.genes(networks.read(PUBLISHED.replace(old, new, 1)))


def test_choices_are_the_space():
    """As many options as architectures; every one decodes to an architecture of the space, and none to another's."""
    choices = space_networks("darts").choices
    assert np.prod(choices.sizes, dtype=object) == SPACE.num_architectures
    rng = np.random.default_rng(0)
    options = np.unique(rng.integers(np.array(choices.sizes), size=(200, len(choices.sizes))), axis=0)
    decoded = [choices.decode(row) for row in options]
    assert all((SPACE.parse(SPACE.write(rows)) == rows).all() for rows in decoded)
    assert len({SPACE.write(rows) for rows in decoded}) == len(options)
    networks = space_networks("darts")
    assert all((genotype(networks.genes(rows)) == rows).all() for rows in decoded)


# ---- scores and searches -------------------------------------------------------------------------------------------


def test_architectures_compile_once(tiny):
    score, batch = make_score("wot", tiny), random_images(size=SIDE).batch(6)
    cells = SPACE.sample(12, np.random.default_rng(4))
    values = [score(cells[0], batch, jax.random.key(0))]
    with jax.no_tracing():
        values += [score(rows, batch, jax.random.key(0)) for rows in cells[1:]]
    assert np.isfinite(values).all() and len(set(values)) == 12


def test_a_network_is_cut_where_its_logits_are_those_of_any_image(forward):
    run, _ = forward
    rng, x = np.random.default_rng(6), images(3, seed=1)
    cut, dead = [], []
    for rows in SPACE.sample(60, rng):
        lost = rng.random((2, 8)) < rng.choice([0.2, 0.6, 0.9, 1.0], (2, 1))  # all operations of a cell, sometimes
        rows[:, 0:16:2] = np.where(lost, notation.OPERATIONS.index("none"), rows[:, 0:16:2])
        genes = edge_operations(rows)
        logits, _ = run(genes, x)
        cut.append(is_cut(TINY, genes))
        dead.append((SPACE.totals(rows).paths == 0).any())
        assert cut[-1] == (np.ptp(np.asarray(logits), axis=0).max() < 1e-12)
    assert 5 < sum(cut) < sum(dead) < 55  # a cell that nothing leads through cuts some networks, and not others


def test_a_cell_without_a_path_scores_minus_infinity(tiny):
    dead = re.sub(r"'\w+'", "'none'", PUBLISHED.partition("reduce=")[0]) + "reduce=" + PUBLISHED.partition("reduce=")[2]
    alive = PUBLISHED
    score, batch = make_score("wot", tiny), random_images(size=SIDE).batch(6)
    assert score(dead, batch, jax.random.key(0)) == -np.inf < score(alive, batch, jax.random.key(0))


def test_exact_scores_are_those_of_a_normal_and_a_reduction_cell():
    batch = random_images(size=8).batch(5)
    x = batch.astype(np.float64) / np.sqrt((batch.astype(np.float64) ** 2).mean((1, 2, 3), keepdims=True))
    network = darts_network(PUBLISHED, ("normal", "reduce"), max_pool="average", last_activation=True)
    kernels = conv_kernel_fn(network)(x)
    for name, kernel in zip(("nngp", "ntk"), map(np.asarray, kernels), strict=True):
        score = make_score(f"exact-{name}", "darts", {"max_pool": "average"})
        assert_close(score(PUBLISHED, batch), np.linalg.eigvalsh(kernel)[0] / kernel.trace() * len(kernel))
        assert score(re.sub(r"'\w+'", "'none'", PUBLISHED), batch) == -np.inf
        with pytest.raises(InputError, match="max_pool=average"):
            make_score(f"exact-{name}", "darts")(PUBLISHED, batch)
    with pytest.raises(InputError, match="unknown max_pool 'max'"):
        make_score("exact-ntk", "darts", {"max_pool": "max"})


def test_searches_by_an_exact_kernel_say_what_becomes_of_max_pooling():
    networks, data = space_networks("darts"), random_images()
    settings = SearchSettings(num=2, ntk_images=3)
    run = partial(run_search, "exact-ntk", networks, data, chosen=make_filter("none", SPACE), seed=0)
    with pytest.raises(InputError, match="max_pool_3x3"):
        run(settings=settings)
    result = run(settings=dataclasses.replace(settings, max_pool="average"))
    assert result.evaluations == 2


def test_supernet_figures_are_averages_over_the_pairs_that_nodes_may_keep():
    """One operation an edge: the mean number of paths over all 180 choices of two edges a node, then Eq. 13."""
    networks = space_networks("darts")
    operations = np.random.default_rng(2).integers(1, 8, size=len(EDGES))
    counts = 0.0
    chosen = [list(itertools.combinations(range(i + 2), 2)) for i in range(4)]
    for pairs in itertools.product(*chosen):
        kept = [operations[i] if s in pairs[t - 2] else 0 for i, (s, t) in enumerate(EDGES)]
        counts = counts + SPACE.path_counts(genotype(np.array([kept, kept]))[:1])[0] / 180
    depth = counts @ np.arange(len(counts)) / counts.sum()
    actual = networks.layout.depth_width(np.eye(8, dtype=bool)[operations])
    assert_close(np.array(actual), np.array([depth, counts[1:].sum() / depth]))


class Preference:
    """A judge for which every operation has a cost, and its removal lowers both statistics by that."""

    def __init__(self):
        self.cost = np.random.default_rng(0).permutation(2 * 14 * 8).reshape(2, 14, 8) + 1.0
        self.calls = 0

    def new_round(self):
        pass

    def __call__(self, alive):
        self.calls += 1
        total = 1e5 + (alive * self.cost).sum()
        return np.array([[total, 1e6 - total]])


def test_pruning_ends_with_two_edges_a_node():
    networks = space_networks("darts")
    judge = Preference()
    result = prune_search(networks.layout, judge, precision=9)
    # Rounds with 7 and 4 operations an edge, then the edges into nodes with more than two.
    assert result.candidates == result.evaluations == 28 * (7 + 4) + 2 * (3 + 4 + 5)
    cost = judge.cost.copy()
    cost[..., 0] = np.inf
    cheapest = cost.argmin(-1)
    expected = np.zeros((2, 14), int)
    for cell in range(2):
        for group in networks.layout.groups():
            for i in sorted(group, key=lambda i: cost[cell, i].min())[:2]:
                expected[cell, i] = cheapest[cell, i]
    assert (networks.genes(result.architecture) == expected).all()
    released = prune_search(networks.layout, Preference(), rule=NearestCentroid(), precision=9)
    # Two of seven operations stay unevaluated (of four, all that is left has to be ranked), then one edge a node.
    assert released.evaluations == 28 * (5 + 4) + 2 * (2 + 3 + 4)
    box = prune_search(networks.layout, Preference(), rule=make_rule(make_filter("half-radius", SPACE)), precision=9)
    assert box.evaluations < result.evaluations and box.candidates == result.candidates


@pytest.mark.full
@pytest.mark.parametrize("name", ["wot", "te-nas", "fp-nas"])
def test_searches_end_to_end(tiny, name):
    small = dataclasses.replace(tiny, ntk=tiny.ntk.replace(dtype="float64"))
    settings = SearchSettings(
        num=8, batch_size=6, ntk_images=3, patches=20, repeats=1, fp_nas=FpNasSettings(steps=3, warmup=1, batch_size=8)
    )
    for text in ("none", "half-radius", "released"):
        result = run_search(
            name, small, random_images(size=SIDE), chosen=make_filter(text, SPACE), seed=0, settings=settings
        )
        assert small.genes(result.architecture).shape == (2, 14)
        assert 0 < result.evaluations <= result.candidates
