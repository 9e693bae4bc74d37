"""Digits, glyphs and photographs."""

import math

import numpy as np
import pytest
import torch

import dgm
from dgm.data import fonts


def rows(images):
    return {row.tobytes() for row in images.flatten(1).numpy()}


# --- digits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split, n", [("train", 1437), ("test", 360), ("all", 1797)])
@pytest.mark.parametrize("binary", [False, "threshold", "stochastic"])
def test_digits_shapes_and_ranges(split, n, binary):
    x, y = dgm.data.digits(split, binary=binary)
    assert x.shape == (n, 1, 8, 8) and x.dtype == torch.float32 and y.shape == (n,) and y.dtype == torch.int64
    assert x.min() == 0 and x.max() == 1
    if binary:
        assert set(x.unique().tolist()) == {0.0, 1.0}
    else:
        assert torch.equal(x * 16, (x * 16).round())


def test_digits_agree_with_scikit_learn():
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    x, y = dgm.data.digits("all")
    assert np.array_equal(x.flatten(1).numpy() * 16, pixels) and np.array_equal(y.numpy(), labels)


def test_digits_split_is_disjoint_stratified_and_complete():
    train, test, everything = (dgm.data.digits(s) for s in ("train", "test", "all"))
    assert not rows(train[0]) & rows(test[0])  # no image occurs in both, not even as a duplicate
    assert rows(train[0]) | rows(test[0]) == rows(everything[0])
    fraction = test[1].bincount() / everything[1].bincount()
    assert (fraction - 0.2).abs().max() < 0.006


def test_digits_split_never_changes():
    assert dgm.data.digits("test")[1][:20].tolist() == TEST_LABELS
    assert int(dgm.data.digits_levels("test")[0].sum()) == TEST_SUM


TEST_LABELS = [3, 7, 3, 9, 0, 8, 7, 0, 8, 0, 3, 3, 6, 6, 9, 1, 0, 1, 3, 6]
TEST_SUM = 111717


def test_digits_levels():
    levels, labels = dgm.data.digits_levels("test")
    x, y = dgm.data.digits("test")
    assert levels.dtype == torch.int64 and levels.min() == 0 and levels.max() == 16
    assert torch.equal(levels / 16, x) and torch.equal(labels, y)


def test_stochastic_digits_depend_on_the_seed_only_and_have_the_right_mean():
    grey = dgm.data.digits("train")[0]
    first = dgm.data.digits("train", binary="stochastic", seed=1)[0]
    assert torch.equal(first, dgm.data.digits("train", binary="stochastic", seed=1)[0])
    assert not torch.equal(first, dgm.data.digits("train", binary="stochastic", seed=2)[0])
    standard_error = math.sqrt(float((grey * (1 - grey)).mean()) / grey.numel())
    assert abs(float((first - grey).mean())) < 5 * standard_error
    assert (first[grey == 0] == 0).all() and (first[grey == 1] == 1).all()
    together = rows(dgm.data.digits("all", binary="stochastic", seed=1)[0])
    assert rows(first) <= together  # train, test and all agree


def test_threshold_digits_are_the_rounded_ones():
    grey, binary = dgm.data.digits("test")[0], dgm.data.digits("test", binary="threshold")[0]
    assert torch.equal(binary, (grey >= 0.5).float())


def test_digits_are_fresh_copies():
    dgm.data.digits("train")[0].zero_()
    dgm.data.digits_levels("all")[0].zero_()
    assert dgm.data.digits("train")[0].sum() > 0


def test_binarize_errors():
    x = torch.rand(2, 3)
    with pytest.raises(ValueError, match="Generator"):
        dgm.data.binarize(x, "stochastic")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        dgm.data.binarize(x * 16, "stochastic", dgm.generator(0))
    with pytest.raises(ValueError, match="unknown binarisation"):
        dgm.data.binarize(x, "dither")
    with pytest.raises(ValueError, match="unknown split"):
        dgm.data.digits("val")


# --- glyphs --------------------------------------------------------------------------------------------------


def test_glyphs_shapes_ranges_and_labels():
    x, y = dgm.data.glyphs(600)
    assert x.shape == (600, 1, 28, 28) and x.dtype == torch.float32 and y.dtype == torch.int64
    assert x.min() == 0 and x.max() == 1 and 0.08 < float(x.mean()) < 0.17
    assert y.min() == 0 and y.max() == 9 and len(y.unique()) == 10
    assert x.flatten(1).amax(1).min() > 0.5  # every image has ink
    assert x[:, :, [0, -1]].mean() < 0.002 and x[..., [0, -1]].mean() < 0.002  # which stays inside


def test_glyphs_are_deterministic_and_a_longer_draw_begins_with_the_shorter():
    x, y = dgm.data.glyphs(30, seed=3)
    fonts._draw.cache_clear()
    longer, labels = dgm.data.glyphs(700, seed=3)
    assert torch.equal(x, longer[:30]) and torch.equal(y, labels[:30])
    x.zero_()
    assert dgm.data.glyphs(30, seed=3)[0].sum() > 0  # the cache is not exposed


def test_glyphs_of_other_seeds_and_splits_are_other_images():
    parts = [
        rows(dgm.data.glyphs(200, seed=seed, split=split)[0]) for seed in (0, 1, -1) for split in ("train", "test")
    ]
    assert len(set.union(*parts)) == sum(map(len, parts)) == 1200


def test_glyph_streams_are_all_different():
    seeds = {fonts._block_seed(s, i, b) for s in ("train", "test") for i in range(-50, 50) for b in range(20)}
    assert len(seeds) == 2 * 100 * 20


def test_glyph_classes():
    x, y = dgm.data.glyphs(50, classes="ab")
    assert set(y.tolist()) == {0, 1} and x.shape == (50, 1, 28, 28)
    assert dgm.data.glyphs(3, size=16)[0].shape == (3, 1, 16, 16)
    assert dgm.data.glyphs(0)[0].shape == (0, 1, 28, 28)
    for bad in ("", "aa", "é", "a b"):
        with pytest.raises(ValueError, match="classes"):
            dgm.data.glyphs(3, classes=bad)


def test_glyphs_can_be_told_apart():
    """Nearest class mean gets most right: labels belong to their images, and the warp is mild."""
    x, y = dgm.data.glyphs(2000)
    x_test, y_test = dgm.data.glyphs(500, split="test")
    means = torch.stack([x[y == k].mean(0) for k in range(10)]).flatten(1)
    guess = torch.cdist(x_test.flatten(1), means).argmin(1)
    assert (guess == y_test).float().mean() > 0.7


def test_every_font_has_every_letter_and_digit():
    masters = torch.cat([fonts._masters(c) for c in "0O1lIgQWmj"])
    assert masters.shape == (10 * len(fonts.FONTS), 1, 64, 64)
    ink = masters.flatten(1).mean(1)
    assert ink.min() > 0.01 and ink.max() < 0.5
    assert len({m.numpy().tobytes() for m in masters}) == len(masters)


# --- photographs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photo(name):
    x = dgm.data.photo(name)
    assert x.shape == (1, 1, 427, 640) and x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1
    assert dgm.data.photo(name, gray=False).shape == (1, 3, 427, 640)
    small = dgm.data.photo(name, size=32, gray=False)
    assert small.shape == (1, 3, 32, 32)
    assert abs(float(small.mean() - dgm.data.photo(name, gray=False)[..., 106:533].mean())) < 0.01


def test_patches():
    image = torch.arange(2 * 5 * 7).reshape(1, 2, 5, 7)
    grid = dgm.data.patches(image, 2)
    assert grid.shape == (6, 2, 2, 2)
    assert torch.equal(grid[1], image[0, :, 0:2, 2:4]) and torch.equal(grid[3], image[0, :, 2:4, 0:2])
    drawn = dgm.data.patches(image[0], 3, n=40, seed=1)
    assert drawn.shape == (40, 2, 3, 3)
    every = {tuple(image[0, :, i : i + 3, j : j + 3].flatten().tolist()) for i in range(3) for j in range(5)}
    got = {tuple(p.flatten().tolist()) for p in drawn}
    assert got <= every and len(got) > 8
    assert torch.equal(drawn, dgm.data.patches(image, 3, n=40, seed=1))
    assert dgm.data.patches(image, 5).shape == (1, 2, 5, 5)


def test_photo_and_patch_errors():
    with pytest.raises(ValueError, match="unknown photograph"):
        dgm.data.photo("lena")
    with pytest.raises(ValueError, match="size"):
        dgm.data.photo(size=0)
    with pytest.raises(ValueError, match="does not fit"):
        dgm.data.patches(torch.zeros(1, 1, 4, 8), 5)
    with pytest.raises(ValueError, match="one image"):
        dgm.data.patches(torch.zeros(2, 1, 4, 8), 2)
