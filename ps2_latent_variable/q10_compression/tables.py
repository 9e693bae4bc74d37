"""Question 10: models of integer tables, so that every machine codes alike; messages as bytes; the judge of a message."""

import numpy as np

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


def in_parts(value, what, size=64):
    """A stack as its length and its last bytes, so that stacks of different lengths can be compared."""
    number = whole(value, what)
    return {"bits": number.bit_length(), "bytes": as_bytes(number % 256**size + 256**size, what)[1:]}


def listed(images):
    """Images as they are, once it is known that they are lists of lists."""
    for image in images if isinstance(images, (list, tuple)) else [images]:
        if not isinstance(image, (list, tuple)) or image is images:
            what = "what stands for the images" if image is images else "an image"
            raise AnswerError(f"{what} is of type {type(image).__name__} where a list is expected")
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
    """

    def __init__(self, rng, latents=2, pixels=4, causes=3, levels=2, certain=False, gaps=False, holes=False):
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
        return self._tables("likelihood", z, self.latents, "latents of one image", *self.of_code, gaps=self.holes)

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
