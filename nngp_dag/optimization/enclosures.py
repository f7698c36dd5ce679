r"""Proved intervals of criteria, so that two graphs are told apart by more than floats that differ.

Kernels come entry by entry from ball arithmetic (`proofs.pair_balls`), the rows taken as the exact numbers that they
are. Eigenvalues are enclosed by `proofs.enclosed_eigenvalues`. The other criteria are functions of whole matrices of
balls: leave-one-out residuals by an inverse, a training loss by a power of I - (eta / N) Theta, the slope of the
correlation map from one input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.optimization.problem import Problem
from nngp_dag.reading import Setting

if TYPE_CHECKING:
    from flint import arb, arb_mat

    from nngp_dag.proofs.enclosed_eigenvalues import EnclosedMatrix, Interval

__all__ = ["MAX_ROWS", "enclosed_value"]

MAX_ROWS = 256
"""Rows up to which matrices of balls are multiplied and inverted in seconds."""

_BITS = 192


def enclosed_value(name: str, dag: Dag, problem: Problem) -> Interval:
    """(low, high) that hold the exact value of a criterion for a DAG.

    Args:
        name: of the criterion.
        dag: any DAG with a path.
        problem: the rows, targets and setting.

    Raises:
        InputError: an activation without a closed form in balls, an undefined value, or a learning rate at which
            nothing finite is enclosed.
    """
    if name == "cost":
        cost = float(dag.pruned().num_linear)
        return cost, cost
    found = _ENCLOSURES[name](dag, problem)
    if not np.isfinite(found).all():
        raise InputError(f"the {name} of {dag.to_code()} is not enclosed: the kernel is singular, or nearly")
    return found


def _lambda_min(dag: Dag, problem: Problem) -> Interval:
    from flint import arb

    from nngp_dag.proofs.enclosed_eigenvalues import enclosed_eigenvalues

    bounds = enclosed_eigenvalues(_kernels(dag, problem)["ntk"])
    n = len(problem.x)
    low, high = (n * arb(end) for end in bounds.least)
    least, greatest = (arb(end) for end in bounds.trace)
    ends = [low / least, low / greatest, high / least, high / greatest]
    return min(float(e.lower()) for e in ends), max(float(e.upper()) for e in ends)


def _condition(dag: Dag, problem: Problem) -> Interval:
    from nngp_dag.proofs.enclosed_eigenvalues import enclosed_eigenvalues

    condition = enclosed_eigenvalues(_kernels(dag, problem)["ntk"]).condition
    return condition or (float("nan"), float("nan"))


def _slope(dag: Dag, problem: Problem) -> Interval:
    from flint import arb

    from nngp_dag.proofs.pair_balls import pair_balls
    from nngp_dag.proofs.prove import precision

    with precision(_BITS):
        rows = []
        for embedding in ("gaussian", "gaussian-trained"):
            reading = replace(problem.setting.reading, embedding=embedding)
            rows.append(pair_balls(dag, Setting(problem.setting.method, reading)).row(arb(1)))
        return _ends((rows[1].ntk - rows[0].ntk) / rows[0].nngp)


def _leave_one_out(dag: Dag, problem: Problem) -> Interval:
    from flint import arb, fmpq

    from nngp_dag.proofs.prove import precision

    with precision(_BITS):
        k = _balls(_kernels(dag, problem)["ntk"])
        n = k.nrows()
        y = _centred(problem.labelled())
        ridge = arb(fmpq(1, 1000)) * sum((k[i, i] for i in range(n)), arb(0)) / n
        for i in range(n):
            k[i, i] += ridge
        inverse = k.inv()
        residuals = inverse * y
        total = _total((residuals[i, c] / inverse[i, i]) ** 2 for i in range(n) for c in range(y.ncols()))
        return _ends(total / _total(y[i, c] ** 2 for i in range(n) for c in range(y.ncols())))


def _loss(dag: Dag, problem: Problem) -> Interval:
    from flint import arb, arb_mat

    from nngp_dag.proofs.enclosed_eigenvalues import enclosed_eigenvalues
    from nngp_dag.proofs.prove import precision

    with precision(_BITS):
        kernels = _kernels(dag, problem)
        n = len(problem.x)
        if problem.learning_rate is None:
            low, high = enclosed_eigenvalues(kernels["ntk"]).greatest
            rate = 1 / arb(low).union(arb(high))
        else:
            rate = arb(problem.learning_rate) / n
        step, theta = arb_mat(n, n), _balls(kernels["ntk"])
        for i in range(n):
            for j in range(n):
                step[i, j] = (1 if i == j else 0) - rate * theta[i, j]
        power, steps = arb_mat(n, n), 2 * problem.steps
        for i in range(n):
            power[i, i] = 1
        while steps:
            if steps % 2:
                power = power * step
            step, steps = step * step, steps // 2
        y = _matrix(problem.labelled())
        signal, noise = y.transpose() * (power * y), power * _balls(kernels["nngp"])
        outputs = y.ncols()
        total = _total(signal[c, c] for c in range(outputs)) + outputs * _total(noise[i, i] for i in range(n))
        return _ends(total / (2 * n))


_ENCLOSURES: dict[str, Callable[[Dag, Problem], Interval]] = {
    "lambda-min": _lambda_min,
    "condition": _condition,
    "slope": _slope,
    "loo": _leave_one_out,
    "loss": _loss,
}


def _kernels(dag: Dag, problem: Problem) -> dict[str, EnclosedMatrix]:
    from nngp_dag.proofs.kernel_balls import enclosed_kernels

    return enclosed_kernels(dag, np.ascontiguousarray(problem.x, np.float64), problem.setting)


def _balls(matrix: EnclosedMatrix) -> arb_mat:
    """Every entry within the radius, which bounds the 2-norm of all deviations, and so each of them."""
    from flint import arb, arb_mat

    n = len(matrix.middle)
    return arb_mat(n, n, [arb(value, matrix.radius) for value in matrix.middle.ravel().tolist()])


def _matrix(values: np.ndarray) -> arb_mat:
    from flint import arb, arb_mat

    return arb_mat(values.shape[0], values.shape[1], [arb(value) for value in values.ravel().tolist()])


def _centred(targets: np.ndarray) -> arb_mat:
    from flint import arb

    y = _matrix(targets)
    for c in range(y.ncols()):
        mean = sum((y[i, c] for i in range(y.nrows())), arb(0)) / y.nrows()
        for i in range(y.nrows()):
            y[i, c] -= mean
    return y


def _total(terms: object) -> arb:
    from flint import arb

    return sum(terms, arb(0))  # type: ignore[call-overload, no-any-return]


def _ends(ball: arb) -> Interval:
    """The ends of a ball as floats that hold it."""
    low, high = float(ball.lower()), float(ball.upper())
    return float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
