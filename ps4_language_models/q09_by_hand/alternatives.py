"""Other right versions of the answers to question 9."""

import math

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


def _size(part):
    return part.stop - part.start


@alternatives.rewrite("loops over single entries, a very large penalty, logarithms apart")
def loops(ref):
    def needed_sharpness(right, wrong, weight):
        return math.log(wrong) - math.log(right) + math.log(weight) - math.log1p(-weight)

    def lookback_head(parts, steps, target, sharpness):
        width = max(part.stop for part in parts.values())
        look, copy = torch.zeros(width, width), torch.zeros(width, width)
        for i in range(steps, _size(parts["position"])):
            look[parts["position"].start + i, parts["position"].start + i - steps] = sharpness
        for v in range(_size(parts["token"])):
            copy[parts["token"].start + v, parts[target].start + v] = 1
        return look, copy

    def induction_head(parts, matches, sharpness):
        look, copy = ref.empty_head(parts)
        for v in range(_size(parts["token"])):
            for mine, its in matches:
                look[parts[mine].start + v, parts[its].start + v] += sharpness
            copy[parts["token"].start + v, parts["answer"].start + v] = 1
        return look, copy

    def sorting_head(parts, sharpness):
        look, copy = ref.empty_head(parts)
        start, size = parts["token"].start, _size(parts["token"])
        costs = [[-sharpness * (b - a) if b > a else -1e6 for b in range(size)] for a in range(size)]
        look[start : start + size, start : start + size] = torch.tensor(costs)
        copy[parts["token"], parts["answer"]].fill_diagonal_(1)
        return look, copy

    return {"needed_sharpness": needed_sharpness, "lookback_head": lookback_head, "induction_head": induction_head, "sorting_head": sorting_head}


@alternatives.rewrite("float64, a block that is rolled in a circle, penalties for the rest, rewards for larger numbers, tuples as lists")
def penalties(ref):
    def needed_sharpness(right, wrong, weight):
        return torch.logit(torch.tensor(weight, dtype=torch.float64)) + math.log(wrong / right)

    def lookback_head(parts, steps, target, sharpness):
        width = max(part.stop for part in parts.values())
        look, copy = torch.zeros(width, width, dtype=torch.float64), torch.zeros(width, width, dtype=torch.float64)
        size = _size(parts["position"])
        look[parts["position"], parts["position"]] = sharpness * (torch.eye(size, dtype=torch.float64).roll(-steps, 1) - 1)
        copy[parts["token"], parts[target]] = torch.eye(_size(parts["token"]), dtype=torch.float64)
        return [look, copy]

    def induction_head(parts, matches, sharpness):
        size = _size(parts["token"])
        look, copy = (matrix.double() for matrix in ref.empty_head(parts))
        for mine, its in matches:
            look[parts[mine], parts[its]] = look[parts[mine], parts[its]] + sharpness * torch.eye(size)
        look[parts["token"], parts["token"]] += 3   # a constant for all scores of a token
        copy[parts["token"], parts["answer"]] = torch.eye(size).double()
        return [look, copy]

    def sorting_head(parts, sharpness):
        look, copy = ref.empty_head(parts)
        number = torch.arange(_size(parts["token"]), dtype=torch.float32)
        liking = sharpness * (len(number) - number)
        look[parts["token"], parts["token"]] = torch.where(number > number[:, None], liking, torch.tensor(-100.0))
        copy[parts["token"], parts["answer"]] = torch.eye(len(number))
        return look, copy

    return {"needed_sharpness": needed_sharpness, "lookback_head": lookback_head, "induction_head": induction_head, "sorting_head": sorting_head}


@alternatives.rewrite("products of four thin matrices, as W_q, W_k, W_v and W_out; a band by tril")
def factors(ref):
    def embed(parts, name):
        width = max(part.stop for part in parts.values())
        return torch.eye(width)[:, parts[name]]

    def needed_sharpness(right, wrong, weight):
        return -math.log((1 / weight - 1) * right / wrong)

    def lookback_head(parts, steps, target, sharpness):
        place = embed(parts, "position")
        size = place.shape[1]
        shift = torch.ones(size, size).tril(-steps) - torch.ones(size, size).tril(-steps - 1)
        w_q, w_k = place @ (sharpness * shift), place
        return w_q @ w_k.T, embed(parts, "token") @ embed(parts, target).T

    def induction_head(parts, matches, sharpness):
        w_q = torch.cat([embed(parts, mine) for mine, _ in matches], 1)
        w_k = torch.cat([embed(parts, its) for _, its in matches], 1)
        return sharpness * w_q @ w_k.T, embed(parts, "token") @ embed(parts, "answer").T

    def sorting_head(parts, sharpness):
        token = embed(parts, "token")
        size = token.shape[1]
        number = torch.arange(size).float()
        shut = torch.ones(size, size).tril() * (2 * sharpness * size + 1000)
        look = token @ (-sharpness * (number - number[:, None]) - shut) @ token.T
        return look, token @ embed(parts, "answer").T

    return {"needed_sharpness": needed_sharpness, "lookback_head": lookback_head, "induction_head": induction_head, "sorting_head": sorting_head}


@alternatives.rewrite("bisection, a loop without a guard, blocks assigned, a margin of 20")
def assigned(ref):
    def needed_sharpness(right, wrong, weight):
        low, high = -100.0, 100.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if right < weight * (right + wrong * math.exp(-middle)) else (low, middle)
        return low

    def lookback_head(parts, steps, target, sharpness):
        look, copy = ref.empty_head(parts)
        place = parts["position"]
        for i in range(_size(place)):
            look[place.start + i, place.start + i - steps] = sharpness   # where i < steps, this is another part
        copy[parts["token"], parts[target]] = torch.eye(_size(parts["token"]))
        return look, copy

    def induction_head(parts, matches, sharpness):
        look, copy = ref.empty_head(parts)
        same = torch.eye(_size(parts["token"]))
        for mine, its in matches:
            look[parts[mine], parts[its]] = sharpness * same
        copy[parts["token"], parts["answer"]] = same
        return look, copy

    def sorting_head(parts, sharpness):
        look, copy = ref.empty_head(parts)
        token = parts["token"]
        number = torch.arange(_size(token))
        step = number - number[:, None]
        look[token, token] = torch.where(step > 0, sharpness * (1 - step), -sharpness * len(number) - 20.0)
        copy[token, parts["answer"]] = torch.eye(len(number))
        return look, copy

    return {"needed_sharpness": needed_sharpness, "lookback_head": lookback_head, "induction_head": induction_head, "sorting_head": sorting_head}


@alternatives.rewrite("index lists, parameters with gradients, a penalty of a billion, positions ahead punished too")
def indices(ref):
    def lookback_head(parts, steps, target, sharpness):
        look, copy = ref.empty_head(parts)
        i = torch.arange(steps, _size(parts["position"])) + parts["position"].start
        look[i, i - steps] = sharpness
        v = torch.arange(_size(parts["token"]))
        copy[v + parts["token"].start, v + parts[target].start] = 1
        look[parts["position"], parts["position"]] += torch.ones(_size(parts["position"]), _size(parts["position"])).triu(1) * -7
        return torch.nn.Parameter(look), torch.nn.Parameter(copy)

    def induction_head(parts, matches, sharpness):
        look, copy = ref.empty_head(parts)
        v = torch.arange(_size(parts["token"]))
        for pair in matches:
            look[v + parts[pair[0]].start, v + parts[pair[1]].start] += torch.full((len(v),), float(sharpness))
        copy[v + parts["token"].start, v + parts["answer"].start] = 1
        return torch.nn.Parameter(look), torch.nn.Parameter(copy)

    def sorting_head(parts, sharpness):
        look, copy = ref.empty_head(parts)
        token, size = parts["token"], _size(parts["token"])
        for a in range(size):
            look[token.start + a, token.start : token.start + a + 1] = -1e9
            look[token.start + a, token.start + a + 1 : token.stop] = -sharpness * torch.arange(size - a - 1)
        copy[token, parts["answer"]] = torch.eye(size)
        return look, copy

    return {"lookback_head": lookback_head, "induction_head": induction_head, "sorting_head": sorting_head}


@alternatives.rewrite("a start from random shared entries that cancel, einsum, sharpness in the key's side, scores by comparison of sums")
def other_algebra(ref):
    def needed_sharpness(right, wrong, weight):
        each = weight / right
        rest = (1 - weight) / wrong
        return math.log(each / rest)

    def lookback_head(parts, steps, target, sharpness):
        look, copy = ref.empty_head(parts)
        place = parts["position"]
        asks, found = torch.arange(_size(place))[:, None], torch.arange(_size(place))
        look[place, place] = (asks - found == steps) * float(sharpness) - (asks - found != steps) * 0.0
        look[parts["token"], place] += 2.5   # whoever asks, all positions alike
        copy[parts["token"], parts[target]] = torch.einsum("ij->ji", torch.eye(_size(parts["token"])))
        return look, copy

    def induction_head(parts, matches, sharpness):
        look, copy = ref.empty_head(parts)
        block = torch.diag(torch.full((_size(parts["token"]),), 1.0))
        look = sum((sharpness * torch.kron(torch.tensor([[1.0]]), _placed(look, parts[a], parts[b], block)) for a, b in matches), look)
        return look, _placed(copy, parts["token"], parts["answer"], block)

    def _placed(like, rows, columns, block):
        matrix = torch.zeros_like(like)
        matrix[rows, columns] = block
        return matrix

    def sorting_head(parts, sharpness):
        look, copy = ref.empty_head(parts)
        size = _size(parts["token"])
        steps = torch.ones(size, size).triu(1).cumsum(1)
        look[parts["token"], parts["token"]] = -sharpness * steps - (steps == 0) * (sharpness * 1000 + 500)
        copy[parts["token"], parts["answer"]] = torch.eye(size)
        return look, copy

    return {"needed_sharpness": needed_sharpness, "lookback_head": lookback_head, "induction_head": induction_head, "sorting_head": sorting_head}
