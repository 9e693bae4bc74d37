"""Question 10: models of integer tables, so that every machine codes alike; messages as bytes; judges of both coders."""

import numpy as np

from autograder.probes import Exact
from dgm.checks.answers import AnswerError


def whole(value, what):
    """A Python int that is not negative, as it is; else a sentence."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise AnswerError(f"{what} is of type {type(value).__name__} where a Python int is expected")
    if value < 0:
        raise AnswerError(f"{what} is negative; a stack is at least 0")
    return value


def as_bytes(value, what):
    """A stack of any size as its bytes, the largest first."""
    number = whole(value, what)
    return np.frombuffer(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"), dtype=np.uint8).astype(np.int64)


def small(value, what):
    """A stack of fewer than 63 bits, as it is; else a sentence."""
    if whole(value, what).bit_length() > 62:
        raise AnswerError(f"{what} has {value.bit_length()} bits, far more than such small numbers need")
    return value


def in_parts(value, what, size=128):
    """A stack as its length and its last bytes, so that stacks of different lengths can be compared."""
    number = whole(value, what)
    return {"bits of the stack": number.bit_length(), "its last bytes": as_bytes(number % 256**size + 256**size, what)[1:]}


def listed(images):
    """Images as they are, once it is known that they are lists of lists."""
    for image in images if isinstance(images, (list, tuple)) else [images]:
        if not isinstance(image, (list, tuple)) or image is images:
            what = "what stands for the images" if image is images else "an image"
            raise AnswerError(f"{what} is of type {type(image).__name__} where a list is expected")
        if any(isinstance(symbol, (list, tuple)) for symbol in image):
            raise AnswerError("an image holds lists where it should hold whole numbers")
    return images


def large(rng, bits):
    """A random whole number of exactly so many bits."""
    number = int.from_bytes(bytes(rng.integers(0, 256, (bits + 7) // 8).tolist()), "big")
    return number % 2 ** (bits - 1) + 2 ** (bits - 1)


class Tables:
    """A model of small whole numbers. Each table depends on every symbol of the image or code, and on its order.

    Args:
        rng: draws the model.
        causes: how many values a latent has; likewise for `levels` of a pixel.
        certain: each latent of q(z | x) has one possible value, which depends on x.
        gaps: one value of each latent has the frequency 0 in q(z | x), which depends on x.
        holes: some values have the frequency 0 in p(z) and p(x | z), so that a decoder never finds them.

    ``codes`` notes for which codes tables of pixels were asked, one after the other, the same twice in a row once.
    """

    def __init__(self, rng, latents=2, pixels=4, causes=3, levels=2, certain=False, gaps=False, holes=False):
        self.codes = []
        self.latents, self.pixels, self.certain, self.gaps, self.holes = latents, pixels, certain, gaps, holes
        self.prior_tables = rng.integers(1, 9, latents, causes).tolist()
        if holes:
            for i, table in enumerate(self.prior_tables):
                table[i % causes] = 0
        self.of_image = [rng.integers(1, 12, latents, pixels).tolist(), rng.integers(0, 12, latents, causes).tolist()]
        self.of_code = [rng.integers(1, 12, pixels, latents).tolist(), rng.integers(0, 12, pixels, levels).tolist()]

    def prior(self):
        """The same lists each time."""
        return self.prior_tables

    def posterior(self, x):
        return self._tables("posterior", x, self.pixels, "pixels of one image", *self.of_image, self.certain, self.gaps)

    def likelihood(self, z):
        tables = self._tables("likelihood", z, self.latents, "latents of one image", *self.of_code, gaps=self.holes)
        code = [int(symbol) for symbol in z]
        self.codes += [code] * (self.codes[-1:] != [code])
        return tables

    def _tables(self, name, symbols, count, what, weights, offsets, certain=False, gaps=False):
        if not isinstance(symbols, (list, tuple)) or len(symbols) != count:
            got = f"{len(symbols)} symbols" if isinstance(symbols, (list, tuple)) else type(symbols).__name__
            raise AnswerError(f"`model.{name}` is called with {got} where a list of the {count} {what} is expected")
        tables = []
        for weight, offset in zip(weights, offsets):
            level = sum(w * int(s) for w, s in zip(weight, symbols))
            table = [1 + (level * (3 + j) + o) % 13 for j, o in enumerate(offset)]
            if certain:
                table = [5 * (j == level % len(table)) for j in range(len(table))]
            elif gaps:
                table = [f * (j != level % len(table)) for j, f in enumerate(table)]
            tables.append(table)
        return tables


def pictures(rng, n, pixels=4, levels=2):
    """Images as lists of symbols."""
    return rng.integers(0, levels, n, pixels).tolist()


def kept(what, before, after):
    """The same list, or a sentence: lists that are arguments must not change."""
    return after if before == after else f"{what} was changed in place: afterwards it is {after}, before it was {before}"


def in_disorder(rng):
    """Three different images, which are neither sorted nor sorted backwards; nor are the first two sorted backwards."""
    first, second, third = sorted(rng.permutation(16)[:3].tolist())
    return [[n >> 3 & 1, n >> 2 & 1, n >> 1 & 1, n & 1] for n in (second, third, first)]


def plain(value):
    """Arrays as lists, all the way down."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def about_codes(codes, right):
    """What is wrong with the codes for which tables of pixels were asked; nothing if they are right."""
    same = next((k for k, pair in enumerate(zip(codes, right)) if pair[0] != pair[1]), min(len(codes), len(right)))
    if not codes and right:
        return "`model.likelihood` is never asked for the tables of the pixels"
    if same == min(len(codes), len(right)):
        return f"the tables of the pixels are asked for {len(codes)} z, where {len(right)} would be right (the same z twice in a row counts once)" if len(codes) != len(right) else ""
    gets = f"`model.likelihood` gets {same} right z, then" if same else "the first z that `model.likelihood` gets is"
    return f"{gets} {codes[same]}, where {right[same]} is right"


def sent(evidence, expected, context):
    """The new stacks, exactly."""
    stacks, right_stacks = plain(evidence["stack"]), plain(expected["stack"])
    if stacks == right_stacks and all(type(stack) is int for stack in stacks):
        return True
    if context.brief:
        return False
    wrong = next(k for k, pair in enumerate(zip(stacks, right_stacks, strict=True)) if pair[0] != pair[1])
    codes, right = (plain(each["codes"])[wrong] for each in (evidence, expected))
    told = about_codes(codes, right)
    if told:
        return f"{told}{': is the right table popped, of the right image, with a right `pop`?' if codes and codes[0] != right[0] else '.'}"
    bits, right_bits = (each[wrong].bit_length() for each in (stacks, right_stacks))
    length = f"it has {bits} bits where {right_bits} are right" if bits != right_bits else "only its length is right"
    return f"each z is right, but not the new stack ({length}): look at the pushes, and at the stacks that they get."


def received(evidence, expected, context):
    """The images and the stack that remains, exactly."""
    mine, theirs = (each if isinstance(each, list) else [each] for each in (evidence, expected))
    for got, want in zip(mine, theirs, strict=True):
        verdict = Exact()({key: got[key] for key in ("stack", "images")}, {key: want[key] for key in ("stack", "images")}, context)
        if verdict.passed:
            continue
        if context.brief:
            return False
        images, right = plain(got["images"]), plain(want["images"])
        found = next((k for k, pair in enumerate(zip(images[::-1], right[::-1])) if pair[0] != pair[1]), len(right))
        if len(images) != len(right):
            return f"the list holds {len(images)} images where {len(right)} are expected."
        if found == len(right):
            return verdict if Exact()(got["stack"], want["stack"], context).passed else "the images are right, but not the stack that remains."
        if sorted(images) == sorted(right):
            return "the images are right, but not their order."
        if found:
            return f"the end of the list, found first, holds {found} of {len(right)} right images; the one found next is wrong, so look at the stack before it."
        told = about_codes(plain(got["codes"])[:1], plain(want["codes"])[:1]) or "the first z is right, but not the image found with it: look at its tables, its stack and its place in the list"
        return f"{told}."
    return True
