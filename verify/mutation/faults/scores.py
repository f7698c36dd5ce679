"""Faults in scores of untrained networks, and in how they rank."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "zico-variance",
        "the variance for the standard deviation in ZiCo",
        "nngp_dag.nas.scores.zico",
        "steadiness",
        "g.std(0)",
        "g.var(0)",
        test="tests/test_nas_gradient_scores.py::test_snip_of_homogeneous_layers_and_zico_of_scaled_gradients",
    ),
    Fault(
        "jacob-uncentred",
        "jacob_cov of rows that are not centred",
        "nngp_dag.nas.scores.jacob_cov",
        "correlation_score",
        "rows - rows.mean(1, keepdims=True)",
        "rows",
        test="tests/test_nas_gradient_scores.py::test_correlations_that_are_known",
    ),
    Fault(
        "condition-inverse",
        "the condition number of a tangent kernel upside down",
        "nngp_dag.nas.scores.ntk_condition",
        "condition_number",
        "values[-1] / values[0]",
        "values[0] / values[-1]",
        test="tests/test_nas_scores.py::test_the_tangent_kernel_is_that_of_finite_differences",
    ),
    Fault(
        "recall-ties",
        "all that share the last place counted among the best",
        "nngp_dag.nas.scores.ranking",
        "top_recall",
        "(top - above.sum()) / equal.sum()",
        "1.0",
        test="tests/test_nas_ranking.py::test_recall_of_the_top_breaks_ties_at_random",
    ),
    Fault(
        "unpaired-level",
        "the number of baselines left out of a comparison with the best",
        "nngp_dag.nas.scores.comparison",
        "_difference",
        "(1 - level) / len(baselines)",
        "(1 - level)",
        test="tests/test_nas_comparison.py::test_equally_good_baselines_do_not_put_an_equal_score_below",
    ),
)
