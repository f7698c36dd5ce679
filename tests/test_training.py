"""Training: a literal loop as reference, curves, checkpoints that resume to the last bit and notice damage."""

import shutil
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.finite.network import DagNetwork, Ensemble, NetworkSpec
from nngp_dag.finite.training import CheckpointStore, TrainConfig, checkpoint, make_data, train
from nngp_dag.finite.training.curves import measures
from nngp_dag.finite.training.program import Tally
from nngp_dag.kernel import kernel_fn
from nngp_dag.prediction import LinearDynamics, predict_curve
from nngp_dag.reading import Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAGS = [Dag.from_code(code) for code in ("2_02_002", "1_01_222")]


def problem(n: int = 50, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    return x / np.linalg.norm(x, axis=1, keepdims=True), rng.integers(0, classes, n)


def ensemble(width: int = 8, dags=DAGS, seeds=(3, 4), **options) -> Ensemble:
    return Ensemble(NetworkSpec.make(dags, 5, width, 3, dtype="float64", **options), dags, seeds)


@pytest.fixture(scope="module")
def data():
    return make_data(*problem(), dtype="float64")


@pytest.fixture(scope="module")
def whole(data):
    """An unbroken run: 3 epochs of 4 steps (the last batch holds 2 of 16 rows), and one step more."""
    return train(ensemble(), data, config())


def config(**options) -> TrainConfig:
    options = {"loss": "cross-entropy", "learning_rate": 0.5, "batch": 16, "steps": 13} | options
    return TrainConfig.make(50, **options)


def assert_same_bits(a, b) -> None:
    assert a.steps == b.steps
    for name in ("loss", "accuracy", "class_accuracy"):
        for running in (False, True):
            np.testing.assert_array_equal(a.array(name, running), b.array(name, running))


def test_curves_are_those_of_a_plain_loop(data, whole):
    """One member, one network, one gradient at a time; the row order of an epoch from the seed and the epoch alone."""
    assert whole.steps == [0, 4, 8, 12, 13]
    x, y = problem()
    network = DagNetwork(
        NetworkSpec.make(DAGS[1], 5, 8, 3, dtype="float64"), DAGS[1], rngs=nnx.Rngs(params=jax.random.key(4))
    )
    graphdef, params, rest = nnx.split(network, nnx.Param, ...)

    @jax.jit
    def loss(params, x, y):
        u = nnx.merge(graphdef, params, rest)(x)
        return -(jax.nn.log_softmax(u)[jnp.arange(len(y)), y]).mean()

    key = jax.random.fold_in(jax.random.key(4), 0x6461)
    found, running = [float(loss(params, x, y))], []
    for step in range(13):
        order = np.asarray(jax.random.permutation(jax.random.fold_in(key, step // 4), 50))
        rows = order[16 * (step % 4) : 16 * (step % 4 + 1)]
        value, gradient = jax.value_and_grad(loss)(params, x[rows], y[rows])
        running.append((float(value), len(rows)))
        params = jax.tree.map(lambda p, g: p - 0.5 * g, params, gradient)
        if step + 1 in whole.steps:
            found.append(float(loss(params, x, y)))
    np.testing.assert_allclose(whole.array("loss")[:, 1, 1], found, rtol=1e-10)
    first_epoch = sum(value * rows for value, rows in running[:4]) / 50
    np.testing.assert_allclose(whole.array("loss", running=True)[0, 1, 1], first_epoch, rtol=1e-10)


def test_mean_per_class_accuracy():
    found = measures(Tally(np.array([6.0]), np.array([[2.0, 0.0, 0.0]]), np.array([[2.0, 2.0, 0.0]])))
    assert found["accuracy"] == [0.5] and found["loss"] == [1.5]
    assert found["class_accuracy"] == [0.5]  # classes without rows do not count
    skewed = measures(Tally(np.array([0.0]), np.array([[9.0, 0.0]]), np.array([[9.0, 1.0]])))
    assert (skewed["accuracy"][0], skewed["class_accuracy"][0]) == (0.9, 0.5)


def test_gradient_descent_follows_the_infinite_width_prediction():
    """Wide networks under full-batch gradient descent, each against its own prediction, and their mean against the
    expected curve.
    """
    x, y = problem(12)
    dag, width, seeds = DAGS[1], 256, 40
    recipe = TrainConfig.make(12, loss="mse", optimizer="gd", learning_rate=0.1, steps=40, eval_every=10)
    runs = ensemble(width, [dag], range(seeds))
    curves = train(runs, make_data(x, y, 3, "float64"), recipe)
    measured, targets = curves.array("loss")[:, 0], np.eye(3)[y]
    predicted = predict_curve(dag, x, targets, 0.1, curves.steps)

    # From its own initial outputs a network's curve is that of the linear dynamics up to O(m^-1/2), on average O(1/m).
    dynamics = LinearDynamics(kernel_fn(dag)(x).ntk, 0.1)
    initial = np.asarray(runs.apply(runs.init(), x))[0]
    own = np.stack(
        [0.5 * ((dynamics.outputs(k, targets, initial) - targets) ** 2).sum(axis=2).mean(axis=1) for k in curves.steps]
    )
    np.testing.assert_allclose(measured[0], own[0], rtol=1e-10)
    difference = (measured - own) / predicted.loss[0]
    error = difference.std(axis=1, ddof=1) / np.sqrt(seeds)
    assert np.all(np.abs(difference.mean(axis=1)) < 4 * error + 1 / width)
    assert np.all(error < 1 / width)  # 0.35 / m measured; the bias is 0.3 / m

    # Most of the variation between networks is that of their initial outputs: a coarser test of the expected curve.
    error = measured.std(axis=1, ddof=1) / np.sqrt(seeds)
    assert np.all(np.abs(measured.mean(axis=1) - predicted.loss) < 4 * error + 1 / width * predicted.loss[0])
    assert np.all(error < 0.2 * predicted.loss[0])
    assert measured[-1].mean() < 0.1 * measured[0].mean()  # something was learnt


def test_interrupted_runs_resume_to_the_last_bit(tmp_path, data, whole):
    store = CheckpointStore(tmp_path / "run", {})
    train(ensemble(), data, config(steps=5), store=store)
    resumed = train(ensemble(), data, config(), store=store, resume=True)
    assert_same_bits(resumed, whole)
    # Nothing is left to do: the same curves again, from the last checkpoint.
    assert_same_bits(train(ensemble(), data, config(), store=store, resume=True), whole)
    # Without a checkpoint, resuming starts from the beginning.
    fresh = CheckpointStore(tmp_path / "other", {})
    assert_same_bits(train(ensemble(), data, config(), store=fresh, resume=True), whole)


def test_batch_norm_state_is_part_of_the_run(tmp_path, data):
    options = {"reading": Reading(embedding="stem"), "parameterization": "standard", "batch_norm": True}
    unbroken = train(ensemble(**options), data, config(steps=6))
    store = CheckpointStore(tmp_path / "run", {})
    train(ensemble(**options), data, config(steps=3), store=store)
    assert_same_bits(train(ensemble(**options), data, config(steps=6), store=store, resume=True), unbroken)


def test_damaged_and_foreign_checkpoints_are_refused(tmp_path, data):
    store = CheckpointStore(tmp_path / "run", {})
    train(ensemble(), data, config(steps=2), store=store)
    with pytest.raises(InputError, match=r"another run: its learning_rate is 0\.5, not 0\.25"):
        train(ensemble(), data, config(learning_rate=0.25), store=store, resume=True)
    with pytest.raises(InputError, match="another run: its data"):
        train(ensemble(), make_data(*problem(seed=1), dtype="float64"), config(), store=store, resume=True)
    with pytest.raises(InputError, match="another run: its width is 8, not 9"):
        train(ensemble(9), data, config(), store=store, resume=True)
    with pytest.raises(InputError, match="has made 2 steps, more than the 1 asked for"):
        train(ensemble(), data, config(steps=1), store=store, resume=True)


def test_damage_to_any_file_of_a_checkpoint_is_noticed(tmp_path, data):
    store = CheckpointStore(tmp_path / "run", {})
    train(ensemble(), data, config(steps=2), store=store)
    files = sorted(path for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert len(files) > 5  # Orbax spreads the arrays over several
    for path in files:
        content = path.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        for damaged in (flipped, content[:middle], b""):
            path.write_bytes(damaged)
            with pytest.raises(
                InputError, match=r"^the checkpoint \S+_2 is damaged: its \S+ \S+ is not what was saved$"
            ):
                store.latest()
        if path.name != "nngp_dag_step_2.json":
            path.unlink()
            with pytest.raises(InputError, match=r"is damaged: its file \S+ is missing"):
                store.latest()
        path.write_bytes(content)
    assert store.latest() is not None
    # Without its record a checkpoint was never finished.
    (tmp_path / "run" / "nngp_dag_step_2.json").unlink()
    assert store.latest() is None
    train(ensemble(), data, config(steps=2), store=store, resume=True)
    assert store.latest() is not None


def test_a_full_disk_costs_one_line_and_leaves_nothing(tmp_path, capfd, monkeypatch):
    import tensorstore

    store, arrays = CheckpointStore(tmp_path, {}), {"a": np.ones(3)}
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**16))
    with pytest.raises(InputError, match=r"^cannot write a checkpoint in \S+: it takes .* are free$"):
        store.save(0, arrays, {})
    monkeypatch.undo()

    def full(*_, **__):
        raise ValueError("RESOURCE_EXHAUSTED: no space left on device")

    monkeypatch.setattr(tensorstore, "open", full)  # where the disk fills after the check
    with pytest.raises(InputError, match=r"^cannot write the checkpoint \S+_0: ValueError: RESOURCE_EXHAUSTED"):
        store.save(0, arrays, {})
    assert "Traceback" not in "".join(capfd.readouterr())
    assert list(tmp_path.iterdir()) == []


def test_the_last_two_checkpoints_are_kept(tmp_path, data):
    store = CheckpointStore(tmp_path / "run", {})
    train(ensemble(), data, config(steps=12), store=store, checkpoint_seconds=0)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        f"nngp_dag_step_{name}" for name in ("12", "12.json", "8", "8.json")
    ]


def test_a_seeds_curve_does_not_depend_on_its_company(data, whole):
    alone = train(ensemble(seeds=(4,)), data, config())
    np.testing.assert_allclose(alone.array("loss")[:, :, 0], whole.array("loss")[:, :, 1], rtol=1e-9)


def test_output_scales(data):
    scaled = train(ensemble(), data, config(steps=0), output_scales=[2.0, 1.0])
    plain = train(ensemble(), data, config(steps=0))
    assert np.all(scaled.array("loss")[0, 0] != plain.array("loss")[0, 0])
    np.testing.assert_array_equal(scaled.array("loss")[0, 1], plain.array("loss")[0, 1])
    with pytest.raises(InputError, match="as many output scales"):
        train(ensemble(), data, config(), output_scales=[1.0])


def test_summary_has_mean_and_deviation(whole):
    summary = whole.summary()
    assert [row["code"] for row in summary] == ["2_02_002", "1_01_222"]
    np.testing.assert_allclose(summary[0]["loss"]["mean"], whole.array("loss")[:, 0].mean(axis=1))
    np.testing.assert_allclose(summary[0]["loss"]["std"], whole.array("loss")[:, 0].std(axis=1, ddof=1))
    assert len(summary[0]["running_accuracy"]["mean"]) == len(whole.steps) - 1


def test_bad_recipes_and_data(data):
    for options, message in (
        ({"loss": "hinge"}, "mse, cross-entropy"),
        ({"optimizer": "adam"}, "sgd, gd"),
        ({"learning_rate": 0.0}, "positive number"),
        ({"epochs": 1}, "either steps or epochs"),
        ({"optimizer": "gd", "batch": 7}, "all 50 rows"),
        ({"batch": 0}, "at least 1 row"),
        ({"steps": -1}, "between 0 and 2,147,483,647, got -1"),
        ({"steps": None, "epochs": float("nan")}, "got nan epochs of 4 steps"),
        ({"steps": None, "epochs": 1e300}, r"got 1e\+300 epochs"),
        ({"eval_every": 0}, "at least 1 step"),
    ):
        with pytest.raises(InputError, match=message):
            config(**options)
    assert TrainConfig.make(50, optimizer="gd").batch == 50
    with pytest.raises(InputError, match="5 inputs to 3 outputs"):
        train(ensemble(), make_data(np.ones((4, 2)), np.zeros(4, int), 3, "float64"), config())
    for y, message in ((np.array([0, 5]), "out of range"), (np.array([0.5, 1]), "integers"), (np.zeros(3, int), "got")):
        with pytest.raises(InputError, match=message):
            make_data(np.ones((2, 5)), y, 3)


def test_a_checkpoint_without_room_on_the_disk_is_one_line_and_leaves_the_last_one(tmp_path, monkeypatch):
    store = CheckpointStore(tmp_path / "run", {"lr": 1.0})
    arrays = {"a": np.arange(4.0)}
    store.save(1, arrays, {})
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda place: usage._replace(free=31))
    with pytest.raises(InputError, match=r"cannot write a checkpoint in .*: it takes"):
        store.save(2, arrays, {})
    assert store.latest()[0] == 1
    assert not (tmp_path / "run" / "nngp_dag_step_2").exists()
