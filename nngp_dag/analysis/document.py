"""The numbers of an analysis or a comparison as plain nested values."""

from __future__ import annotations

from dataclasses import asdict

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.analysis.dags_on_data import DagsOnData
from nngp_dag.analysis.neighbours import MAX_NODES
from nngp_dag.analysis.remarks import remarks
from nngp_dag.reading import METHODS
from nngp_dag.spectrum import Spectrum
from nngp_dag.support.strict_json import parse_json

__all__ = ["analysis_document", "comparison_document"]


def analysis_document(analysis: DagOnData, finite: bool = True) -> dict[str, object]:
    """code, n, reading, paths, kernels by method, remarks, meetings, eigenvalues by node, networks and neighbours."""
    paths, reading = analysis.paths, analysis.reading
    has_path = bool(paths.num_paths)
    return {
        "code": analysis.code,
        **_wiring(analysis),
        "data": analysis.data,
        "n": len(analysis.x),
        **reading.names(),
        "num_paths": paths.num_paths,
        "paths": {str(d): n for d, n in enumerate(paths.counts) if n},
        "effective_depth": float(paths.effective_depth),
        "effective_width": float(paths.effective_width),
        "methods": {method: _method(analysis, method) for method in METHODS},
        "meetings": [asdict(meeting) for meeting in analysis.meetings],
        "remarks": [asdict(remark) for remark in remarks(analysis)],
        "nodes": {
            str(node): {"lambda_min": spectrum.lambda_min, "lambda_max": spectrum.lambda_max, "trace": spectrum.trace}
            for node, spectrum in analysis.nodes.items()
        },
        "networks": _networks(analysis) if finite and has_path else None,
        "neighbours": None
        if analysis.dag.num_nodes > MAX_NODES or analysis.wiring is not None
        else [
            {"edge": list(n.edge), "op": n.after.name.lower(), "code": n.dag.to_code(), **n.statistics}
            for n in analysis.neighbours
        ],
    }


def comparison_document(comparison: DagsOnData) -> dict[str, object]:
    """data, n, reading, and for each DAG its label, code, paths and statistics of both exact kernels."""
    reading = comparison.reading
    return {
        "data": comparison.data,
        "n": len(comparison.analyses[0].x),
        **reading.names(),
        "dags": [
            {
                "label": label,
                "code": a.code,
                **_wiring(a),
                "num_paths": a.paths.num_paths,
                "effective_depth": float(a.paths.effective_depth),
                "effective_width": float(a.paths.effective_width),
                **{name: _statistics(spectrum) for name, spectrum in a.exact_spectra.items()},
            }
            for label, a in zip(comparison.labels, comparison.analyses, strict=True)
        ],
    }


def _wiring(analysis: DagOnData) -> dict[str, object]:
    return {} if analysis.wiring is None else {"wiring": parse_json(analysis.wiring.to_json())}


def _method(analysis: DagOnData, method: str) -> dict[str, object]:
    if method in analysis.unavailable:
        return {"available": False, "reason": analysis.unavailable[method]}
    document: dict[str, object] = {"available": True}
    for name, spectrum in analysis.spectra[method].items():
        proved = {"certified": analysis.proved.summary(name)} if method == "exact" else {}
        document[name] = _statistics(spectrum) | {"difference": analysis.differences[method][name]} | proved
    return document


def _statistics(spectrum: Spectrum) -> dict[str, object]:
    scale_free = {f"{name}_scale_free": value for name, value in spectrum.scale_free._asdict().items()}
    return {**spectrum.summary(), "effective_rank": spectrum.effective_rank, **scale_free}


def _networks(analysis: DagOnData) -> dict[str, object]:
    agreement = {
        kernel: {method: asdict(result) for method, result in found.items()}
        for kernel, found in analysis.agreement.items()
    }
    return {"width": analysis.width, "seeds": analysis.networks.seeds, **agreement}
