"""A score is one file and its entry in the registry: a score of a temporary module is served everywhere.

It needs what a score can need: labels, gradients with respect to the initial weights, and an option.
"""

import json
import sys

import numpy as np
import pytest
import test_nas_scores
from click.testing import CliRunner
from nas_cases import tiny_networks
from test_nas_scores import compilations  # noqa: F401 - a fixture

from nngp_dag.cli import cli
from nngp_dag.errors import InputError
from nngp_dag.nas import Images
from nngp_dag.nas.scores import registry
from nngp_dag.nas.scores.batches import labelled_batches
from nngp_dag.nas.scores.score import Score, ScoreOption
from nngp_dag.nas.scores.scorer import Scorer
from nngp_dag.spaces import get

pytestmark = pytest.mark.usefixtures("quick_compilation")

MODULE = '''
"""Norm of the loss's gradient."""

from functools import partial

import jax
import jax.numpy as jnp
import optax

from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.initialize import draw, rebuild
from nngp_dag.nas.scores.score import weights_key


@partial(jax.jit, static_argnums=(0, 1))
def gradient(network, spec, genes, x, y, key):
    def loss(state):
        logits, _ = rebuild(network, spec, state)(x, genes)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    return jax.grad(loss)(draw(network, spec, key))


def make(networks, norm="l2"):
    def score(architecture, batch=None, key=None):
        genes = networks.genes(networks.read(architecture))
        x = image_batch(batch.x, networks.ntk)
        found = gradient(networks.network, networks.ntk, genes, x, batch.y, weights_key(key))
        leaves = jax.tree.leaves(found)
        if norm == "l1":
            return float(sum(jnp.abs(leaf).sum() for leaf in leaves))
        return float(sum((leaf**2).sum() for leaf in leaves) ** 0.5)

    return score
'''

ENTRY = Score(
    "toy_score:make",
    title="norm of the loss's gradient",
    source="a test",
    higher_is_better=True,
    batch=labelled_batches(6),
    options=(ScoreOption("norm", ("l1", "l2"), "l2", "The norm of the gradient."),),
)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The name of the score of a temporary module, registered."""
    (tmp_path / "toy_score.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(registry.SCORES, "toy-gradient", ENTRY)
    monkeypatch.delitem(sys.modules, "nngp_dag.cli.score", raising=False)  # it reads the registry when it is loaded
    yield "toy-gradient"
    sys.modules.pop("nngp_dag.cli.score", None)
    sys.modules.pop("toy_score", None)


def test_it_passes_the_checks_of_every_score(toy, compilations):  # noqa: F811
    assert toy in registry.names()
    assert toy not in registry.baselines()
    test_nas_scores.test_fifty_architectures_compile_once(toy, compilations)
    test_nas_scores.test_scores_take_text_and_arrays_and_depend_on_the_key_alone(toy)
    test_nas_scores.test_what_the_space_does_not_have_is_refused(toy)
    test_nas_scores.test_batches_of_the_wrong_kind_are_refused(toy)


def test_the_command_line_scores_and_ranks_it(toy, tmp_path, monkeypatch):
    networks, rng = tiny_networks(), np.random.default_rng(0)
    monkeypatch.setattr("nngp_dag.nas.networks.registry.space_networks", lambda name: networks)
    np.savez(tmp_path / "x.npz", x=rng.integers(0, 256, size=(12, 4, 4, 3), dtype=np.uint8), y=rng.integers(3, size=12))
    space = get("nasbench201")
    lines = [space.write(rows) for rows in space.sample(6, rng)]
    (tmp_path / "archs.txt").write_text("\n".join(lines))
    table = "architecture,cifar10\n" + "".join(f'"{line}",{rng.uniform(50, 90)}\n' for line in lines)
    (tmp_path / "benchmark.csv").write_text(table)

    def run(*more):
        files = ["--archs", tmp_path / "archs.txt", "--data", tmp_path / "x.npz"]
        result = CliRunner().invoke(cli, [str(word) for word in ["score", toy, *files, "--json", *more]])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    document = run("--benchmark", tmp_path / "benchmark.csv")
    assert document["scores"] == [toy, *registry.baselines()]
    assert {"value", "low", "high"} <= set(document["correlations"]["cifar10"][toy]["spearman"])
    euclidean = np.array([row[toy] for row in document["rows"]])
    absolute = np.array([row[toy] for row in run("--toy-gradient-norm", "l1")["rows"]])
    assert (absolute > euclidean).any() and (absolute >= euclidean).all()
    text = " ".join(CliRunner().invoke(cli, ["score", "--help"]).stdout.split())
    assert "--toy-gradient-norm [l1|l2]" in text
    assert "6 for toy-gradient" in text
    assert "toy-gradient, or of the trivial" in text


def test_it_needs_images_whose_labels_may_be_random(toy):
    rng = np.random.default_rng(0)
    plain = Images(rng.normal(size=(8, 4, 4, 3)).astype(np.float32), None, "plain images")
    (batch,) = Scorer.make([toy], tiny_networks(), plain).batches[toy]
    assert batch.classes == 10
    assert len(set(batch.y.tolist())) > 1
    with pytest.raises(InputError, match=f"the score {toy} needs images"):
        Scorer.make([toy], tiny_networks(), None)
