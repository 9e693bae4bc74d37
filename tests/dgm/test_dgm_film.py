"""Films: what a browser gets is the frames that were drawn, at their times."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from dgm import plot


def shown(film):
    """The frames of the GIF in a film's HTML as arrays, and their milliseconds."""
    html = film._repr_html_()
    gif = Image.open(io.BytesIO(base64.b64decode(html.split("base64,")[1].split('"')[0])))
    frames, times = [], []
    for i in range(gif.n_frames):
        gif.seek(i)
        frames.append(np.asarray(gif.convert("RGB")))
        times.append(gif.info["duration"])
    return frames, times


def test_a_film_shows_each_moment_with_white_gaps():
    x = torch.rand(5, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    film = plot.film(x, seconds=1, ncols=2)
    frames, times = shown(film)
    assert len(frames) == 5 and times == [200, 200, 200, 200, 1200]
    assert frames[0].shape == (8, 17, 3) and 'width="476"' in film._repr_html_()
    for frame, moment in zip(frames, x):
        small = frame[..., 0] / 255
        assert np.abs(small[:, :8] - moment[0, 0].numpy()).max() < 0.01
        assert np.abs(small[:, 9:] - moment[1, 0].numpy()).max() < 0.01
        assert (small[:, 8] == 1).all()


def test_a_film_in_colour_keeps_its_colours_and_saves_what_it_shows(tmp_path):
    x = torch.zeros(2, 1, 3, 16, 16)
    x[1, 0, 0] = 1  # black, then red
    film = plot.film(x)
    frames, _ = shown(film)
    assert frames[0].max() == 0 and (frames[1][..., 0] == 255).all() and frames[1][..., 1:].max() == 0
    film.save(tmp_path / "film.gif")
    assert (tmp_path / "film.gif").read_bytes() == film.gif()


@pytest.mark.parametrize("shape", [(8, 8), (3, 8, 8), (0, 2, 8, 8), (4, 2, 2, 8, 8)])
def test_a_film_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="expected"):
        plot.film(torch.zeros(shape))


def test_a_film_is_not_drawn_while_grading(monkeypatch):
    monkeypatch.setattr("dgm.plot.films.grading", lambda: True)
    assert plot.film(torch.zeros(2, 1, 8, 8))._repr_html_() is None
