"""Binary vectors: all of them, and how drawn ones are judged."""

import numpy as np
import torch


def strings(d, device="cpu", dtype=torch.float32):
    """All 2^d binary vectors, one a row."""
    codes = torch.arange(2**d, device=device)
    return ((codes[:, None] >> torch.arange(d, device=device)) & 1).to(dtype)


def not_bits(got, shape):
    """Why samples are not binary vectors of this shape, in words; None if they are."""
    if got.shape != shape:
        return f"got shape {got.shape} where {shape} is expected."
    if not np.isin(got, (0.0, 1.0)).all():
        return "a sample holds other values than 0 and 1."
    return None


def wrong_bits(got, uniforms, p_one, rounding):
    """Where a bit is not 1 exactly if its uniform number is below its probability, beyond doubt."""
    sure = (np.abs(uniforms - p_one) > rounding) | (uniforms == 0) | (uniforms == 1)  # 0 forces a 1, and 1 forces a 0
    return (got != (uniforms < p_one)) & sure
