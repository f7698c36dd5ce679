"""Faults in the search for the best connectivity."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

_TESTS = "tests/test_optimization.py::"

FAULTS = (
    Fault(
        "form-power",
        "copies add up as independent features do",
        "nngp_dag.optimization.normal_form",
        "Forms.value",
        "count**self.rules.power * p",
        "count * p",
        test=_TESTS + "test_forms_of_four_nodes_are_equal_where_kernels_are",
    ),
    Fault(
        "form-means",
        "features have means in the other order",
        "nngp_dag.optimization.normal_form",
        "Rules.of",
        'setting.order == "activation-last"',
        'setting.order == "activation-first"',
        test=_TESTS + "test_forms_of_four_nodes_are_equal_where_kernels_are",
    ),
    Fault(
        "form-ray",
        "a homogeneous feature is sent without its scale",
        "nngp_dag.optimization.normal_form",
        "Forms._sent",
        "self._numbers[reduced], p, q if",
        "self._numbers[reduced], 1, q if",
        test=_TESTS + "test_forms_of_four_nodes_are_equal_where_kernels_are",
    ),
    Fault(
        "class-size",
        "classes of blocks that meet lose their sizes",
        "nngp_dag.optimization.quotient",
        "_classes",
        "np.add.reduceat(size[order], first)",
        "size[order[first]]",
        test=_TESTS + "test_numbers_of_distinct_kernels",
    ),
    Fault(
        "plane-tangent",
        "planes of the NTK without the mean's outer product",
        "nngp_dag.optimization.planes",
        "Planes.weighted",
        "+ outer for name in names",
        '+ (outer if name == "nngp" else 0) for name in names',
        test=_TESTS + "test_kernels_are_sums_of_planes",
    ),
    Fault(
        "discard-good",
        "graphs are discarded whose bound is better than a leader",
        "nngp_dag.optimization.leaders",
        "Leaders.may_lead",
        "self.costs[-1, 0]",
        "self.costs[0, 0]",
        test=_TESTS + "test_the_search_finds_what_judging_everything_finds",
    ),
    Fault(
        "loss-powers",
        "a loss decays as a residual does",
        "nngp_dag.optimization.criteria.training_loss",
        "training_losses",
        "** (2 * steps)",
        "** steps",
        test=_TESTS + "test_criteria_are_what_the_library_says_of_one_dag",
    ),
    Fault(
        "proof-sides",
        "the winner at the low end is compared with the other at the high one",
        "nngp_dag.optimization.comparison",
        "_is_below",
        "first(high) < second(low)",
        "first(low) < second(high)",
        test=_TESTS + "test_what_is_proved_between_two_points_holds_at_both_ends",
    ),
    Fault(
        "mixture-gain",
        "a mixture's linear edges have the weights of its copies",
        "nngp_dag.optimization.gains",
        "complete_mixture",
        "gains[linear[s, t], 2]",
        "gains[linear[s, t], 1]",
        test=_TESTS + "test_a_mixture_of_one_operation_an_edge_is_the_dag",
    ),
    Fault(
        "evolution-downhill",
        "evolution keeps the worst",
        "nngp_dag.optimization.evolution",
        "_Run.fitness",
        "-costs[len(new) :, 0], _REFUSED",
        "costs[len(new) :, 0], _REFUSED",
        test=_TESTS + "test_evolution_finds_the_optimum_of_all_dags",
    ),
    Fault(
        "tuned-worst",
        "of each graph's learning rates the slowest",
        "nngp_dag.optimization.training",
        "train_graphs",
        "means.argmin(axis=0)",
        "means.argmax(axis=0)",
        test=_TESTS + "test_tuned_rates_are_the_best_of_each_graph",
    ),
)
