"""Options that ask for more than can be: refused in one line with an estimate, at once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nngp_dag.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    generator = np.random.default_rng(0)
    np.savez(folder / "images.npz", x=generator.random((8, 8, 8, 3)), y=np.arange(8))
    np.savez(folder / "rows.npz", x=generator.standard_normal((6, 3)), y=np.arange(6) % 2)
    np.save(folder / "many.npy", generator.standard_normal((3 * 10**6, 1)).astype(np.float32))
    return folder


SCORE = ["score", "wot", "--data", "{}/images.npz", "--batch-size", "2"]
MONTE_CARLO = ["montecarlo", "2", "--data", "{}/rows.npz"]
TRAIN = ["train", "2", "--data", "{}/rows.npz"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*SCORE, "--sample", "1", "--cells", "999999999"], "would need about"),
        ([*SCORE, "--sample", "1", "--channels", "99999999"], "would need about"),
        (["score", "effective-depth", "--sample", str(2**64)], "not in the range"),
        (["score", "effective-depth", "--space", "darts", "--sample", str(2**31 - 1)], "would need about"),
        ([*SCORE, "--sample", "1", "--seed", str(2**64)], "not in the range"),
        (["search", "te-nas", "--data", "{}/images.npz", "--patches", str(2**64)], "not in the range"),
        ([*MONTE_CARLO, "--width", "1000000000"], "would need about"),
        ([*MONTE_CARLO, "--width", "4", "--seeds", str(2**64)], "not in the range"),
        ([*MONTE_CARLO, "--width", "4", "--rate-widths", "4," + "1" * 5000], "different widths"),
        ([*TRAIN, "--width", "1000000000", "--steps", "1"], "would need about"),
        ([*TRAIN, "--width", "4", "--steps", str(2**64)], "2,147,483,647"),
        ([*TRAIN, "--width", "4", "--steps", "1", "--seeds", str(2**64)], "not in the range"),
        (["kernel", "2", "--data", "{}/many.npy"], "TiB of memory"),
        (["verify", "--recheck", "a\0b"], "NUL character"),
        (["predict", "2", "--data", "{}/rows.npz", "--test", "{}/many.npy"], "labels"),
    ],
)
def test_what_cannot_be_is_refused_with_figures(arguments, message, files, capsys):
    with pytest.raises(SystemExit) as ended:
        main([argument.replace("{}", str(files)) for argument in arguments])
    out, error = capsys.readouterr()
    assert ended.value.code == 2 and out.count("\n") <= 1  # the columns of a table that gets no row
    assert message in error and error.count("\n") == 1 and len(error) < 6000


def test_a_figure_that_does_not_fit_leaves_no_folder(files, tmp_path):
    out = tmp_path / "figure-4"
    data = str(files / "rows.npz")
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", "figure-4", "--data", data, "--width", "1000000000", "--out", str(out)])
    assert ended.value.code == 2 and not out.exists()


def _refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_networks_that_do_not_fit_are_refused_before_kernels_are_computed(capsys, monkeypatch):
    monkeypatch.setattr("nngp_dag.analysis.programs.gram", lambda *args, **kwargs: pytest.fail("a kernel was computed"))
    arguments = ["analyze", "2_02_002", "--data", "digits:8", "--width", "1000000000", "--json"]
    assert "networks of width 1000000000 would need" in _refused(arguments, capsys)


def test_a_sweep_says_what_it_takes_and_a_table_without_room_is_refused(tmp_path, monkeypatch, capsys):
    from nngp_dag.cli import sweep
    from nngp_dag.spectrum import sweep_cost

    monkeypatch.setattr("nngp_dag.cli.sweep.enumerate_codes", lambda nodes: pytest.fail("it began"))
    monkeypatch.setattr(sweep_cost.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10**6))
    arguments = ["sweep", "--nodes", "6", "--data", "digits:64", "--out", str(tmp_path / "a.csv")]
    assert "14,348,907 DAGs on 64 rows: about " in _refused(arguments, capsys)
    monkeypatch.undo()
    sweep._announce(sweep_cost.sweep_cost(14_348_907, 6, 1797), tmp_path / "a.csv")
    assert "days" in capsys.readouterr().err
    sweep._announce(sweep_cost.sweep_cost(729, 4, 64), tmp_path / "a.csv")
    assert capsys.readouterr().err == ""
