"""Infinite-width kernels of a DAG by four methods (DESIGN: exact, independent, path-sum, neural-tangents)."""
