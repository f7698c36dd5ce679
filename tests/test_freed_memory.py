"""What the process keeps of the memory that it has freed: the faults of pages that arrays of a loop take anew."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import numpy as np
from nngp_dag.support.freed_memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [np.ones(2**17) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
keep_freed_memory()
faults()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have rules of their own")
def test_arrays_of_a_loop_take_no_fresh_pages():
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    before, after = map(int, found.stdout.split())
    assert before > 20 * 8 * 100  # of 256 pages an array: the loop is one that would take them
    assert after < before / 50
