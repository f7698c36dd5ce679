"""Files that a command reads are never the place of its results."""

from __future__ import annotations

import numpy as np
import pytest

from nngp_dag.cli import main

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
CONTENTS = {"codes.csv": b"2_02\n", "d/b.jsonl": b"{}\n", "d/groups.csv": f"architecture,cifar10\n{CELL},90\n".encode()}


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        (["kernel", "2_02", "--data", "x.npz", "--out", "x.npz"], "x.npz"),
        (["kernel", "2_02", "--data", "link.NPZ", "--out", "x.npz"], "x.npz"),
        (["analyze", "2_02", "--data", "x.npz", "--no-networks", "--out", "d/../x.npz"], "x.npz"),
        (["sweep", "--nodes", "2", "--data", "x.npz", "--out", "x.npz"], "x.npz"),
        (["sweep", "--codes", "codes.csv", "--data", "x.npz", "--out", "codes.csv"], "codes.csv"),
        (["sweep", "--codes=codes.csv", "--data=digits:4", "--out=d/../codes.csv"], "codes.csv"),
        (["score", "effective-depth", "--archs", "codes.csv", "--out", "codes.csv"], "codes.csv"),
        (["score", "effective-depth", "--benchmark", "d/groups.csv", "--out", "d/groups.csv"], "d/groups.csv"),
        (["search", "wot", "--data", "x.npz", "--benchmark", "d/b.jsonl", "--out", "d/b.jsonl"], "d/b.jsonl"),
        (["space", "nasbench201", "--benchmark", "d/groups.csv", "--resamples", "2", "--out", "d"], "d/groups.csv"),
        (["verify", "--baseline", "d/report.json", "--update-baseline", "--out", "d"], "d/groups.csv"),
    ],
)
def test_results_do_not_take_the_place_of_what_they_are_made_from(arguments, source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("verify.session.run", lambda *_: pytest.fail("claims ran"))
    (tmp_path / "d").mkdir()
    (tmp_path / "link.NPZ").symlink_to("x.npz")
    np.savez(tmp_path / "x.npz", x=np.eye(3))
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    before = (tmp_path / source).read_bytes()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    line = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2 and line.startswith("nngp-dag: error: cannot write ")
    assert "it is read as input" in line
    assert (tmp_path / source).read_bytes() == before
