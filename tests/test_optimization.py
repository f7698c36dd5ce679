"""The best connectivity: classes of equal kernels against brute force, criteria, bounds, proofs and the command."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest
from command_line import run_command
from flint import arb
from helpers import assert_close

import nngp_dag
from nngp_dag import Dag, InputError, kernel_fn
from nngp_dag.cli.optimize import _announce
from nngp_dag.dag import count_isomorphism_classes, enumerate_codes
from nngp_dag.datasets import load
from nngp_dag.finite.convergence import descent
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.optimization import CRITERIA, Limits, Problem, exhaustive, normal_form, quotient
from nngp_dag.optimization.comparison import _is_below, compare_graphs
from nngp_dag.optimization.cost import estimated_seconds
from nngp_dag.optimization.criteria import Batch, Probes, get
from nngp_dag.optimization.enclosures import enclosed_value
from nngp_dag.optimization.evolution import evolve
from nngp_dag.optimization.exhaustive import classes_of, pieces_of, search
from nngp_dag.optimization.gains import complete_mixture, relax
from nngp_dag.optimization.isomorphism import count_isomorphic
from nngp_dag.optimization.judging import GraphJudge
from nngp_dag.optimization.leaders import Leaders, front
from nngp_dag.optimization.normal_form import Forms, Rules, are_proportional
from nngp_dag.optimization.planes import Planes
from nngp_dag.optimization.quotient import codes_of
from nngp_dag.optimization.training import FACTORS, train_graphs
from nngp_dag.prediction import LinearDynamics
from nngp_dag.proofs import precision
from nngp_dag.reading import Setting
from nngp_dag.signal import SignalMaps
from nngp_dag.spectrum import spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

READINGS = [
    ("exact", "activation-last", "relu"),
    ("exact", "activation-first", "relu"),
    ("exact", "activation-last", "gelu"),
    ("exact", "activation-last", "erf"),
    ("independent", "activation-last", "relu"),
    ("path-sum", "activation-last", "relu"),
]
DISTINCT = {
    ("exact", "activation-last"): (2, 8, 77, 2_681, 334_344),
    ("exact", "activation-first"): (2, 8, 70, 2_261, 285_959),
    ("independent", "activation-last"): (2, 8, 65, 1_868, 206_401),
    ("path-sum", "activation-last"): (2, 8, 47, 464, 8_674),
}
"""Distinct ReLU kernels of DAGs with 2 to 6 nodes."""


def setting_of(method, order, activation="relu"):
    return Setting.make(method, order, "gaussian", activation)


def problem_of(rows=16, **options):
    data = load(f"digits:{rows}")
    return Problem(data.x, data.one_hot(), **options)


def entries(codes, setting):
    """All entries of both kernels of DAGs on four rows of different norms, [A, 20]."""
    x = np.random.default_rng(0).normal(size=(4, 5)) * np.array([0.7, 1.0, 1.3, 0.9])[:, None]
    kernels = sweep_kernels(codes, x, setting=setting)
    i, j = np.triu_indices(4)
    return np.concatenate([np.asarray(kernel)[:, i, j] for kernel in kernels], axis=1)


def labels_of(codes, setting):
    """The number of the normal form of each DAG."""
    forms = None if setting.method == "path-sum" else Forms(Rules.of(setting))
    numbers = {}
    dags = [Dag.from_array(code) for code in codes]
    return np.array([numbers.setdefault(normal_form(dag, setting, forms), len(numbers)) for dag in dags])


def assert_classes_are_kernels(codes, setting):
    """DAGs of one form have one kernel, and those of two forms two."""
    found, labels = entries(codes, setting), labels_of(codes, setting)
    order = np.argsort(labels, kind="stable")
    first = np.flatnonzero(np.diff(labels[order], prepend=-1))
    spread = np.maximum.reduceat(found[order], first) - np.minimum.reduceat(found[order], first)
    assert spread.max() <= 1e-12 * max(1.0, np.abs(found).max())
    one = found[order[first]]
    projected = np.sort(one @ np.random.default_rng(1).normal(size=one.shape[1]))
    assert np.diff(projected).min() > 1e-10 * np.abs(projected).max()
    return len(first)


# ---- classes of equal kernels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "order", "activation"), READINGS)
def test_forms_of_four_nodes_are_equal_where_kernels_are(method, order, activation):
    setting = setting_of(method, order, activation)
    count = assert_classes_are_kernels(enumerate_codes(4), setting)
    assert len(quotient(4, setting)) == count - 1  # the zero kernel


def test_forms_of_five_nodes_are_equal_where_kernels_are():
    """All 2,681 classes, and a sample of their members."""
    sample = np.concatenate([quotient(5).index, np.random.default_rng(2).permutation(3**10)[:500], [0]])
    assert assert_classes_are_kernels(codes_of(sample, 5), Setting()) == 2_681 + 1


@pytest.mark.full
@pytest.mark.parametrize(("method", "order", "activation"), READINGS)
def test_forms_of_all_dags_of_five_nodes(method, order, activation):
    setting = setting_of(method, order, activation)
    assert assert_classes_are_kernels(enumerate_codes(5), setting) == len(quotient(5, setting)) + 1


@pytest.mark.parametrize(("method", "order"), DISTINCT)
def test_numbers_of_distinct_kernels(method, order):
    setting = setting_of(method, order)
    for nodes, count in zip((2, 3, 4, 5), DISTINCT[method, order], strict=False):
        found = quotient(nodes, setting)
        assert len(found) == count
        assert found.size.sum() + found.without_path == found.total == 3 ** (nodes * (nodes - 1) // 2)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("method", "order"), DISTINCT)
def test_number_of_distinct_kernels_of_six_nodes(method, order):
    found = quotient(6, setting_of(method, order))
    assert len(found) == DISTINCT[method, order][4]
    assert found.size.sum() + found.without_path == 3**15


@pytest.mark.parametrize(("method", "order", "activation"), READINGS)
def test_classes_found_by_arrays_are_those_of_forms(method, order, activation):
    """Sizes of classes, and of each the cheapest DAG: fewest linear edges, then edges, then the first code."""
    setting, codes = setting_of(method, order, activation), enumerate_codes(4)
    labels, paths = labels_of(codes, setting), np.array([Dag.from_array(code).reachable().any() for code in codes])
    cost = (codes == 2).sum(axis=1) * 100 + (codes > 0).sum(axis=1)
    expected = {}
    for place in np.lexsort((np.arange(len(codes)), cost)):
        if paths[place]:
            expected.setdefault(labels[place], [int(place), 0])[1] += 1
    found = quotient(4, setting)
    assert sorted(map(tuple, expected.values())) == list(zip(found.index.tolist(), found.size.tolist(), strict=True))
    assert all(
        Dag.from_array(code).pruned().num_linear == n for code, n in zip(found.codes(), found.num_linear, strict=True)
    )


def test_isomorphic_dags_have_one_form_and_a_form_says_itself():
    rng = np.random.default_rng(3)
    for code in codes_of(rng.integers(3**15, size=40), 6):
        dag = Dag.from_array(code)
        assert normal_form(dag) == normal_form(dag.canonical()) == normal_form(dag.pruned())
    first = ((("input",), 1, 1),)
    assert normal_form(Dag.from_code("2_02")) == ((((first, 1, 1),), 1, 1),)
    assert normal_form(Dag.from_code("2_02")) != normal_form(Dag.from_code("2"))


def test_graphs_up_to_relabelling_are_counted():
    assert count_isomorphic(4) == count_isomorphism_classes(enumerate_codes(4)) - 1 == 260
    assert count_isomorphic(5) == 15_656


def test_limits_leave_out_whole_graphs_and_take_the_members_within():
    full, limited = quotient(4), quotient(4, limits=Limits(max_linear_edges=2, max_paths=2))
    assert limited.size.sum() + limited.beyond + limited.without_path == full.total
    for code in limited.codes():
        assert Limits(2, 2).allow(Dag.from_array(code))
    allowed = [Dag.from_array(code) for code in enumerate_codes(4)]
    assert len(limited) == len({normal_form(dag) for dag in allowed if Limits(2, 2).allow(dag)})


def test_proportional_kernels_are_told():
    single, double, other = (Dag.from_code(code) for code in ("2_02", "2_02_001_0011", "2_12"))
    x = problem_of().x
    assert are_proportional(single, double) and not are_proportional(single, other)
    assert_close(np.asarray(kernel_fn(double)(x).ntk), 4 * np.asarray(kernel_fn(single)(x).ntk))
    assert not are_proportional(single, double.then(other))
    path_sum = setting_of("path-sum", "activation-last")
    assert are_proportional(single, double, path_sum) and not are_proportional(single, other, path_sum)


@pytest.mark.parametrize(
    ("method", "order", "embedding", "activation"),
    [
        ("exact", "activation-last", "gaussian", "relu"),
        ("exact", "activation-first", "gaussian-trained", "erf"),
        ("exact", "activation-last", "stem", "relu"),
        ("independent", "activation-last", "stem", "relu"),
        ("path-sum", "activation-last", "gaussian", "relu"),
    ],
)
def test_kernels_are_sums_of_planes(method, order, embedding, activation):
    setting = Setting.make(method, order, embedding, activation)
    classes = quotient(4, setting)
    x = np.random.default_rng(0).normal(size=(4, 5)) * np.array([0.7, 1.0, 1.3, 0.9])[:, None]
    found = Planes.of(classes.values, x, setting).weighted(*classes.weights(slice(None)), ("nngp", "ntk"))
    for kernel, expected in zip(found, sweep_kernels(classes.codes(), x, setting=setting), strict=True):
        assert_close(kernel, np.asarray(expected))


# ---- criteria --------------------------------------------------------------------------------------------------------

CODES = ("2_02_002", "1_01_222", "2_21_112", "2_12_012")


def evaluate(criteria, codes, problem):
    """The values of DAGs of these codes [A, E] by each criterion, [A, k]."""
    found = np.full((len(codes), len(criteria)), np.nan)
    for index, batch in pieces_of(criteria, codes, problem):
        found[index] = np.stack([criterion.values(batch) for criterion in criteria], axis=1)
    return found


def test_criteria_are_what_the_library_says_of_one_dag():
    problem = problem_of(steps=7)
    codes = np.stack([Dag.from_code(code).to_array() for code in CODES])
    names = ("lambda-min", "condition", "loss", "slope", "cost")
    found = dict(zip(names, evaluate(tuple(CRITERIA[name] for name in names), codes, problem).T, strict=True))
    for a, code in enumerate(CODES):
        kernels = kernel_fn(Dag.from_code(code))(problem.x)
        ntk = spectrum(np.asarray(kernels.ntk))
        assert_close(found["lambda-min"][a], ntk.scale_free.lambda_min)
        assert_close(found["condition"][a], ntk.condition)
        dynamics = LinearDynamics(kernels.ntk, len(problem.x) / ntk.lambda_max)
        assert_close(found["loss"][a], dynamics.expected_losses([7], problem.targets, kernels.nngp)[0])
        assert_close(found["slope"][a], float(SignalMaps.of(Dag.from_code(code)).correlation_slope(1.0)))
        assert found["cost"][a] == code.count("2")


def test_a_fixed_learning_rate_is_that_of_the_dynamics():
    problem = problem_of(steps=5, learning_rate=0.3)
    kernels = kernel_fn(Dag.from_code("2_02"))(problem.x)
    expected = LinearDynamics(kernels.ntk, 0.3).expected_losses([5], problem.targets, kernels.nngp)[0]
    assert_close(evaluate((CRITERIA["loss"],), Dag.from_code("2_02").to_array()[None], problem)[0, 0], expected)


@pytest.mark.parametrize("name", CRITERIA)
def test_proved_intervals_hold_the_values(name):
    problem = problem_of(12, steps=20)
    dag = Dag.from_code("2_21_112")
    low, high = enclosed_value(name, dag, problem)
    value = evaluate((CRITERIA[name],), dag.to_array()[None], problem)[0, 0]
    slack = 1e-9 * abs(value)
    assert low - slack <= value <= high + slack
    assert high - low <= 1e-5 * abs(value)


@pytest.mark.parametrize("name", [name for name, criterion in CRITERIA.items() if criterion.optimist])
def test_no_value_is_better_than_its_bound(name):
    problem, criterion, codes = problem_of(), CRITERIA[name], quotient(4).codes()
    kernels = sweep_kernels(codes, problem.x)
    batch = Batch(problem, codes, *(np.asarray(kernel) for kernel in kernels))
    probes = Probes.of(batch.ntk[[5, 40]])
    bound, value = criterion.costs(criterion.optimist(batch, probes)), criterion.costs(criterion.values(batch))
    assert (bound <= value * (1 + 1e-9) + 1e-12 if name == "condition" else bound <= value + 1e-12).all()
    assert_close(bound[[5, 40]], value[[5, 40]], tolerance=1e-7, reason="their own directions: sharp up to rounding")


# ---- the search ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["lambda-min", "condition", "lambda-min,cost", "lambda-min,loo"])
def test_the_search_finds_what_judging_everything_finds(names, monkeypatch):
    monkeypatch.setattr(exhaustive, "_PIECE_BYTES", 2**20)
    problem, classes = problem_of(), quotient(5)
    criteria = get(names, problem)
    found = search(classes, criteria, problem, keep=5)
    everything = Leaders.of(len(criteria), 5)
    for index, batch in classes_of(criteria, classes, problem):
        everything.offer(index, np.stack([c.costs(c.values(batch)) for c in criteria], axis=1))
    assert found.judged + found.discarded == len(classes)
    assert found.discarded > len(classes) / 4 or names == "lambda-min,loo"
    assert found.leaders.places.tolist() == everything.places.tolist()
    assert_close(found.leaders.costs, everything.costs)


def test_an_interrupted_search_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(exhaustive, "_PIECE_BYTES", 2**18)
    problem, classes, out = problem_of(), quotient(5, limits=Limits(max_paths=4)), tmp_path / "pieces.jsonl"
    criteria = get("lambda-min", problem)
    whole = search(classes, criteria, problem, keep=4)
    judged, calls = exhaustive._judged, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return judged(*arguments)

    monkeypatch.setattr(exhaustive, "_judged", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(classes, criteria, problem, keep=4, out=out)
    calls[:] = [1] * 10
    found = search(classes, criteria, problem, keep=4, out=out)
    assert 0 < found.resumed < len(classes)
    assert found.leaders.places.tolist() == whole.leaders.places.tolist()
    assert found.judged + found.discarded == len(classes)
    with pytest.raises(InputError, match="another search"):
        search(classes, get("condition", problem), problem, keep=4, out=out)


def test_a_front_is_what_nothing_dominates():
    costs = np.random.default_rng(0).integers(8, size=(60, 2)).astype(float)
    kept = front(costs)
    dominated = [(((costs <= row).all(axis=1)) & ((costs < row).any(axis=1))).any() for row in costs]
    assert {tuple(row) for row in costs[kept]} == {tuple(row) for row in costs[~np.array(dominated)]}
    assert len({tuple(row) for row in costs[kept]}) == len(kept)


# ---- spaces too large to go through ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("nodes", "evaluations"), [(5, 300), (6, 600)])
def test_evolution_finds_the_optimum_of_all_dags(nodes, evaluations):
    """Among the 2,681 kernels of five nodes, and the 334,344 of six, of which a chain is the best (in the full run)."""
    problem = problem_of()
    found = evolve(nodes, get("lambda-min", problem), problem, Limits(), evaluations=evaluations)
    assert found.judged <= evaluations
    assert found.dags[0] == Dag.from_code("_".join("0" * (t - 1) + "2" for t in range(1, nodes)))
    if nodes == 5:
        whole = nngp_dag.optimize(5, "lambda-min", problem.x)
        assert_close(-found.costs[0, 0], whole.best[0].values["lambda-min"])


def test_evolution_keeps_its_limits_and_leaves_the_generators_as_they_were():
    problem, limits = problem_of(), Limits(max_linear_edges=4, max_paths=4)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    found = evolve(7, get("condition", problem), problem, limits, evaluations=60, keep=4)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert all(limits.allow(dag) for dag in found.dags) and 30 <= found.judged <= 60
    again = evolve(7, get("condition", problem), problem, limits, evaluations=60, keep=4)
    assert again.dags == found.dags


@pytest.mark.parametrize("method", ["exact", "independent", "path-sum"])
def test_a_judge_says_what_a_search_says(method):
    problem = problem_of(setting=setting_of(method, "activation-last"))
    judge, dags = (
        GraphJudge(get("lambda-min,loss", problem), problem),
        [Dag.from_code(code) for code in (*CODES, "2_02")],
    )
    found = judge.costs(dags)
    for dag, costs in zip(dags, found, strict=True):
        kernels = kernel_fn(dag, method=method)(problem.x)
        assert_close(costs[0], -spectrum(np.asarray(kernels.ntk)).scale_free.lambda_min)
    assert len(judge.known) == 5
    assert_close(judge.costs(dags[:2]), found[:2])


def test_a_mixture_of_one_operation_an_edge_is_the_dag():
    dag, x = Dag.from_code("2_12"), problem_of().x
    mixture = complete_mixture(3, np.eye(3)[dag.to_array()])
    assert_close(np.asarray(kernel_fn(mixture)(x, get="ntk")), np.asarray(kernel_fn(dag)(x, get="ntk")))


@pytest.mark.full
def test_gradient_ascent_over_gains_ends_where_all_dags_have_their_best():
    problem = problem_of()
    found = relax(3, problem, starts=3, steps=25, seed=1)
    best = nngp_dag.optimize(3, "lambda-min", problem.x)
    assert found.best == best.winner == Dag.from_code("2_02")
    start = relax(3, problem, starts=3, steps=1, seed=1)
    assert (found.values > start.values).all()


def test_tuned_rates_are_the_best_of_each_graph(monkeypatch):
    """Networks that need 1 / rate steps, in the place of trained ones."""

    class Descent:
        def __init__(self, dags, x, y, width, seeds, *_, **__):
            self.size = float((np.asarray(y) ** 2).sum())

        def residuals(self, rates, steps):
            decay = np.exp(-np.asarray(rates)[..., None] * np.arange(steps + 1))
            return 2 * self.size * decay

    monkeypatch.setattr(descent, "GradientDescent", Descent)
    problem, dags = problem_of(8), [Dag.from_code("2_02"), Dag.from_code("2_22")]
    found = train_graphs(dags, problem, np.ones(8), width=4, seeds=[0, 1], steps=2000, largest=np.array([10.0, 20.0]))
    # 2 exp(-rate k) <= 0.2 from k = log(10) / rate on.
    assert found.fixed[:, 0].tolist() == [np.ceil(20 * np.log(10))] * 2
    assert found.tuned[:, 1].tolist() == [np.ceil(size / max(FACTORS) * np.log(10)) for size in (10, 20)]
    assert found.mean_steps(tuned=True).tolist() == found.tuned[:, 0].tolist()


# ---- proofs ----------------------------------------------------------------------------------------------------------


def test_the_winner_is_proved_better_or_it_is_said_that_it_is_not():
    problem = problem_of()
    chain, other = Dag.from_code("2_02_002"), Dag.from_code("2_02_102")
    found = compare_graphs(CRITERIA["lambda-min"], chain, other, problem)
    assert found.on_data and found.two_points == "some" and "proved better at all correlations" in found.words
    assert not compare_graphs(CRITERIA["lambda-min"], other, chain, problem).on_data
    assert compare_graphs(CRITERIA["lambda-min"], other, chain, problem).two_points == "none"
    same = compare_graphs(CRITERIA["lambda-min"], Dag.from_code("1"), Dag.from_code("1_11"), problem)
    assert not same.on_data and "multiple" in same.words
    slope = compare_graphs(CRITERIA["slope"], chain, Dag.from_code("2_02"), problem)
    assert not slope.on_data and "not told apart" in slope.words


def test_what_is_proved_between_two_points_holds_at_both_ends():
    """Boxes compare the first at their upper end with the second at their lower one: two that cross are not settled."""
    with precision(64):
        crossing = [lambda rho: arb(1) / 2, lambda rho: arb(float(rho)) + arb(0.25)]
        assert not _is_below(*crossing, Fraction(0), Fraction(1))
        assert _is_below(*crossing, Fraction(1, 2), Fraction(1))
        assert not _is_below(
            lambda rho: arb(float(rho)), lambda rho: arb(float(rho) ** 2), Fraction(1, 4), Fraction(1, 2)
        )


def test_where_balls_have_no_form_nothing_is_proved_and_that_is_said():
    problem = problem_of(setting=Setting.make(activation="tanh"))
    found = compare_graphs(CRITERIA["lambda-min"], Dag.from_code("2_02"), Dag.from_code("2"), problem)
    assert found.intervals is None and "nothing is proved" in found.words


# ---- Python and the command line -------------------------------------------------------------------------------------


def test_python_takes_rows_and_labels():
    data = load("digits:16")
    found = nngp_dag.optimize(4, "loo", data.x, data.y, top=3)
    assert len(found.best) == 3 and found.distinct == 77
    assert found.winner == nngp_dag.optimize(4, "loo", data, top=1).winner
    assert found.best[0].dag.to_code() in str(found)
    with pytest.raises(InputError, match="needs labels"):
        nngp_dag.optimize(4, "loo", data.x)


def test_the_command_prints_one_document_and_resumes(tmp_path, capsys):
    arguments = ["optimize", "--nodes", 4, "--data", "digits:16", "--top", 2, "--out", tmp_path / "a", "--json"]
    code, out, _ = run_command(capsys, *arguments)
    document = json.loads(out)
    assert code == 0 and document["criterion"] == "lambda-min"
    assert (document["distinct"], document["evaluated"], document["resumed"]) == (77, 77, 0)
    assert [graph["code"] for graph in document["best"]] == ["2_02_002", "2_02_102"]
    assert document["told_apart"]["on_data"] is True
    assert json.loads((tmp_path / "a" / "result.json").read_text()) == document
    code, out, _ = run_command(capsys, *arguments)
    again = json.loads(out)
    assert again["resumed"] == 77 and again["best"] == document["best"]


def test_the_command_prints_a_front(capsys):
    code, out, _ = run_command(
        capsys, "optimize", "--nodes", 4, "--data", "digits:16", "--criterion", "lambda-min,cost"
    )
    assert code == 0 and "2_02_002" in out and "77 distinct kernels" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nodes", 33], "2 to 32 nodes"),
        (["--nodes", 7, "--evaluations", 10], "40 graphs or more"),
        (["--nodes", 7, "--criterion", "loo,cost"], "one criterion"),
        (["--nodes", 4, "--max-paths", 1, "--max-linear-edges", 0, "--evaluations", 50, "--lr", 0], "learning rate"),
        (["--nodes", 4, "--criterion", "width"], "unknown criterion"),
        (["--nodes", 4, "--criterion", "cost"], "cost alone"),
        (["--nodes", 4, "--criterion", "loo,loo"], "two different"),
        (["--nodes", 4, "--criterion", "loss", "--lr", -1], "learning rate"),
        (["--nodes", 4, "--method", "neural-tangents"], "compared by"),
        (["--nodes", 4, "--data", "digits:1"], "two rows"),
        (["--nodes", 4, "--criterion", "loo", "--data", "digits:2"], "rows of two labels or more"),
    ],
)
def test_what_cannot_be_searched_is_one_line(arguments, words, capsys):
    code, out, err = run_command(capsys, "optimize", "--data", "digits:16", *arguments)
    assert code == 2 and not out and words in err and len(err.strip().splitlines()) == 1


def test_a_long_search_is_announced_and_one_label_is_refused(capsys):
    """Eigenvalues of 343,031 kernels at most, by the cube of the rows, where no bound discards any."""
    rows = np.random.default_rng(0).standard_normal((900, 4))
    problem = Problem(rows, np.eye(2)[np.arange(900) % 2])
    for criterion, hours in (("lambda-min", 2), ("loss", 36)):
        seconds = estimated_seconds(6, 900, (CRITERIA[criterion],))
        assert hours / 2 < seconds / 3600 < 2 * hours
        _announce(6, problem, (CRITERIA[criterion],), None, None)
        assert re.search(r"hours of one core on 900 rows; with --out", capsys.readouterr().err)
    _announce(5, problem, (CRITERIA["lambda-min"],), None, None)
    assert estimated_seconds(6, 900, (CRITERIA["cost"],)) == 0 and capsys.readouterr().err == ""
    with pytest.raises(InputError, match="the 900 rows have one"):
        Problem(rows, np.ones((900, 1))).labelled()
