"""Benchmarks: `make bench` prints their values."""
