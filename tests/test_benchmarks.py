"""The benchmarks as commands: what there is, and what they say where they cannot measure."""

import jax
import pytest

from benchmarks import gpu
from benchmarks.__main__ import main, names


def test_every_benchmark_is_listed_and_others_are_refused(capsys):
    assert {"gpu", "sweep", "wirings"} <= set(names())
    assert main(["gpus"]) == 2 and "there are " in capsys.readouterr().err


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is a GPU")
def test_without_a_gpu_its_benchmark_says_so(capsys):
    assert gpu.main([]) == 0 and capsys.readouterr().out.startswith("no GPU")
    assert gpu.main(["--large"]) == 2 and "--small" in capsys.readouterr().err
