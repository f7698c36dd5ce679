"""Faults in the study of exact kernels of cells: measures, rank correlations, and what follows from them."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

_STUDY = "tests/test_exact_study.py::"
_CLAIMS = "tests/test_claim_exact_cells.py::"

FAULTS = (
    Fault(
        "raw-for-scale-free",
        "the least eigenvalue as it is for the one over the mean diagonal",
        "nngp_dag.reproduce.exact_nasbench201.measures",
        "measured",
        "low / scale",
        "low",
        test=_STUDY + "test_alignment_is_one_for_the_labels_themselves_and_measures_are_scale_free_where_they_say",
    ),
    Fault(
        "in-sample-error",
        "the error of a regressor on the rows that it has seen for the one that leaves them out",
        "nngp_dag.prediction.leave_one_out",
        "leave_one_out",
        " / np.diagonal(inverse, axis1=-2, axis2=-1)[..., None]",
        "",
        test=_STUDY + "test_leave_one_out_is_what_leaving_rows_out_gives",
    ),
    Fault(
        "values-for-ranks",
        "correlations of values for those of ranks",
        "nngp_dag.reproduce.exact_nasbench201.ranks",
        "_correlations",
        "stats.rankdata(table, axis=0)",
        "np.nan_to_num(table, posinf=1e3)",
        test=_STUDY + "test_partial_rank_correlations_are_those_of_residuals_and_intervals_hold_the_values",
    ),
    Fault(
        "partial-sign",
        "partial correlations with the wrong sign",
        "nngp_dag.reproduce.exact_nasbench201.ranks",
        "_partial",
        "-precision[0, 1]",
        "precision[0, 1]",
        test=_STUDY + "test_partial_rank_correlations_are_those_of_residuals_and_intervals_hold_the_values",
    ),
    Fault(
        "other-columns",
        "the share of the other columns added to that of the columns instead of taken off",
        "nngp_dag.reproduce.exact_nasbench201.ranks",
        "explained_more",
        "- _share(",
        "+ _share(",
        test=_STUDY + "test_shares_are_compared_on_the_same_resamples",
    ),
    Fault(
        "estimate-for-interval",
        "a verdict of the study by the estimate, whatever its interval",
        "nngp_dag.reproduce.exact_nasbench201.report",
        "StudyStatement.judge",
        "value.low > threshold",
        "value.value > threshold",
        test=_STUDY + "test_verdicts_follow_from_intervals",
    ),
    Fault(
        "class-sum",
        "the sum of the accuracies of equal cells for their mean",
        "nngp_dag.reproduce.exact_nasbench201.report",
        "class_accuracies",
        " / np.maximum(counts, 1)",
        "",
        test=_STUDY + "test_accuracies_are_means_over_cells_that_are_the_same_graph",
    ),
    Fault(
        "score-unsigned",
        "a score of which less is better taken as it is",
        "nngp_dag.reproduce.exact_nasbench201.scores_file",
        "read_scores",
        "else -value",
        "else value",
        test=_STUDY + "test_scores_of_other_origin_stand_beside_on_the_cells_that_have_them",
    ),
    Fault(
        "correlation-by-estimate",
        "a correlation found positive by its estimate, whatever its interval",
        "nngp_dag.support.statistics",
        "Estimate.above",
        "self.low > threshold",
        "self.value > threshold",
        test=_CLAIMS + "test_least_eigenvalue_that_goes_with_accuracy_is_told_from_noise_and_from_the_opposite",
    ),
    Fault(
        "share-without-threshold",
        "a share of variance above nothing for one above a half",
        "verify.claims.exact_spectrum_shape",
        "_above",
        "        threshold,\n",
        "        0,\n",
        test=_CLAIMS + "test_depth_and_width_explain_what_was_made_of_them_and_not_noise",
    ),
    Fault(
        "recorded-order",
        "the columns of recorded spectra under each other's names",
        "verify.claims._exact_cells",
        "recorded",
        "{name: columns[name] for name in SPECTRA}",
        "{name: columns[other] for name, other in zip(SPECTRA, SPECTRA[::-1], strict=True)}",
        test=_CLAIMS + "test_recorded_spectra_are_the_columns_of_their_names",
    ),
)
