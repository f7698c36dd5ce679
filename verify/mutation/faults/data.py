"""Faults in data sets and in statistics of accuracy."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "unnormalised",
        "rows scaled by half their norm",
        "nngp_dag.datasets.dataset",
        "unit_rows",
        "np.linalg.norm(block, axis=1, keepdims=True)",
        "(np.linalg.norm(block, axis=1, keepdims=True) / 2)",
        test="tests/test_datasets.py::test_digits_are_scaled_flattened_and_normalised",
    ),
    Fault(
        "share-order",
        "counting keeps the smallest cells",
        "nngp_dag.accuracy.filters",
        "at_share",
        "values[::-1], counts[::-1]",
        "values, counts",
        test="tests/test_accuracy_analysis.py::test_counting_filter_keeps_exactly_the_share",
    ),
    Fault(
        "recall",
        "the worst for the best",
        "nngp_dag.accuracy.filters",
        "measure",
        "p[top]",
        "p[bottom]",
        test="tests/test_accuracy_analysis.py::test_measure_written_out",
    ),
    Fault(
        "multiple-correlation",
        "R^2 for R",
        "nngp_dag.accuracy.correlation",
        "multiple_correlations",
        "np.sqrt(np.clip(squared, 0, 1))",
        "np.clip(squared, 0, 1)",
        test="tests/test_accuracy_analysis.py::test_multiple_correlation_is_that_of_the_least_squares_fit",
    ),
    Fault(
        "permutation",
        "other rows of a data set",
        "nngp_dag.datasets.dataset",
        "take",
        "np.random.default_rng(0)",
        "np.random.default_rng(1)",
        test="tests/test_datasets.py::test_a_number_of_rows_takes_them_in_the_order_of_a_fixed_permutation",
    ),
    Fault(
        "largest-pixel",
        "bytes for the pixels of digits",
        "nngp_dag.datasets.dataset",
        "from_pixels",
        "/ largest_pixel",
        "/ 255",
        test="tests/test_datasets.py::test_digits_are_scaled_flattened_and_normalised",
    ),
    Fault(
        "held-out",
        "a third held out for a fifth",
        "nngp_dag.datasets.split",
        "split",
        "len(rows) // 5",
        "len(rows) // 3",
        test="tests/test_datasets.py::test_the_last_fifth_is_held_out_or_another_data_set_serves",
    ),
)
