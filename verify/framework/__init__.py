"""What a claim is made of, how its verdict follows from its numbers, and how claims are run.

`claim` (the decorator and the registry), `evidence` (readings and what each verdict needs), `context` (profile, seed,
data), `runner` (claims side by side), `process` and `worker` (the two ends of a process), `store` (resuming).
"""
