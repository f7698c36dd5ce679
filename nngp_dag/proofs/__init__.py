"""Proofs by ball arithmetic: two-point ReLU kernels of whole DAGs, and strict inequalities between them on an interval.

`two_point` evaluates the recursions rigorously, `matrices` whole kernels and their smallest eigenvalues, `prove` proves
by adaptive subdivision, `eigenvalue_bound` states bounds of smallest eigenvalues on given rows, `certificate` writes
down what was proved, and `recheck` checks that again alone.
"""

from nngp_dag.proofs.certificate import to_certificate as to_certificate
from nngp_dag.proofs.eigenvalue_bound import EigenvalueBound as EigenvalueBound
from nngp_dag.proofs.eigenvalue_bound import prove_bound as prove_bound
from nngp_dag.proofs.prove import Inequality as Inequality
from nngp_dag.proofs.prove import Term as Term
from nngp_dag.proofs.prove import precision as precision
from nngp_dag.proofs.prove import prove as prove
from nngp_dag.proofs.recheck import recheck as recheck
from nngp_dag.proofs.two_point import TwoPoint as TwoPoint
from nngp_dag.proofs.two_point import two_point as two_point

__all__ = [
    "EigenvalueBound",
    "Inequality",
    "Term",
    "TwoPoint",
    "precision",
    "prove",
    "prove_bound",
    "recheck",
    "to_certificate",
    "two_point",
]
