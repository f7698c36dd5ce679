"""`python -m nngp_dag` is the command `nngp-dag`."""

from nngp_dag.cli import main

main()
