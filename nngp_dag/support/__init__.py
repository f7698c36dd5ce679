"""What the other packages lean on and that knows nothing of DAGs.

Files and tables that survive being killed, strict JSON, memory, progress, and the seams to older and newer libraries.
"""
