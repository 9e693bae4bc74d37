"""Other right versions of the answers to question 13."""

import numpy as np
import torch
from torch import nn

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- pixelcnn_log_prob ---------------------------------------------------------------------------------------------

alternatives.at(
    'loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")',
    edit(
        "float64_likelihood",
        "torch.distributions in float64, the network unchanged; classes from an embedding-like product",
        "loss = -torch.distributions.Bernoulli(logits=model(x, y).double()).log_prob(x.double())",
        ("one_hot = F.one_hot(y, self.classes).to(x.dtype)", "one_hot = torch.eye(self.classes, device=x.device)[y]"),
    ),
)

alternatives.at(
    'model(x, y), x, reduction="none")',
    edit(
        "image_by_image",
        "a pass for each image; draws while the parameters are frozen, and thaws them afterwards",
        'torch.cat([model(x[n : n + 1], None if y is None else y[n : n + 1]) for n in range(len(x))]), x, reduction="none")',
        (
            """
         with torch.no_grad():
             for i in range(x.shape[2]):
         """,
            """
         needed = [p.requires_grad for p in model.parameters()]
         model.requires_grad_(False)
         if True:
             for i in range(x.shape[2]):
         """,
        ),
        (
            """
         model.train(was_training)
         return x
         """,
            """
         for p, flag in zip(model.parameters(), needed):
             p.requires_grad_(flag)
         model.train(was_training)
         return x
         """,
        ),
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite(
    "labels by indexing U; logsigmoid; one batch for all classes; own minibatches; draws only where hidden, samples "
    "on its own"
)
def by_hand(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            v, h = x, x
            for n in range(len(self.blocks)):
                if y is None:
                    v, h = self.blocks[n](v, h)
                else:
                    v, h = self.blocks[n](v, h, self.label_maps[n].weight.T[y].unsqueeze(-1).unsqueeze(-1))
            return self.head(h)

    def pixelcnn_log_prob(model, x, y=None):
        logits = model(x, y)
        signed = (2 * x - 1) * logits
        return torch.nn.functional.logsigmoid(signed).sum(dim=(1, 2, 3))

    def train_pixelcnn(model, images, labels, steps, batch_size, lr, generator):
        optimiser = torch.optim.Adam(model.parameters(), lr)
        model.train()
        history, order = [], []
        for _ in range(steps):
            if not order:
                shuffled = torch.randperm(len(images), generator=generator, device=generator.device).to(images.device)
                order = list(shuffled.split(batch_size))
            index = order.pop()
            optimiser.zero_grad(set_to_none=False)
            loss = -pixelcnn_log_prob(model, images[index], None if labels is None else labels[index]).mean()
            (loss / images[0].numel()).backward()
            optimiser.step()
            history.append(float(loss))
        return history

    @torch.no_grad()
    def pixelcnn_complete(model, images, observed, uniforms, labels=None):
        mode = model.training
        model.eval()
        x = torch.where(observed, images, torch.full_like(images, 0.5))
        height, width = x.shape[-2:]
        for t in range(height * width):
            i, j = divmod(t, width)
            hidden = ~observed[:, 0, i, j]
            if hidden.any():
                logits = model(x.clone(), labels)[:, 0, i, j]
                threshold = torch.log(uniforms[:, 0, i, j]) - torch.log1p(-uniforms[:, 0, i, j])
                x[hidden, 0, i, j] = (logits >= threshold).float()[hidden]
        model.train(mode)
        return x

    def pixelcnn_sample(model, uniforms, labels=None):
        was_training = model.training
        model.eval()
        x = torch.zeros(uniforms.shape, device=uniforms.device)
        with torch.inference_mode():
            for i in range(uniforms.shape[2]):
                for j in range(uniforms.shape[3]):
                    p = model(x, labels).sigmoid()[..., i, j]
                    x[..., i, j] = (uniforms[..., i, j] <= p).float()
        model.train(was_training)
        return x.clone()

    @torch.no_grad()
    def pixelcnn_classify(model, images, log_prior):
        mode, (n, k) = model.training, (len(images), len(log_prior))
        model.eval()
        repeated = images.repeat_interleave(k, dim=0)
        y = torch.arange(k, device=images.device).repeat(n)
        joint = pixelcnn_log_prob(model, repeated, y).reshape(n, k).double() + log_prior
        model.train(mode)
        return joint - joint.logsumexp(1, keepdim=True)

    return {
        "PixelCNN": PixelCNN,
        "pixelcnn_log_prob": pixelcnn_log_prob,
        "train_pixelcnn": train_pixelcnn,
        "pixelcnn_complete": pixelcnn_complete,
        "pixelcnn_sample": pixelcnn_sample,
        "pixelcnn_classify": pixelcnn_classify,
    }


@alternatives.rewrite(
    "einsum for the labels; softplus; a DataLoader and a pass without gradients for the history; flat pixels; NumPy "
    "for Bayes"
)
def with_loader(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            one_hot = torch.zeros(len(x), self.classes, device=x.device)
            if y is not None:
                one_hot.scatter_(1, y[:, None], 1.0)
            v = h = x
            for block, label_map in zip(self.blocks, self.label_maps):
                v, h = block(v, h, torch.einsum("bk,ck->bc", one_hot, label_map.weight)[..., None, None])
            return self.head(h)

    def pixelcnn_log_prob(model, x, y=None):
        logits = model(x, y)
        return (x * logits - nn.functional.softplus(logits)).double().sum((1, 2, 3))

    def train_pixelcnn(model, images, labels, steps, batch_size, lr, generator):
        dataset = torch.utils.data.TensorDataset(*([images] if labels is None else [images, labels]))
        loader = torch.utils.data.DataLoader(dataset, batch_size, shuffle=True, generator=generator)
        optimiser = torch.optim.Adam(model.parameters(), lr=lr, foreach=False)
        model.train()
        history = []
        while len(history) < steps:
            for batch in loader:
                if len(history) == steps:
                    break
                with torch.no_grad():
                    history.append(-pixelcnn_log_prob(model, *batch).mean().item())
                optimiser.zero_grad()
                (-pixelcnn_log_prob(model, *batch)).mean().backward()
                optimiser.step()
        return history

    @torch.no_grad()
    def pixelcnn_complete(model, images, observed, uniforms, labels=None):
        mode = model.training
        model.train(False)
        x = images.clone().flatten(1)  # hidden pixels need no value: nobody looks at them before they are drawn
        for t in range(x.shape[1]):
            p = torch.sigmoid(model(x.reshape(images.shape), labels)).flatten(1)[:, t]
            x[:, t] = torch.where(observed.flatten(1)[:, t], x[:, t], (uniforms.flatten(1)[:, t] < p).to(x.dtype))
        model.train(mode)
        return x.reshape(images.shape)

    def pixelcnn_classify(model, images, log_prior):
        modes = {part: part.training for part in model.modules()}
        model.eval()
        with torch.no_grad():
            labels = [torch.tensor([k] * len(images), device=images.device) for k in range(len(log_prior))]
            columns = [pixelcnn_log_prob(model, images, y).double().cpu().numpy() for y in labels]
        for part, training in modes.items():
            part.training = training
        joint = np.stack(columns, 1) + log_prior.double().cpu().numpy()
        joint -= joint.max(1, keepdims=True)
        return torch.from_numpy(joint - np.log(np.exp(joint).sum(1, keepdims=True)))

    return {
        "PixelCNN": PixelCNN,
        "pixelcnn_log_prob": pixelcnn_log_prob,
        "train_pixelcnn": train_pixelcnn,
        "pixelcnn_complete": pixelcnn_complete,
        "pixelcnn_classify": pixelcnn_classify,
    }


@alternatives.rewrite(
    "masked layers around an ordinary convolution, whose closed weights they set to 0 in every pass: their gradients "
    "are not 0"
)
def zeroing_layers(ref):
    class Zeroing(nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.conv = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, padding=layer.padding)
            self.register_buffer("mask", layer.mask)

        def forward(self, x):
            self.conv.weight.data.mul_(self.mask)
            return self.conv(x)

    class PixelCNN(ref.PixelCNN):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            for block in self.blocks:
                block.vertical, block.horizontal = Zeroing(block.vertical), Zeroing(block.horizontal)

    return {"PixelCNN": PixelCNN}
