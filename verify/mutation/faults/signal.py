"""Faults in signal propagation: the maps, their stacks, subnetworks, and the constants of shaped activations."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "signal-copies",
        "copies that skip paths bring to a node weigh their number, not its square",
        "nngp_dag.signal.subnetworks",
        "_weights",
        "return paths**2",
        "return abs(paths)",
        test="tests/test_signal_subnetworks.py::test_the_maximum_is_that_of_enumerated_subnetworks",
    ),
    Fault(
        "signal-open-ends",
        "subnetworks may always end where their features are used elsewhere",
        "nngp_dag.signal.subnetworks",
        "_regions",
        "(open_ends or after[start] & bit[end])",
        "(True or after[start] & bit[end])",
        test="tests/test_signal_subnetworks.py::test_the_published_function_of_a_residual_network",
    ),
    Fault(
        "signal-chi",
        "chi with the tangents that its own weights bring",
        "nngp_dag.signal.maps",
        "covariance_slopes",
        "(tangents[1] - tangents[0]) / q",
        "tangents[1] / q",
        test="tests/test_signal_maps.py::test_fixed_points_of_relu",
    ),
    Fault(
        "signal-means",
        "cells whose means multiply count as iterates of their maps",
        "nngp_dag.signal.fixed_points",
        "means_multiply",
        "return multiply and",
        "return False and multiply and",
        test="tests/test_signal_maps.py::test_stacks_whose_means_multiply_are_refused_and_only_those",
    ),
    Fault(
        "signal-depth",
        "depth scales by the decimal logarithm",
        "nngp_dag.signal.fixed_points",
        "_depth",
        "math.log(slope)",
        "math.log10(slope)",
        test="tests/test_signal_maps.py::test_the_fixed_point_is_where_iteration_ends",
    ),
    Fault(
        "signal-dks-shift",
        "Deep Kernel Shaping adds the mean that it should take off",
        "nngp_dag.signal.kernel_shaping",
        "_centred",
        "-m.mean",
        "m.mean",
        test="tests/test_signal_shaping.py::test_published_constants_of_deep_kernel_shaping_with_kinks",
    ),
    Fault(
        "signal-tat-slope",
        "the output scale of a tailored leaky ReLU without its negative side",
        "nngp_dag.signal.tailored",
        "tailored_activation",
        "math.sqrt(2 / (1 + slope**2))",
        "math.sqrt(2 / (1 + slope))",
        test="tests/test_signal_shaping.py::test_published_constants_of_tailored_activations",
    ),
)
