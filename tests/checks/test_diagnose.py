"""The diagnosis says what was done to the right answer, for every kind of wrong, and nothing that is not so."""

import itertools

import numpy as np
import pytest

from dgm.checks.compare import differences
from dgm.checks.diagnose import diagnose
from dgm.checks.judges import Close, Context, Fields

RANDOM = np.random.default_rng(1)
RIGHT = RANDOM.normal(size=(5, 5)).astype(np.float32)
TALL = RANDOM.normal(size=(7, 4))
SHARES = RANDOM.dirichlet(np.ones(6), 4)
STEPS = np.sort(RANDOM.normal(size=9))
MASK = np.tri(4, dtype=bool)


def said(got, want, rtol=1e-4, atol=1e-5):
    return diagnose(list(differences(got, want, rtol, atol)), rtol, atol).text


def changed(x, place, value):
    x = x.copy()
    x[place] = value
    return x


def wrong_last_row(x):
    return changed(x, -1, x[-1] + [1, -2, 3, 1, 5])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x.T, "transposed"),
        (lambda x: 2 * x, "twice"),
        (lambda x: 0.5 * x, "half"),
        (lambda x: -x, "wrong sign"),
        (lambda x: 3.7 * x, "constant factor"),
        (lambda x: x / np.log(2), "1/ln 2 times the right one: the factor between bits and nats"),
        (lambda x: x + 1.2345, "same amount"),
        (lambda x: x - 0.5 * np.log(2 * np.pi), "½ ln 2π"),
        (lambda x: np.roll(x, 1, 0), "off by one step"),
        (lambda x: x[::-1], "reversed"),
        (lambda x: changed(x, (0, 0), np.nan), "1 value is NaN"),
        (lambda x: changed(x, (0, 0), np.nan), "the others are right"),
        (lambda x: np.where(x > 1, np.inf, x), "infinite"),
        (wrong_last_row, "only the last row is wrong"),
        (lambda x: x.sum(0), "the right ones summed over axis 0"),
        (lambda x: x.mean(1), "the right ones averaged over axis 1"),
        (lambda x: x.sum(), "the right ones summed over all axes"),
        (lambda x: x.reshape(25), "reshape"),
        (lambda x: x.reshape(1, 25), "reshape"),
        (lambda x: x[:, :, None] + x, "3 axes instead of 2"),
        (lambda x: x[:, :4], "where (5, 5) is expected: axis 1 is wrong"),
        (lambda x: x.astype(np.int64), "type int64"),
        (lambda x: x.astype(np.int64), "the right ones without what follows the point"),
        (lambda x: None, "return missing"),
        (lambda x: [1, 2], "2 items"),
        (lambda x: np.zeros_like(x), "every value is 0."),
        (lambda x: 1e-8 * x, "all values are tiny beside the right ones: at most"),
        (lambda x: x + 8 * 0.5 * np.log(2 * np.pi), "the same amount, 8 times ½ ln 2π"),
        (lambda x: x * np.log10(2), "log₁₀ 2 times the right one"),
        (lambda x: x + 0.2 * RANDOM.normal(size=x.shape), "rise and fall"),
        (lambda x: x + RANDOM.uniform(0.5, 2, x.shape), "every value is too large, by between 0."),
        (lambda x: x * RANDOM.uniform(2, 3, x.shape), "every sign is right but no size"),
        (lambda x: np.full_like(x, 0.37), "all values are the same, 0.37, where the right ones differ"),
        (lambda x: x * 1.005, "constant factor"),
    ],
)
def test_sentence(change, words):
    assert words in said(change(RIGHT), RIGHT)


@pytest.mark.parametrize(
    ("got", "want", "words"),
    [
        (np.abs(TALL), TALL, "the absolute value of the right one"),
        (changed(TALL, (slice(0, 2), 1), -TALL[:2, 1]), TALL, "right but for the sign, which is wrong in 2 of 28"),
        (TALL / 7, TALL, "7 times too small, and 7 is the size of axis 0"),
        (TALL * 4, TALL, "4 times too large, and 4 is the size of axis 1"),
        (TALL / 28, TALL, "28 times too small, and 28 is the number of all values"),
        (TALL**2, TALL, "the square of the right one"),
        (np.sqrt(SHARES), SHARES, "the square root of the right one"),
        (np.exp(TALL), TALL, "the exponential of the right one: a log is missing"),
        (np.log(SHARES), SHARES, "the logarithm of the right one: an exp is missing"),
        (-np.log(SHARES), SHARES, "minus the logarithm"),
        (1 - SHARES, SHARES, "one minus the right one"),
        (1 / SHARES, SHARES, "one divided by the right one"),
        (1 / (1 + np.exp(-TALL)), TALL, "the sigmoid of the right one"),
        (np.log(SHARES / (1 - SHARES)), SHARES, "the logit of the right one: a sigmoid is missing"),
        (np.log(SHARES) + 3 * TALL[:4, :1], SHARES, "the softmax of the values along the last axis is right"),
        (2 * TALL - 1, TALL, "2 times the right one − 1"),
        (np.clip(TALL, -0.5, 0.7), TALL, "values below -0.5 and above 0.7 are clamped; the others are right"),
        (np.maximum(TALL, 0), TALL, "values below 0 are clamped"),
        (np.rint(5 * TALL), 5 * TALL, "rounded to an integer"),
        (np.floor(5 * TALL), 5 * TALL, "rounded down to an integer"),
        (np.rint(255 * SHARES) / 255, SHARES, "a multiple of 1/255"),
        (TALL + TALL[:, :1], TALL, "along axis 1 all values are off by one amount"),
        (TALL * np.exp(TALL[:1]), TALL, "along axis 0 all values are off by one factor"),
        (np.log(SHARES + 1e-2), np.log(SHARES), "right after 0.01 has been added before the log"),
        (np.sqrt(SHARES**2 + 1e-2), SHARES, "the squares of all values are too large by 0.01"),
        (TALL[[2, 0, 1, 3, 6, 5, 4]], TALL, "in another order along axis 0"),
        (TALL.ravel()[RANDOM.permutation(28)].reshape(7, 4), TALL, "right but in other places"),
        (np.cumsum(TALL, 0), TALL, "the cumulative sums of the right ones along the first axis"),
        (TALL, np.cumsum(TALL, 1), "cumulative sums of the values along axis 1 are right"),
        (np.cumprod(SHARES, 1), SHARES, "the cumulative products of the right ones along axis 1"),
        (np.cumsum(TALL[::-1], 0)[::-1], TALL, "cumulative sums from the end"),
        (np.r_[9.0, STEPS[:-1]], STEPS, "one step too late along the first axis"),
        (np.r_[STEPS[1:], 9.0], STEPS, "one step too early"),
        (np.swapaxes(RIGHT.reshape(5, 1, 5), 0, 2), RIGHT.reshape(5, 1, 5), "axes 0 and 2 are exchanged"),
        (np.r_[STEPS[:5], RANDOM.normal(size=4)], STEPS, "everything from index 5 on is wrong"),
        (np.r_[RANDOM.normal(size=4), STEPS[4:]], STEPS, "everything up to index 3 is wrong"),
        (changed(TALL, (slice(None), 2), 2 * TALL[:, 2]), TALL, "only index 2 along axis 1 is wrong: there every"),
        (changed(TALL, (slice(None), 2), 0.5), TALL, "only index 2 along axis 1 is wrong: there every value is 0.5"),
        (changed(STEPS, slice(1, None, 2), 2 + STEPS[1::2] ** 4), STEPS, "only every odd index is wrong"),
        (RIGHT + np.diag([1, 2, -1, 3, 5]), RIGHT, "only the diagonal is wrong"),
        (RIGHT * (1 - np.tri(5, k=-1)), RIGHT, "only what is below the diagonal is wrong: there every value is 0"),
        (np.where(TALL < 0, TALL**3 + 7, TALL), TALL, "exactly where the right value is negative it is wrong"),
        (np.broadcast_to(TALL[0], (7, 4)), TALL, "do not change along axis 0"),
        (MASK.T, MASK, "transposed"),
        (~MASK, MASK, "the opposite of the right one"),
        (MASK & ~np.eye(4, dtype=bool), MASK, "only the diagonal is wrong"),
        (np.arange(9) + 1, np.arange(9), "too large by the same amount, 1"),
        (np.tile(TALL[0], (4, 1)), TALL[0], "repeated along axis 0: a broadcast"),
        (TALL[0][:, None] + TALL[0] - TALL[1], TALL[0] + TALL[0] - TALL[1], "a broadcast has made axes 0 and 1 of one"),
        (TALL, TALL.sum(1), "summed over axis 1 the values are right: that sum is missing"),
        (False, True, "got False, which is not the expected answer"),
        (3, 4, "got 3, which is too small"),
        (0.99999, 1.0, "got 1, which is too small, by less than 0.1 %"),
    ],
)  # fmt: skip
def test_what_was_done_is_told(got, want, words):
    assert words in said(got, want, 1e-6, 1e-7)


RELATED = ("times", "every value is", "same amount", "of the right one", "one factor", "one amount", "order")


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_told_of_what_has_nothing_in_common(seed):
    """No relation, order or place is found between arrays that were drawn apart."""
    random = np.random.default_rng(seed)
    shape = [(3,), (4,), (2, 2), (6, 3), (3, 3, 3), (30,)][seed % 6]
    text = said(random.normal(size=shape), random.normal(size=shape))
    assert text.startswith("the values are wrong (right shape and type); the largest error is at "), text
    text = said(random.dirichlet(np.ones(5), 3), random.dirichlet(np.ones(5), 3))
    assert not any(words in text for words in RELATED), text


@pytest.mark.parametrize("change", [lambda x: 2 * x, lambda x: x + 1, lambda x: -x, lambda x: x**2, np.exp, np.flip])
def test_two_numbers_have_no_relation(change):
    want = np.array([0.3, 1.7])
    assert said(change(want), want).startswith("the values are wrong")


def test_entries_of_single_numbers_are_told_together():
    want = {"a": 1.0, "b": np.float64(4.0), "c": [-3.0, 2.0], "d": RIGHT}
    got = {"a": 2.0, "b": np.float64(8.0), "c": [-6.0, 4.0], "d": RIGHT}
    assert said(got, want) == "In *a*, *b* and *c*: every value is twice the right one: a constant factor."
    got["c"] = [-6.0, 4.4]
    assert "twice" not in said(got, want)


def test_a_missing_gradient_is_no_constant_whatever_the_input():
    want = {"gradient of the mean": TALL}
    assert said({"gradient of the mean": 0 * TALL}, want) == (
        "In *gradient of the mean*: every value is 0: no gradient arrives (detached, `.data`, or under no_grad?)."
    )
    assert said({"log_prob": 0 * TALL}, {"log_prob": TALL}) == "In *log_prob*: every value is 0."


def test_closeness_is_told_as_a_fact():
    noise = np.random.default_rng(5).uniform(-1, 1, TALL.shape)
    size = np.abs(TALL).max()
    for share, words in ((2.9e-3, "by at most 0.3 %"), (5e-4, "by less than 0.1 %"), (0.0101, "by at most 1.1 %")):
        error = noise * share * size / np.abs(noise).max()
        assert said(TALL + error, TALL) == f"close, but off {words} of the largest value."


def test_float32_on_the_way_is_told():
    single = TALL.astype(np.float32)
    assert "rounded to float32 on the way" in said(single.astype(np.float64), TALL, 1e-10, 1e-12)
    assert "the values are float32; float64 is needed" in said(single, TALL, 1e-10, 1e-12)
    assert "as exact as float32 is" in said(TALL + 3e-8 * TALL[::-1], TALL, 1e-10, 1e-12)
    assert "float32" not in said(TALL * (1 + 1e-5), TALL, 1e-10, 1e-12)


def test_the_most_telling_difference_is_told_and_of_several_the_largest():
    other = RANDOM.normal(size=TALL.shape)
    want = {"a": TALL, "b": TALL, "c": TALL, "d": TALL}
    got = {"a": TALL + 1e-2 * other, "b": other, "c": 2 * TALL, "d": TALL[:3]}
    assert said(got, want).startswith("In *d*: got shape (3, 4)")
    assert said({**got, "d": changed(TALL, 0, np.nan)}, want).startswith("In *d*: 4 of 28 values are NaN")
    assert said({**got, "d": TALL}, want).startswith("In *c*: every value is twice")
    assert said({**got, "c": TALL, "d": TALL}, want).startswith("In *b*: the values are wrong")
    assert said({**got, "b": TALL, "c": TALL, "d": TALL}, want).startswith("In *a*: close")


def test_fields_report_the_most_telling_entry_too():
    want = {"a": TALL, "b": {"c": TALL}}
    got = {"a": TALL + 0.3 * TALL**2 + 1, "b": {"c": 2 * TALL}}
    verdict = Fields(default=Close())(got, want, Context(0))
    assert verdict.message == "In *b*, *c*: every value is twice the right one: a constant factor."


def test_right_infinities_do_not_hide_what_is_wrong_with_the_rest():
    want = np.array([-np.inf, 1.0, 2.0, 4.0, 7.0])
    assert "twice" in said(2 * want, want)
    assert "infinite" in said(-want, want)


def test_place_in_nested_evidence_is_named():
    want = {"Β1, x": ["text", RIGHT, 1.0]}
    assert said({"Β1, x": ["text", 2 * RIGHT, 1.0]}, want).startswith("In *Β1, x*[1]: every value is twice")
    assert said([1.0, 2.0, 3.0, 9.0], [1.0, 2.0, 3.0, 4.0]).startswith("1 of 4 values is wrong")  # as one array


def test_an_infinity_that_is_missing_is_told_with_what_stands_there():
    want = np.array([-np.inf, -1.0, -np.inf, -2.0])
    assert "2 values are finite but should be infinite: you have -46.05 there" in said(
        np.array([-46.05, -1.0, -46.05, -2.0]), want)
    assert "in the wrong places or of the wrong sign" in said(np.array([np.inf, -1.0, -np.inf, -2.0]), want)


def test_an_epsilon_is_not_told_as_precision():
    want = RANDOM.normal(size=40) + 3
    assert "as exact as float32 is" in said(want * (1 + 1e-7 * RANDOM.normal(size=40)), want, 1e-10, 1e-12)
    assert "float32" not in said(want + RANDOM.uniform(1e-8, 2e-7, 40), want, 1e-10, 1e-12)


def test_a_factor_is_no_size_where_two_sizes_could_be_meant():
    want = RANDOM.normal(size=(6, 2, 3))
    assert said(want / 6, want) == "every value is 0.1667 times the right one: a constant factor."
    assert "2 times too small, and 2 is" not in said(want / 2, want)
    wide = RANDOM.normal(size=(7, 2, 3))
    assert said(wide / 7, wide) == "every value is 7 times too small, and 7 is the size of axis 0."


def test_where_little_can_be_told_it_is_told_what_is_right():
    right = {key: RANDOM.normal(size=4) for key in ("plain", "edge", "far", "two rows")}
    wrong = {**right, "edge": right["edge"] + [0.1, -2, 3, 1]}
    for judge in (Close(), Fields(default=Close())):
        assert judge(wrong, right, Context(0)).message.endswith("Right: *plain*, *far* and *two rows*.")
        assert "Right" not in judge({**right, "edge": -right["edge"]}, right, Context(0)).message


def test_a_sentence_in_a_list_of_answers_is_repeated():
    right = [np.ones(3), np.zeros(3)]
    assert "`f` raised ValueError" in said([np.ones(3), "`f` raised ValueError: no"], right)


def test_a_sentence_where_numbers_are_expected_is_the_message():
    right = {"a": [np.arange(3.0), np.arange(2.0)]}
    wrong = {"a": [np.arange(3.0), "it stops with ValueError: no"]}
    assert Close()(wrong, right, Context(0)).message == "In *a*[1]: it stops with ValueError: no."


def test_any_two_shapes_can_be_told_apart():
    """Empty axes and missing ones too: every difference has a sentence."""
    shapes = [shape for axes in range(4) for shape in itertools.product((0, 1, 3), repeat=axes)]
    rng = np.random.default_rng(0)
    for one, other in itertools.product(shapes, shapes):
        found = list(differences(rng.normal(size=one), rng.normal(size=other), 1e-4, 1e-5))
        assert bool(found) == (one != other or 0 not in one)
        assert not found or diagnose(found).text.strip()
