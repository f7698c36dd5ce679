"""lambda_min(NTK) >= lambda_min(NNGP): training all layers can only add to the kernel that the last layer alone has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.reading import Setting
from nngp_dag.spectrum import certified
from verify import Context, Control, Evidence, Finding, KeyValue, Proof, Table, claim
from verify.papers import CONNECTIVITY
from verify.tools.pair_recursion import exact_gram
from verify.tools.settings import with_activation
from verify.tools.spaces import ConnectedDags, complete_space, swept

_SETTINGS = (
    Setting.make("exact", "activation-last", "gaussian"),
    Setting.make("exact", "activation-first", "gaussian-trained"),
    Setting.make("exact", "activation-last", "gaussian-trained"),
    Setting.make("exact", "activation-last", "stem"),
    Setting.make("independent", "activation-last", "gaussian"),
    Setting.make("path-sum", "activation-last", "gaussian"),
)
_PROOF = Proof.written("ntk-dominates-nngp")
_TOLERANCE = 1e-12
_STRICT = 1e-9


@dataclass(frozen=True, eq=False)
class _Kernels:
    """NNGP and NTK of every DAG on the same rows [A, N, N], and the largest eigenvalue of the NTK [A]."""

    setting: Setting
    nngp: np.ndarray
    ntk: np.ndarray

    def smallest(self, matrices: np.ndarray) -> np.ndarray:
        """The smallest eigenvalues of matrices [A, N, N] over lambda_max(NTK), [A]."""
        return np.linalg.eigvalsh(matrices)[:, 0] / np.linalg.eigvalsh(self.ntk)[:, -1]

    def margins(self, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """lambda_min(NTK) - factor lambda_min(NNGP), and lambda_min(NTK - factor NNGP), each over lambda_max(NTK)."""
        order = self.smallest(self.ntk) - factor * self.smallest(self.nngp)
        return order, self.smallest(self.ntk - factor * self.nngp)

    def finding(self, *margins: np.ndarray, proof: Proof | None = None) -> Finding:
        """The finding that no margin is negative."""
        return Finding.inequality(
            min(float(values.min()) for values in margins),
            tolerance=_TOLERANCE,
            strict=False,
            cases=len(self.nngp),
            setting=self.setting,
            proof=proof,
            detail="smallest of lambda_min(NTK) - lambda_min(NNGP) and lambda_min(NTK - NNGP), over lambda_max(NTK)",
        )


def _of_library(space: ConnectedDags, rows: np.ndarray, setting: Setting) -> _Kernels:
    shape = (len(space.names), len(rows), len(rows))
    nngp, ntk = np.empty(shape), np.empty(shape)
    for index, kernels in swept(space, rows, setting):
        nngp[index], ntk[index] = kernels.nngp, kernels.ntk
    return _Kernels(setting, nngp, ntk)


def _of_reference(space: ConnectedDags, rows: np.ndarray, setting: Setting) -> _Kernels:
    """By the recursion over pairs of nodes, which shares no code with the library's kernels."""
    activation = setting.activation.name
    grams = [
        exact_gram(Dag.from_code(name), rows, rows, setting.order, setting.embedding, activation)
        for name in space.names
    ]
    return _Kernels(setting, np.array([nngp for nngp, _ in grams]), np.array([ntk for _, ntk in grams]))


def _by_intervals(space: ConnectedDags, rows: np.ndarray) -> tuple[Finding, int]:
    """The finding that no proved lambda_min(NTK) lies below lambda_min(NNGP), and of how many DAGs it lies above."""
    dags = {Dag.from_code(name).pruned() for name in space.names}
    found = [certified(dag, rows, normalize=True) for dag in sorted(dags, key=Dag.to_code)]
    margins = [(k["ntk"].lambda_min[1] - k["nngp"].lambda_min[0]) / k["ntk"].lambda_max[1] for k in found]
    finding = Finding.inequality(
        min(margins),
        tolerance=0.0,
        strict=False,
        cases=len(found),
        setting=_SETTINGS[0],
        label="proved eigenvalues",
        proof=_PROOF,
        detail="smallest of the upper end of lambda_min(NTK) less the lower end of lambda_min(NNGP), over lambda_max",
    )
    return finding, sum(k["ntk"].lambda_min[0] > k["nngp"].lambda_min[1] for k in found)


def _controls(kernels: _Kernels, linear: np.ndarray) -> list[Control]:
    """Of the same kernels: what is false of them, and what a wrong order would be.

    Args:
        kernels: of all DAGs.
        linear: the DAGs that have a path with a linear edge [A].
    """
    with_linear = _Kernels(kernels.setting, kernels.nngp[linear], kernels.ntk[linear])
    reversed_roles = _Kernels(kernels.setting, kernels.ntk, kernels.nngp)
    return [
        Control.rejects(
            "NTK - 2 NNGP is positive semi-definite for every DAG with a linear edge on a path.",
            with_linear.finding(with_linear.margins(2.0)[1]),
            "smallest eigenvalue over lambda_max(NTK)",
        ),
        Control.rejects(
            "lambda_min(NTK) >= 1.5 lambda_min(NNGP) for every DAG.",
            kernels.finding(kernels.margins(1.5)[0]),
            "smallest difference over lambda_max(NTK)",
        ),
        Control.rejects(
            "NNGP - NTK is positive semi-definite for every DAG.",
            reversed_roles.finding(*reversed_roles.margins()),
            "smallest margin over lambda_max(NNGP)",
        ),
    ]


@claim(
    "ntk-dominates-nngp",
    title="The smallest eigenvalue of the NTK is at least that of the NNGP",
    paper=CONNECTIVITY,
    source="Section 3.2 (the convergence rate is bounded by the NNGP)",
    statement="For every DAG NTK - NNGP = Theta_HH is positive semi-definite, hence lambda_min(NTK) >="
    " lambda_min(NNGP).",
    latex=r"\Theta^{(H)} = K^{(H)} + \Theta_{HH},\quad \Theta_{HH} \succeq 0",
    expected="certified",
    settings={
        "DAGs": "all of four nodes",
        "data": "rows of real data",
        "activations": "relu, erf; gelu, sin, leaky_relu in the full profile",
    },
    duration=4,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path; the proof is by induction over the nodes, the check by eigenvalues."""
    space, rows = complete_space(4), context.rows(context.pick(quick=12, full=32))
    findings: list[Finding] = []
    controls: list[Control] = []
    table: list[tuple[str, str, float, float, int]] = []
    for kernels, words in _all_kernels(context, space, rows):
        order, semidefinite = kernels.margins()
        strictly = int((order > _STRICT).sum())
        findings.append(kernels.finding(order, semidefinite, proof=_PROOF))
        activation = kernels.setting.activation.name
        table.append((words, activation, float(order.min()), float(semidefinite.min()), strictly))
        if not controls:
            controls = _controls(kernels, space.flags("has_linear_path"))
    intervals, above = _by_intervals(space, rows)
    return Evidence(
        [*findings, intervals],
        summary=f"All {len(space.names)} DAGs on {len(rows)} rows of {context.data} in {len(findings)} readings: never"
        f" violated beyond"
        f" rounding, {min(row[4] for row in table)} to {max(row[4] for row in table)} DAGs"
        f" strictly. By proved eigenvalues never at all, and strictly for {above} of {intervals.cases} distinct DAGs.",
        controls=controls,
        tables=[
            Table(
                f"{len(space.names)} DAGs, {len(rows)} rows",
                [
                    "reading",
                    "activation",
                    "smallest margin / lambda_max",
                    "smallest lambda_min(Theta) / lambda_max",
                    "strict",
                ],
                [list(row) for row in table],
            )
        ],
        key_values={f"strict, {row[0]}, {row[1]}": KeyValue(row[4], 0, 2) for row in table},
        notes=["The proof is the page ntk-dominates-nngp: Theta is a sum of Hadamard products of Gram matrices."],
    )


def _all_kernels(context: Context, space: ConnectedDags, rows: np.ndarray) -> list[tuple[_Kernels, str]]:
    """The kernels of each reading, with the reading in words: the library's, then those of the reference."""
    settings = list(context.pick(quick=_SETTINGS[:1], full=_SETTINGS))
    settings += [
        with_activation(_SETTINGS[0], name)
        for name in context.pick(quick=(), full=("leaky_relu", "erf", "gelu", "sin"))
    ]
    found = [(_of_library(space, rows, setting), str(setting)) for setting in settings]
    few = rows[:8]
    for base, name in ((_SETTINGS[3], "relu"), (_SETTINGS[1], "erf")):
        setting = with_activation(base, name)
        found.append((_of_reference(space, few, setting), f"{setting}, by the reference recursion"))
    return found
