import io
import time

import pytest
import torch

import dgm
from dgm.progress import Progress, _format_seconds


def test_yields_everything_and_writes_one_line_when_not_live():
    out = io.StringIO()
    bar = Progress(range(5), desc="train", stream=out, live=False)
    for step in bar:
        bar.set(loss=torch.tensor(0.5 * step, requires_grad=True), note="ok")
    assert bar.step == 5
    assert out.getvalue().count("\n") == 1 and "\r" not in out.getvalue()
    assert out.getvalue().startswith("train: 5/5") and "loss 2" in out.getvalue() and "note ok" in out.getvalue()


def test_live_line_is_redrawn_at_most_four_times_a_second(monkeypatch):
    out = io.StringIO()
    clock = iter(range(10**6))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock) * 0.01)  # every look at the clock is 10 ms
    bar = Progress(range(1000), stream=out, live=True)
    for _ in bar:
        pass
    assert 30 <= out.getvalue().count("\r") <= 42
    assert out.getvalue().endswith("\n") and out.getvalue().count("\n") == 1


def test_every_limits_the_redrawing(monkeypatch):
    out = io.StringIO()
    clock = iter(range(10**6))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    for _ in Progress(range(100), every=50, stream=out, live=True):
        pass
    assert out.getvalue().count("\r") == 3  # 50, 100, and the end


def test_a_shorter_line_overwrites_a_longer_one():
    out = io.StringIO()
    bar = Progress(range(1), stream=out, live=True)
    assert len(bar._pad("longer")) == 6
    assert bar._pad("abc") == "abc   "


def test_final_line_also_after_break_and_error():
    out = io.StringIO()
    for step in Progress(range(10), stream=out, live=False):
        if step == 3:
            break
    assert "3/10" in out.getvalue()
    with pytest.raises(RuntimeError):
        for _ in Progress(range(10), stream=out, live=False):
            raise RuntimeError
    assert out.getvalue().count("\n") == 2


def test_front_door(capsys, monkeypatch):
    assert list(dgm.progress(3)) == [0, 1, 2]
    assert list(dgm.progress(iter("ab"), desc="letters")) == ["a", "b"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3/3") and lines[1].startswith("letters: 2  ")
    assert len(dgm.progress(range(4))) == 4
    with pytest.raises(TypeError):
        len(dgm.progress(iter("ab")))
    with pytest.raises(ValueError, match="every"):
        dgm.progress(3, every=0)


def test_grading_is_never_live(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert Progress(range(1), stream=Terminal())._live
    monkeypatch.setenv("DGM_GRADING", "1")
    assert not Progress(range(1), stream=Terminal())._live


def test_durations():
    texts = [_format_seconds(s) for s in (0.04, 59.94, 61, 3600, 7265)]
    assert texts == ["0.0 s", "59.9 s", "1:01 min", "1:00 h", "2:01 h"]
