"""What is asked of a layer of a flow, as evidence."""

from dgm.checks.asking import AnswerError, gradient, tensor_of, two_of


def both(layer, x):
    """The two answers of a layer, each a tensor."""
    z, logdet = two_of(layer(x), "z", "the log-determinant")
    return tensor_of(z, "z"), tensor_of(logdet, "the log-determinant")


def forwards(layer, x):
    """z and the log-determinant as evidence."""
    return dict(zip(("z", "log-determinant"), both(layer, x)))


def back(layer, z):
    """The x of a layer's inverse as evidence."""
    return tensor_of(layer.inverse(z), "the inverse")


def unchanged(call, value):
    """What `call` leaves in its argument."""
    kept = value.clone()
    call(kept)
    return kept


def layer_gradients(layer, x, weight):
    """Gradients of a weighted sum of z and of all log-determinants."""
    z, logdet = both(layer, x)
    if tuple(z.shape) != tuple(weight.shape):
        raise AnswerError(f"z has shape {tuple(z.shape)} where {tuple(weight.shape)} is expected")
    named = {name.replace(".", "_"): p for name, p in layer.named_parameters()}
    return gradient("z and the log-determinant", (weight * z).sum() + ((1 + weight[:, 0]) * logdet.reshape(len(x))).sum(), x=x, **named)


def inverse_gradients(layer, z, weight):
    """Gradients of the inverse, by z and all parameters."""
    x = tensor_of(layer.inverse(z), "the inverse", weight.shape)
    return gradient("the inverse", weight * x, z=z, **{name.replace(".", "_"): p for name, p in layer.named_parameters()})
