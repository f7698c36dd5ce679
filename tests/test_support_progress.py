"""Progress is drawn on terminals, on stderr, and nowhere else."""

from __future__ import annotations

import pytest

from nngp_dag.support.progress import Transfer, no_progress, progress_bar, stages, track


def use_all():
    with progress_bar("Networks", 4, "networks", start=1) as advance:
        for done in (2, 4):
            advance(done)
    with stages(2) as stage:
        stage("data digits")
        stage("eigenvalues")
    assert list(track(iter("abc"), "reading", total=3)) == ["a", "b", "c"]
    transfer = Transfer("images.gz")
    transfer.total = 10
    transfer.update(10)
    assert transfer.total == 10
    transfer.reset()
    transfer.close()
    with no_progress("Networks", 4, "networks") as advance:
        advance(2)


def test_nothing_is_drawn_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    use_all()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shown", ["Networks", "4/4", "networks/s", "eigenvalues", "reading", "images.gz"])
def test_a_terminal_shows_it_all_on_stderr(capsys, monkeypatch, shown):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    use_all()
    out, err = capsys.readouterr()
    assert out == "" and shown in err
