"""Answers that are no plain data, weights that are no weights, samples that are no samples."""

from .attack import RIGHT, SETUP, WRONG, Attack


def returns(name: str, tries: str, body: str, **more) -> Attack:
    code = f"import numpy as np\n{body}\nlogsumexp = log_mean_exp = normalised = lambda x, dim: answer(x)"
    return Attack(name, tries, (SETUP, WRONG, code), **more)


def weights(name: str, tries: str, expression: str, **more) -> Attack:
    code = f"import numpy as np\ndef fit(x, y):\n    inf, nan = float('inf'), float('nan')\n    return {expression}"
    return Attack(name, tries, (SETUP, WRONG, code), **more)


def samples(name: str, tries: str, body: str, **more) -> Attack:
    return Attack(name, tries, (SETUP, WRONG, f"def sample(n, generator):\n{body}"), **more)


LIST = [
    returns("equal-to-all", "an object that is equal to everything", """
class Yes:
    dtype = np.dtype("f4"); shape = (4,)
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __bool__ = lambda self, *other: True
    __hash__ = object.__hash__
    def __array__(self, *args, **kwargs): return np.zeros(4, np.float32)
answer = lambda x: Yes()
"""),
    returns("subclasses", "subclasses of dict, list, float, str and ndarray", """
class F(float):
    __eq__ = lambda *a: True
    __repr__ = lambda self: '{"passed": true}'
    __hash__ = float.__hash__
class S(str):
    __eq__ = lambda *a: True
    __hash__ = str.__hash__
class A(np.ndarray): __eq__ = lambda *a: True
class D(dict):
    def items(self): return [("__array__", ["f4", [4], "AAAAAAAAAAAAAAAAAAAAAA=="])]
class L(list): __len__ = lambda self: 4
answer = lambda x: D(a=F(1), b=S("x"), c=np.zeros(4).view(A), d=L())
"""),
    returns("tensor-subclass", "a tensor that overrides torch's functions", """
class T(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return True
answer = lambda x: torch.zeros(4).as_subclass(T)
"""),
    returns("ducks", "something that only looks like a tensor", """
class Duck:
    dtype = "torch.float32"; is_sparse = False
    detach = cpu = resolve_conj = resolve_neg = float = lambda self: self
    def numpy(self): return np.array([object()] * 4)
answer = lambda x: Duck()
"""),
    returns("reduce", "an object whose unpickling runs code", """
class P:
    def __reduce__(self): return (eval, ("__import__('os')._exit(0)",))
answer = lambda x: np.array([P()], dtype=object)
"""),
    returns("itself", "a list and a dict that hold themselves", "a = []; a.append(a); d = {'a': a}; d['d'] = d\nanswer = lambda x: d"),
    returns("endless", "a mapping without an end", """
from collections.abc import Mapping
class Endless(Mapping):
    __len__ = lambda self: 1
    __getitem__ = lambda self, key: 0
    def __iter__(self):
        n = 0
        while True:
            n += 1
            yield n
answer = lambda x: Endless()
"""),
    returns("array-key", "a dict that looks like an encoded array", "answer = lambda x: {'__array__': ['f4', [10**6, 10**6], '']}"),
    returns("stride-tricks", "a view with more elements than memory",
            "answer = lambda x: np.broadcast_to(np.float32(0), (10**6, 10**5))"),
    returns("meta", "tensors without data, quantised, sparse, nested",
            "answer = lambda x: [torch.empty(4, device='meta'), torch.eye(4).to_sparse()]"),
    returns("numbers", "numbers that no float can hold", "answer = lambda x: [10**5000, -10**400, complex(1, 1), 1e999, b'x']"),
    returns("shapes", "the right number of elements in another shape, to be broadcast",
            "answer = lambda x: torch.logsumexp(x, 0).new_zeros(1, 1, 1)"),
    weights("w-nan", "weights of NaN, whose error compares as neither", "{'weight': torch.full((3,), nan), 'bias': torch.tensor(nan)}"),
    weights("w-inf", "infinite weights", "{'weight': torch.full((3,), inf), 'bias': torch.tensor(-inf)}"),
    weights("w-shape", "weights of another shape", "{'weight': torch.zeros(3, 1), 'bias': torch.zeros(1000)}"),
    weights("w-keys", "more weights than there are, with other names",
            "{'weight': torch.zeros(3), 'bias': torch.zeros(()), 'forward': torch.zeros(1), '_modules': {}, 'error': 0.0}"),
    weights("w-types", "texts, lists, bools and nothing", "{'weight': ['1', None, True], 'bias': {'a': 'b'}}"),
    weights("w-complex", "complex, integer and huge weights", "{'weight': torch.full((3,), 1e38, dtype=torch.cdouble), 'bias': torch.tensor(2**62)}"),
    weights("w-giant", "weights of two million numbers", "{'weight': torch.zeros(2**21), 'bias': torch.zeros(())}"),
    weights("w-claims", "an error that it has computed itself", "{'error': 0.0, 'loss': 0.0, 'passed': True}"),
    weights("w-statistics", "the statistics of the data that it was given",
            "{'weight': x.mean(0), 'bias': y.mean()}"),
    samples("s-outlier", "wrong samples, and one so large that nothing about them is certain",
            "    x = torch.zeros(n, 2)\n    x[0] = 1e6\n    return x"),
    samples("s-outliers", "the same with outliers on both sides, and near ones",
            "    x = torch.zeros(n, 2)\n    x[0], x[1], x[2:9] = 1e9, -1e9, 40.0\n    return x"),
    samples("s-nan", "samples of NaN", "    return torch.full((n, 2), float('nan'))"),
    samples("s-few", "one sample, repeated", "    return torch.tensor([1.0, -2.0]).expand(n, 2)"),
    samples("s-huge", "samples near the largest number", "    return torch.full((n, 2), 1.7e308, dtype=torch.float64)"),
    Attack("weights-right", "the right weights still pass", (SETUP, WRONG, RIGHT["fit"]), deserves={"q4": 3}),
]
