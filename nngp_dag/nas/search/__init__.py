"""Searches with and without the DAG filter: NAS-WOT, TE-NAS and FP-NAS."""
