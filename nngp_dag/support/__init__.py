"""Foundations of the other packages, without knowledge of DAGs.

Files and tables that survive being killed, strict JSON, memory, progress, and the seams to older and newer libraries.
"""
