"""Other right versions of the answers to question 10."""

import bisect
import functools
import itertools

import numpy as np
import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "return q * sum(frequencies) + sum(frequencies[:symbol]) + rest",
    edit("counted_slots", "M and c_i by a loop",
         """
         first = total = 0
         for i, f in enumerate(frequencies):
             first += f if i < symbol else 0
             total += f
         return first + rest + total * q
         """),
)

alternatives.at(
    "return stack, images[::-1]",
    edit("list_reversed", "`reversed`, and lists anew", "return stack, [list(x) for x in reversed(images)]"),
)


@alternatives.rewrite("running sums and bisect")
def bisected(ref):
    def push(stack, symbol, frequencies):
        ends = list(itertools.accumulate(frequencies, initial=0))
        f = frequencies[symbol]
        return stack // f * ends[-1] + ends[symbol] + stack % f

    def pop(stack, frequencies):
        ends = list(itertools.accumulate(frequencies))
        slot = stack % ends[-1]
        symbol = bisect.bisect_right(ends, slot)
        return stack // ends[-1] * frequencies[symbol] + slot - (ends[symbol] - frequencies[symbol]), symbol

    return {"push": push, "pop": pop}


@alternatives.rewrite("NumPy finds the symbol, Python ints hold the stack")
def with_numpy(ref):
    def push(stack, symbol, frequencies):
        starts = np.concatenate([[0], np.cumsum(frequencies)]).astype(int)
        q, r = divmod(stack, frequencies[symbol])
        return q * int(starts[-1]) + int(starts[symbol]) + r

    def pop(stack, frequencies):
        ends = np.cumsum(frequencies)
        slot = stack % int(ends[-1])
        symbol = np.searchsorted(ends, slot, side="right")
        return stack // int(ends[-1]) * frequencies[symbol] + slot - sum(frequencies[:symbol]), symbol

    return {"push": push, "pop": pop}


@alternatives.rewrite("torch finds the symbol; a table of all slots' owners; own loops in the coder")
def owners(ref):
    def pop(stack, frequencies):
        total = sum(frequencies)
        of_slots = torch.repeat_interleave(torch.arange(len(frequencies)), torch.tensor(frequencies))
        symbol = of_slots[stack % total].item()
        return stack // total * frequencies[symbol] + (stack - sum(frequencies[:symbol])) % total, symbol

    def bits_back_encode(stack, images, model):
        for x in images:
            z = []
            for table in model.posterior(x)[::-1]:
                stack, symbol = pop(stack, table)
                z.insert(0, symbol)
            for symbols, tables in ((x, model.likelihood(z)), (z, model.prior())):
                for symbol, table in zip(symbols, tables):
                    stack = ref.push(stack, symbol, table)
        return stack

    def bits_back_decode(stack, n, model):
        images = [None] * n
        for k in reversed(range(n)):
            z, x = [], []
            for table in reversed(model.prior()):
                stack, symbol = pop(stack, table)
                z = [symbol, *z]
            for table in reversed(model.likelihood(z)):
                stack, symbol = pop(stack, table)
                x = [symbol, *x]
            for symbol, table in zip(z, model.posterior(x)):
                stack = ref.push(stack, symbol, table)
            images[k] = x
        return stack, images

    return {"pop": pop, "bits_back_encode": bits_back_encode, "bits_back_decode": bits_back_decode}


@alternatives.rewrite("recursion over the images, and reduce")
def recursive(ref):
    def bits_back_encode(stack, images, model):
        def one(stack, x):
            rest, z = ref.pop_all(stack, model.posterior(x))
            return ref.push_all(rest, x + z, model.likelihood(z) + model.prior())

        return functools.reduce(one, images, stack)

    def bits_back_decode(stack, n, model):
        if n == 0:
            return stack, []
        stack, z = ref.pop_all(stack, model.prior())
        stack, x = ref.pop_all(stack, model.likelihood(z))
        stack, before = bits_back_decode(ref.push_all(stack, z, model.posterior(x)), n - 1, model)
        return stack, [*before, x]

    return {"bits_back_encode": bits_back_encode, "bits_back_decode": bits_back_decode}


@alternatives.rewrite("search from the last symbol down, and a list instead of a tuple")
def from_behind(ref):
    def pop(stack, frequencies):
        total = sum(frequencies)
        slot = stack % total
        symbol = max(i for i in range(len(frequencies)) if frequencies[i] > 0 and sum(frequencies[:i]) <= slot)
        return [(stack - slot) // total * frequencies[symbol] + slot - sum(frequencies[:symbol]), symbol]

    def bits_back_decode(stack, n, model):
        images = []
        while len(images) < n:
            stack, z = ref.pop_all(stack, model.prior())
            stack, x = ref.pop_all(stack, model.likelihood(z))
            images.insert(0, x)
            stack = ref.push_all(stack, z, model.posterior(x))
        return stack, images

    return {"pop": pop, "bits_back_decode": bits_back_decode}


@alternatives.rewrite("the symbol as a tensor of one integer; coders with arithmetic of their own, and tables asked for twice")
def own_arithmetic(ref):
    def pop(stack, frequencies):
        below, symbol = ref.pop(stack, frequencies)
        return below, torch.tensor(symbol)

    def put(stack, symbols, tables):
        for symbol, f in zip(symbols, tables):
            stack = stack + (stack // f[symbol]) * (sum(f) - f[symbol]) + sum(f[:symbol])
        return stack

    def bits_back_encode(stack, images, model):
        for x in images:
            stack, z = ref.pop_all(stack, model.posterior(x))
            assert len(model.likelihood(z)) == len(x)
            stack = put(put(stack, x, model.likelihood(z)), z, model.prior())
        return stack

    return {"pop": pop, "bits_back_encode": bits_back_encode}
