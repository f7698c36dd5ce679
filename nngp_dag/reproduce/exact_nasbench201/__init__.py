"""Exact kernels of NAS-Bench-201's cells against published accuracies."""
