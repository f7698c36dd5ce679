"""Remarks on one analysis, to be read before trusting a number, each with its reason and its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.analysis.structure import Meeting
from nngp_dag.analysis.wired import first_differences
from nngp_dag.reading import METHODS
from nngp_dag.wiring import Wiring

__all__ = ["Remark", "remarks"]

Level = Literal["warning", "note", "good"]


@dataclass(frozen=True)
class Remark:
    """One remark: a warning (an approximation fails here), a note, or good news; a short title and one sentence."""

    level: Level
    title: str
    text: str


def remarks(analysis: DagOnData) -> tuple[Remark, ...]:
    """The remarks on an analysis, warnings first."""
    if not analysis.paths.num_paths:
        return (Remark("warning", "no path", "No path leads from the input to the output: all kernels are zero."),)
    found = [*_pruning(analysis), *_data(analysis), *_resolution(analysis)]
    if analysis.wiring is not None:
        found += _wired(analysis, analysis.wiring)
    else:
        found += [*_approximations(analysis), *_equation_12(analysis), *_scale(analysis)]
    return tuple(sorted(found, key=lambda remark: ("warning", "note", "good").index(remark.level)))


def _approximations(analysis: DagOnData) -> list[Remark]:
    by_reason: dict[tuple[Meeting, ...], list[str]] = {}
    for method, kinds in ((name, facts.assumes_none_of) for name, facts in METHODS.items() if facts.assumes_none_of):
        by_reason.setdefault(tuple(m for m in analysis.meetings if m.kind in kinds), []).append(method)
    found = []
    for met, methods in by_reason.items():
        subject, verb = " and ".join(methods), "is" if len(methods) == 1 else "are"
        if not met:
            text = "No features meet against their assumptions, at any node."
            found.append(Remark("good", f"{subject} {verb} exact here", text))
            continue
        off = analysis.differences[methods[-1]]
        sizes = f"{_percent(off['nngp'])} of the NNGP and {_percent(off['ntk'])} of the NTK"
        found.append(Remark("warning", f"{subject} {verb} off by {sizes}", " ".join(map(_words, met))))
    if reason := analysis.unavailable.get("neural-tangents"):
        found.append(Remark("note", "neural-tangents does not apply", f"The reason: {reason}."))
    return found


def _wired(analysis: DagOnData, wiring: Wiring) -> list[Remark]:
    """Methods of a wiring against the exact one: by how much they are off, and from which node on."""
    found = []
    for method, node in first_differences(wiring, analysis.x[:32], analysis.reading, analysis.kernels).items():
        off = analysis.differences[method]
        if node is None:
            found.append(Remark("good", f"{method} is exact here", "Its NNGP is the exact one at every node."))
            continue
        sizes = f"{_percent(off['nngp'])} of the NNGP and {_percent(off['ntk'])} of the NTK"
        text = f"Its NNGP first differs at node {node}."
        found.append(Remark("warning", f"{method} is off by {sizes}", text))
    for method, reason in analysis.unavailable.items():
        found.append(Remark("note", f"{method} does not apply", f"The reason: {reason}."))
    return found


def _words(meeting: Meeting) -> str:
    node = f"node {meeting.node}"
    if meeting.kind == "copies":
        a = meeting.count
        return (
            f"Skip paths bring {a} copies of what node {meeting.source} receives to {node}: equal copies add up to"
            f" {a}² = {a * a} times its variance, not {a} times."
        )
    if meeting.kind == "means":
        b = meeting.count
        return f"At {node} the features of {b} activations meet, and their means multiply: {b * b - b} products."
    depths = ", ".join(map(str, meeting.depths[:-1])) + f" and {meeting.depths[-1]}" if len(meeting.depths) > 1 else ""
    reached = f"paths of {depths} linear edges" if depths else f"{meeting.count} paths"
    return f"A linear edge leaves {node}, which {reached} reach: f of their sum is not the sum of their f."


def _equation_12(analysis: DagOnData) -> list[Remark]:
    excess, rho = analysis.angle_curves.eq_12_excess()
    if excess <= 1e-9 * analysis.paths.num_paths:
        return [Remark("good", "Eq. 12 bounds lambda_min here", "For all correlations tried, on unit rows.")]
    degrees = np.degrees(np.arccos(rho))
    text = (
        f"On two unit rows at an angle of {degrees:.0f}° the exact K_ii - K_ij is {excess:.3g} above P - Σ n_d f^d(ρ):"
        " what Eq. 12 gives is no upper bound on the smallest eigenvalue of this DAG."
    )
    return [Remark("warning", "Eq. 12 is exceeded", text)]


def _scale(analysis: DagOnData) -> list[Remark]:
    paths = analysis.paths.num_paths
    if paths == 1:
        return []
    text = (
        f"{paths:,} paths make the output larger, and every eigenvalue with it. Compare DAGs by the scale-free columns"
        " or the condition number too."
    )
    return [Remark("note", "scale", text)]


def _pruning(analysis: DagOnData) -> list[Remark]:
    off = np.flatnonzero(~analysis.dag.reachable()).tolist()
    if not off:
        return []
    listed = ", ".join(map(str, off[:8])) + (", ..." if len(off) > 8 else "")
    lies = f"Node {listed} lies" if len(off) == 1 else f"Nodes {listed} lie"
    text = f"{lies} on no path from input to output and count for nothing"
    if analysis.dag.num_nodes <= 12:
        text += f": to every rule the DAG is {analysis.dag.pruned()}"
    return [Remark("note", "pruned", text + ".")]


def _data(analysis: DagOnData) -> list[Remark]:
    norms = np.linalg.norm(analysis.x, axis=1)
    if np.allclose(norms, 1, rtol=0, atol=1e-6):
        return []
    text = (
        f"Row norms run from {norms.min():.3g} to {norms.max():.3g}. Eq. 12 and the paper's formulas presume unit rows."
    )
    return [Remark("note", "rows are not of unit norm", text)]


def _resolution(analysis: DagOnData) -> list[Remark]:
    unresolved = [name.upper() for name, s in analysis.exact_spectra.items() if s.lambda_min <= s.resolution]
    if not unresolved:
        return []
    text = (
        "It cannot be told from zero: parallel rows, more rows than the kernel has dimensions (no linear edge on a"
        " path), or a spectrum beyond float64."
    )
    return [Remark("warning", f"lambda_min of the {' and '.join(unresolved)} is below its resolution", text)]


def _percent(value: float) -> str:
    return "less than 0.01 %" if value < 1e-4 else f"{100 * value:.2g} %" if value < 0.1 else f"{100 * value:.0f} %"
