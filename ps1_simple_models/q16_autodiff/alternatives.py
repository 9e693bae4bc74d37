"""Other right versions of the answers to question 16."""

import math

import numpy as np
import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- gradcheck -------------------------------------------------------------------------------------------------------

alternatives.at(
    "numeric[i] = (f(x + step) - f(x - step)) / (2 * step[i])",
    edit(
        "small_changes",
        "steps of exactly representable size; another form of the layer norm; None for zeros",
        "up, down = x + step, x - step; numeric[i] = (float(f(up)) - float(f(down))) / (up[i] - down[i])",
        (
            "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s",
            "return (grad_y - y * np.mean(y * grad_y, axis=-1)[..., None]) / s - np.mean(grad_y / s, axis=-1, "
            "keepdims=True)",
        ),
        ("return max_error <= 1, max_error", "return np.bool_(max_error <= 1), np.float64(max_error)"),
        ("node.grad = np.zeros_like(node.value)", "node.grad = 0.0"),
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("Kahn's algorithm, dictionaries of gradients, loops for broadcasting, vectorised differences")
def other_algorithms(ref):
    def topological_order(root):
        uses, nodes, stack = {}, [root], [root]
        known = {id(root)}
        while stack:
            for parent in stack.pop().parents:
                uses[id(parent)] = uses.get(id(parent), 0) + 1
                if id(parent) not in known:
                    known.add(id(parent))
                    nodes.append(parent)
                    stack.append(parent)
        ready, order = [root], []
        while ready:
            node = ready.pop(0)
            order.append(node)
            for parent in node.parents:
                uses[id(parent)] -= 1
                if uses[id(parent)] == 0:
                    ready.append(parent)
        return tuple(order[::-1])

    def backward(root):
        grads = {id(root): np.array(1.0)}
        for node in topological_order(root)[::-1]:
            node.grad = grads[id(node)]
            for parent, vjp in zip(node.parents, node.vjps):
                new = vjp(node.grad)
                grads[id(parent)] = grads[id(parent)] + new if id(parent) in grads else new

    def unbroadcast(grad, shape):
        while np.ndim(grad) > len(shape):
            grad = grad.sum(0)
        for axis, n in enumerate(shape):
            if n == 1:
                grad = np.sum(grad, axis, keepdims=True)
        return grad

    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        x = np.asarray(x).astype(float)
        a = np.asarray(grad_f(x), dtype=float)
        if a.shape != x.shape:
            return False, float("inf")
        flat = x.ravel()
        h = eps * np.maximum(np.abs(flat), 1e-3)
        steps = np.diag(h)
        n = np.array([f((flat + row).reshape(x.shape)) - f((flat - row).reshape(x.shape)) for row in steps]) / (2 * h)
        r = np.abs(a.ravel() - n) / (atol + rtol * np.maximum(np.abs(a.ravel()), np.abs(n)))
        if not np.all(np.isfinite(r)) or not np.isfinite(a).all():
            return False, np.inf
        return (r <= 1).all(), r.max()

    def fixed_backward(x, grad_y, eps=1e-5):
        d = x.shape[-1]
        s = np.sqrt(x.var(-1) + eps)[..., None]
        y = (x - x.mean(-1, keepdims=True)) / s
        jacobian = (np.eye(d) - 1 / d - y[..., :, None] * y[..., None, :] / d) / s[..., None]
        return np.einsum("...i,...ij->...j", grad_y, jacobian)

    return {
        "topological_order": topological_order,
        "backward": backward,
        "unbroadcast": unbroadcast,
        "gradcheck": gradcheck,
        "fixed_backward": fixed_backward,
    }


@alternatives.rewrite("a stack with flags; Kahn's count inside backward; einsum; central differences on a flat copy; the Jacobian")
def other_ways(ref):
    def topological_order(root):
        order, seen, stack = [], set(), [(root, False)]
        while stack:
            node, parents_done = stack.pop()
            if parents_done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack += [(parent, False) for parent in node.parents]
        return order

    def backward(root):
        uses, stack, known = {}, [root], {root}
        while stack:
            for parent in stack.pop().parents:
                uses[parent] = uses.get(parent, 0) + 1
                if parent not in known:
                    known.add(parent)
                    stack.append(parent)
        for node in known:
            node.grad = 0
        root.grad, ready = 1, [root]
        while ready:
            node = ready.pop()
            for parent, vjp in zip(node.parents, node.vjps):
                parent.grad = parent.grad + vjp(node.grad)
                uses[parent] -= 1
                if not uses[parent]:
                    ready.append(parent)

    def unbroadcast(grad, shape):
        letters = "abcdefgh"[: np.ndim(grad)]
        kept = letters[np.ndim(grad) - len(shape) :]
        result = "".join(letter for letter, n in zip(kept, shape) if n > 1)
        return np.einsum(f"{letters}->{result}", grad).reshape(shape)

    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        x = np.asarray(x, dtype=np.float64).copy(order="C")
        a = np.asarray(grad_f(x.copy()), dtype=np.float64)
        if a.shape != x.shape or not np.isfinite(a).all():
            return False, math.inf
        worst = 0.0
        for k, value in enumerate(x.flatten()):
            h = eps * max(abs(value), 1e-3)
            both = []
            for sign in (1, -1):
                moved = x.copy()
                moved.flat[k] += sign * h
                both.append(float(f(moved)))
            n = (both[0] - both[1]) / (2 * h)
            worst = max(worst, abs(a.flat[k] - n) / (atol + rtol * max(abs(a.flat[k]), abs(n))))
        return bool(worst <= 1), float(worst)

    def fixed_backward(x, grad_y, eps=1e-5):
        d = x.shape[-1]
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred**2).mean(-1, keepdims=True) + eps
        grad_centred = grad_y / variance**0.5
        grad_variance = (-0.5 * grad_y * centred * variance**-1.5).sum(-1, keepdims=True)
        grad_centred = grad_centred + grad_variance * 2 * centred / d
        return grad_centred - grad_centred.sum(-1, keepdims=True) / d

    return {
        "topological_order": topological_order,
        "backward": backward,
        "unbroadcast": unbroadcast,
        "gradcheck": gradcheck,
        "fixed_backward": fixed_backward,
    }


@alternatives.rewrite(
    "depth-first with iterators, gradients copied, x perturbed in a private copy and put back, torch for layer norm"
)
def other_styles(ref):
    def topological_order(root):
        order, seen, stack = [], {root}, [(root, iter(root.parents))]
        while stack:
            node, parents = stack[-1]
            for parent in parents:
                if parent not in seen:
                    seen.add(parent)
                    stack.append((parent, iter(parent.parents)))
                    break
            else:
                order.append(node)
                stack.pop()
        return order

    def backward(root):
        order = topological_order(root)
        for node in order:
            node.grad = None
        root.grad = 1.0
        while order:
            node = order.pop()
            for parent, vjp in zip(node.parents, node.vjps):
                contribution = np.array(vjp(node.grad))
                if parent.grad is None:
                    parent.grad = contribution
                else:
                    parent.grad = np.add(parent.grad, contribution)

    def unbroadcast(grad, shape):
        padded = (1,) * (np.ndim(grad) - len(shape)) + tuple(shape)
        axes = tuple(i for i, (big, small) in enumerate(zip(np.shape(grad), padded)) if small == 1 and big > 1)
        return np.sum(grad, axis=axes).reshape(shape)

    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        x = np.array(x, dtype=np.float64, order="C")
        a = np.array(grad_f(x.copy()))
        if np.shape(a) != np.shape(x) or not np.all(np.isfinite(a)):
            return False, math.inf
        worst = -1.0
        flat, flat_a = x.reshape(-1), a.reshape(-1)
        for k in range(flat.size):
            old = flat[k]
            h = eps * max(abs(old), 1e-3)
            flat[k] = old + h
            up = f(x)
            flat[k] = old - h
            down = f(x)
            flat[k] = old
            n = (up - down) / (2 * h)
            worst = max(worst, abs(flat_a[k] - n) / (atol + rtol * max(abs(flat_a[k]), abs(n))))
        return worst <= 1, worst

    def fixed_backward(x, grad_y, eps=1e-5):
        leaf = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.layer_norm(leaf, leaf.shape[-1:], eps=eps)
        return torch.autograd.grad(y, leaf, torch.tensor(grad_y))[0].numpy()

    return {
        "topological_order": topological_order,
        "backward": backward,
        "unbroadcast": unbroadcast,
        "gradcheck": gradcheck,
        "fixed_backward": fixed_backward,
    }
