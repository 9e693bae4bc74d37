"""Named wrong versions of the answers to question 9."""

import math

import numpy as np

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- topological_order ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order
    """,
    edit("breadth_first",
         "the order is that of a breadth-first search: a node that is used both directly and through a longer "
         "chain comes too late",
         """
         order = {root: 0}
         queue = [root]
         for node in queue:
             for parent in node.parents:
                 if parent not in order:
                     order[parent] = len(order)
                     queue.append(parent)
         return list(order)[::-1]
         """),
    edit("preorder",
         "a node stands in the order before one of its parents, as it was placed when it was found; append it "
         "when all its parents are in the list",
         """
         order, stack = {}, [root]
         while stack:
             node = stack.pop()
             if node not in order:
                 order[node] = len(order)
                 stack += node.parents
         return list(order)[::-1]
         """),
    edit("recursive", "the order is found by recursion, which ends with a RecursionError in a deep graph",
         """
         order, seen = [], set()

         def visit(node):
             if node not in seen:
                 seen.add(node)
                 for parent in node.parents:
                     visit(parent)
                 order.append(node)

         visit(root)
         return order
         """),
)

mistakes.at(
    """
    order, seen, stack = [], set(), [(root, False)]
    """,
    edit("keeps_state",
         "nodes that an earlier call has seen count as seen: a second call, from another root, leaves them out",
         "order, seen, stack = [], topological_order.__dict__.setdefault('seen', set()), [(root, False)]"),
)

mistakes.at(
    """
    order.append(node)
    """,
    edit("no_leaves", "leaves are missing from the order, so they get no gradient",
         "order += [node] if node.parents else []"),
)

mistakes.at(
    """
    elif node not in seen:
        seen.add(node)
    """,
    edit("seen_when_pushed",
         "a node counts as seen when it is put on the stack, so a longer way to it, which is found later, is not "
         "followed",
         "else:",
         ("""
         stack += [(parent, False) for parent in node.parents]
         """, """
         new = [parent for parent in dict.fromkeys(node.parents) if parent not in seen]
         seen.update(new)
         stack += [(parent, False) for parent in new]
         """)),
)

mistakes.at(
    """
    elif node not in seen:
    """,
    edit("every_path",
         "nodes are visited once for every path: they occur several times, and in a chain of diamonds the time "
         "doubles with each one",
         "else:"),
)

mistakes.at(
    """
    return order
    """,
    edit("root_first", "the order is reversed: children come before their parents", "return order[::-1]",
         ("reversed(order)", "order")),
)

# --- backward ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    for node in order:
        node.grad = np.zeros_like(node.value)
    root.grad = np.ones_like(root.value)
    """,
    edit("in_place_add",
         "contributions are added in place (+=) to an array that other nodes share: a vjp may return the very "
         "array it got",
         """
         for node in order:
             node.grad = None
         root.grad = np.ones_like(root.value)
         """,
         ("""
         parent.grad = parent.grad + vjp(node.grad)
         """, """
         if parent.grad is None:
             parent.grad = np.asarray(vjp(node.grad))
         elif parent.grad.flags.writeable:
             parent.grad += vjp(node.grad)
         else:
             parent.grad = parent.grad + vjp(node.grad)
         """)),
)

mistakes.at(
    """
    node.grad = np.zeros_like(node.value)
    """,
    edit("stale", "gradients of an earlier call are not cleared, so a second call adds to them",
         "node.grad = np.zeros_like(node.value) if node.grad is None else node.grad"),
)

mistakes.at(
    """
    root.grad = np.ones_like(root.value)
    """,
    edit("root_zero", "the gradient of the root is not set to 1, so all gradients are zero", ""),
)

mistakes.at(
    "in zip(node.parents, node.vjps, strict=True):",
    edit("twice_once", "a parent that occurs twice, as in x·x, gets only one of its contributions",
         "in dict(zip(node.parents, node.vjps, strict=True)).items():"),
)

mistakes.at(
    "parent.grad = parent.grad + vjp(node.grad)",
    edit("overwrites",
         "a contribution overwrites the gradient instead of being added: only the last use of a node counts",
         "parent.grad = vjp(node.grad)"),
    edit("calls_vjp_twice", "vjps are called more than once an edge",
         "parent.grad = parent.grad + (vjp(node.grad) if np.shape(vjp(node.grad)) == parent.grad.shape else 0)"),
)

# --- unbroadcast ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    """,
    edit("no_unbroadcast", "`unbroadcast` returns the gradient as it is: its shape is that after broadcasting", "",
         ("    return grad.sum(axis=stretched, keepdims=True)", "    return grad")),
    edit("only_stretched", "`unbroadcast` does not sum over the axes that broadcasting added in front", ""),
    edit("takes_first", "`unbroadcast` takes one of the copies; their gradients add up",
         "grad = grad[(0,) * (grad.ndim - len(shape))]",
         ("    return grad.sum(axis=stretched, keepdims=True)", "    return grad[tuple(slice(0, 1) if i in stretched else slice(None) for i in range(len(shape)))]")),
    edit("scalar_only_reshape",
         "`unbroadcast` sums over the wrong axes: it matches the shapes from the left, broadcasting matches them "
         "from the right",
         "grad = grad.sum(axis=tuple(range(len(shape), grad.ndim)))"),
)

mistakes.at(
    "    return grad.sum(axis=stretched, keepdims=True)",
    edit("only_leading", "`unbroadcast` sums over the new axes in front only; axes of length 1 were stretched too",
         "    return grad"),
    edit("drops_axes", "`unbroadcast` loses the axes of length 1; they keep their length 1",
         "    return grad.sum(axis=stretched)"),
    edit("means", "`unbroadcast` averages over the copies; their gradients add up",
         "    return grad.mean(axis=stretched, keepdims=True)",
         ("""
         grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
         """, "grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))")),
)

# --- gradcheck -----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    x = np.array(x, dtype=np.float64)
    """,
    edit("dtype_of_x", "x is perturbed in its own type: float32 is too coarse, and integers do not move at all",
         "x = np.array(x)"),
)

mistakes.at(
    """
    if analytic.shape != x.shape or not np.isfinite(analytic).all():
    """,
    edit("shape_ignored",
         "the shape of the gradient is not checked: one of another shape is broadcast or read in another order",
         """
         analytic = np.resize(analytic, x.shape)
         if not np.isfinite(analytic).all():
         """),
)

mistakes.at(
    "if analytic.shape != x.shape or not np.isfinite(analytic).all():",
    edit("nan_passes",
         "a gradient with NaN or infinite entries is not refused: comparisons with NaN are False, so nothing is found",
         "if analytic.shape != x.shape:"),
)

mistakes.at(
    "for i in np.ndindex(x.shape):",
    edit("sample_of_entries", "only some entries of a large x are checked; every entry must be",
         "for i in list(np.ndindex(x.shape))[-10:]:"),
    edit("first_entry", "not every entry of x is checked, perhaps only the first",
         "for i in list(np.ndindex(x.shape))[:1]:"),
)

mistakes.at(
    "h = eps * max(abs(x[i]), 1e-3)",
    edit("absolute_step",
         "the step is eps whatever the size of x: lost in rounding for large x, too coarse for small x", "h = eps"),
    edit("step_of_largest", "the step is relative to the largest entry of x; each entry has its own step",
         "h = eps * max(float(abs(x).max()), 1e-3)"),
    edit("step_without_floor",
         "the step has no lower limit, or one that is far too low: for x = 0 it is zero or lost in rounding",
         "h = eps * abs(x[i]) + 1e-300"),
)

mistakes.at(
    "up, down = x.copy(), x.copy()",
    edit("float32", "the differences are computed in float32, where a step of 1e-5 leaves two or three digits",
         "up, down = x.astype(np.float32), x.astype(np.float32)"),
    edit("not_put_back", "an entry of x that was moved is not put back before the next one is moved",
         "up, down = x, x.copy()"),
)

mistakes.at(
    "up[i] += h",
    edit("flat_copy", "`reshape(-1)` of a transposed array is a copy, so x is not perturbed at all",
         "up.reshape(-1)[np.ravel_multi_index(i, x.shape) if i else 0] += h",
         ("down[i] -= h", "down.reshape(-1)[np.ravel_multi_index(i, x.shape) if i else 0] -= h"),
         ("up, down = x.copy(), x.copy()", "up, down = x.copy(order='K'), x.copy(order='K')")),
)

mistakes.at(
    "numeric = (float(f(up)) - float(f(down))) / (2 * h)",
    edit("one_sided", "the difference is one-sided: its error is of first order in the step, so right gradients fail",
         "numeric = (float(f(up)) - float(f(x.copy()))) / h"),
    edit("divides_by_h", "the central difference is divided by h; the two points are 2h apart",
         "numeric = (float(f(up)) - float(f(down))) / h"),
)

mistakes.at(
    "scale = max(abs(analytic[i]), abs(numeric))",
    edit("relative_to_norm",
         "the tolerance is relative to the largest entry of the gradient, so errors in small entries are missed",
         "scale = max(float(abs(analytic).max()), abs(numeric))"),
    edit("relative_to_analytic",
         "the tolerance is relative to the gradient under test only; a gradient that is far too large then looks "
         "better than it is",
         "scale = abs(analytic[i])"),
    edit("scale_signed",
         "the tolerance is relative to the larger of the two numbers, not of their absolute values: where both "
         "are negative, it is not even positive",
         "scale = max(analytic[i], numeric)"),
    edit("relative_to_numeric",
         "the tolerance is relative to the finite difference only; it is relative to the larger of the two, as in "
         "(9.4)",
         "scale = abs(numeric)"),
)

mistakes.at(
    "error = abs(analytic[i] - numeric) / (atol + rtol * scale)",
    edit("no_rtol", "there is no relative tolerance: right gradients that are large fail",
         "error = abs(analytic[i] - numeric) / (atol)"),
    edit("no_atol", "there is no absolute tolerance: entries that are zero fail by rounding",
         "error = abs(analytic[i] - numeric) / (rtol * scale + 1e-300)"),
    edit("signed_error", "the error lacks its absolute value: gradients that are too small pass",
         "error = (analytic[i] - numeric) / (atol + rtol * scale)"),
)

mistakes.at(
    """
    max_error = max(max_error, float(error))
    """,
    edit("stops_at_first", "the check stops at the first entry that fails: the largest error may come later",
         """
         max_error = max(max_error, float(error))
         if max_error > 1:
             break
         """),
)

mistakes.at(
    "max_error = max(max_error, float(error))",
    edit("last_wins", "the last error is returned, not the largest", "max_error = float(error)"),
    edit("mean_error", "the errors are averaged; one wrong entry among many then passes",
         "max_error = max_error + float(error) / x.size"),
)

mistakes.at(
    "return bool(max_error <= 1), max_error",
    edit("less_than_1", "the check fails if the largest error is exactly 1; it passes if it is at most 1",
         "return bool(max_error < 1), max_error"),
)

# --- fixed_backward ------------------------------------------------------------------------------------------------

mistakes.at(
    """
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    y = centred / s
    return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
    """,
    edit("variance_by_difference",
         "the variance in `fixed_backward` is the difference of mean(x²) and mean(x)², which loses its digits for "
         "rows far from 0",
         """
         s = np.sqrt(np.maximum((x**2).mean(-1, keepdims=True) - x.mean(-1, keepdims=True) ** 2, 0) + eps)
         y = centred / s
         return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
         """),
)

mistakes.at(
    """
    y = centred / s
    """,
    edit("eps_forgotten", "the term from s is computed as if ε were 0 in `fixed_backward`",
         "y = centred / np.maximum(np.sqrt((centred**2).mean(-1, keepdims=True)), 1e-30)"),
    edit("centred_for_y", "`fixed_backward` uses x - μ where y is needed", "y = centred"),
)

mistakes.at(
    "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s",
    edit("still_suspicious", "s is treated as a constant in `fixed_backward`: this is the suspicious version",
         "return (grad_y - grad_y.mean(-1, keepdims=True)) / s"),
    edit("mean_forgotten", "the dependence through the mean μ is missing in `fixed_backward`",
         "return (grad_y - y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_added", "the term from s has the wrong sign in `fixed_backward`",
         "return (grad_y - grad_y.mean(-1, keepdims=True) + y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_summed", "the term from s is a sum in `fixed_backward`; it lacks 1/D",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).sum(-1, keepdims=True)) / s"),
    edit("term_without_y", "the term from s is not multiplied by y_i in `fixed_backward`",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("mean_over_batch", "the means in `fixed_backward` run over the whole batch; each row has its own",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean()) / s"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("the gradient moves together with x: `grad_f` may return the very array that it got, so give it, or keep, a copy")
def shared_gradient(ref):
    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        if not np.all(np.isfinite(grad_f(np.array(x, dtype=np.float64)))):
            return False, math.inf
        x = np.array(x, dtype=np.float64)
        analytic = np.asarray(grad_f(x))
        if analytic.shape != x.shape:
            return False, math.inf
        errors = []
        for i in np.ndindex(x.shape):
            old = x[i]
            h = eps * max(abs(old), 1e-3)
            x[i] = old + h
            up = f(x)
            x[i] = old - h
            numeric = (up - f(x)) / (2 * h)
            errors.append(abs(analytic[i] - numeric) / (atol + rtol * max(abs(analytic[i]), abs(numeric))))
            x[i] = old
        return max(errors) <= 1, max(errors)

    return {"gradcheck": gradcheck}


@mistakes.rewrite("x is perturbed in place and not put back exactly", catches="in-place change")
def in_place(ref):
    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        result = ref.gradcheck(f, grad_f, x, eps, rtol, atol)
        if x.dtype == np.float64:
            for i in np.ndindex(x.shape):
                h = eps * max(abs(x[i]), 1e-3)
                x[i] += h
                x[i] -= 2 * h
        return result

    return {"gradcheck": gradcheck}
