"""Faults in convergence experiments and in predictions."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "bound-rate",
        "the rate of the bound doubled",
        "nngp_dag.finite.convergence.bound",
        "_bound",
        "rate * smallest / 2",
        "rate * smallest",
        test="tests/test_convergence.py::test_the_bound_and_its_cause",
    ),
    Fault(
        "descent-loss",
        "the loss of gradient descent doubled",
        "nngp_dag.finite.convergence.descent",
        "_descend",
        "0.5 * jnp.sum",
        "jnp.sum",
        test="tests/test_convergence.py::test_residuals_are_those_of_a_literal_descent",
    ),
    Fault(
        "descent-last",
        "the last residual repeated from the step before",
        "nngp_dag.finite.convergence.descent",
        "_descend",
        "jnp.append(values, loss(params))",
        "jnp.append(values, values[-1])",
        test="tests/test_convergence.py::test_residuals_are_those_of_a_literal_descent",
    ),
    Fault(
        "failure-blind",
        "failures of the bound not noticed",
        "nngp_dag.finite.convergence.bound",
        "BoundMeasurement.failures",
        "self.slack < -1e-9",
        "self.slack < -1e9",
        test="tests/test_convergence.py::test_a_failure_is_noticed_at_its_first_step",
    ),
    Fault(
        "bisection-side",
        "bisection keeps the wrong half",
        "nngp_dag.finite.convergence.thresholds",
        "learning_rate_thresholds",
        "np.where(holds, middle, low), np.where(holds, high, middle)",
        "np.where(holds, low, middle), np.where(holds, middle, high)",
        test="tests/test_convergence.py::test_thresholds_are_where_the_bound_begins_to_fail",
    ),
    Fault(
        "stability-unit",
        "thresholds in units of 1 / lambda_max for 2 / lambda_max",
        "nngp_dag.finite.convergence.scaling",
        "fit_scaling",
        "scales.ntk_max / 2",
        "scales.ntk_max",
        test="tests/test_convergence.py::test_scaling_recovers_a_known_law",
    ),
    Fault(
        "rate-threshold",
        "a claim's threshold of the learning rate from an Eq. 3 without its half",
        "verify.tools.learning_rate",
        "threshold",
        "(2 * eigenvalues**2)",
        "eigenvalues**2",
        test="tests/test_verify_learning_rate.py::test_the_bound_is_kept_up_to_the_threshold_and_not_beyond",
    ),
    Fault(
        "theorem-rate",
        "N^2 P for (N P)^2 in the theorem's learning rate",
        "nngp_dag.finite.convergence.bound",
        "KernelScales.theorem_rate",
        "(self.rows * self.num_paths) ** 2",
        "(self.rows**2 * self.num_paths)",
        test="tests/test_convergence.py::test_the_bound_and_its_cause",
    ),
    Fault(
        "test-progress",
        "a sign in the outputs on other rows",
        "nngp_dag.prediction.dynamics",
        "LinearDynamics.test_outputs",
        "(1 - self._powers(step))",
        "(1 + self._powers(step))",
        test="tests/test_prediction.py::test_small_steps_are_the_gradient_flow_of_neural_tangents",
    ),
    Fault(
        "loss-outputs",
        "the noise of one output for all",
        "nngp_dag.prediction.dynamics",
        "LinearDynamics.expected_losses",
        "targets.shape[1] * np.einsum",
        "np.einsum",
        test="tests/test_prediction.py::test_curve_is_the_average_over_draws_of_the_process",
    ),
    Fault(
        "jitter-zero",
        "the smallest eigenvalue left out of the jitter",
        "nngp_dag.prediction.posterior",
        "choose_jitter",
        " - eigenvalues[0]",
        "",
        test="tests/test_prediction.py::test_jitter_is_chosen_and_reported_where_rows_coincide",
    ),
)
