"""Faults in Monte Carlo estimates: thresholds, moments and intervals."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "one-sided",
        "one-sided for two-sided probabilities",
        "nngp_dag.finite.montecarlo.comparison",
        "agreement",
        "2 * upper[0].size",
        "upper[0].size",
        test="tests/test_montecarlo.py::test_agreement_is_a_bonferroni_t_test",
    ),
    Fault(
        "no-bonferroni",
        "the number of entries left out of the test",
        "nngp_dag.finite.montecarlo.comparison",
        "agreement",
        "2 * upper[0].size",
        "2",
        test="tests/test_montecarlo.py::test_agreement_is_a_bonferroni_t_test",
    ),
    Fault(
        "freedom",
        "a degree of freedom too many",
        "nngp_dag.finite.montecarlo.comparison",
        "agreement",
        "seeds - 1",
        "seeds",
        test="tests/test_montecarlo.py::test_agreement_is_a_bonferroni_t_test",
    ),
    Fault(
        "lax-level",
        "a tenth of the level that methods are rejected at",
        "nngp_dag.finite.montecarlo.comparison",
        "agreement",
        "p >= LEVEL",
        "p >= LEVEL / 10",
        test="tests/test_montecarlo.py::test_a_method_is_rejected_beyond_the_quantile_of_one_per_cent",
    ),
    Fault(
        "merged-moments",
        "the spread between chunks left out",
        "nngp_dag.finite.montecarlo.moments",
        "update_moments",
        "delta**2 * moments.n * share",
        "delta**2 * share",
        test="tests/test_montecarlo.py::test_moments_of_chunks_are_those_of_the_whole",
    ),
    Fault(
        "biased-error",
        "the standard error with n for n - 1",
        "nngp_dag.finite.montecarlo.moments",
        "standard_error",
        "n * (n - 1)",
        "n * n",
        test="tests/test_montecarlo.py::test_moments_of_chunks_are_those_of_the_whole",
    ),
    Fault(
        "quantile",
        "the one-sided quantile of an interval",
        "nngp_dag.support.statistics",
        "student_margin",
        "(1 + level) / 2",
        "level",
        test="tests/test_support_statistics.py::test_the_mean_of_a_sample",
    ),
    Fault(
        "slope-scale",
        "the factor of Eq. 2 left out of the gradients of the written-out networks",
        "verify.tools.literal_networks",
        "empirical_kernels",
        "root * slope(product if last",
        "slope(product if last",
    ),
    Fault(
        "welch-sizes",
        "variances of values for variances of their means",
        "nngp_dag.support.statistics",
        "Estimate.difference",
        "variance / size",
        "variance",
    ),
)
