"""Data sets. All work offline except :func:`mnist`, :func:`cifar10` and :func:`tiny_shakespeare`.

Images are float32 in [0, 1], shape (batch, channel, height, width); tokens and labels are int64. Everything is
deterministic given its arguments, and every call returns fresh tensors that may be changed in place.
"""

from dgm.data.densities import TOY2D, TOY2D_LIMIT, toy2d, toy2d_log_prob
from dgm.data.download import DataUnavailable
from dgm.data.fonts import glyphs
from dgm.data.handwriting import binarize, digits, digits_levels
from dgm.data.levels import truncated_gaussian_levels, truncated_gaussian_probs
from dgm.data.minibatch import batches
from dgm.data.photographs import patches, photo
from dgm.data.remote import cifar10, mnist, tiny_shakespeare
from dgm.data.text import CharTokenizer, char_vocab, english

__all__ = [
    "TOY2D", "TOY2D_LIMIT", "CharTokenizer", "DataUnavailable", "batches", "binarize", "char_vocab", "cifar10",
    "digits", "digits_levels", "english", "glyphs", "mnist", "patches", "photo", "tiny_shakespeare", "toy2d",
    "toy2d_log_prob", "truncated_gaussian_levels", "truncated_gaussian_probs",
]
