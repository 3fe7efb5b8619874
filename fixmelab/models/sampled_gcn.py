"""A graph convolutional network of two layers on sampled neighbourhoods, its batches and its training."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from fixmelab.graphs import Graph, GraphData
from fixmelab.training import random_numbers

Activation = Callable[[Tensor], Tensor]
Layer = Callable[[Tensor, Tensor, Tensor, Activation], Tensor]
# Nodes (n,) to k neighbours of each, (n, k), -1 for nobody, and the logarithms of their probabilities, or None.
Draw = Callable[[Tensor], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True)
class Hops:
    """What two layers read for a batch of n nodes, when each node reads k drawn neighbours.

    inputs: (p,), the nodes whose features are read. inner: (m, k), for each of m hidden nodes the draws, places in
    `inputs`. outer: (n, k), for each node of the batch the draws, places among the hidden nodes. -1 stands for nobody.
    log_q: (m, k), the logarithm of the probability of each inner draw, with its gradient; None for a fixed sampler.
    """

    inputs: Tensor
    inner: Tensor
    outer: Tensor
    log_q: Tensor | None

    def read(self, x: Tensor) -> Tensor:
        """The rows of x (N, F) at `inputs`: (p, F). By whole rows, where indexing would copy number by number."""
        return x.index_select(0, self.inputs)


def condense(features: Tensor, width: int = 32) -> Tensor:
    """Features (N, F) by at most `width` numbers, each row of length 1 (or 0 where it has no features).

    The directions are those of the largest singular values; products of rows then are close to the cosines between the
    rows of `features`, for a fraction of the cost.
    """
    if features.shape[1] <= width:
        return F.normalize(features, dim=1)
    with random_numbers("condense", features.device):  # the directions are sought from a random start
        left, sizes, _ = torch.svd_lowrank(features, q=width, niter=4)
    return F.normalize(left * sizes, dim=1) * features.any(dim=1, keepdim=True)


def two_hops(draw: Draw, nodes: Tensor, *, upper: Draw | None = None) -> Hops:
    """Draw neighbours of the nodes (n,), then neighbours of those; a node that is needed twice is drawn for once.

    upper: the first of these draws, where it differs from the second (as in another number of neighbours).
    """
    with torch.no_grad():
        neighbors, _ = (upper or draw)(nodes)
    hidden, outer = _numbered(neighbors)
    neighbors, log_q = draw(hidden)
    inputs, inner = _numbered(neighbors)
    return Hops(inputs, inner, outer, log_q)


def _numbered(nodes: Tensor) -> tuple[Tensor, Tensor]:
    """The different nodes, without -1, and each one's place among them; -1 stays. Where all are -1: node 0, unused."""
    different, places = torch.unique(nodes, return_inverse=True)
    nobody = int(len(different) > 0 and different[0] < 0)
    found = different[nobody:]
    return found if len(found) else torch.zeros_like(different), places - nobody


def learned_draw(sampler: nn.Module, graph: Graph, x: Tensor, k: int, *, scope: int = 10) -> Draw:
    """k draws from a sampler among at most `scope` neighbours: its features are read only where they are needed.

    The sampler is called with features (p, F), nodes (n,), candidates (n, S), both places in those features, and k; it
    returns places (n, k) and their log q (n, k), as PerformanceAdaptiveSampler does.
    """

    def draw(nodes: Tensor) -> tuple[Tensor, Tensor]:
        candidates = graph.candidates(nodes, scope)
        read, places = _numbered(torch.cat([nodes[:, None], candidates], dim=1))
        chosen, log_q = sampler(x.index_select(0, read), places[:, 0], places[:, 1:], k)
        return torch.where(chosen >= 0, read[chosen], -1), log_q

    return draw


class SampledGCN(nn.Module):
    """Two graph convolutions: features (p, F) and the hops of a batch to logits (n, C).

    `layer(h, neighbors, weight, activation)` is the Monte-Carlo layer. After a forward pass with gradients, `aggregate`
    (m, D) is what the lower layer gave before its activation (backward fills its `.grad`), and `messages` (m, k, D) are
    the h_j W that it is the mean of, without gradient.
    """

    def __init__(self, layer: Layer, in_features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.layer = layer
        self.lower = nn.Parameter(nn.init.xavier_uniform_(torch.empty(in_features, hidden)))
        self.upper = nn.Parameter(nn.init.xavier_uniform_(torch.empty(hidden, classes)))
        self.aggregate: Tensor
        self.messages: Tensor

    def forward(self, x: Tensor, hops: Hops) -> Tensor:
        # W and the mean commute: so each node is multiplied once, however often it was drawn.
        values = x @ self.lower
        self.aggregate = self._mean(values, hops.inner)
        if hops.log_q is not None and self.aggregate.requires_grad:
            self.aggregate.retain_grad()
            self.messages = F.embedding(hops.inner.clamp(min=0), values.detach())
        return self._mean(torch.relu(self.aggregate) @ self.upper, hops.outer)

    def _mean(self, values: Tensor, neighbors: Tensor) -> Tensor:
        identity = torch.eye(values.shape[1], dtype=values.dtype, device=values.device)
        return self.layer(values, neighbors, identity, lambda value: value)


def accuracy(network: SampledGCN, draw: Draw, x: Tensor, labels: Tensor, nodes: Tensor, *, repeats: int = 1) -> float:
    """The share of the nodes (n,) that are classified rightly, a mean over `repeats` draws of their neighbours."""
    right = 0.0
    with torch.no_grad():
        for _ in range(repeats):
            hops = two_hops(draw, nodes)
            right += float((network(hops.read(x), hops).argmax(dim=1) == labels[nodes]).double().mean())
    return right / repeats


def fit(
    network: SampledGCN,
    draw: Draw,
    data: GraphData,
    step: Callable[[Hops, Tensor], float],
    *,
    epochs: int,
    batch_size: int = 64,
    patience: int | None = None,
    label: str = "",
    on_epoch: Callable[[int], object] = lambda epoch: None,
) -> tuple[float, float]:
    """Train on data.train, a batch of nodes at a time: `step(hops, labels)` is one step and returns its loss.

    Stops before `epochs` where the accuracy on data.validation did not rise for `patience` epochs. Returns the
    accuracies on data.validation and data.test of the epoch that was best on data.validation.
    Raises ValueError if a loss is not finite.
    """
    best, waited = (-1.0, 0.0), 0
    with tqdm(total=epochs, desc=label, unit=" epochs", leave=False) as bar:
        for epoch in range(epochs):
            order = data.train[torch.randperm(len(data.train), device=data.train.device)]
            for nodes in order.split(batch_size):
                loss = step(two_hops(draw, nodes), data.labels[nodes])
                if loss != loss or abs(loss) == float("inf"):
                    raise ValueError(f"the loss is {loss} in epoch {epoch + 1}: lower the learning rates")
            found = accuracy(network, draw, data.features, data.labels, data.validation, repeats=3)
            waited += 1
            if found > best[0]:
                tested = accuracy(network, draw, data.features, data.labels, data.test, repeats=3)
                best, waited = (found, tested), 0
            bar.set_postfix_str(f"{found:.1%} of the validation nodes right", refresh=False)
            bar.update()
            on_epoch(epoch + 1)
            if patience is not None and waited >= patience:
                break
    return best
