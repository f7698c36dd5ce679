"""Scores against slow literal transcriptions of their definitions, on tiny networks; one compilation for all."""

import dataclasses
import importlib
import inspect

import jax
import nas_oracle
import numpy as np
import pytest
from helpers import assert_close
from nas_cases import random_images, tiny_networks

from nngp_dag.conv import conv_kernel_fn
from nngp_dag.errors import InputError
from nngp_dag.nas import Images, load_images, make_score, space_networks
from nngp_dag.nas.images import random_patches
from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.initialize import draw
from nngp_dag.nas.networks.network201 import MacroSpec
from nngp_dag.nas.scores.batches import LabelledImages
from nngp_dag.nas.scores.linear_regions import count_distinct
from nngp_dag.nas.scores.ntk_condition import condition_number, tangent_kernel
from nngp_dag.nas.scores.registry import SCORES, baselines
from nngp_dag.nas.scores.scorer import Scorer, architecture_key
from nngp_dag.nas.scores.wot import code_kernel, log_det
from nngp_dag.spaces import get

pytestmark = pytest.mark.usefixtures("quick_compilation")

SPACE = get("nasbench201")
NETWORKS = tiny_networks()
IMAGES = random_images()
KEY = jax.random.key(2)
DEAD = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"
FULL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|nor_conv_3x3~1|nor_conv_3x3~2|"
ALIVE = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"


def oracle(spec, key):
    return nas_oracle.Network(nas_oracle.parameters(draw(NETWORKS.network, spec, key)), spec)


def batch_of(name):
    recipe = SCORES[name].batch
    return None if recipe is None else recipe.draw(IMAGES, np.random.default_rng(0), 4 if name == "ntk-cond" else 6)


# ---- NAS-WOT -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["once", "released"])
@pytest.mark.parametrize("seed", range(3))
def test_wot_is_the_log_determinant_of_agreeing_codes(weights, seed):
    rows = SPACE.sample(1, np.random.default_rng(seed))[0]
    x = IMAGES.batch(6).astype(np.float64)
    network = oracle(NETWORKS.wot, KEY)
    network(x, rows[0])
    kernel = nas_oracle.wot_kernel(network.relus, weights)
    actual = code_kernel(NETWORKS.network, NETWORKS.wot, weights, np.asarray(rows[0], np.int32), x, KEY)
    assert (np.asarray(actual) == kernel).all()
    score = make_score("wot", NETWORKS, {"weights": weights})(rows, IMAGES.batch(6), KEY)
    sign, expected = np.linalg.slogdet(kernel)
    if sign > 0 and SPACE.totals(rows).paths[0]:
        assert_close(score, expected)
    else:
        assert score == -np.inf


def test_wot_of_degenerate_networks_is_minus_infinity():
    score = make_score("wot", NETWORKS)
    assert score(DEAD, IMAGES.batch(6), KEY) == -np.inf
    twins = np.concatenate([IMAGES.batch(5), IMAGES.batch(1)])
    assert score(ALIVE, twins, KEY) == -np.inf
    assert np.isfinite(score(ALIVE, IMAGES.batch(6), KEY))


def test_log_det_has_no_threshold_but_rounding():
    assert_close(log_det(np.diag([1.0, 1e-6, 3.0])), np.log(3e-6))
    assert log_det(np.ones((4, 4))) == -np.inf


# ---- TE-NAS --------------------------------------------------------------------------------------------------------


def test_the_tangent_kernel_is_that_of_finite_differences():
    """Gradients of logits by central differences of the literal network, over every weight that is not a bias."""
    genes = SPACE.parse(ALIVE)[0]
    x = IMAGES.batch(4).astype(np.float64)
    network = oracle(NETWORKS.ntk, KEY)
    step, columns = 1e-5, []
    for name, value in network.values.items():
        if name.endswith("bias"):
            continue
        for index in np.ndindex(value.shape):
            saved = value[index]
            outputs = []
            for sign in (1, -1):
                value[index] = saved + sign * step
                outputs.append(network(x, genes).sum(1))
            value[index] = saved
            columns.append((outputs[0] - outputs[1]) / (2 * step))
    jacobian = np.transpose(columns)
    actual = tangent_kernel(NETWORKS.network, NETWORKS.ntk, np.asarray(genes, np.int32), x, KEY)
    assert_close(
        actual, jacobian @ jacobian.T, tolerance=1e-6, reason="central differences err by step^2 and eps / step"
    )
    values = np.linalg.eigvalsh(actual)
    assert_close(make_score("ntk-cond", NETWORKS)(ALIVE, x, KEY), values[-1] / values[0])


def test_condition_numbers_of_singular_kernels_are_infinite():
    assert condition_number(np.ones((3, 3))) == np.inf
    assert condition_number(np.zeros((3, 3))) == np.inf
    assert_close(condition_number(np.diag([4.0, 1.0, 2.0])), 4.0)
    # 1e-9 is well above the square of float32's resolution, 1e-14 is below it.
    assert np.isfinite(condition_number(np.diag([1.0, 1e-9])))
    assert condition_number(np.diag([1.0, 1e-14])) == np.inf
    assert make_score("ntk-cond", NETWORKS)(DEAD, IMAGES.batch(4), KEY) == np.inf


@pytest.mark.parametrize("cell", [ALIVE, DEAD, FULL])
def test_linear_regions_are_distinct_activation_patterns(cell):
    patches = random_patches(IMAGES, np.random.default_rng(1), count=20).astype(np.float64)
    network = oracle(NETWORKS.regions, KEY)
    collected = []
    for batch in patches:
        network(batch, SPACE.parse(cell)[0])
        collected.append(network.relus)
    expected = nas_oracle.distinct_patterns(collected)
    assert make_score("linear-regions", NETWORKS)(cell, patches, KEY) == expected
    assert expected > 10 or cell == DEAD


def test_distinct_rows_are_counted():
    rows = np.random.default_rng(0).integers(0, 2, size=(500, 2), dtype=np.uint8)
    assert count_distinct(rows) == len({tuple(row) for row in rows.tolist()}) == 4


# ---- one registry, one compilation ---------------------------------------------------------------------------------


@pytest.fixture
def compilations():
    """The compilations that happen within a test, as they happen."""
    seen = []

    def listen(event, duration, **more):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(more)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize("name", [name for name, score in SCORES.items() if score.weights])
def test_fifty_architectures_compile_once(name, compilations):
    score, batch = make_score(name, NETWORKS), batch_of(name)
    cells = SPACE.sample(50, np.random.default_rng(4))
    values = [score(cells[0], batch, KEY)]
    compilations.clear()
    values += [score(rows, batch, KEY) for rows in cells[1:]]
    assert compilations == []
    assert len(set(values)) > 3


def test_a_compilation_would_be_noticed(compilations):
    jax.jit(lambda x: x * 3.25 + 1)(np.arange(7.0))
    assert compilations


@pytest.mark.parametrize("name", list(SCORES))
def test_scores_take_text_and_arrays_and_depend_on_the_key_alone(name):
    score, batch = make_score(name, NETWORKS), batch_of(name)
    first = score(ALIVE, batch, jax.random.key(0))
    assert isinstance(first, float)
    assert first == score(SPACE.parse(ALIVE), batch, jax.random.key(0))
    others = {score(ALIVE, batch, jax.random.key(k)) for k in range(5)}
    assert (len(others) == 1) == (name in baselines() or not SCORES[name].weights)


@pytest.mark.parametrize("name", list(SCORES))
def test_what_the_space_does_not_have_is_refused(name):
    score = make_score(name, NETWORKS)
    for bad in (
        "|conv~0|",
        "|nor_conv_9x9~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        np.zeros((1, 5), int),
        np.full((1, 6), 7),
        np.full((1, 6), -1),
    ):
        with pytest.raises(InputError):
            score(bad, batch_of(name), KEY)


@pytest.mark.parametrize("name", [name for name in SCORES if SCORES[name].batch is not None])
def test_batches_of_the_wrong_kind_are_refused(name):
    score, batch = make_score(name, NETWORKS), batch_of(name)
    x = batch.x if isinstance(batch, LabelledImages) else batch
    for bad in (x[..., :0], x[0], x.astype(int), x * np.nan, x[..., None]):
        with pytest.raises(InputError, match="images"):
            score(ALIVE, batch._replace(x=bad) if isinstance(batch, LabelledImages) else bad, KEY)


@pytest.mark.parametrize("name", [name for name in SCORES if name not in baselines() and SCORES[name].weights])
def test_scores_with_weights_need_a_key(name):
    with pytest.raises(InputError, match="needs a key"):
        make_score(name, NETWORKS)(ALIVE, batch_of(name))


def test_exact_scores_are_scale_free_least_eigenvalues_and_compile_no_step_twice(compilations):
    batch = batch_of("exact-ntk")
    x = batch.astype(np.float64)  # of 4 x 4 pixels, which stay as they are
    kernels = conv_kernel_fn(ALIVE, cells=1, stages=1)(x / np.sqrt((x**2).mean((1, 2, 3), keepdims=True)))
    for name in ("nngp", "ntk"):
        score, kernel = make_score(f"exact-{name}", NETWORKS), np.asarray(getattr(kernels, name))
        assert_close(score(ALIVE, batch), np.linalg.eigvalsh(kernel)[0] / kernel.trace() * len(kernel))
        assert score(DEAD, batch) == -np.inf
        cells = [ALIVE, ALIVE.replace("skip_connect", "avg_pool_3x3"), ALIVE.replace("1x1", "3x3")]
        values = [score(cell, batch) for cell in cells]
        compilations.clear()
        assert [score(cell, batch) for cell in cells] == values
        assert compilations == []
    bare = dataclasses.replace(space_networks("darts"), ntk=space_networks("darts").regions)
    with pytest.raises(InputError, match="no kernels for these networks of darts"):
        make_score("exact-ntk", bare)
    with pytest.raises(InputError, match="cannot be shrunk"):
        score(ALIVE, batch[:, :, :3])


def test_unknown_names_and_options_are_refused():
    with pytest.raises(InputError, match="unknown score"):
        make_score("accuracy", NETWORKS)
    with pytest.raises(InputError, match="no networks"):
        make_score("wot", "nasnet")
    with pytest.raises(InputError, match="no option"):
        make_score("ntk-cond", NETWORKS, {"weights": "once"})
    with pytest.raises(InputError, match="unknown weights"):
        make_score("wot", NETWORKS, {"weights": "twice"})


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name, score in SCORES.items() for option in score.options]
)
def test_options_are_those_that_the_function_takes(name, option):
    module, function = SCORES[name].implementation.split(":")
    taken = inspect.signature(getattr(importlib.import_module(module), function)).parameters
    assert taken[option.name].default == option.default
    for choice in option.choices:
        make_score(name, NETWORKS, {option.name: choice})
    with pytest.raises(InputError, match=rf"^unknown {option.name}.*\baccepted are {', '.join(option.choices)}$"):
        make_score(name, NETWORKS, {option.name: "strange"})


def test_baselines_are_what_they_say():
    values = {name: make_score(name, "nasbench201")(ALIVE, None, None) for name in baselines()}
    # Paths of ALIVE: 0-3 (pool), 0-2-3 (skip, conv), 0-1-2-3 (three convolutions).
    assert values["effective-depth"] == 4 / 3
    assert values["effective-width"] == 2 / (4 / 3)
    assert values["num-parameterised"] == 3
    assert values["num-conv-3x3"] == 2
    assert values["parameters"] > values["multiply-adds"] / 1000 > 0


def test_a_row_depends_on_its_architecture_and_the_seed_alone():
    cells = SPACE.sample(3, np.random.default_rng(0))
    scorer = Scorer.make(["wot"], NETWORKS, IMAGES, seed=1, batch_size=6)
    forth = {row["architecture"]: row["wot"] for row in scorer.rows(list(cells))}
    again = Scorer.make(["linear-regions", "wot"], NETWORKS, IMAGES, seed=1, batch_size=6)
    back = {row["architecture"]: row["wot"] for row in again.rows(list(cells[::-1]))}
    assert forth == back
    assert set(baselines()) < set(scorer.names)
    assert not (jax.random.key_data(architecture_key(1, "a")) == jax.random.key_data(architecture_key(1, "b"))).all()
    assert scorer.settings() != again.settings()
    assert scorer.settings() != Scorer.make(["wot"], NETWORKS, IMAGES, seed=2, batch_size=6).settings()


def test_rows_are_the_same_by_one_thread_and_by_several():
    cells = [SPACE.write(genes) for genes in SPACE.sample(7, np.random.default_rng(2))]
    scorer = Scorer.make(["wot", "grad-norm"], NETWORKS, IMAGES, seed=1, batch_size=6)
    one, several = (list(scorer.rows(cells, threads)) for threads in (1, 3))
    assert [row["architecture"] for row in several] == cells
    assert [row | {"seconds": 0.0} for row in several] == [row | {"seconds": 0.0} for row in one]


# ---- images --------------------------------------------------------------------------------------------------------


def test_patches_are_cut_out_of_the_images():
    patches = random_patches(IMAGES, np.random.default_rng(0), batches=2, count=30)
    assert patches.shape == (2, 30, 3, 3, 1)
    windows = np.lib.stride_tricks.sliding_window_view(IMAGES.x, (3, 3), axis=(1, 2)).reshape(-1, 9)
    known = {row.tobytes() for row in np.ascontiguousarray(windows)}
    assert all(patch.tobytes() in known for patch in patches.reshape(-1, 9))
    assert len({patch.tobytes() for patch in patches.reshape(-1, 9)}) > 50


def test_images_from_files(tmp_path):
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, size=(20, 8, 8, 3), dtype=np.uint8), rng.integers(5, size=20)
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=labels)
    np.savez(tmp_path / "b.npz", x=pixels.transpose(0, 3, 1, 2))
    np.save(tmp_path / "c.npy", pixels / 255)
    a, b, c = (load_images(tmp_path / name) for name in ("a.npz", "b.npz", "c.npy"))
    assert_close(a.x, b.x)
    assert_close(a.x, c.x)
    assert np.abs(a.x.mean((0, 1, 2))).max() < 1e-5
    assert np.abs(a.x.std((0, 1, 2)) - 1).max() < 1e-5
    assert (a.y == labels).all()
    assert b.y is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((4, 8, 8), np.uint8)}, "square colour images"),
        ({"x": np.zeros((4, 8, 6, 3), np.uint8)}, "square colour images"),
        ({"x": np.zeros((4, 8, 8, 3), np.int64)}, "type int64"),
        ({"x": np.full((4, 8, 8, 3), 2.0)}, "floats from"),
        ({"x": np.full((4, 8, 8, 3), np.nan)}, "NaN"),
        ({"x": np.zeros((4, 8, 8, 3), np.uint8)}, "constant"),
        ({"a": np.zeros(3), "b": np.zeros(3)}, "no array named"),
        ({"x": np.random.default_rng(0).random((4, 8, 8, 3)), "y": np.zeros(3, int)}, "labels"),
    ],
)
def test_files_that_are_no_images_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load_images(tmp_path / "x.npz")


def test_other_bad_images(tmp_path):
    (tmp_path / "text.npz").write_text("no archive")
    for spec, message in (
        (tmp_path / "text.npz", "damaged"),
        (tmp_path / "none.npz", "no such file"),
        ("imagenet", "unknown images"),
    ):
        with pytest.raises(InputError, match=message):
            load_images(spec)
    with pytest.raises(InputError, match="41 images was asked for, but random images has only 40"):
        IMAGES.batch(41)
    with pytest.raises(InputError, match="do not fit"):
        random_patches(Images(IMAGES.x[:, :2, :2], None, "small"), np.random.default_rng(0))


@pytest.mark.parametrize("size", [1, 2, 3, 30])
def test_images_that_the_network_cannot_halve_are_refused(size):
    """NAS-Bench-201's residual blocks halve twice; both branches of one have to end at the same size."""
    batch = np.random.default_rng(0).normal(size=(4, size, size, 3)).astype(np.float32)
    with pytest.raises(InputError, match=f"images of {size}x{size}: height and width must be multiples of 4"):
        image_batch(batch, MacroSpec())
    assert image_batch(batch, MacroSpec(stages=1)).shape == batch.shape


def test_real_images(shared_data):
    images = load_images(shared_data / "cifar10_subset.npz", size=32)
    assert images.x.shape == (4000, 32, 32, 3)
    assert set(images.y.tolist()) == set(range(10))
    with pytest.raises(InputError, match="64x64 are needed"):
        load_images(shared_data / "cifar10_subset.npz", size=64)
