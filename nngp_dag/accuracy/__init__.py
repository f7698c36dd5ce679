"""Benchmarks of trained architectures: the publishers' files, and what effective depth and width say about accuracy.

`read(space, paths)` returns a `Benchmark`. Nothing that these files contain is ever executed.
"""

from nngp_dag.accuracy.read import read as read
from nngp_dag.accuracy.table import Benchmark as Benchmark

__all__ = ["Benchmark", "read"]
