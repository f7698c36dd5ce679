"""Proofs by ball arithmetic: two-point ReLU kernels of whole DAGs, and strict inequalities between them on an interval.

`two_point` evaluates the recursions rigorously, `matrices` whole kernels and their smallest eigenvalues, `prove` proves
by adaptive subdivision, `certificate` writes down what was proved so that it can be checked again alone.
"""

from nngp_dag.proofs.certificate import recheck as recheck
from nngp_dag.proofs.certificate import recheck_file as recheck_file
from nngp_dag.proofs.prove import Inequality as Inequality
from nngp_dag.proofs.prove import Term as Term
from nngp_dag.proofs.prove import precision as precision
from nngp_dag.proofs.prove import prove as prove
from nngp_dag.proofs.two_point import TwoPoint as TwoPoint
from nngp_dag.proofs.two_point import two_point as two_point

__all__ = ["Inequality", "Term", "TwoPoint", "precision", "prove", "recheck", "recheck_file", "two_point"]
