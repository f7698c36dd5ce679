"""`python -m verify`: the same as `nngp-dag verify`."""

import sys

from nngp_dag.cli import main

if __name__ == "__main__":
    main(["verify", *sys.argv[1:]])
