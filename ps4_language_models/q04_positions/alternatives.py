"""Other right versions of the answers to question 4."""

import math

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("complex numbers; speeds by exp and log; a random order that is drawn again until it differs")
def complex_numbers(ref):
    def _angles(positions, dim, base, dtype):
        speeds = torch.exp(-math.log(base) * torch.arange(0, dim, 2, dtype=torch.float64, device=positions.device) / dim)
        return (positions.double()[:, None] * speeds).to(dtype)

    def sinusoidal(positions, dim, base=10000.0):
        angles = _angles(positions, dim, base, positions.dtype if positions.is_floating_point() else torch.float32)
        result = torch.zeros(len(positions), dim, dtype=angles.dtype, device=angles.device)
        result[:, 0::2], result[:, 1::2] = torch.sin(angles), torch.cos(angles)
        return result

    def rope(x, positions, base=10000.0):
        angles = _angles(positions, x.shape[-1], base, x.dtype)
        pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)

    def stretched_base(base, dim, factor):
        slowest = base ** (-(dim - 2) / dim) / factor
        return math.exp(-dim / (dim - 2) * math.log(slowest))

    def look_alike(ids):
        result = ids
        while torch.equal(result, ids):
            result = torch.cat([ids[:-1][torch.randperm(len(ids) - 1).to(ids.device)], ids[-1:]])
        return result

    return {"sinusoidal": sinusoidal, "rope": rope, "stretched_base": stretched_base, "look_alike": look_alike}


@alternatives.rewrite("loops over positions and hands; the first two different neighbours exchanged")
def loops(ref):
    def sinusoidal(positions, dim, base=10000.0):
        rows = []
        for p in positions.tolist():
            rows.append([f(p * base ** (-2 * i / dim)) for i in range(dim // 2) for f in (math.sin, math.cos)])
        dtype = positions.dtype if positions.is_floating_point() else torch.float32
        return torch.tensor(rows, dtype=dtype, device=positions.device)

    def rope(x, positions, base=10000.0):
        columns = []
        for i in range(x.shape[-1] // 2):
            angle = positions.to(x.dtype) * base ** (-2 * i / x.shape[-1])
            first, second = x[..., 2 * i], x[..., 2 * i + 1]
            columns += [first * torch.cos(angle) - second * torch.sin(angle), first * torch.sin(angle) + second * torch.cos(angle)]
        return torch.stack(columns, dim=-1)

    def stretched_base(base, dim, factor):
        return (factor * base ** ((dim - 2) / dim)) ** (dim / (dim - 2))

    def look_alike(ids):
        result = ids.clone()
        for t in range(len(ids) - 2):
            if ids[t] != ids[t + 1]:
                result[t], result[t + 1] = ids[t + 1], ids[t]
                return result

    return {"sinusoidal": sinusoidal, "rope": rope, "stretched_base": stretched_base, "look_alike": look_alike}


@alternatives.rewrite("rotation matrices; the partner of each entry with sign; a sorted past, or its mirror image where it is sorted")
def matrices(ref):
    def sinusoidal(positions, dim, base=10000.0):
        positions = positions * 1.0
        speeds = torch.tensor([base ** (-(i // 2) * 2 / dim) for i in range(dim)], dtype=positions.dtype, device=positions.device)
        angles = torch.outer(positions, speeds)
        even = torch.arange(dim, device=positions.device) % 2 == 0
        return torch.where(even, angles.sin(), angles.cos())

    def rope(x, positions, base=10000.0):
        code = ref.sinusoidal(positions.to(x.dtype), x.shape[-1], base)
        sin, cos = code[:, 0::2].repeat_interleave(2, -1), code[:, 1::2].repeat_interleave(2, -1)
        partner = torch.empty_like(x)
        partner[..., 0::2], partner[..., 1::2] = -x[..., 1::2], x[..., 0::2]
        return x * cos + partner * sin

    def stretched_base(base, dim, factor):
        return torch.tensor(base, dtype=torch.float64) * torch.tensor(factor, dtype=torch.float64) ** (1 + 2 / (dim - 2))

    def look_alike(ids):
        past = ids[:-1].sort().values
        past = past.flip(0) if torch.equal(past, ids[:-1]) else past
        return torch.cat((past, ids[-1:]))

    return {"sinusoidal": sinusoidal, "rope": rope, "stretched_base": stretched_base, "look_alike": look_alike}


@alternatives.rewrite("everything in float64; blocks of rotations by einsum; the past begun at its first change")
def wide(ref):
    def sinusoidal(positions, dim, base=10000.0):
        angles = positions.double()[:, None] / base ** (torch.arange(dim // 2, device=positions.device).double() * 2 / dim)
        return torch.cat([angles.sin()[..., None], angles.cos()[..., None]], -1).reshape(len(positions), dim)

    def rope(x, positions, base=10000.0):
        angles = positions.double()[:, None] / base ** (torch.arange(x.shape[-1] // 2, device=x.device).double() * 2 / x.shape[-1])
        cos, sin = angles.cos(), angles.sin()
        blocks = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
        return torch.einsum("tiab,...tib->...tia", blocks, x.double().unflatten(-1, (-1, 2))).flatten(-2).to(x.dtype)

    def look_alike(ids):
        tokens = ids.tolist()
        past = tokens[:-1]
        cut = next(i for i in range(1, len(past)) if past[i:] + past[:i] != past)
        return torch.tensor(past[cut:] + past[:cut] + tokens[-1:], device=ids.device)

    return {"sinusoidal": sinusoidal, "rope": rope, "look_alike": look_alike}
