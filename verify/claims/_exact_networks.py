"""The library's exact kernels against finite networks, by a hypothesis test that other kernels do not pass.

All networks are written out in NumPy (`verify.tools.literal_networks`). A kernel is rejected where the means of the
empirical kernels of independent networks are too far from it: Student's t of each entry, Bonferroni over entries and
all tests. Rows have unequal norms, and the library's kernel is a cross-kernel k(x1, x2), x2 being the rows in reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag, Op
from nngp_dag.finite.montecarlo import KernelEstimate, agreement
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.reading import Setting
from verify import Context, Control, Finding
from verify.tools.dual_formulas import DUALS
from verify.tools.literal_networks import Empirical, empirical_kernels
from verify.tools.pair_recursion import exact_gram

__all__ = ["against_networks"]

_LEVEL = 0.9999
_SETTINGS = (
    Setting.make("exact", "activation-last", "gaussian", "relu"),
    Setting.make("exact", "activation-first", "gaussian-trained", "relu"),
    Setting.make("exact", "activation-last", "gaussian-trained", "erf"),
    Setting.make("exact", "activation-last", "stem", "gelu"),
)
_CODES = ("1_01_222", "2_21_112", "1_11_112", "2_22_122")
"""DAG#2, DAG#3, a DAG in which four copies of the input meet, and one of five linear edges."""

_MORE = ("1_12_212", "2_02_002", "0_22_022", "2_12_221", "1_22_111", "2_11_222")

Matrices = tuple[np.ndarray, np.ndarray]
"""NNGP and NTK of the rows [N, N]."""


_DIRECTIONS = np.array([[1, 2, 0, -1, 1], [2, -1, 1, 1, 0], [2, -1, 1, 0, 1], [-1, 0, 3, 1, 2]], dtype=float)
_ROWS = np.array([0.7, 1.0, 1.3, 1.1])[:, None] * _DIRECTIONS / np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)
"""Four rows of dimension 5, of norms 0.7 to 1.3; the second and third are near each other."""


def _library(dag: Dag, setting: Setting, rows: np.ndarray) -> Matrices:
    """NNGP and NTK of all pairs of rows, as cross-kernels."""
    kernels = kernel_of(dag, setting)(rows, rows[::-1].copy())
    return np.asarray(kernels.nngp)[:, ::-1], np.asarray(kernels.ntk)[:, ::-1]


@dataclass(frozen=True)
class _Trial:
    """One DAG in one setting: the library's kernels, and its networks."""

    dag: Dag
    setting: Setting
    library: Matrices
    drawn: Empirical

    def p_value(self, kernel: np.ndarray, which: int) -> float:
        """The chance of such networks, or ones further off, were this their NNGP (`which` 0) or NTK (1)."""
        values = (self.drawn.nngp, self.drawn.ntk)[which]
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        return agreement(KernelEstimate(values.mean(axis=0), error, error), kernel, len(values)).p


def _trials(context: Context) -> list[_Trial]:
    """Networks of every DAG in every setting; their number stays far below the width, whose bias is of order 1/m."""
    width, networks = context.pick(quick=(256, 24), full=(512, 48))
    rng, found = context.rng(), []
    for code in (*_CODES, *context.pick(quick=(), full=_MORE)):
        dag = Dag.from_code(code)
        for setting in _SETTINGS:
            names = setting.order, setting.embedding, setting.activation.name
            drawn = empirical_kernels(dag, _ROWS, *names, width=width, networks=networks, rng=rng)
            found.append(_Trial(dag, setting, _library(dag, setting, _ROWS), drawn))
    return found


def _blocks(trials: Iterable[_Trial], setting: Setting) -> Finding:
    """The finding that k(x1, x2) is the block of the joint Gram matrix by the recursion over pairs of nodes."""
    errors = []
    for trial in trials:
        if trial.setting != setting:
            continue
        gram = exact_gram(trial.dag, _ROWS[:2], _ROWS[2:], setting.order, setting.embedding, setting.activation.name)
        # Other rows only: of a row with itself the reference rounds arccos, and its quadrature of GELU is at its worst.
        for ours, theirs in zip(trial.library, gram, strict=True):
            errors.append(float(np.abs(ours[:2, 2:] - theirs).max() / ours.max()))
    return Finding.agreement(
        max(errors),
        tolerance=1e-9,
        cases=len(errors),
        setting=setting,
        label="k(x1, x2) against the block of the joint Gram matrix",
        detail="NNGP and NTK on rows of norms 0.7 to 1.3, relative to the largest entry; recursion over pairs of nodes",
    )


Kernels = Callable[[_Trial], Matrices]


def _finding(trials: list[_Trial], setting: Setting, kernel: str, kernels: Kernels) -> Finding:
    """The finding that these kernels are those of the networks, for all DAGs of a setting."""
    which, threshold = ("NNGP", "NTK").index(kernel), (1 - _LEVEL) / (2 * len(trials))
    mine = [trial for trial in trials if trial.setting == setting]
    p, code = min((trial.p_value(kernels(trial)[which], which), trial.dag.to_code()) for trial in mine)
    return Finding(
        p >= threshold,
        setting=setting,
        label=f"{kernel} against networks",
        cases=len(mine),
        confidence=_LEVEL,
        tolerance=threshold,
        worst=p,
        detail=f"smallest p of {len(mine)} DAGs, of {code}; rejected below {threshold:.1e} (Bonferroni)",
    )


def _independent(trial: _Trial) -> Matrices:
    """Eq. 6-11 on a Gaussian embedding: K_t = sum_A K_s + sum_L f(K_s), and the NTK likewise."""
    setting, k = trial.setting, _ROWS @ _ROWS.T
    dual = DUALS[setting.activation.name]
    nngp, tangent = [k], [k if setting.embedding == "gaussian-trained" else np.zeros_like(k)]
    for t in range(1, trial.dag.num_nodes):
        here, there = np.zeros_like(k), np.zeros_like(k)
        for s in range(t):
            if trial.dag.op(s, t) is Op.SKIP:
                here, there = here + nngp[s], there + tangent[s]
            elif trial.dag.op(s, t) is Op.LINEAR:
                variances = np.diag(nngp[s])
                f, slope = (m(variances[:, None], nngp[s], variances[None, :]) for m in (dual.f, dual.fdot))
                added = slope * nngp[s] if setting.order == "activation-last" else f
                here, there = here + f, there + slope * tangent[s] + added
        nngp.append(here)
        tangent.append(there)
    return nngp[-1], nngp[-1] + tangent[-1]


def _exact(order: str, embedding: str) -> Kernels:
    """The exact kernels of another order or embedding."""
    return lambda trial: exact_gram(trial.dag, _ROWS, _ROWS, order, embedding, trial.setting.activation.name)


def _rescaled(trial: _Trial) -> Matrices:
    """The kernels of rows of unit norm, multiplied by the norms: right for homogeneous activations alone."""
    norms = np.linalg.norm(_ROWS, axis=1)
    unit, setting = _ROWS / norms[:, None], trial.setting
    nngp, ntk = exact_gram(trial.dag, unit, unit, setting.order, setting.embedding, setting.activation.name)
    return nngp * np.outer(norms, norms), ntk * np.outer(norms, norms)


def _larger(trial: _Trial) -> Matrices:
    nngp, ntk = trial.library
    return 1.25 * nngp, 1.25 * ntk


def _controls(trials: list[_Trial]) -> list[Control]:
    """Kernels that are not those of the networks."""
    last, first, erf, _ = _SETTINGS
    independent = "Wide networks have the kernels of the paper's recursion, *independent*"
    without_means = "Wide networks have the exact NNGP without the means (that of activation-first in activation-last)."
    cases: tuple[tuple[str, Setting, str, Kernels], ...] = (
        (f"{independent}: NNGP, {last}.", last, "NNGP", _independent),
        (f"{independent}: NTK, {first}.", first, "NTK", _independent),
        (without_means, last, "NNGP", _exact("activation-first", last.embedding)),
        ("A trained embedding adds nothing to the NTK.", first, "NTK", _exact(first.order, "gaussian")),
        ("The NNGP of erf is homogeneous: that of unit rows times their norms.", erf, "NNGP", _rescaled),
        ("The NNGP is a quarter larger than the exact one.", last, "NNGP", _larger),
        ("The NTK is a quarter larger than the exact one.", erf, "NTK", _larger),
    )
    return [
        Control.rejects(words, _finding(trials, setting, kernel, kernels)) for words, setting, kernel, kernels in cases
    ]


def against_networks(context: Context) -> tuple[list[Finding], list[Control]]:
    """The findings that NNGP and NTK of each setting are those of the networks, and that cross-kernels are blocks."""
    trials, findings = _trials(context), []
    for setting in _SETTINGS:
        findings += [_finding(trials, setting, kernel, lambda trial: trial.library) for kernel in ("NNGP", "NTK")]
        findings.append(_blocks(trials, setting))
    return findings, _controls(trials)
