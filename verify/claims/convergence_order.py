"""Section 3.2: networks with a larger smallest eigenvalue are more likely to converge faster."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag import datasets
from nngp_dag.dag import Dag
from nngp_dag.support.statistics import Estimate
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim
from verify.papers import CONNECTIVITY
from verify.tools.descent import LiteralNetworks
from verify.tools.pair_recursion import exact_gram
from verify.tools.spaces import complete_space

_CONFIDENCE = 0.99
_RESAMPLES = 400
_DECAY = 10.0
_CHECKED = ("2_02_002", "1_01_222", "2_21_112", "2_02_112", "1_12_002", "2_22_222")


@dataclass(frozen=True)
class _Kernels:
    """The distinct four-node DAGs with what decides how fast they train, at infinite width.

    Attributes:
        dags: D DAGs. nngp_min, ntk_min, ntk_max: eigenvalues, [D].
        scale: mean diagonal of the NTK, [D].
        modes: NTK eigenvalues [D, N]. weights: expected squared residual at the start along each of them, [D, N].
    """

    dags: Sequence[Dag]
    nngp_min: np.ndarray
    ntk_min: np.ndarray
    ntk_max: np.ndarray
    scale: np.ndarray
    modes: np.ndarray
    weights: np.ndarray

    def steps(self, rates: np.ndarray) -> np.ndarray:
        """Steps until the expected |y - u|^2 has fallen by `_DECAY`, by bisection on its logarithm, [D].

        At infinite width it is sum_i w_i (1 - eta mu_i)^(2 k).
        """
        with np.errstate(divide="ignore"):
            speed = -2 * np.log(np.abs(1 - rates[:, None] * self.modes))
        low, high = np.full(len(rates), -3.0), np.full(len(rates), 30.0)
        for _ in range(60):
            middle = (low + high) / 2
            left = (self.weights * np.exp(-np.exp(middle)[:, None] * speed)).sum(axis=1)
            above = left > self.weights.sum(axis=1) / _DECAY
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.exp(high)


def _kernels(x: np.ndarray, y: np.ndarray) -> _Kernels:
    """Kernels by the reference recursion; a DAG without trained weights on its paths still has its read-out."""
    dags = sorted({Dag.from_code(name).pruned() for name in complete_space(4).names}, key=Dag.to_code)
    grams = [exact_gram(dag, x, x, "activation-last", "gaussian") for dag in dags]
    nngp, ntk = (np.stack(of) for of in zip(*grams, strict=True))
    values, vectors = np.linalg.eigh(ntk)
    signal = np.einsum("dni,n->di", vectors, y) ** 2
    noise = np.einsum("dni,dnm,dmi->di", vectors, nngp, vectors, optimize=True)
    scale = np.trace(ntk, axis1=1, axis2=2) / len(x)
    return _Kernels(dags, np.linalg.eigvalsh(nngp)[:, 0], values[:, 0], values[:, -1], scale, values, signal + noise)


def _concordance(predictor: np.ndarray, steps: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The share of pairs, among those that differ in both, in which the larger predictor needs fewer steps, [R].

    Each row of `draws` [R, D] says how often every DAG is taken: a pair counts as often as the product says.
    """
    p, s = np.log(predictor), np.log(steps)
    product = np.sign(np.round(p[:, None] - p, 9)) * np.sign(np.round(s - s[:, None], 9))
    right, told = (np.einsum("rd,rd->r", draws @ of, draws) for of in ((product > 0) * 1.0, np.abs(product)))
    return right / told


def _finding(label: str, predictor: np.ndarray, steps: np.ndarray, rng: np.random.Generator) -> Finding:
    """More pairs in order than not: the confidence interval of the concordance, by resampling DAGs, is above 1/2."""
    count = len(steps)
    value = float(_concordance(predictor, steps, np.ones((1, count)))[0])
    draws = rng.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES).astype(float)
    resampled = _concordance(predictor, steps, draws)
    found = Estimate.percentile(value, resampled, _CONFIDENCE)
    pairs = count * (count - 1) // 2
    return Finding.above(
        found,
        0.5,
        order="activation-last",
        embedding="gaussian",
        method="infinite width",
        label=label,
        cases=pairs,
        confidence=_CONFIDENCE,
        worst=value - 0.5,
        detail=f"in order: {found} of those of {pairs} pairs that differ in both; about"
        f" {round((1 - value) * pairs)} are inverted",
    )


@claim(
    "convergence-order",
    title="A larger smallest eigenvalue of the NNGP converges faster, at one learning rate for all",
    paper=CONNECTIVITY,
    source="Section 3.2, Remark 3.2",
    statement="Among DAGs those of a larger lambda_min(K) are more likely to converge faster under gradient descent.",
    latex=r"\lambda_{\min}(K_A) > \lambda_{\min}(K_B) \Rightarrow \text{A is more likely to converge faster than B}",
    expected="holds",
    settings={
        "DAGs": "all distinct ones of four nodes",
        "data": "unit rows of digits, targets -1 and 1; G fixed, all else trained",
        "speed": "steps until the expected |y - u|^2 has fallen by ten",
    },
    duration=10,
)
def check(context: Context) -> Evidence:
    """Linear dynamics of every DAG at one learning rate, and at rates matched to each; some of them by networks."""
    data = datasets.load(f"digits:{context.pick(quick=12, full=64)}")
    assert data.y is not None
    x, y = np.asarray(data.x, np.float64), np.where(np.asarray(data.y) < 5, -1.0, 1.0)
    kernels, rng = _kernels(x, y), context.rng()
    speeds = {
        "one learning rate": kernels.steps(np.full(len(kernels.dags), 0.5 / kernels.ntk_max.max())),
        "eta times mean diagonal of the NTK the same": kernels.steps(
            0.5 * (kernels.scale / kernels.ntk_max).min() / kernels.scale
        ),
        "eta times lambda_max of the NTK the same": kernels.steps(0.5 / kernels.ntk_max),
    }
    predictors = {"NNGP's lambda_min": kernels.nngp_min, "NTK's lambda_min": kernels.ntk_min}
    findings = {
        (predictor, rate): _finding(f"{predictor}; {rate}", values, steps, rng)
        for predictor, values in predictors.items()
        for rate, steps in speeds.items()
    }
    one = speeds["one learning rate"]
    published = findings["NNGP's lambda_min", "one learning rate"]
    matched = [found.detail for (name, rate), found in findings.items() if name.startswith("NNGP") and "same" in rate]
    no = next((found for found in findings.values() if found.holds is False), None)
    shuffled = _finding("permuted", rng.permutation(kernels.nngp_min), one, rng)
    return Evidence(
        [*findings.values()],
        summary=f"{len(one)} DAGs at one learning rate: {published.detail}. With the learning rate matched to each"
        f" DAG's scale: {'; '.join(matched)}.",
        condition="In so many pairs, not in each: the share is in the readings.",
        inside={"reading": published.label, "what": published.detail},
        outside=None if no is None else {"reading": no.label, "what": no.detail},
        counterexample=None if no is None else {"margin": no.worst, "confirmed": f"{_CONFIDENCE:.0%} interval"},
        would_decide="more DAGs",
        controls=[
            Control.rejects(
                "A smaller lambda_min converges faster, at one learning rate.",
                _finding("negated", 1 / kernels.nngp_min, one, rng),
            ),
            Control.not_proved(
                "lambda_min of another DAG, drawn at random, tells how fast one converges.",
                shuffled.holds is True,
                shuffled.detail,
            ),
        ],
        tables=[_networks(context, kernels, x, y)],
        key_values={found.label: KeyValue((found.worst or 0.0) + 0.5, 0.0, 1e-3) for found in findings.values()},
        notes=[
            "Remark 3.2 (one fixed learning rate) is no statement of its own: it is the reading 'one learning rate'.",
            "What is ordered is DAGs of a whole space, where numbers of paths and of trained edges vary together with"
            " lambda_min; that the order is of lambda_min's making does not follow.",
        ],
    )


def _networks(context: Context, kernels: _Kernels, x: np.ndarray, y: np.ndarray) -> Table:
    """Steps of some DAGs at one learning rate, by literal networks: compared with those at infinite width.

    The residual at the start is y, the targets -1 and 1, for each of them.
    """
    chosen = [[dag.to_code() for dag in kernels.dags].index(code) for code in _CHECKED]
    dags = [kernels.dags[i] for i in chosen]
    rate = 0.5 / kernels.ntk_max[chosen].max()
    width, seeds = context.pick(quick=(128, 4), full=(512, 8))
    first = int(context.rng().integers(2**30))
    start = np.tile(y, (len(dags), 1))
    spectrum = [np.linalg.eigh(exact_gram(dag, x, x, "activation-last", "gaussian")[1]) for dag in dags]
    weights = np.stack([(vectors.T @ y) ** 2 for _, vectors in spectrum])
    alone = dataclasses.replace(kernels, modes=np.stack([values for values, _ in spectrum]), weights=weights)
    predicted = alone.steps(np.full(len(dags), rate))
    nets = LiteralNetworks(dags, x, width, range(first, first + seeds), "relu", 2.0)
    residuals = nets.descend(start, [rate] * len(dags), int(2 * predicted.max())).residuals.mean(axis=1)
    measured = np.argmax(residuals <= residuals[:, :1] / _DECAY, axis=1)
    return Table(
        f"Steps to a tenth at one learning rate: {seeds} networks of width {width}, and at infinite width",
        ["DAG", "lambda_min NNGP", "networks", "infinite width"],
        [[_CHECKED[i], kernels.nngp_min[j], int(measured[i]), predicted[i]] for i, j in enumerate(chosen)],
    )
