"""Named wrong versions of the answers to question 16."""

import math

import numpy as np

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- topological_order -----------------------------------------------------------------------------------------------

mistakes.at(
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
    """,
    edit("breadth_first",
         "The order is that of a breadth-first search: a node that is used both directly and through a longer "
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
    edit("breadth_first_forward",
         "The order is that of a breadth-first search from the root, and not even reversed: children come before their parents",
         """
         order = {root: 0}
         queue = [root]
         for node in queue:
             for parent in node.parents:
                 if parent not in order:
                     order[parent] = len(order)
                     queue.append(parent)
         return list(order)
         """),
    edit("preorder",
         "A node stands in the order before one of its parents, as it was placed when it was found; append it "
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
    edit("preorder_by_recursion",
         "A node is listed before its parents are visited, and the list is reversed at the end: a node that is found on a "
         "short way stands behind nodes that need it",
         """
         order = {}

         def visit(node):
             if node not in order:
                 order[node] = len(order)
                 for parent in node.parents:
                     visit(parent)

         visit(root)
         return list(order)[::-1]
         """),
    edit("seen_when_pushed",
         "A node counts as seen when it is put on the stack, so a longer way to it, which is found later, is not "
         "followed",
         """
         order, seen, stack = [], {root}, [(root, False)]
         while stack:
             node, done = stack.pop()
             if done:
                 order.append(node)
                 continue
             stack.append((node, True))
             for parent in node.parents:
                 if parent not in seen:
                     seen.add(parent)
                     stack.append((parent, False))
         return order
         """),
    edit("kahn_unique_parents",
         "A node is appended when all its uses are done, but of a parent that occurs twice only one use is counted off",
         """
         uses, nodes, stack = {}, {root}, [root]
         while stack:
             for parent in stack.pop().parents:
                 uses[parent] = uses.get(parent, 0) + 1
                 if parent not in nodes:
                     nodes.add(parent)
                     stack.append(parent)
         ready, order = [root], []
         while ready:
             node = ready.pop()
             order.append(node)
             for parent in dict.fromkeys(node.parents):
                 uses[parent] -= 1
                 if uses[parent] == 0:
                     ready.append(parent)
         return order[::-1]
         """),
    edit("kahn_unique_uses",
         "A node is appended when all its uses are done, but where it occurs twice in a node's parents only one use was counted",
         """
         uses, nodes, stack = {}, {root}, [root]
         while stack:
             for parent in dict.fromkeys(stack.pop().parents):
                 uses[parent] = uses.get(parent, 0) + 1
                 if parent not in nodes:
                     nodes.add(parent)
                     stack.append(parent)
         ready, order = [root], []
         while ready:
             node = ready.pop()
             order.append(node)
             for parent in node.parents:
                 uses[parent] -= 1
                 if uses[parent] == 0:
                     ready.append(parent)
         return order[::-1]
         """),
    edit("compared_by_value",
         "Nodes of equal value count as the same node; two different nodes may hold the same number",
         """
         order, seen = [], set()

         def visit(node):
             if node.value.tobytes() not in seen:
                 seen.add(node.value.tobytes())
                 for parent in node.parents:
                     visit(parent)
                 order.append(node)

         visit(root)
         return order
         """),
    edit("sorted_by_depth",
         "Nodes are sorted by their shortest distance to the root; it is the longest way that counts",
         """
         depth, queue = {root: 0}, [root]
         for node in queue:
             for parent in node.parents:
                 if parent not in depth:
                     depth[parent] = depth[node] + 1
                     queue.append(parent)
         return sorted(depth, key=lambda node: -depth[node])
         """),
)

mistakes.at(
    """
    if node not in seen:
        seen.add(node)
    """,
    edit("every_path",
         "Nodes are visited once for every path: they occur several times, and in a chain of diamonds the time "
         "doubles with each one",
         """
         if True:
         """),
    edit("keeps_state",
         "Nodes that an earlier call has seen count as seen: a second call leaves them out",
         """
         seen_before = topological_order.__dict__.setdefault("seen", set())
         if node not in seen_before:
             seen_before.add(node)
         """),
)

mistakes.at(
    """
    for parent in node.parents:
        visit(parent)
    order.append(node)
    """,
    edit("node_before_parents", "A node is appended before its parents are visited: children come before their parents",
         """
         order.append(node)
         for parent in node.parents:
             visit(parent)
         """),
    edit("first_parent_only", "Only the first parent of each node is visited",
         """
         for parent in node.parents[:1]:
             visit(parent)
         order.append(node)
         """),
    edit("no_leaves", "Leaves are missing from the order, so they get no gradient",
         """
         for parent in node.parents:
             visit(parent)
         if node.parents:
             order.append(node)
         """),
    edit("last_parent_late", "A node is appended after its first parent, before the others are visited",
         """
         for parent in node.parents[:1]:
             visit(parent)
         order.append(node)
         for parent in node.parents[1:]:
             visit(parent)
         """),
)

mistakes.at(
    """
    visit(root)
    return order
    """,
    edit("root_first", "The order is reversed: children come before their parents",
         """
         visit(root)
         return order[::-1]
         """,
         ("reversed(order)", "order")),
    edit("without_root", "The root is missing from the order",
         """
         visit(root)
         return order[:-1]
         """,
         ("order = topological_order(root)", "order = [*topological_order(root), root]")),
    edit("values_listed", "The list holds the values of the nodes; the nodes themselves are asked for",
         """
         visit(root)
         return [node.value for node in order]
         """),
    edit("set_returned", "A set comes back, which has no order",
         """
         visit(root)
         return seen
         """),
    edit("generator_returned", "A generator or iterator comes back; a list is asked for",
         """
         visit(root)
         return iter(order)
         """,
         ("order = topological_order(root)", "order = list(topological_order(root))")),
)

# --- backward --------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    for node in order:
        node.grad = np.zeros_like(node.value)
    root.grad = np.ones_like(root.value)
    """,
    edit("in_place_add",
         "Contributions are added in place (+=) to an array that other nodes share: a vjp may return the very "
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
    edit("in_place_read_only",
         "Contributions are added in place (+=), also to an array that is read-only or that other nodes share",
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
         else:
             parent.grad += vjp(node.grad)
         """)),
    edit("never_cleared",
         "Gradients of an earlier call are not cleared, also that of the root, so a second call adds to them",
         """
         for node in order:
             node.grad = np.zeros_like(node.value) if node.grad is None else node.grad
         root.grad = root.grad + np.ones_like(root.value)
         """),
    edit("leaves_not_cleared",
         "Only inner nodes are cleared: in leaves, what an earlier call has left is added to",
         """
         for node in order:
             node.grad = np.zeros_like(node.value) if node.grad is None or node.parents else node.grad
         root.grad = np.ones_like(root.value)
         """),
)

mistakes.at(
    """
    node.grad = np.zeros_like(node.value)
    """,
    edit("stale", "Gradients of an earlier call are not cleared, so a second call adds to them",
         "node.grad = np.zeros_like(node.value) if node.grad is None else node.grad"),
    edit("ones_everywhere", "Every gradient starts at 1; only that of the root does, all others at 0",
         "node.grad = np.ones_like(node.value)"),
)

mistakes.at(
    """
    root.grad = np.ones_like(root.value)
    """,
    edit("root_zero", "The gradient of the root is not set to 1, so all gradients are zero", ""),
    edit("root_kept", "A gradient that the root has from an earlier call is kept; that of the root is 1",
         "root.grad = np.ones_like(root.value) if before is None else before",
         ("""
         for node in order:
             node.grad = np.zeros_like(node.value)
         """, """
         before = root.grad
         for node in order:
             node.grad = np.zeros_like(node.value)
         """)),
    edit("root_with_axis", "The gradient of the root has shape (1,); it is 0-d like the root's value", "root.grad = np.array([1.0])"),
    edit("root_is_value", "The gradient of the root is set to its value; it is 1", "root.grad = root.value.copy()"),
)

mistakes.at(
    "for node in reversed(order):",
    edit("forward_order", "The list is walked from the leaves to the root, so gradients are passed on before they are there",
         "for node in order:"),
    edit("stops_at_leaf", "The walk ends at the first leaf; in the order other nodes may still come before it",
         "for node in [n for k, n in enumerate(order[::-1]) if all(later.parents for later in order[::-1][: k + 1])]:"),
    edit("one_step_only", "Only the root passes its gradient on; every node does when its turn comes",
         "for node in [root]:"),
)

mistakes.at(
    "for parent, vjp in zip(node.parents, node.vjps, strict=True):",
    edit("twice_once", "A parent that occurs twice, as in x·x, gets only one of its contributions",
         "for parent, vjp in dict(zip(node.parents, node.vjps, strict=True)).items():"),
    edit("first_edge_only", "Only the first parent of each node gets its contribution",
         "for parent, vjp in list(zip(node.parents, node.vjps, strict=True))[:1]:"),
    edit("last_edge_only", "Only the last parent of each node gets its contribution",
         "for parent, vjp in list(zip(node.parents, node.vjps, strict=True))[-1:]:"),
    edit("vjps_exchanged", "The vjps are taken in the opposite order of the parents, so each goes to the wrong one",
         "for parent, vjp in zip(node.parents, node.vjps[::-1], strict=True):"),
    edit("leaves_only_written", "Contributions reach a node only when it has none yet: the first use counts, later ones are lost",
         "for parent, vjp in [(p, f) for p, f in zip(node.parents, node.vjps) if not np.any(p.grad)]:"),
)

mistakes.at(
    "parent.grad = parent.grad + vjp(node.grad)",
    edit("overwrites",
         "A contribution overwrites the gradient instead of being added: only the last use of a node counts",
         "parent.grad = vjp(node.grad)"),
    edit("calls_vjp_twice", "Vjps are called more than once an edge",
         "parent.grad = parent.grad + (vjp(node.grad) if np.shape(vjp(node.grad)) == parent.grad.shape else 0)"),
    edit("gradient_ignored", "Vjps are called with 1, not with the gradient of their node: the chain rule stops after one step",
         "parent.grad = parent.grad + vjp(np.ones_like(node.value))"),
    edit("vjp_of_value", "Vjps are called with the value of their node; they take its gradient",
         "parent.grad = parent.grad + vjp(node.value)"),
    edit("subtracts", "Contributions are subtracted; they add up", "parent.grad = parent.grad - vjp(node.grad)"),
    edit("multiplied_again", "The contribution is multiplied by the node's gradient once more; the vjp has done so already",
         "parent.grad = parent.grad + vjp(node.grad) * node.grad"),
    edit("averages_uses", "The contributions of several uses are averaged; they add up",
         "parent.grad = parent.grad + vjp(node.grad) / sum(p is parent for other in order for p in other.parents)"),
    edit("in_float32", "Gradients are rounded to float32; the values are float64",
         "parent.grad = (parent.grad + vjp(node.grad)).astype(np.float32)"),
)


@mistakes.rewrite("The gradients are returned, but not written into the nodes")
def gradients_returned(ref):
    def backward(root):
        nodes = ref.topological_order(root)
        before = [node.grad for node in nodes]
        ref.backward(root)
        found = {node: node.grad for node in nodes}
        for node, grad in zip(nodes, before):
            node.grad = grad
        return found

    return {"backward": backward}


@mistakes.rewrite("Nothing is done if the root has a gradient already; what an earlier call left does not count")
def done_before(ref):
    def backward(root):
        if root.grad is None:
            ref.backward(root)

    return {"backward": backward}


@mistakes.rewrite("The gradients of inner nodes are set back to zero in the end; every node keeps its own")
def inner_nodes_zeroed(ref):
    def backward(root):
        ref.backward(root)
        for node in ref.topological_order(root):
            node.grad = np.zeros_like(node.value) if node.parents else node.grad

    return {"backward": backward}


@mistakes.rewrite("Inner nodes have no gradient afterwards; it is to be written into every node that the root depends on")
def only_leaves_kept(ref):
    def backward(root):
        ref.backward(root)
        for node in ref.topological_order(root):
            if node.parents and node is not root:
                node.grad = None

    return {"backward": backward}


@mistakes.rewrite("Only leaves have a gradient afterwards; it is to be written into every node, the root too")
def only_leaves_written(ref):
    def backward(root):
        ref.backward(root)
        for node in ref.topological_order(root):
            if node.parents:
                node.grad = None

    return {"backward": backward}


@mistakes.rewrite("The graph is taken apart on the way: parents and vjps are emptied, so a later call finds nothing to walk")
def graph_freed(ref):
    def backward(root):
        order = ref.topological_order(root)
        ref.backward(root)
        for node in order:
            node.parents, node.vjps = (), ()

    return {"backward": backward}


@mistakes.rewrite("Gradients are cut to a largest size; the chain rule has none")
def clipped(ref):
    def backward(root):
        order = ref.topological_order(root)
        for node in order:
            node.grad = np.zeros_like(node.value)
        root.grad = np.ones_like(root.value)
        for node in reversed(order):
            for parent, vjp in zip(node.parents, node.vjps):
                parent.grad = np.clip(parent.grad + vjp(node.grad), -1e3, 1e3)

    return {"backward": backward}


@mistakes.rewrite("Nodes to which only zeros arrive are skipped, so what lies behind them has no gradient: None, where it is zero")
def zeros_skipped(ref):
    def backward(root):
        order = ref.topological_order(root)
        for node in order:
            node.grad = None
        root.grad = np.ones_like(root.value)
        for node in reversed(order):
            if node.grad is None or not np.any(node.grad):
                continue
            for parent, vjp in zip(node.parents, node.vjps):
                new = vjp(node.grad)
                parent.grad = new if parent.grad is None else parent.grad + new

    return {"backward": backward}


@mistakes.rewrite("Gradients are passed on along every path, by recursion: each vjp is called once for every path that leads to it")
def along_paths(ref):
    def backward(root):
        for node in ref.topological_order(root):
            node.grad = np.zeros_like(node.value)

        def send(node, grad):
            node.grad = node.grad + grad
            for parent, vjp in zip(node.parents, node.vjps):
                send(parent, vjp(grad))

        send(root, np.ones_like(root.value))

    return {"backward": backward}


@mistakes.rewrite("A node passes on what it has gathered each time a contribution arrives, so earlier ones are passed on again")
def passes_sums_on(ref):
    def backward(root):
        for node in ref.topological_order(root):
            node.grad = np.zeros_like(node.value)
        root.grad = np.ones_like(root.value)

        def send(node):
            for parent, vjp in zip(node.parents, node.vjps):
                parent.grad = parent.grad + vjp(node.grad)
                send(parent)

        send(root)

    return {"backward": backward}


@mistakes.rewrite("Gradients are passed on in the order of a breadth-first search, also from nodes that have not received everything")
def breadth_first_backward(ref):
    def backward(root):
        for node in ref.topological_order(root):
            node.grad = np.zeros_like(node.value)
        root.grad, queue, seen = np.ones_like(root.value), [root], {root}
        for node in queue:
            for parent, vjp in zip(node.parents, node.vjps):
                parent.grad = parent.grad + vjp(node.grad)
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)

    return {"backward": backward}


# --- unbroadcast -----------------------------------------------------------------------------------------------------

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
         "`unbroadcast` sums over the last axes where `shape` has fewer; broadcasting matches shapes from the right, so the new axes are in front",
         "grad = grad.sum(axis=tuple(range(len(shape), grad.ndim)))"),
    edit("stretched_before_front",
         "`unbroadcast` takes the places of the 1s in `shape` for axes of the array while it still has its axes in front, so "
         "other axes are summed",
         """
         stretched = tuple(i for i, n in enumerate(shape) if n == 1)
         grad = grad.sum(axis=stretched, keepdims=True)
         """,
         ("    return grad.sum(axis=stretched, keepdims=True)", "    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))")),
    edit("one_axis_in_front", "`unbroadcast` sums over one axis in front at most; broadcasting may have added several",
         "grad = grad.sum(axis=0) if grad.ndim > len(shape) else grad"),
    edit("front_kept", "`unbroadcast` keeps the axes in front, with length 1; the result must have the shape before broadcasting",
         "grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))), keepdims=True)",
         ("stretched = tuple(i for i, n in enumerate(shape) if n == 1)", "stretched = tuple(i + grad.ndim - len(shape) for i, n in enumerate(shape) if n == 1)")),
    edit("reshaped", "`unbroadcast` only reshapes or cuts the array to `shape`; the copies are to be added up",
         "grad = np.resize(grad, shape)",
         ("    return grad.sum(axis=stretched, keepdims=True)", "    return grad")),
    edit("summed_in_blocks", "`unbroadcast` adds up blocks along the first axis and reshapes; where a later axis was stretched, the copies do not lie there",
         "grad = grad.reshape(-1, *shape).sum(0) if grad.size != np.prod(shape) else grad.reshape(shape)",
         ("    return grad.sum(axis=stretched, keepdims=True)", "    return grad")),
    edit("sums_everything", "`unbroadcast` adds everything up and spreads the sum over `shape`",
         "grad = np.full(shape, grad.sum()) if grad.shape != tuple(shape) else grad",
         ("    return grad.sum(axis=stretched, keepdims=True)", "    return grad")),
)

mistakes.at(
    "    return grad.sum(axis=stretched, keepdims=True)",
    edit("only_leading", "`unbroadcast` leaves axes as they are that were stretched from length 1; they are to be summed, too",
         "    return grad"),
    edit("drops_axes", "`unbroadcast` loses the axes of length 1; they keep their length 1",
         "    return grad.sum(axis=stretched)"),
    edit("means", "`unbroadcast` averages over the copies; their gradients add up",
         "    return grad.mean(axis=stretched, keepdims=True)",
         ("""
         grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
         """, "grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))")),
    edit("means_of_stretched", "`unbroadcast` averages over axes that were stretched from length 1; their gradients add up",
         "    return grad.mean(axis=stretched, keepdims=True)"),
    edit("largest_copy", "`unbroadcast` takes the largest of the copies where an axis was stretched; their gradients add up",
         "    return grad.max(axis=stretched, keepdims=True)"),
    edit("front_one_only", "`unbroadcast` looks for a length of 1 only in front of `shape`; any axis may have been stretched",
         "    return grad.sum(axis=tuple(i for i in stretched if i == 0), keepdims=True)"),
    edit("first_stretched_only", "`unbroadcast` sums over only one of the axes that were stretched from length 1",
         "    return grad.sum(axis=stretched[:1], keepdims=True)"),
)

# --- gradcheck -------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    if analytic.shape != x.shape or not np.isfinite(analytic).all():
        return False, math.inf
    """,
    edit("prelude_dropped",
         "Gradients of another shape, or with NaN or infinite entries, are not refused; the lines that were given did that",
         """
         analytic = np.resize(analytic, x.shape)
         """),
)

mistakes.at(
    "x = np.array(x, dtype=np.float64, order=\"C\")",
    edit("dtype_of_x", "x is moved in its own type: float32 is too coarse, and whole numbers do not move at all",
         "x = np.array(x, order=\"C\")"),
)

mistakes.at(
    "for i in np.ndindex(x.shape):",
    edit("sample_of_entries", "Only some entries of a large x are checked; every entry must be",
         "numeric[...] = analytic\n    for i in list(np.ndindex(x.shape))[-10:]:"),
    edit("zero_x_skipped", "Entries where x is 0 are skipped; every entry must be checked",
         "numeric[...] = analytic\n    for i in [i for i in np.ndindex(x.shape) if x[i] != 0]:"),
    edit("zero_gradient_skipped", "Entries where the gradient under test is 0 are skipped; every entry must be checked",
         "numeric[...] = analytic\n    for i in [i for i in np.ndindex(x.shape) if analytic[i] != 0]:"),
    edit("first_entry", "Only the first entry of x is checked; every entry must be",
         "numeric[...] = analytic\n    for i in list(np.ndindex(x.shape))[:1]:"),
    edit("first_axis_only", "Whole rows of x are moved at once: the loop runs over the first axis only, not over every entry",
         "for i in [(k,) for k in range(len(x))] if x.ndim else [()]:",
         ("step[i] = eps * max(abs(x[i]), 1e-3)", "step[i] = eps * np.maximum(np.abs(x[i]), 1e-3)"),
         ("/ (2 * step[i])", "/ (2 * np.asarray(step[i]))")),
)

mistakes.at(
    "step = np.zeros_like(x)",
    edit("all_entries_moved", "All entries of x are moved at once; only entry i is",
         "step = eps * np.maximum(np.abs(x), 1e-3)"),
    edit("left_below", "An entry of x that was moved up, then down, stays there while the next ones are moved",
         "step = np.zeros_like(x); x = x if not any(i) else x - before; before = np.zeros_like(x); before[i] = eps * max(abs(x[i]), 1e-3)"),
    edit("not_put_back", "An entry of x that was moved up is not put back before the next one is moved",
         "step = np.zeros_like(x) if not any(i) else step"),
)

mistakes.at(
    "step[i] = eps * max(abs(x[i]), 1e-3)",
    edit("absolute_step",
         "The step is ε whatever the size of x: lost in rounding for large x, too coarse for small x", "step[i] = eps"),
    edit("step_of_largest", "The step is relative to the largest entry of x; each entry has its own step",
         "step[i] = eps * max(float(abs(x).max()), 1e-3)"),
    edit("step_of_norm", "The step is relative to the norm of x; each entry has its own step",
         "step[i] = eps * max(float(np.linalg.norm(x)), 1e-3)"),
    edit("step_without_floor",
         "The step has no lower limit, or one that is far too low: for x = 0 it is zero or lost in rounding",
         "step[i] = eps * abs(x[i]) + 1e-300"),
    edit("floor_only_at_zero",
         "The lower limit of the step counts only where x is exactly 0; for an x near 0 the step is lost in rounding",
         "step[i] = eps * (abs(x[i]) if x[i] else 1e-3)"),
    edit("floor_of_one", "The step is relative to max(|x|, 1): too coarse for small x; the limit is 0.001",
         "step[i] = eps * max(abs(x[i]), 1.0)"),
    edit("floor_of_eps", "The lower limit of |x| in the step is ε; in (16.4) it is 0.001", "step[i] = eps * max(abs(x[i]), eps)"),
    edit("floor_added", "0.001 is added to |x|; (16.4) takes the larger of the two", "step[i] = eps * (abs(x[i]) + 1e-3)"),
    edit("eps_added", "ε is added to ε·|x|; (16.4) has the larger of |x| and 0.001", "step[i] = eps * abs(x[i]) + eps"),
    edit("floor_outside", "The lower limit 0.001 is that of the step itself; it belongs to |x|, before ε is multiplied",
         "step[i] = max(eps * abs(x[i]), 1e-3)"),
    edit("step_signed", "The step lacks the absolute value of x: negative entries get the lower limit",
         "step[i] = eps * max(x[i], 1e-3)"),
    edit("eps_fixed", "ε is a fixed number; the one that is passed in is not used", "step[i] = 1e-5 * max(abs(x[i]), 1e-3)"),
)

mistakes.at(
    "numeric[i] = (f(x + step) - f(x - step)) / (2 * step[i])",
    edit("float32", "The differences are computed in float32, where a step of 1e-5 leaves two or three digits",
         "numeric[i] = (f((x + step).astype(np.float32)) - f((x - step).astype(np.float32))) / (2 * step[i])"),
    edit("one_sided", "The difference is one-sided: its error is of first order in the step, so right gradients fail",
         "numeric[i] = (f(x + step) - f(x)) / step[i]"),
    edit("divides_by_h", "The central difference is divided by h; the two points are 2h apart",
         "numeric[i] = (f(x + step) - f(x - step)) / step[i]"),
    edit("not_divided", "The difference of f is not divided by 2h", "numeric[i] = f(x + step) - f(x - step)"),
    edit("divided_by_eps", "The difference is divided by 2ε, not by 2h: the step is ε·max(|x|, 0.001)",
         "numeric[i] = (f(x + step) - f(x - step)) / (2 * eps)"),
    edit("five_points", "The difference has four points (an error of fourth order); (16.4) has two",
         "numeric[i] = (8 * (f(x + step) - f(x - step)) - f(x + 2 * step) + f(x - 2 * step)) / (12 * step[i])"),
    edit("wrong_direction", "The difference is taken the wrong way round, so it has the wrong sign",
         "numeric[i] = (f(x - step) - f(x + step)) / (2 * step[i])"),
    edit("half_steps", "The two points are half a step away on either side; (16.4) moves by a whole step",
         "numeric[i] = (f(x + step / 2) - f(x - step / 2)) / step[i]"),
)

mistakes.at(
    "scale = np.maximum(np.abs(analytic), np.abs(numeric))",
    edit("relative_to_norm",
         "The tolerance is relative to the largest entry of the gradient, so errors in small entries are missed",
         "scale = np.maximum(np.abs(analytic).max(), np.abs(numeric).max())"),
    edit("relative_to_analytic",
         "The tolerance is relative to the gradient under test only; a gradient that is far too large then looks "
         "better than it is",
         "scale = np.abs(analytic)"),
    edit("scale_signed",
         "The tolerance is relative to the larger of the two numbers, not of their absolute values: where both "
         "are negative, it is not even positive",
         "scale = np.maximum(analytic, numeric)"),
    edit("relative_to_numeric",
         "The tolerance is relative to the finite difference only; it is relative to the larger of the two, as in "
         "(16.4)",
         "scale = np.abs(numeric)"),
    edit("scale_at_least_one", "The tolerance is relative to at least 1, so errors in small gradients are missed; (16.4) has atol for that",
         "scale = np.maximum(1, np.maximum(np.abs(analytic), np.abs(numeric)))"),
    edit("relative_to_sum", "The tolerance is relative to |a| + |n|, so it is twice as wide as (16.4) says",
         "scale = np.abs(analytic) + np.abs(numeric)"),
    edit("relative_to_smaller", "The tolerance is relative to the smaller of |a| and |n|; (16.4) takes the larger",
         "scale = np.minimum(np.abs(analytic), np.abs(numeric))"),
    edit("relative_to_mean", "The tolerance is relative to the mean of |a| and |n|; (16.4) takes the larger",
         "scale = (np.abs(analytic) + np.abs(numeric)) / 2"),
)

mistakes.at(
    "max_error = float((np.abs(analytic - numeric) / (atol + rtol * scale)).max())",
    edit("no_rtol", "There is no relative tolerance: right gradients that are large fail",
         "max_error = float((np.abs(analytic - numeric) / atol).max())"),
    edit("no_atol", "There is no absolute tolerance: entries that are zero fail by rounding",
         "max_error = float((np.abs(analytic - numeric) / (rtol * scale)).max())"),
    edit("rtol_fixed", "rtol is a fixed number; the one that is passed in is not used",
         "max_error = float((np.abs(analytic - numeric) / (atol + 1e-6 * scale)).max())"),
    edit("atol_fixed", "atol is a fixed number; the one that is passed in is not used",
         "max_error = float((np.abs(analytic - numeric) / (1e-8 + rtol * scale)).max())"),
    edit("tolerances_fixed", "Both tolerances are fixed numbers; those that are passed in are not used",
         "max_error = float((np.abs(analytic - numeric) / (1e-8 + 1e-6 * scale)).max())"),
    edit("tolerances_exchanged", "atol and rtol are exchanged",
         "max_error = float((np.abs(analytic - numeric) / (rtol + atol * scale)).max())"),
    edit("larger_tolerance", "The larger of the two tolerances is taken; (16.4) adds them",
         "max_error = float((np.abs(analytic - numeric) / np.maximum(atol, rtol * scale)).max())"),
    edit("signed_error", "The error lacks its absolute value: gradients that are too small pass",
         "max_error = float(((analytic - numeric) / (atol + rtol * scale)).max())"),
    edit("absolute_of_absolutes", "The absolute values of a and n are compared, so a wrong sign is not seen",
         "max_error = float((np.abs(np.abs(analytic) - np.abs(numeric)) / (atol + rtol * scale)).max())"),
    edit("last_wins", "The last error is returned, not the largest",
         "max_error = float((np.abs(analytic - numeric) / (atol + rtol * scale)).reshape(-1)[-1])"),
    edit("mean_error", "The errors are averaged; one wrong entry among many then passes",
         "max_error = float((np.abs(analytic - numeric) / (atol + rtol * scale)).mean())"),
    edit("sum_of_errors", "The errors are added up; max_error is the largest of them",
         "max_error = float((np.abs(analytic - numeric) / (atol + rtol * scale)).sum())"),
    edit("norm_of_r", "The norm of the errors r comes back; max_error is the largest of them",
         "max_error = float(np.linalg.norm(np.abs(analytic - numeric) / (atol + rtol * scale)))"),
    edit("rms_of_r", "The root mean square of the errors r comes back; one wrong entry among many then passes",
         "max_error = float(np.sqrt(((np.abs(analytic - numeric) / (atol + rtol * scale)) ** 2).mean()))"),
    edit("median_error", "The median of the errors comes back; one wrong entry among many then passes",
         "max_error = float(np.median(np.abs(analytic - numeric) / (atol + rtol * scale)))"),
    edit("error_of_norms", "The norms of the whole difference and of the whole gradient are compared; (16.4) looks at every entry",
         "max_error = float(np.linalg.norm(analytic - numeric) / (atol + rtol * max(np.linalg.norm(analytic), np.linalg.norm(numeric))))"),
    edit("raw_difference", "The largest difference comes back as it is, not in units of the tolerance",
         "max_error = float(np.abs(analytic - numeric).max()); return bool((np.abs(analytic - numeric) <= atol + rtol * scale).all()), max_error"),
    edit("relative_error_returned", "The largest relative error comes back, not the error in units of the tolerance",
         "max_error = float((np.abs(analytic - numeric) / (scale + 1e-300)).max()); return bool((np.abs(analytic - numeric) <= atol + rtol * scale).all()), max_error"),
    edit("squared_error", "The errors are squared", "max_error = float(((analytic - numeric) ** 2 / (atol + rtol * scale)).max())"),
    edit("stops_at_first", "The check stops at the first entry that fails: the largest error may come later",
         "errors = (np.abs(analytic - numeric) / (atol + rtol * scale)).reshape(-1); max_error = float(errors.max() if errors.max() <= 1 else errors[np.argmax(errors > 1)])"),
)

mistakes.at(
    "return max_error <= 1, max_error",
    edit("less_than_1", "The check fails if the largest error is exactly 1; it passes if it is at most 1",
         "return max_error < 1, max_error"),
    edit("verdict_of_allclose", "ok comes from another comparison (`np.allclose` with a tolerance of its own) than max_error",
         "return bool(np.allclose(analytic, numeric, rtol=1e-4)), max_error"),
    edit("verdict_of_isclose",
         "ok comes from `np.allclose`, which is relative to its second argument only; (16.4) is relative to the larger of the two",
         "return bool(np.allclose(analytic, numeric, rtol=rtol, atol=atol)), max_error"),
    edit("verdict_of_any", "ok is True as soon as one entry passes; all must",
         "return bool((np.abs(analytic - numeric) <= atol + rtol * scale).any()), max_error"),
    edit("verdict_upside_down", "ok is True where the check fails", "return max_error > 1, max_error"),
    edit("ok_exchanged", "ok and max_error come back in the wrong order", "return max_error, max_error <= 1"),
    edit("verdict_only", "Only ok comes back; (ok, max_error) is asked for", "return max_error <= 1"),
    edit("always_ok", "ok is always True", "return True, max_error"),
)

# --- fixed_backward --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    y = centred / s
    return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
    """,
    edit("variance_by_difference",
         "The variance in `fixed_backward` is the difference of mean(x²) and mean(x)², which loses its digits for "
         "rows far from 0",
         """
         s = np.sqrt(np.maximum((x**2).mean(-1, keepdims=True) - x.mean(-1, keepdims=True) ** 2, 0) + eps)
         y = centred / s
         return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
         """),
    edit("unbiased_variance", "The variance in `fixed_backward` divides by D - 1; (16.5) has D",
         """
         s = np.sqrt((centred**2).sum(-1, keepdims=True) / max(x.shape[-1] - 1, 1) + eps)
         y = centred / s
         return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
         """),
    edit("eps_fixed_backward", "`fixed_backward` uses ε = 1e-5 whatever is passed in",
         """
         s = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
         y = centred / s
         return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
         """),
    edit("second_axis", "`fixed_backward` works along the second axis; it is the last one, also of three",
         """
         axis = min(1, x.ndim - 1)
         centred = x - x.mean(axis, keepdims=True)
         s = np.sqrt((centred**2).mean(axis, keepdims=True) + eps)
         y = centred / s
         return (grad_y - grad_y.mean(axis, keepdims=True) - y * (grad_y * y).mean(axis, keepdims=True)) / s
         """),
    edit("eps_outside", "ε is added to the standard deviation in `fixed_backward`; (16.5) has it under the root",
         """
         s = np.sqrt((centred**2).mean(-1, keepdims=True)) + eps
         y = centred / s
         return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
         """),
    edit("variance_for_deviation", "`fixed_backward` divides by the variance s², not by s",
         """
         s = (centred**2).mean(-1, keepdims=True) + eps
         y = centred / np.sqrt(s)
         return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
         """),
    edit("first_axis", "`fixed_backward` normalises along the first axis; it is the last one",
         """
         centred = x - x.mean(0, keepdims=True)
         s = np.sqrt((centred**2).mean(0, keepdims=True) + eps)
         y = centred / s
         return (grad_y - grad_y.mean(0, keepdims=True) - y * (grad_y * y).mean(0, keepdims=True)) / s
         """),
)

mistakes.at(
    """
    y = centred / s
    """,
    edit("eps_forgotten", "The term from s leaves out the ε that is passed in, in `fixed_backward`",
         "y = centred / np.maximum(np.sqrt((centred**2).mean(-1, keepdims=True)), 1e-30)"),
    edit("centred_for_y", "`fixed_backward` uses x - μ where y is needed", "y = centred"),
    edit("y_of_default_eps", "y is taken with ε = 1e-5 whatever is passed in, in `fixed_backward`", "y = layer_norm(x)"),
    edit("x_for_y", "`fixed_backward` uses x where y is needed", "y = x"),
)

mistakes.at(
    "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s",
    edit("still_suspicious", "s is treated as a constant in `fixed_backward`: this is the suspicious version",
         "return (grad_y - grad_y.mean(-1, keepdims=True)) / s"),
    edit("mean_forgotten", "The dependence through the mean μ is missing in `fixed_backward`",
         "return (grad_y - y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("both_forgotten", "The dependence through μ and through s is missing in `fixed_backward`", "return grad_y / s"),
    edit("term_added", "The term from s has the wrong sign in `fixed_backward`",
         "return (grad_y - grad_y.mean(-1, keepdims=True) + y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("mean_added", "The term from μ has the wrong sign in `fixed_backward`",
         "return (grad_y + grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_summed", "The term from s is a sum in `fixed_backward`; it lacks 1/D",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).sum(-1, keepdims=True)) / s"),
    edit("mean_summed", "The term from μ is a sum in `fixed_backward`; it lacks 1/D",
         "return (grad_y - grad_y.sum(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_unbiased", "The term from s is divided by D - 1 in `fixed_backward`; (16.5) has D",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).sum(-1, keepdims=True) / max(x.shape[-1] - 1, 1)) / s"),
    edit("both_unbiased", "Both sums over the gradient are divided by D - 1 in `fixed_backward`; (16.5) has D",
         "return (grad_y - (grad_y.sum(-1, keepdims=True) + y * (grad_y * y).sum(-1, keepdims=True)) / max(x.shape[-1] - 1, 1)) / s"),
    edit("x_in_mean", "The term from s averages grad_y · x in `fixed_backward`; it is grad_y · y",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * x).mean(-1, keepdims=True)) / s"),
    edit("term_not_averaged", "The term from s is not averaged over the row in `fixed_backward`: y_i depends on every x_j through s",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * grad_y * y) / s"),
    edit("gradient_for_y", "The mean in the term from s is multiplied by grad_y in `fixed_backward`; y_i stands there",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - grad_y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_without_y", "The term from s is not multiplied by y_i in `fixed_backward`",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_halved", "The term from s is halved in `fixed_backward`: the root's ½ and the square's 2 cancel",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - 0.5 * y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_doubled", "The term from s is doubled in `fixed_backward`: the root's ½ and the square's 2 cancel",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - 2 * y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("not_over_s", "`fixed_backward` lacks the division by s", "return grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)"),
    edit("mean_twice", "The term from μ is subtracted twice in `fixed_backward`",
         "return (grad_y - 2 * grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s"),
    edit("term_over_s_squared", "The term from s lacks one division by s in `fixed_backward`",
         "return (grad_y - grad_y.mean(-1, keepdims=True)) / s - y * (grad_y * y).mean(-1, keepdims=True)"),
    edit("term_over_s_again", "The term from s has one division by s too many in `fixed_backward`",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True) / s) / s"),
    edit("both_means_over_batch", "Both means over the gradient run over the whole batch in `fixed_backward`; each row has its own",
         "return (grad_y - grad_y.mean() - y * (grad_y * y).mean()) / s"),
    edit("term_over_batch", "The term from s adds up over all rows in `fixed_backward`; each row has its own",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).sum() / x.shape[-1]) / s"),
    edit("over_s_partly", "Only the direct term is divided by s in `fixed_backward`; all three are",
         "return grad_y / s - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)"),
    edit("mean_over_batch", "The mean in the term from s runs over the whole batch in `fixed_backward`; each row has its own",
         "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean()) / s"),
    edit("means_over_first_axis", "The means over the gradient run along the first axis in `fixed_backward`; it is the last one",
         "return (grad_y - grad_y.mean(0, keepdims=True) - y * (grad_y * y).mean(0, keepdims=True)) / s"),
    edit("float32_backward", "`fixed_backward` rounds to float32; float64 keeps its digits",
         "return ((grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s).astype(np.float32)"),
    edit("returns_forward", "`fixed_backward` returns y, the forward pass", "return y"),
)

# --- rewrites --------------------------------------------------------------------------------------------------------


@mistakes.rewrite("One random direction is compared, not every entry: max_error says nothing of single entries")
def random_direction(ref):
    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        x = np.array(x, dtype=np.float64)
        a = np.array(grad_f(x.copy()), dtype=np.float64)
        if a.shape != x.shape or not np.isfinite(a).all():
            return False, math.inf
        move = np.random.default_rng(0).normal(size=x.shape) * eps * np.maximum(np.abs(x), 1e-3)
        n, b = (f(x + move) - f(x - move)) / 2, (a * move).sum()
        r = abs(n - b) / (atol + rtol * max(abs(n), abs(b)))
        return bool(r <= 1), float(r)

    return {"gradcheck": gradcheck}


@mistakes.rewrite("x is moved in place and not put back exactly", catches="in-place change")
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
