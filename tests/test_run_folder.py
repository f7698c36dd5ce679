"""The folder of a run of training: whose it is, who has it, and what a second start finds there."""

import os

import pytest
from verify_runs import status

from nngp_dag.errors import InputError
from nngp_dag.finite.training.run_folder import MARKER, run_folder
from nngp_dag.support.lock import Lock


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path):
    mine = tmp_path / "checkpoints" / "100" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for resume in (False, True):
        with pytest.raises(InputError, match="was not made by nngp-dag"), run_folder(tmp_path, resume):
            pass
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine] and mine.read_text() == "mine"


def test_what_a_failed_start_leaves_empty_is_removed(tmp_path):
    out = tmp_path / "new" / "run"
    with pytest.raises(ValueError, match="no rows"), run_folder(out, False):
        raise ValueError("no rows")
    assert not out.exists()
    (out / "checkpoints").mkdir(parents=True)  # an empty one is as good as none
    with pytest.raises(ValueError, match="no rows"), run_folder(out, False):
        raise ValueError("no rows")
    assert out.is_dir()


def test_a_run_is_continued_only_when_asked_for(tmp_path, capsys):
    with run_folder(tmp_path, True) as folder:
        assert (folder / MARKER).is_file()
        (folder / "1.json").write_text("{}")
    assert "holds no checkpoint yet: starting from the beginning" in capsys.readouterr().err
    with pytest.raises(InputError, match="already holds a run: continue it with --resume"), run_folder(tmp_path, False):
        pass
    with run_folder(tmp_path, True):
        pass
    assert (folder / "1.json").is_file() and capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "2_21_112", "--data", "digits:20", "--steps", "1"],
        ["reproduce", "figure-4", "--data", "digits:20", "--width", "4", "--epochs", "1", "--seeds", "2"],
    ],
)
def test_the_second_of_two_commands_is_told_at_once(arguments, tmp_path, capsys):
    with Lock(tmp_path):
        assert status([*arguments, "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path} is in use by process {os.getpid()} on " in line
    assert not list(tmp_path.iterdir())
