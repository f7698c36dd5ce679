"""The floating type that kernels are computed in, JAX's x64 mode on and off, traced or not, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

from nngp_dag import Dag, InputError, kernel_fn
from nngp_dag.kernel import pair_kernel
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.support.x64 import enable_x64

DAG = Dag.from_code("2")
FN = kernel_fn(DAG)
X = np.random.default_rng(0).normal(size=(3, 2))


class Table:
    """Rows as a data frame has them: no dtype of its own, but an array for NumPy."""

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype=dtype)


@pytest.mark.float32
@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize(
    ("rows", "dtype"),
    [
        (X, np.float64),
        (X.tolist(), np.float64),
        (Table(), np.float64),
        (np.eye(3, dtype=int), np.float64),
        (X.astype(np.float32), np.float32),
        (X.astype(">f8"), np.float64),
    ],
    ids=["float64", "list", "table", "integers", "float32", "big-endian"],
)
def test_rows_keep_their_type_whatever_the_mode(rows, dtype, x64):
    with enable_x64(x64):
        found = FN(rows, get="nngp")
    assert found.dtype == dtype
    expected = FN(np.asarray(rows, np.float64), get="nngp")
    assert_close(found, np.asarray(expected, dtype))
    assert dtype == np.float32 or (np.asarray(found) == np.asarray(expected)).all()


@pytest.mark.float32
@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("first", [np.float64, np.float32])
def test_a_mixture_serves_both_types_one_after_the_other(first, x64):
    fn, x = kernel_fn(DAG, activation="tanh"), 10 * X  # variances beyond those of the series
    second = np.float32 if first == np.float64 else np.float64
    with enable_x64(x64):
        found = {dtype: fn(x.astype(dtype), get="nngp") for dtype in (first, second)}
    assert {dtype: kernel.dtype for dtype, kernel in found.items()} == {first: first, second: second}
    assert_close(found[np.float32], np.asarray(found[np.float64], np.float32))


@pytest.mark.float32
@pytest.mark.parametrize("x64", [False, True])
def test_transformations_follow_the_type_that_jax_gave(x64):
    with enable_x64(x64):
        dtype = jnp.asarray(X).dtype
        assert dtype == (np.float64 if x64 else np.float32)
        assert FN(jnp.asarray(X), get="nngp").dtype == dtype
        assert jax.jit(lambda x: FN(x, get="nngp"))(X).dtype == dtype
        assert jax.vmap(lambda x: FN(x, get="nngp"))(X[None]).dtype == dtype
        assert jax.grad(lambda x: FN(x, get="nngp").sum())(X).dtype == dtype
        closed = jax.jit(lambda: FN(X, get="nngp"))()
    assert closed.dtype == np.float64
    assert_close(closed, FN(X, get="nngp"), tolerance=1e-14)


@pytest.mark.float32
def test_float64_that_a_transformation_has_lost_is_named():
    with enable_x64(False), pytest.raises(InputError, match="make float32 of float64 unless JAX's x64 mode is on"):
        jax.jit(lambda x: FN(X, x))(X)
    with pytest.raises(InputError, match=r"got \(3, 2\) float64 and \(3, 2\) float32$"):
        FN(X, X.astype(np.float32))


@pytest.mark.float32
@pytest.mark.parametrize("dtype", [np.float16, jnp.bfloat16, np.longdouble])
def test_other_floating_types_are_refused(dtype):
    rows = np.eye(2).astype(dtype)
    message = rf"x1 is of {np.dtype(dtype)}, in which kernels are not computed: accepted are float64 and float32$"
    with pytest.raises(InputError, match=message):
        FN(rows)
    with pytest.raises(InputError, match=f"x2 is of {np.dtype(dtype)}"):
        FN(np.eye(2), rows)
    with pytest.raises(InputError, match=f"x is of {np.dtype(dtype)}"):
        sweep_kernels(np.array([[2]]), rows)
    with pytest.raises(InputError, match=f"kxy is of {np.dtype(dtype)}"):
        pair_kernel(DAG, 1.0, rows, 1.0)
    if dtype != np.longdouble:
        with pytest.raises(InputError, match=f"x1 is of {np.dtype(dtype)}"):
            jax.jit(FN)(jnp.asarray(rows))


@pytest.mark.float32
@pytest.mark.parametrize("x64", [False, True])
def test_pairs_are_float64_unless_their_arrays_are_float32(x64):
    rho = np.array([0.5, -0.5])
    with enable_x64(x64):
        assert pair_kernel(DAG, 1.0, 0.5, 1).ntk.dtype == np.float64
        assert pair_kernel(DAG, 1.0, rho, 1.0).ntk.dtype == np.float64
        assert pair_kernel(DAG, 1.0, rho.astype(np.float32), 1.0).ntk.dtype == np.float32
        assert pair_kernel(DAG, np.ones(2), rho.astype(np.float32), 1.0).ntk.dtype == np.float64
        traced = jax.jit(lambda rho: pair_kernel(DAG, 1.0, rho, 1.0).ntk)(rho)
        assert traced.dtype == (np.float64 if x64 else np.float32)


def test_complex_pairs_are_refused():
    with pytest.raises(InputError, match="kxy must hold real numbers, got dtype complex128"):
        pair_kernel(DAG, 1.0, np.array([0.5j]), 1.0)
