"""Faults in the first step of gradient descent: initialisation, the recursion of its second moments, path depths."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "step-in-degree",
        "one edge into each vertex is counted, however many there are",
        "verify.tools.first_step",
        "in_degrees",
        "degrees[t] += 1",
        "degrees[t] = 1",
    ),
    Fault(
        "step-target",
        "the initialisation that is called the target's has the source's in-degree",
        "verify.tools.first_step",
        "by_target",
        "degrees[t]",
        "degrees[s]",
    ),
    Fault(
        "step-half",
        "a ReLU passes the whole mean square of pre-activations",
        "verify.tools.first_step",
        "pre_activations",
        "found[s] / 2",
        "found[s]",
    ),
    Fault(
        "step-transpose",
        "a matrix and its transpose in the gradient are independent",
        "verify.tools.first_step",
        "first_step",
        "q[s] / 2 + scales[s, t] * a[s] / 2",
        "q[s] / 2",
    ),
    Fault(
        "step-gaussian",
        "what is Gaussian of a change passes the next ReLU whole",
        "verify.tools.first_step",
        "first_step",
        "+ r[s] / 2",
        "+ r[s]",
    ),
    Fault(
        "step-gradient",
        "gradients pass ReLUs whole",
        "verify.tools.first_step",
        "_gradients",
        "* gamma[t] / 2",
        "* gamma[t]",
    ),
    Fault(
        "step-depth",
        "the hidden vertices of a path are counted with its input",
        "verify.tools.first_step",
        "depth_cubes",
        '"hidden": 1',
        '"hidden": 0',
        test="tests/test_verify_first_step.py::test_cubed_depths_are_those_of_the_listed_paths",
    ),
    Fault(
        "step-own-change",
        "a vertex of a network changes by the outputs of one of its sources alone",
        "verify.tools.step_networks",
        "_network",
        "(passed[s] ** 2).sum(axis=0) for s in into[t]",
        "(passed[s] ** 2).sum(axis=0) for s in into[t][:1]",
        test="tests/test_verify_first_step.py::test_the_networks_changes_are_those_of_automatic_differentiation",
    ),
    Fault(
        "paper-unknown",
        "a run of one paper's claims has those of all",
        "verify.framework.claim",
        "select",
        "claim.paper.name == paper",
        "claim.paper.name",
        test="tests/test_verify_papers.py::test_reports_group_claims_by_paper",
    ),
    Fault(
        "paper-title",
        "a report may give a paper another title",
        "verify.recheck",
        "_paper_problems",
        "if paper != own.get",
        "if None is own.get",
        test="tests/test_verify_recheck.py::test_whatever_is_altered_in_a_report_is_noticed_or_does_not_matter",
    ),
)
