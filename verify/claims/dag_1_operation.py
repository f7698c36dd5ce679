"""The operation of edge (1, 2) in DAG#1, which the paper lists twice: as linear and as zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.reading import Reading
from verify import Context, Control, Evidence, Finding, KeyValue, Table, claim
from verify.framework.finding import CLEARLY_FALSE
from verify.papers import CONNECTIVITY
from verify.tools.literal import SIGMAS, gaussian_integrals
from verify.tools.literal_networks import empirical_kernels
from verify.tools.pair_recursion import exact_pair

_CODE = "2_02_002"
_OPERATIONS = ("zero", "skip", "linear")
_READINGS = (
    Reading.make("activation-last", "gaussian"),
    Reading.make("activation-first", "gaussian"),
    Reading.make("activation-last", "stem"),
    Reading.make("activation-first", "stem"),
)
_RHO = np.array([-0.9, -0.4, 0.0, 0.3, 0.7, 0.95])
_TOLERANCE = 1e-9
_CONFIDENCE = 0.999


def _f(rho: np.ndarray) -> np.ndarray:
    """Eq. 4 for ReLU with c = 2 and unit variances, by quadrature."""
    return np.array([2 * gaussian_integrals(SIGMAS["relu"], 1, 1, float(r)) for r in rho])


def _chains(longest: int) -> list[np.ndarray]:
    """f^n at every rho and at 1, for n up to `longest`, [R + 1] each."""
    found = [np.append(_RHO, 1.0)]
    for _ in range(longest):
        found.append(_f(found[-1]))
    return found


def _kernel(code: str, reading: Reading) -> np.ndarray:
    """K of a DAG at every rho, and its diagonal, by the reference recursion, [R + 1]."""
    rho = np.append(_RHO, 1.0)
    return exact_pair(Dag.from_code(code), 1.0, rho, 1.0, reading.order, reading.embedding)[0]


def _filled(second: int, third: int) -> str:
    """The code of DAG#1 with these operations of the edges (1, 2) and (1, 3)."""
    return f"2_0{second}_0{third}2"


def _errors(kernels: dict[str, np.ndarray], equation: np.ndarray) -> np.ndarray:
    """The largest difference of each kernel from the equation."""
    return np.array([np.abs(kernel - equation).max() for kernel in kernels.values()])


def _gives(errors: np.ndarray, names: Sequence[str], reading: Reading, label: str) -> Finding:
    """The finding that some DAG of a list has the kernel of the equation."""
    best = int(errors.argmin())
    between = (errors > _TOLERANCE) & (errors < CLEARLY_FALSE * _TOLERANCE)
    return Finding(
        True if errors[best] <= _TOLERANCE else None if between.any() else False,
        setting=reading,
        method="exact",
        label=label,
        cases=len(names) * (len(_RHO) + 1),
        tolerance=_TOLERANCE,
        worst=float(errors[best]),
        detail=f"nearest: {names[best]}, which differs by {errors[best]:.3g}",
        counterexample=None if errors[best] <= _TOLERANCE else {"code": names[best], "margin": float(errors[best])},
    )


def _only(kernels: dict[str, np.ndarray], equation: np.ndarray, reading: Reading) -> Finding:
    """The finding that of all DAGs that of the released code alone has the kernel of the equation."""
    names, errors = list(kernels), _errors(kernels, equation)
    found = [name for name, error in zip(names, errors, strict=True) if error <= _TOLERANCE]
    clear = bool(np.all((errors <= _TOLERANCE) | (errors > CLEARLY_FALSE * _TOLERANCE)))
    others = [float(error) for name, error in zip(names, errors, strict=True) if name != _CODE]
    return Finding(
        (found == [_CODE]) if clear else None,
        setting=reading,
        method="exact",
        label=f"of all 729 DAGs only {_CODE}",
        cases=len(names) * (len(_RHO) + 1),
        tolerance=_TOLERANCE,
        worst=min(others),
        detail=f"{', '.join(found) or 'none'} of {len(names)}; the nearest of the others differs by {min(others):.3g}",
    )


def _networks(context: Context, code: str, equation: np.ndarray) -> tuple[Finding, float]:
    """K_12 at one rho of networks of finite width against the equation (Student's t), and its mean."""
    position, reading = 3, _READINGS[0]
    rho, number = _RHO[position], context.pick(quick=100, full=1000)
    found = empirical_kernels(
        Dag.from_code(code),
        np.array([[1.0, 0.0], [rho, np.sqrt(1 - rho**2)]]),
        reading.order,
        reading.embedding,
        "relu",
        width=context.pick(quick=256, full=512),
        networks=number,
        rng=context.rng(),
    ).nngp[:, 0, 1]
    mean, p = float(found.mean()), float(stats.ttest_1samp(found, equation[position]).pvalue)
    finding = Finding(
        p >= 1 - _CONFIDENCE,
        setting=reading,
        method="networks",
        label=f"(1, 2) linear, networks of {code}",
        cases=number,
        confidence=_CONFIDENCE,
        worst=mean - float(equation[position]),
        detail=f"K_12 = {mean:.4f} at rho = {rho}, {equation[position]:.4f} by the equation: p = {p:.2g}",
    )
    return finding, mean


@claim(
    "dag-1-operation",
    title="The operation of edge (1, 2) in DAG#1",
    paper=CONNECTIVITY,
    source="Section 3.3, DAG#1 ('W(0,1), W(1,2), W(2,3) = linear ..., and W(0,2), W(0,3), W(1,2) = zero'), Eq. 6-7",
    statement="With the other edges as the text has them, and some operation of edge (1, 3), the operation of edge"
    " (1, 2) is one with which K = f(f(f(K_0))).",
    latex=r"\exists\, W^{(1,3)}:\; K^{(3)} = f(f(f(K^{(0)})))",
    expected="holds-conditionally",
    settings={
        "DAGs": "edges (0,1) and (2,3) linear, (0,2) and (0,3) zero, (1,2) and (1,3) anything; and all 729",
        "kernels": "reference recursion of a pair; the equation by quadrature of Eq. 4; networks of finite width",
    },
    duration=4,
)
def check(context: Context) -> Evidence:
    """Every operation of (1, 2) with every one of (1, 3), and every DAG of four nodes, against f^3 by quadrature."""
    chains = _chains(4)
    codes = [Dag.from_array(code).to_code() for code in enumerate_codes(4)]
    findings: list[Finding] = []
    rows: list[list[object]] = []
    controls: list[Control] = []
    for reading in _READINGS:
        stem = int(reading.embedding == "stem")
        kernels = {code: _kernel(code, reading) for code in codes}
        for second, words in enumerate(_OPERATIONS):
            few = {(name := _filled(second, third)): kernels[name] for third in range(3)}
            errors = _errors(few, chains[3 + stem])
            findings.append(_gives(errors, list(few), reading, f"(1, 2) {words}"))
            rows += [
                [str(reading), words, _OPERATIONS[third], name, float(few[name][-1]), float(errors[third])]
                for third, name in enumerate(few)
            ]
        findings.append(_only(kernels, chains[3 + stem], reading))
        two = _only(kernels, chains[2 + stem], reading)
        controls.append(Control.rejects(f"Of all 729 DAGs only {_CODE} has K = f(f(K_0)) ({reading}).", two))
    network, mean = _networks(context, _CODE, chains[3])
    findings.append(network)
    both, _ = _networks(context, _filled(2, 2), chains[3])
    controls.append(Control.rejects("Networks with (1, 2) and (1, 3) linear have K = f(f(f(K_0))).", both))
    return Evidence(
        findings,
        summary=f"(1, 2) linear and (1, 3) zero give f(f(f(K_0))); (1, 2) zero or a skip does so with no operation of"
        f" (1, 3), and of all 729 DAGs only {_CODE} does, in each reading. With (1, 2) and (1, 3) both zero no path is"
        f" left and K = 0. Networks of {_CODE}: {network.detail}.",
        condition="Edge (1, 2) is linear and (1, 3) zero: the second W(1,2) of the text stands for W(1,3).",
        inside={"code": _CODE, "operations": "(1, 2) linear, (1, 3) zero"},
        outside={"code": _filled(0, 0), "operations": "(1, 2) and (1, 3) zero", "K": 0.0},
        controls=controls,
        tables=[
            Table(
                "K of the nine DAGs that the text leaves open, against f^3",
                ["reading", "(1, 2)", "(1, 3)", "code", "K_11", "largest difference"],
                rows,
            )
        ],
        key_values={"K_12 of networks": KeyValue(mean, 0.01, 0.01)},
    )
