"""Faults in statistics of spectra."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "pair-bound",
        "the wrong eigenvalue of a 2 x 2 matrix",
        "nngp_dag.spectrum.pairs",
        "_lowest_of_pairs",
        "- b - beyond",
        "+ b - beyond",
    ),
    Fault(
        "condition",
        "the condition number upside down",
        "nngp_dag.spectrum.summary",
        "Spectrum.condition",
        "self.lambda_max / self.lambda_min",
        "self.lambda_min / self.lambda_max",
        test="tests/test_spectrum.py::test_a_matrix_of_known_spectrum",
    ),
    Fault(
        "unresolved",
        "a condition number below the resolution",
        "nngp_dag.spectrum.summary",
        "Spectrum.condition",
        "> self.resolution",
        "> 0",
        test="tests/test_spectrum.py::test_condition_is_undefined_below_the_resolution",
    ),
    Fault(
        "scale-free",
        "values multiplied by the scale",
        "nngp_dag.spectrum.summary",
        "Spectrum.scale_free",
        "value / scale",
        "value * scale",
        test="tests/test_spectrum.py::test_scale_free_figures_do_not_change_with_scale",
    ),
    Fault(
        "pair-tie",
        "of equal pairs the last",
        "nngp_dag.spectrum.pairs",
        "pair_bounds",
        "value < best[chosen]",
        "value <= best[chosen]",
        test="tests/test_spectrum.py::test_ties_go_to_the_first_pair_across_blocks",
    ),
    Fault(
        "pair-place",
        "the column of a pair off by one",
        "nngp_dag.spectrum.pairs",
        "pair_bounds",
        "i + 1 + column",
        "i + column",
        test="tests/test_spectrum.py::test_blocks_do_not_change_the_result",
    ),
    Fault(
        "many-scale",
        "the trace for the mean diagonal of many kernels",
        "nngp_dag.spectrum.summary",
        "spectra",
        "trace / n",
        "trace",
        test="tests/test_spectrum.py::test_spectra_are_the_figures_of_each_matrix",
    ),
    Fault(
        "effective-rank",
        "the entropy for its exponential",
        "nngp_dag.spectrum.measures",
        "effective_rank",
        "np.exp(entropy)",
        "entropy",
        test="tests/test_spectrum.py::test_effective_rank_counts_equal_eigenvalues",
    ),
    Fault(
        "density",
        "a density of the eigenvalues above the floor alone",
        "nngp_dag.spectrum.measures",
        "spectral_density",
        " * logs.size / values.size",
        "",
        test="tests/test_spectrum.py::test_density_integrates_to_the_fraction_above_the_floor",
    ),
)
