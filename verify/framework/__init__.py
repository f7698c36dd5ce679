"""Claims, the verdicts that follow from their numbers, and running them.

`claim` (the decorator and the registry), `evidence` (findings, tables, plots, and what each verdict needs), `record`
(the same as plain data), `context` (profile, seed, data), `runner` (claims side by side), `process` and `worker` (the
two ends of a process), `store` (resuming).
"""
