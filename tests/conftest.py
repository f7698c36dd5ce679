"""Shared test settings: float64, fixed Hypothesis profile, and the optional real data beside the checkout."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

import jax
import pytest
from hypothesis import Phase, settings

X64 = os.environ.get("NNGP_DAG_TEST_X64", "1") != "0"
"""True where the tests run with 64-bit floats; `make test-float32` switches them off."""

jax.config.update("jax_enable_x64", X64)

# Examples are a function of the test alone, so that a red run can be repeated.
settings.register_profile("default", deadline=None, derandomize=True, max_examples=50, database=None)
# Deliberate faults are noticed or not: the smallest example that shows them is not asked for.
settings.load_profile("default")
settings.register_profile("faults", settings(), phases=[Phase.explicit, Phase.generate])

# What kernels and networks are is checked on the oldest supported JAX (and Flax), too, and what kernels are with the
# global switch to float64 off.
MARKED_MODULES = {
    "test_kernel_definitions": ("oldest", "float32"),
    "test_network": ("oldest",),
    "test_nas_network": ("oldest",),
}

STRICT_PREFIXES = ("test_kernel_", "test_activations")
NOT_STRICT = ("test_kernel_neural_tangents",)
"""The package neural-tangents promotes dtypes by JAX's standard rules and raises under the strict ones."""

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the checkout; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="module")
def quick_compilation():
    """XLA compiles without most of its optimisations: for programs that take longer to compile than to run."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module", autouse=True)
def dtype_promotion(request: pytest.FixtureRequest) -> Iterator[None]:
    """Kernels and activations promote no dtype silently: arrays of different dtypes that meet raise in their tests."""
    stem = request.path.stem
    strict = stem.startswith(STRICT_PREFIXES) and stem not in NOT_STRICT
    with jax.numpy_dtype_promotion("strict" if strict else "standard"):
        yield


def pytest_collection_finish() -> None:
    """Spare what is imported from the garbage collector, which passes over it thousands of times otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the modules in `MARKED_MODULES`."""
    for item in items:
        for marker in MARKED_MODULES.get(item.path.stem, ()):
            item.add_marker(marker)
