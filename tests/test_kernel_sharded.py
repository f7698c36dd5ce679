"""Kernels over several devices, of one process and of two: what each holds is its share of the kernel of one device."""

import json
import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from nngp_dag import Dag, kernel_fn
from nngp_dag.errors import InputError

SCRIPT = """
import json, sys
import jax
import numpy as np

process, count, port = map(int, sys.argv[1:])
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)
if count > 1:
    jax.distributed.initialize(f"127.0.0.1:{port}", count, process)

from nngp_dag import Dag, enumerate_codes, kernel_fn
from nngp_dag.kernel.chunks import sweep_chunks
from nngp_dag.matrix_free import KernelOperator

x, y, v = (np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate([(36, 5), (7, 5), (36, 2)]))
dag, devices = Dag.from_code("2_12"), jax.devices()
one = kernel_fn(dag)
found = {"devices": len(devices), "errors": [], "shares": [], "asymmetric": 0.0}


def compare(kernel, expected):
    for shard in kernel.addressable_shards:
        found["errors"].append(float(np.abs(shard.data - np.asarray(expected)[shard.index]).max()))
        found["shares"].append([*shard.data.shape, shard.device.id])


for number in (len(devices), len(devices) - 1) if count == 1 else (len(devices),):
    both = kernel_fn(dag, devices=devices[:number])(x)
    compare(both.nngp, one(x).nngp)
    compare(both.ntk, one(x).ntk)
    if count == 1:
        found["asymmetric"] += float(np.abs(both.ntk - both.ntk.T).max())
compare(kernel_fn(dag, devices=devices)(x, y, get="ntk"), one(x, y, get="ntk"))
expected = KernelOperator(dag, x, "ntk") @ v
product = KernelOperator(dag, x, "ntk", devices=devices) @ v
found["product"] = float(np.abs(product - expected).max() / np.abs(expected).max())
codes = enumerate_codes(3)
whole = {tuple(index): kernels.nngp for index, kernels in sweep_chunks(codes, x, ("nngp",), chunk_bytes=9 * 36**2 * 8)}
found["pieces"], found["homes"] = [], []
for index, kernels in sweep_chunks(codes, x, ("nngp",), chunk_bytes=9 * 36**2 * 8, devices=devices):
    found["pieces"].append(index.tolist())
    found["homes"].append(min(device.id for device in kernels.nngp.devices()))
    found["errors"].append(float(np.abs(kernels.nngp - np.asarray(whole[tuple(index)])).max()))
print(json.dumps(found))
"""


def run(count, devices):
    """What each of `count` processes, with so many devices of its own, has found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    commands = [[sys.executable, "-c", SCRIPT, str(i), str(count), str(port)] for i in range(count)]
    running = [
        subprocess.Popen(c, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for c in commands
    ]
    ended = [process.communicate(timeout=240) for process in running]
    assert all(process.returncode == 0 for process in running), ended
    return [json.loads(out.splitlines()[-1]) for out, _ in ended]


def test_each_of_four_devices_of_a_process_holds_its_rows():
    (found,) = run(1, 4)
    assert max(found["errors"]) < 1e-13 and found["asymmetric"] == 0 and found["product"] < 1e-13
    by_three, by_four = [[12, 36, d] for d in range(3)], [[9, 36, d] for d in range(4)]
    assert found["shares"] == 2 * by_four + 2 * by_three + [[9, 7, d] for d in range(4)]
    assert found["pieces"] == [list(range(9 * i, 9 * i + 9)) for i in range(3)] and found["homes"] == [0, 1, 2]


def test_each_of_two_processes_holds_its_rows():
    both = run(2, 1)
    assert [found["pieces"] for found in both] == [[list(range(9)), list(range(18, 27))], [list(range(9, 18))]]
    for process, found in enumerate(both):
        assert found["devices"] == 2 and max(found["errors"]) < 1e-13 and found["product"] < 1e-13
        assert [share[:2] for share in found["shares"]] == [[18, 36], [18, 36], [18, 7]]
        assert len({share[2] for share in found["shares"]}) == 1, process


def test_what_devices_cannot_share_is_refused():
    x, dag = np.eye(4), Dag.from_code("2")
    with pytest.raises(InputError, match="at least one device"):
        kernel_fn(dag, devices=[])
    with pytest.raises(InputError, match="neural-tangents computes on one device"):
        kernel_fn(dag, "neural-tangents", devices=jax.devices())
    with pytest.raises(InputError, match="leave devices out"):
        kernel_fn(dag, devices=jax.devices())(x, get="nodes")
    mesh_of_three = jax.sharding.AbstractMesh((3,), ("devices",))
    from nngp_dag.kernel.sharded import sharded_gram

    with pytest.raises(InputError, match="4 rows do not make 3 equal blocks: give 3 or 6 rows"):
        sharded_gram(None, None, x, None, 8, mesh_of_three)
