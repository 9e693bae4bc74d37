"""Named wrong versions of the answers to question 10."""

import random

import numpy as np
import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- push ----------------------------------------------------------------------------------------------------------

mistakes.at(
    "q, rest = divmod(stack, frequencies[symbol])",
    edit("divides_by_all", "`push` divides and multiplies by the same number, so that only c_i is added to the stack; divide by f_i, and multiply by M",
         "q, rest = divmod(stack, sum(frequencies))"),
    edit("divides_as_float", "`push` divides with `/`, in floats: beyond 2^53 the last bits of the stack are lost",
         "q = int(stack / frequencies[symbol]); rest = stack - q * frequencies[symbol]"),
    edit("quotient_as_float", "`push` divides with `/`, in floats: beyond 2^53 the quotient is only nearly right; whole numbers need `//`",
         "q, rest = int(stack / frequencies[symbol]), stack % frequencies[symbol]"),
    edit("quotient_from_float", "`push` keeps only 53 bits of the stack, as floats do: whole numbers of any size need `//` and `%`",
         "q, rest = divmod(int(float(stack)), frequencies[symbol])"),
    edit("sixty_four_bits", "`push` cuts the stack off at 64 bits; it is a whole number of any size",
         "q, rest = divmod(stack % 2**64, frequencies[symbol])"),
    edit("thirty_two_bits", "`push` cuts the stack off at 32 bits; it is a whole number of any size",
         "q, rest = divmod(stack % 2**32, frequencies[symbol])"),
    edit("one_more_everywhere", "`push` takes a frequency that is larger by one; then push and pop do not fit, and 0 does not mean impossible",
         "q, rest = divmod(stack, frequencies[symbol] + 1)"),
    edit("at_least_one_bit", "`push` replaces an empty stack by 1; an empty stack is 0, and must return as 0",
         "q, rest = divmod(max(stack, 1), frequencies[symbol])"),
    edit("frequency_of_next", "`push` takes the frequency of the wrong symbol, the next one",
         "q, rest = divmod(stack, frequencies[(symbol + 1) % len(frequencies)])"),
    edit("frequency_of_last", "`push` takes the frequency of the wrong symbol, the one before",
         "q, rest = divmod(stack, frequencies[symbol - 1])"),
    edit("quotient_rounded", "`push` rounds the quotient to the nearest whole number, or divides with `/`; a whole quotient is rounded down, which is `//`",
         "q, rest = round(stack / frequencies[symbol]), stack % frequencies[symbol]"),
    edit("nothing_divided", "`push` multiplies the whole stack by M and divides nothing by f_i: every symbol then costs log M bits, the probable ones too",
         "q, rest = stack, 0"),
    edit("parts_exchanged", "`push` exchanges quotient and remainder: the quotient is what is multiplied by M",
         "rest, q = divmod(stack, frequencies[symbol])"),
)

mistakes.at(
    "return q * sum(frequencies) + sum(frequencies[:symbol]) + rest",
    edit("slot_not_shifted", "`push` forgets the symbol's first slot c_i, so every symbol looks like the first one",
         "return q * sum(frequencies) + rest"),
    edit("slots_from_the_end", "`push` counts the slots from behind: c_i is the sum of the frequencies *before* i",
         "return q * sum(frequencies) + sum(frequencies[symbol + 1 :]) + rest"),
    edit("slots_with_own", "`push` adds the symbol's own frequency to its first slot: c_i is the sum of those before it",
         "return q * sum(frequencies) + sum(frequencies[: symbol + 1]) + rest"),
    edit("slots_one_short", "`push` leaves out the frequency just before the symbol: c_i is the sum of all before it",
         "return q * sum(frequencies) + sum(frequencies[: max(symbol - 1, 0)]) + rest"),
    edit("slots_from_one", "`push` counts slots from 1; the first one is slot 0",
         "return q * sum(frequencies) + sum(frequencies[:symbol]) + rest + 1"),
    edit("rest_lost", "`push` drops the remainder of the division: these bits of the stack are lost",
         "return q * sum(frequencies) + sum(frequencies[:symbol])"),
    edit("next_power", "`push` multiplies by the next power of two instead of M: the sum need not be one",
         "return q * 2 ** (sum(frequencies) - 1).bit_length() + sum(frequencies[:symbol]) + rest"),
    edit("sixteen_bits", "`push` multiplies by 2^16 instead of M, the sum of the frequencies it is given",
         "return (q << 16) + sum(frequencies[:symbol]) + rest"),
    edit("twenty_bits", "`push` multiplies by 2^20 instead of M, the sum of the frequencies it is given",
         "return (q << 20) + sum(frequencies[:symbol]) + rest"),
    edit("all_but_last", "`push` multiplies by the sum of the frequencies without the last one; M is the sum of all",
         "return q * sum(frequencies[:-1]) + sum(frequencies[:symbol]) + rest"),
    edit("all_up_to_own", "`push` multiplies by the sum of the frequencies up to the symbol's; M is the sum of all",
         "return q * sum(frequencies[: symbol + 1]) + sum(frequencies[:symbol]) + rest"),
    edit("last_sixty_four", "`push` keeps only the last 64 bits of the new stack; it is a whole number of any size",
         "return (q * sum(frequencies) + sum(frequencies[:symbol]) + rest) % 2**64"),
    edit("pair_returned", "`push` returns a tuple; the new stack alone is asked for",
         "return q * sum(frequencies) + sum(frequencies[:symbol]) + rest, symbol"),
    edit("times_symbols", "`push` multiplies by the number of symbols; M is the sum of their frequencies",
         "return q * len(frequencies) + sum(frequencies[:symbol]) + rest"),
    edit("symbol_added", "`push` adds the symbol itself; what is added is its first slot c_i",
         "return q * sum(frequencies) + symbol + rest"),
    edit("times_largest", "`push` multiplies by the largest frequency; M is their sum",
         "return q * max(frequencies) + sum(frequencies[:symbol]) + rest"),
    edit("offset_not_kept", "`push` subtracts the first slot c_i; a pop subtracts it, a push adds it",
         "return q * sum(frequencies) + rest - sum(frequencies[:symbol])"),
    edit("float_result", "`push` returns a float; a stack is a Python int of any size",
         "return float(q * sum(frequencies) + sum(frequencies[:symbol]) + rest)"),
    edit("length_returned", "`push` returns a number of bits; it is the new stack that is asked for",
         "return (q * sum(frequencies) + sum(frequencies[:symbol]) + rest).bit_length()"),
    edit("cumulative_table", "`push` reads the frequencies as if they were running sums, and takes the last one for M",
         "return q * frequencies[-1] + frequencies[max(symbol - 1, 0)] * (symbol > 0) + rest"),
    edit("nothing_returned", "`push` returns None: a return is missing", "stack = q * sum(frequencies) + sum(frequencies[:symbol]) + rest"),
    edit("popped_from_table", "`push` changes `frequencies` in place; the next symbol needs them as they were",
         """
         total = sum(frequencies)
         del frequencies[symbol + 1 :]
         frequencies.pop()
         return q * total + sum(frequencies) + rest
         """),
)


@mistakes.rewrite("`push` writes the symbol as a plain digit, s·K + i: all symbols then cost the same, whatever their probability")
def plain_digits(ref):
    return {"push": lambda stack, symbol, frequencies: stack * len(frequencies) + symbol}


@mistakes.rewrite("`push` computes with NumPy's 64-bit integers, so it fails for large stacks; convert the frequencies to Python ints")
def push_numpy(ref):
    def push(stack, symbol, frequencies):
        f = np.array(frequencies, dtype=np.int64)
        starts = np.cumsum(f) - f
        return stack // f[symbol] * f.sum() + starts[symbol] + stack % f[symbol]

    return {"push": push}


@mistakes.rewrite("`push` computes with the 64-bit integers of torch or NumPy, so it fails for large stacks; a stack is a Python int")
def push_torch(ref):
    def push(stack, symbol, frequencies):
        f, s = torch.tensor(frequencies), torch.tensor(stack)
        return int(s // f[symbol] * f.sum() + f[:symbol].sum() + s % f[symbol])

    return {"push": push}


@mistakes.rewrite("`push` multiplies the stack by M / f_i and rounds: it becomes longer by the right amount, but nothing in it tells the symbol")
def scaled_and_rounded(ref):
    return {"push": lambda stack, symbol, frequencies: stack * sum(frequencies) // frequencies[symbol]}


@mistakes.rewrite("`push` does what `pop` does; it must undo it")
def pops_instead(ref):
    def push(stack, symbol, frequencies):
        q, slot = divmod(stack, sum(frequencies))
        return q * frequencies[symbol] + slot - sum(frequencies[:symbol])

    return {"push": push}


@mistakes.rewrite("`push` takes the frequency and the first slot of the symbol before; the first symbol is 0")
def symbols_from_one(ref):
    return {"push": lambda stack, symbol, frequencies: ref.push(stack, (symbol - 1) % len(frequencies), frequencies)}


@mistakes.rewrite("`push` divides by M and multiplies by f_i, as a pop does; it must divide by f_i and multiply by M")
def divisors_exchanged(ref):
    def push(stack, symbol, frequencies):
        q, rest = divmod(stack, sum(frequencies))
        return q * frequencies[symbol] + sum(frequencies[:symbol]) + rest

    return {"push": push}


@mistakes.rewrite("`push` adds 1 to every frequency, so that none is 0; the tables are exact already, and `pop` does not do it")
def adds_one(ref):
    return {"push": lambda stack, symbol, frequencies: ref.push(stack, symbol, [f + 1 for f in frequencies])}


@mistakes.rewrite("`push` replaces frequencies of 0 by 1, which moves the slots of all symbols behind; a 0 owns no slot")
def raises_zeros(ref):
    return {"push": lambda stack, symbol, frequencies: ref.push(stack, symbol, [max(f, 1) for f in frequencies])}


@mistakes.rewrite("`push` sorts the frequencies; the slots are in the order of the symbols")
def sorts_table(ref):
    def push(stack, symbol, frequencies):
        order = sorted(range(len(frequencies)), key=lambda i: (-frequencies[i], i))
        return ref.push(stack, order.index(symbol), [frequencies[i] for i in order])

    return {"push": push}


@mistakes.rewrite("`push` drops bits so that the stack stays below 2^32 · M, without putting them anywhere; they are lost")
def renormalises(ref):
    def push(stack, symbol, frequencies):
        while frequencies[symbol] and stack >= frequencies[symbol] << 32:
            stack >>= 16
        return ref.push(stack, symbol, frequencies)

    return {"push": push}


# --- pop -----------------------------------------------------------------------------------------------------------

mistakes.at(
    "q, slot = divmod(stack, sum(frequencies))",
    edit("pop_float", "`pop` divides in floats: beyond 2^53 the last bits of the stack are lost, and they say which symbol it is",
         "q, slot = divmod(int(float(stack)), sum(frequencies))"),
    edit("pop_true_division", "`pop` divides with `/`, in floats: beyond 2^53 the quotient is only nearly right",
         "q = int(stack / sum(frequencies)); slot = stack % sum(frequencies)"),
    edit("pop_sixty_four", "`pop` cuts the stack off at 64 bits; it is a whole number of any size",
         "q, slot = divmod(stack % 2**64, sum(frequencies))"),
    edit("pop_power_below", "`pop` divides by a power of two (shift and mask) instead of M: the sum need not be one",
         "q, slot = divmod(stack, 2 ** (sum(frequencies).bit_length() - 1))"),
    edit("pop_refuses_empty", "`pop` refuses an empty stack; 0 is a stack as any other, with slot 0",
         "assert stack > 0; q, slot = divmod(stack, sum(frequencies))"),
    edit("pop_next_power", "`pop` divides by the next power of two instead of M: the sum need not be one",
         "q, slot = divmod(stack, 2 ** (sum(frequencies) - 1).bit_length()); slot = min(slot, sum(frequencies) - 1)"),
    edit("pop_parts_exchanged", "`pop` exchanges quotient and remainder: the remainder is the slot",
         "slot, q = divmod(stack, sum(frequencies)); slot = slot % sum(frequencies)"),
    edit("slot_from_top", "`pop` reads the slot from behind; slot 0 is the first one of symbol 0",
         "q, slot = divmod(stack, sum(frequencies)); slot = sum(frequencies) - 1 - slot"),
    edit("slot_off_by_one", "`pop` counts slots from 1; the first one is slot 0",
         "q, slot = divmod(stack, sum(frequencies)); slot = max(slot - 1, 0)"),
    edit("sum_less_one", "`pop` divides by M - 1; there are M slots, 0 to M - 1",
         "q, slot = divmod(stack, max(sum(frequencies) - 1, 1))"),
    edit("pop_empty_is_one", "`pop` replaces an empty stack by 1; an empty stack is 0, and popping from it is allowed",
         "q, slot = divmod(max(stack, 1), sum(frequencies))"),
)

mistakes.at(
    "while slot >= frequencies[symbol]:",
    edit("strictly_larger", "`pop` confuses > and >= at the border between two symbols (as `bisect_left` does): the first slot of each symbol goes to the one before, and to symbols of frequency 0",
         "while slot > frequencies[symbol]:"),
    edit("not_summed", "`pop` compares the slot with single frequencies; the slots of a symbol begin where those before it end, so compare with running sums",
         "first = slot\n    while symbol < len(frequencies) - 1 and slot >= frequencies[symbol]:",
         ("slot -= frequencies[symbol]", "first -= frequencies[symbol]"),
         ("return q * frequencies[symbol] + slot, symbol", "return q * frequencies[symbol] + first, symbol")),
    edit("not_summed_at_all", "`pop` compares the slot with single frequencies, and does not subtract c_i; the slots of a symbol begin where those before it end",
         "while symbol < len(frequencies) - 1 and slot >= frequencies[symbol]:", ("slot -= frequencies[symbol]", "pass")),
    edit("skips_last", "`pop` never finds the last symbol: the loop ends one too early",
         "while slot >= frequencies[symbol] and symbol < len(frequencies) - 2:"),
)

mistakes.at(
    "return q * frequencies[symbol] + slot, symbol",
    edit("pair_exchanged", "`pop` returns (symbol, stack); the stack comes first", "return symbol, q * frequencies[symbol] + slot"),
    edit("only_stack", "`pop` does not return two things; the pair (stack, symbol) is asked for", "return q * frequencies[symbol] + slot"),
    edit("quotient_only", "`pop` returns the quotient as the new stack: it throws away log f_i of the stack, which `push` had hidden in the slot",
         "return q, symbol"),
    edit("within_slot_lost", "`pop` drops r - c_i, the place within the symbol's slots, which holds bits of the stack",
         "return q * frequencies[symbol], symbol"),
    edit("slot_not_shifted_back", "`pop` adds the whole slot r; c_i must be subtracted from it",
         "return q * frequencies[symbol] + slot + sum(frequencies[:symbol]), symbol"),
    edit("slot_shifted_twice", "`pop` subtracts c_i twice",
         "return abs(q * frequencies[symbol] + slot - sum(frequencies[:symbol])), symbol"),
    edit("slot_subtracted", "`pop` adds c_i - r; it is r - c_i that is added", "return q * frequencies[symbol] - slot, symbol"),
    edit("pop_like_push", "`pop` divides by f_i and multiplies by M, as a push does; it must divide by M and multiply by f_i",
         "return stack // frequencies[symbol] * sum(frequencies) + slot, symbol"),
    edit("pop_times_all", "`pop` multiplies by M as a push does; a pop multiplies by f_i",
         "return q * sum(frequencies) + slot, symbol"),
    edit("symbol_from_one", "`pop` numbers the symbols from 1; the first one is 0",
         "return q * frequencies[symbol] + slot, symbol + 1"),
    edit("stack_unchanged", "`pop` returns the stack as it was: nothing is taken off, so the next pop finds the same symbol",
         "return stack, symbol"),
    edit("pop_float_result", "`pop` returns the stack as a float; a stack is a Python int of any size",
         "return float(q * frequencies[symbol] + slot), symbol"),
    edit("frequency_returned", "`pop` returns the symbol's frequency in the place of the symbol",
         "return q * frequencies[symbol] + slot, frequencies[symbol]"),
)


@mistakes.rewrite("`pop` reads a plain digit, divmod(s, K): each symbol must own as many slots as its frequency says")
def plain_digit_popped(ref):
    return {"pop": lambda stack, frequencies: divmod(stack, len(frequencies))}


@mistakes.rewrite("`pop` computes with NumPy's 64-bit integers, so it fails for large stacks; convert the frequencies to Python ints")
def pop_numpy(ref):
    def pop(stack, frequencies):
        f = np.array(frequencies, dtype=np.int64)
        ends = np.cumsum(f)
        slot = stack % ends[-1]
        symbol = int(np.searchsorted(ends, slot, side="right"))
        return stack // ends[-1] * f[symbol] + slot - (ends[symbol] - f[symbol]), symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` returns the symbol as a float; it is a whole number, with which lists can be indexed")
def float_symbol(ref):
    def pop(stack, frequencies):
        below, symbol = ref.pop(stack, frequencies)
        return below, float(symbol)

    return {"pop": pop}


@mistakes.rewrite("`pop` always returns the most probable symbol; which one it is stands in the stack")
def most_probable(ref):
    def pop(stack, frequencies):
        q, slot = divmod(stack, sum(frequencies))
        best = frequencies.index(max(frequencies))
        return q * frequencies[best] + slot % frequencies[best], best

    return {"pop": pop}


@mistakes.rewrite("`pop` always returns the most probable symbol, and subtracts its first slot from another symbol's; which one it is stands in the stack")
def most_probable_shifted(ref):
    def pop(stack, frequencies):
        q, slot = divmod(stack, sum(frequencies))
        best = frequencies.index(max(frequencies))
        return q * frequencies[best] + slot - sum(frequencies[:best]), best

    return {"pop": pop}


@mistakes.rewrite("`pop` draws the symbol by chance, and subtracts its first slot from another symbol's; the symbol stands in the stack")
def draws_and_shifts(ref):
    def pop(stack, frequencies):
        symbol = random.choices(range(len(frequencies)), frequencies)[0]
        q, slot = divmod(stack, sum(frequencies))
        return q * frequencies[symbol] + slot - sum(frequencies[:symbol]), symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` computes with the 64-bit integers of torch or NumPy, so it fails for large stacks; a stack is a Python int")
def pop_torch(ref):
    def pop(stack, frequencies):
        ends, s = torch.tensor(frequencies).cumsum(0), torch.tensor(stack)
        slot = s % ends[-1]
        symbol = int(torch.searchsorted(ends, slot, right=True))
        return int(s // ends[-1]) * frequencies[symbol] + int(slot) - sum(frequencies[:symbol]), symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` draws the symbol by chance of its own; it stands in the stack, where `push` has put it")
def draws_by_chance(ref):
    def pop(stack, frequencies):
        symbol = random.choices(range(len(frequencies)), frequencies)[0]
        q, slot = divmod(stack, sum(frequencies))
        return q * frequencies[symbol] + slot % frequencies[symbol], symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` compares sums of probabilities, which are floats: rounding moves the borders between symbols; compare whole numbers")
def float_borders(ref):
    def pop(stack, frequencies):
        total = sum(frequencies)
        q, slot = divmod(stack, total)
        ends = np.cumsum(np.array(frequencies) / total)
        symbol = min(int(np.searchsorted(ends, slot / total, side="right")), len(frequencies) - 1)
        return abs(q * frequencies[symbol] + slot - sum(frequencies[:symbol])), symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` gives symbol 0 for an empty stack without a look at the frequencies; slot 0 may belong to another symbol")
def empty_gives_zero(ref):
    return {"pop": lambda stack, frequencies: ref.pop(stack, frequencies) if stack else (0, 0)}


@mistakes.rewrite("`pop` takes the first symbol whose slots start at or before the slot and no later than others: with equal starts that is one with frequency 0")
def first_of_equal_starts(ref):
    def pop(stack, frequencies):
        q, slot = divmod(stack, sum(frequencies))
        starts = [sum(frequencies[:i]) for i in range(len(frequencies))]
        symbol = starts.index(max(start for start in starts if start <= slot))
        return q * frequencies[symbol] + slot - starts[symbol], symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` gives a slot where symbols start to the first of these; symbols of frequency 0 start there too, but own no slot")
def first_that_starts(ref):
    def pop(stack, frequencies):
        slot = stack % sum(frequencies)
        starts = [sum(frequencies[:i]) for i in range(len(frequencies))]
        if slot not in starts:
            return ref.pop(stack, frequencies)
        symbol = starts.index(slot)
        return stack // sum(frequencies) * frequencies[symbol], symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` lays the slots out from behind, the last symbol first; the first slots belong to symbol 0")
def pop_from_behind(ref):
    def pop(stack, frequencies):
        below, symbol = ref.pop(stack, frequencies[::-1])
        return below, len(frequencies) - 1 - symbol

    return {"pop": pop}


@mistakes.rewrite("`pop` replaces frequencies of 0 by 1; a 0 owns no slot, and must never be popped")
def pop_raises_zeros(ref):
    return {"pop": lambda stack, frequencies: ref.pop(stack, [max(f, 1) for f in frequencies])}


@mistakes.rewrite("`pop` adds 1 to every frequency; the tables are exact already, and `push` does not do it")
def pop_adds_one(ref):
    return {"pop": lambda stack, frequencies: ref.pop(stack, [f + 1 for f in frequencies])}


@mistakes.rewrite("`pop` drops the frequencies of 0 from the table, so the symbols behind get other numbers")
def drops_zeros(ref):
    return {"pop": lambda stack, frequencies: ref.pop(stack, [f for f in frequencies if f])}


@mistakes.rewrite("`pop` changes `frequencies` in place; the next symbol needs them as they were")
def eats_the_table(ref):
    def pop(stack, frequencies):
        result = ref.pop(stack, list(frequencies))
        while len(frequencies) > result[1] + 1:
            frequencies.pop()
        return result

    return {"pop": pop}


# --- bits_back_encode ------------------------------------------------------------------------------------------------


mistakes.at(
    """
    stack, z = pop_all(stack, model.posterior(x))
    stack = push_all(stack, x, model.likelihood(z))
    stack = push_all(stack, z, model.prior())
    """,
    edit("code_before_pixels", "`bits_back_encode` pushes z before x: the receiver has to find z at the top, since the tables of x need it",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, z, model.prior())
         stack = push_all(stack, x, model.likelihood(z))
         """),
    edit("pops_from_prior", "`bits_back_encode` pops z with the prior's tables: then z has nothing to do with x, and x becomes expensive",
         """
         stack, z = pop_all(stack, model.prior())
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("pushes_with_posterior", "`bits_back_encode` pushes z with the tables of q(z | x), which the receiver cannot know before x; z is pushed with the prior",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("prior_and_posterior", "`bits_back_encode` exchanges prior and posterior: pop z with q(z | x), push it with p(z)",
         """
         stack, z = pop_all(stack, model.prior())
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("no_bits_back", "`bits_back_encode` takes the most probable z and pops nothing: the bits for z are paid in full, and none come back",
         """
         z = [table.index(max(table)) for table in model.posterior(x)]
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("pop_not_kept", "`bits_back_encode` reads z from the stack but keeps the stack from before the pop: the bits are not taken away, so none come back",
         """
         _, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("chance_of_its_own", "`bits_back_encode` draws z by chance of its own; z has to be popped from the stack, or its bits do not come back",
         """
         import random
         z = [random.choices(range(len(table)), table)[0] for table in model.posterior(x)]
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("tables_of_pixels", "`bits_back_encode` asks for the likelihood of x; the tables of the pixels are p(x | z), so they come from z",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(x))
         stack = push_all(stack, z, model.prior())
         """),
    edit("guess_then_pop", "`bits_back_encode` pushes x with the tables of the most probable z and pops another z afterwards; pop first, then use this z for both pushes",
         """
         z = [table.index(max(table)) for table in model.posterior(x)]
         stack = push_all(stack, x, model.likelihood(z))
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, z, model.prior())
         """),
    edit("tables_of_first", "`bits_back_encode` pops the codes of all images with the q(z | x) of the first one; each image has its own",
         """
         stack, z = pop_all(stack, model.posterior(images[0]))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("code_never_sent", "`bits_back_encode` does not push z, or drops the stack with it: this claims less than the bound, but the receiver cannot read x without z",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         """),
    edit("pixels_never_sent", "`bits_back_encode` does not push x, or drops the stack with it; the code alone does not say which image it was",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, z, model.prior())
         """),
    edit("posterior_of_code", "`bits_back_encode` pushes x with tables that come from the most probable z, not from the z that was popped",
         """
         stack, z = pop_all(stack, model.posterior(x))
         best = [table.index(max(table)) for table in model.posterior(x)]
         stack = push_all(stack, x, model.likelihood(best))
         stack = push_all(stack, z, model.prior())
         """),
    edit("pixels_backwards", "`bits_back_encode` pushes the last pixel first; `push_all` pushes the first one first",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x[::-1], model.likelihood(z)[::-1])
         stack = push_all(stack, z, model.prior())
         """),
    edit("latents_forwards", "`bits_back_encode` pops the first latent first; `pop_all` pops the last one first, and the receiver relies on it",
         """
         z = []
         for table in model.posterior(x):
             stack, symbol = pop(stack, table)
             z.append(symbol)
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("latents_turned_round", "`bits_back_encode` turns the list of latents round, so they are in the order of the pops and no longer that of the tables",
         """
         stack, z = pop_all(stack, model.posterior(x))
         z = z[::-1]
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("latents_pushed_backwards", "`bits_back_encode` pushes the last latent first; `push_all` pushes the first one first",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z[::-1], model.prior()[::-1])
         """),
    edit("first_latent_only", "`bits_back_encode` pushes the first latent only; a code is a list of several",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push(stack, z[0], model.prior()[0])
         """),
    edit("pop_comes_last", "`bits_back_encode` pops last, and pushes x and z with a z of zeros; z has to be popped first",
         """
         z = [0] * len(model.prior())
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         stack, z = pop_all(stack, model.posterior(x))
         """),
    edit("code_sent_twice", "`bits_back_encode` pushes z twice, before and after x; it is pushed once, last",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, z, model.prior())
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("two_codes", "`bits_back_encode` pops a second z for the push; x and the prior must get the same z",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, z, model.prior())
         """),
    edit("pixels_popped", "`bits_back_encode` pops x from the tables instead of pushing the x it is given",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("stack_of_each", "`bits_back_encode` starts each image from the stack at the beginning, so only the last image is in the message",
         """
         start = stack if x is images[0] else start
         later, z = pop_all(start, model.posterior(x))
         later = push_all(later, x, model.likelihood(z))
         stack = push_all(later, z, model.prior())
         """),
    edit("first_only", "`bits_back_encode` returns after the first image: the return stands inside the loop",
         """
         stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         return stack
         """),
    edit("code_of_first", "`bits_back_encode` pops one z and uses it for all images",
         """
         if x is images[0]:
             stack, z = pop_all(stack, model.posterior(x))
         stack = push_all(stack, x, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
)

mistakes.at(
    "for x in images:",
    edit("last_image_first", "`bits_back_encode` codes the last image first; the first one comes first", "for x in images[::-1]:"),
    edit("images_turned_in_place", "`bits_back_encode` turns the list `images` round in place; arguments stay as they are",
         "images.reverse()\n    for x in images:"),
    edit("sorts_images", "`bits_back_encode` sorts the images; they are coded in the order of the list", "for x in sorted(images):"),
    edit("last_one_left_out", "`bits_back_encode` leaves the last image out", "for x in images[:-1]:"),
    edit("first_one_left_out", "`bits_back_encode` leaves the first image out", "for x in images[1:]:"),
    edit("empties_images", "`bits_back_encode` takes the images out of the list `images`; arguments stay as they are",
         "while images:\n        x = images.pop(0)"),
    edit("each_once", "`bits_back_encode` codes equal images once; the receiver has to find all of them",
         "for x in [x for i, x in enumerate(images) if x not in images[:i]]:"),
    edit("starts_anew", "`bits_back_encode` starts with an empty stack; what was on it before has to return", "stack = 0\n    for x in images:"),
    edit("starts_with_one", "`bits_back_encode` puts a 1 in front of an empty stack; an empty stack is 0, and has to return as 0",
         "stack = stack or 1\n    for x in images:"),
)


@mistakes.rewrite("`bits_back_encode` first codes all pixels and then all codes; the three steps belong to each image, one after the other")
def all_codes_last(ref):
    def bits_back_encode(stack, images, model):
        codes = []
        for x in images:
            stack, z = ref.pop_all(stack, model.posterior(x))
            stack = ref.push_all(stack, x, model.likelihood(z))
            codes.append(z)
        for z in codes:
            stack = ref.push_all(stack, z, model.prior())
        return stack

    return {"bits_back_encode": bits_back_encode}


@mistakes.rewrite("`bits_back_encode` pops the codes of all images first; then the bits of the earlier images cannot choose those of the later ones")
def all_codes_first(ref):
    def bits_back_encode(stack, images, model):
        codes = []
        for x in images:
            stack, z = ref.pop_all(stack, model.posterior(x))
            codes.append(z)
        for x, z in zip(images, codes):
            stack = ref.push_all(stack, x, model.likelihood(z))
            stack = ref.push_all(stack, z, model.prior())
        return stack

    return {"bits_back_encode": bits_back_encode}


@mistakes.rewrite("`bits_back_encode` returns the length of the message in bits, a claim; what is asked for is the message")
def encoded_length(ref):
    return {"bits_back_encode": lambda stack, images, model: ref.bits_back_encode(stack, images, model).bit_length()}


@mistakes.rewrite("`bits_back_encode` returns the stack as a float; it is a Python int of any size")
def encoded_float(ref):
    return {"bits_back_encode": lambda stack, images, model: float(ref.bits_back_encode(stack, images, model))}


@mistakes.rewrite("`bits_back_encode` returns bytes; the stack is asked for, which is a Python int")
def encoded_bytes(ref):
    def bits_back_encode(stack, images, model):
        stack = ref.bits_back_encode(stack, images, model)
        return stack.to_bytes((stack.bit_length() + 7) // 8, "big")

    return {"bits_back_encode": bits_back_encode}


@mistakes.rewrite("`bits_back_encode` returns a list; the stack is one whole number, which holds all images")
def stacks_listed(ref):
    def bits_back_encode(stack, images, model):
        stacks = []
        for x in images:
            stack = ref.bits_back_encode(stack, [x], model)
            stacks.append(stack)
        return stacks

    return {"bits_back_encode": bits_back_encode}


@mistakes.rewrite("`bits_back_encode` returns a tuple; the stack alone is asked for, since the receiver gets nothing else")
def codes_returned_too(ref):
    return {"bits_back_encode": lambda stack, images, model: (ref.bits_back_encode(stack, images, model), images)}


# --- bits_back_decode ------------------------------------------------------------------------------------------------

mistakes.at(
    """
    stack, z = pop_all(stack, model.prior())
    stack, x = pop_all(stack, model.likelihood(z))
    stack = push_all(stack, z, model.posterior(x))
    """,
    edit("bits_not_returned", "`bits_back_decode` does not push z back with the tables of q(z | x), or drops the stack with it: the bits that chose z are lost, and all earlier images with them",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         """),
    edit("returned_with_prior", "`bits_back_decode` pushes z back with the prior's tables; the sender popped it with those of q(z | x)",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.prior())
         """),
    edit("same_order_as_sender", "`bits_back_decode` goes through the steps in the sender's order, with pixels first; the last step is undone first",
         """
         stack, x = pop_all(stack, model.likelihood([0] * len(model.prior())))
         stack, z = pop_all(stack, model.prior())
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("pixels_pushed_back", "`bits_back_decode` pushes the pixels again after popping them; only z goes back, with the tables of q(z | x)",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, x, model.likelihood(z))
         """),
    edit("returned_backwards", "`bits_back_decode` pushes the last latent back first; `push_all` undoes `pop_all` with the list as it is",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z[::-1], model.posterior(x)[::-1])
         """),
    edit("latents_turned", "`bits_back_decode` turns the list of latents round; `pop_all` has put it in the order of the tables already",
         """
         stack, z = pop_all(stack, model.prior())
         z = z[::-1]
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("pixels_turned", "`bits_back_decode` turns the pixels round; `pop_all` has put them in the order of the tables already",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         x = x[::-1]
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("pixels_guessed", "`bits_back_decode` takes the most probable pixels instead of those in the message",
         """
         stack, z = pop_all(stack, model.prior())
         x = [table.index(max(table)) for table in model.likelihood(z)]
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("code_guessed", "`bits_back_decode` pushes back the most probable z of q(z | x), not the z that it found",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, [table.index(max(table)) for table in model.posterior(x)], model.posterior(x))
         """),
    edit("prior_popped_plainly", "`bits_back_decode` pops the first latent first; `pop_all` pops the last one first, as it was pushed last",
         """
         z = []
         for table in model.prior():
             stack, symbol = pop(stack, table)
             z.append(symbol)
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("pixels_popped_plainly", "`bits_back_decode` pops the first pixel first; `pop_all` pops the last one first, as it was pushed last",
         """
         stack, z = pop_all(stack, model.prior())
         x = []
         for table in model.likelihood(z):
             stack, symbol = pop(stack, table)
             x.append(symbol)
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("prior_turned", "`bits_back_decode` turns the tables of the prior round; `pop_all` takes them in the order in which `push_all` got them",
         """
         stack, z = pop_all(stack, model.prior()[::-1])
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("popped_with_posterior", "`bits_back_decode` starts with q(z | x) of an empty image; x is not known yet, z is popped with the prior",
         """
         stack, z = pop_all(stack, model.posterior([0] * len(model.likelihood([0] * len(model.prior())))))
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("popped_from_q_again", "`bits_back_decode` pops z once more with the tables of q(z | x); it has to be pushed",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack, z = pop_all(stack, model.posterior(x))
         """),
    edit("one_code_for_all", "`bits_back_decode` pops z once and uses it for all images; each image has its own code",
         """
         if not images:
             stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
    edit("tables_of_first_found", "`bits_back_decode` pushes every z back with the q(z | x) of the image that it found first; each image has its own",
         """
         stack, z = pop_all(stack, model.prior())
         stack, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior((images or [x])[0]))
         """),
    edit("stack_of_pixels_dropped", "`bits_back_decode` keeps the stack from before the pixels were popped, so they are never taken off",
         """
         stack, z = pop_all(stack, model.prior())
         _, x = pop_all(stack, model.likelihood(z))
         stack = push_all(stack, z, model.posterior(x))
         """),
)

mistakes.at(
    "return stack, images[::-1]",
    edit("order_not_reversed", "`bits_back_decode` returns the images in the order in which it finds them; the last one is found first, so they must be turned round",
         "return stack, images"),
    edit("stack_not_returned", "`bits_back_decode` returns the images alone; (stack, images) is asked for", "return images[::-1]"),
    edit("decode_exchanged", "`bits_back_decode` returns (images, stack); the stack comes first", "return images[::-1], stack"),
    edit("pixels_reversed_too", "`bits_back_decode` turns each image round as well; only their order has to be",
         "return stack, [x[::-1] for x in images[::-1]]"),
    edit("pixels_reversed_only", "`bits_back_decode` turns each image round; it is the order of the images that has to be",
         "return stack, [x[::-1] for x in images]"),
    edit("tensor_of_images", "`bits_back_decode` returns a tensor of images; a list of lists is asked for", "return stack, torch.tensor(images[::-1])"),
    edit("array_of_images", "`bits_back_decode` returns an array of images; a list of lists is asked for", "return stack, np.array(images[::-1])"),
    edit("list_of_arrays", "`bits_back_decode` returns a list of arrays; a list of lists is asked for", "return stack, [np.array(x) for x in images[::-1]]"),
    edit("reverse_in_place", "`bits_back_decode` returns None in the place of the images, as `images.reverse()` gives; it turns the list round and returns nothing", "return stack, images.reverse()"),
    edit("images_sorted", "`bits_back_decode` sorts the images; they return in the order in which they were coded", "return stack, sorted(images)"),
    edit("remains_forgotten", "`bits_back_decode` returns 0 for the stack; what was there before the images has to return", "return 0, images[::-1]"),
    edit("message_returned", "`bits_back_decode` returns a stack with the last code still in front; that bits are left is no reason to change them",
         "return stack + 1, images[::-1]"),
    edit("codes_returned", "`bits_back_decode` returns the codes z in the place of the images", "return stack, [z] * n"),
)

mistakes.at(
    "for _ in range(n):",
    edit("one_image_short", "`bits_back_decode` stops one image too early", "for _ in range(n - 1):"),
    edit("one_image_more", "`bits_back_decode` decodes one image too many, and takes it from what was on the stack before", "for _ in range(n + 1):"),
    edit("until_empty", "`bits_back_decode` stops when the stack is empty; there are n images, and an empty stack can be popped, too",
         "while stack and len(images) < n:"),
    edit("at_least_one", "`bits_back_decode` decodes an image even if n is 0", "for _ in range(max(n, 1)):"),
)

mistakes.at(
    "images.append(x)",
    edit("last_only", "`bits_back_decode` keeps only the image that it found last", "images = [x]"),
    edit("one_list_for_all", "`bits_back_decode` puts the same list into `images` each time, so that all images are the last one found",
         "images = [x] * (len(images) + 1)"),
    edit("pixels_in_one_list", "`bits_back_decode` returns a list of pixels; a list of images is asked for, each a list of its own", "images += x"),
    edit("pixels_as_floats", "`bits_back_decode` returns pixels as floats; symbols are whole numbers", "images.append([float(s) for s in x])"),
)
