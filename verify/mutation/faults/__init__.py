"""The faults: one wrong line each, of the kinds that a theory library gets wrong, by area.

To add one: an entry in the file of its area. `old` must occur exactly once in the function; a fault that no longer fits
the source is an error, not a pass. One that no fast claim notices names the test that does.
"""

from __future__ import annotations

from verify.mutation.faults import (
    activations,
    certified,
    convolutions,
    data,
    enclosures,
    exact_cells,
    first_step,
    gram,
    graphs,
    large_dags,
    networks,
    optimization,
    path_sum,
    proving,
    recursion,
    sampling,
    scores,
    signal,
    spaces,
    spectra,
    training,
    verdicts,
    wirings,
)
from verify.mutation.inject import Fault

__all__ = ["AREAS", "FAULTS"]

AREAS: dict[str, tuple[Fault, ...]] = {
    "recursion": recursion.FAULTS,
    "large dags": large_dags.FAULTS,
    "gram": gram.FAULTS,
    "path sum": path_sum.FAULTS,
    "wirings": wirings.FAULTS,
    "activations": activations.FAULTS,
    "graphs": graphs.FAULTS,
    "enclosures": enclosures.FAULTS,
    "proving": proving.FAULTS,
    "certified spectra": certified.FAULTS,
    "training": training.FAULTS,
    "sampling": sampling.FAULTS,
    "spectra": spectra.FAULTS,
    "spaces": spaces.FAULTS,
    "data": data.FAULTS,
    "networks": networks.FAULTS,
    "scores": scores.FAULTS,
    "exact cells": exact_cells.FAULTS,
    "convolutions": convolutions.FAULTS,
    "signal": signal.FAULTS,
    "optimization": optimization.FAULTS,
    "first step": first_step.FAULTS,
    "verdicts": verdicts.FAULTS,
}
"""Of each area its faults: at least one per formula that a verdict rests on."""

FAULTS: tuple[Fault, ...] = tuple(fault for faults in AREAS.values() for fault in faults)
