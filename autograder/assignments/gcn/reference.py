"""Reference answers to the GCN notebook."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fixmelab.graphs import Graph
from fixmelab.models.sampled_gcn import Activation, Hops, SampledGCN

TINY = 1e-9  # keeps every neighbour possible, however low its score


def nodes_touched(graph: Graph, nodes: Tensor, depth: int) -> Tensor:
    """How many nodes a GCN of 0, 1, …, depth layers reads for its outputs at `nodes`: (depth + 1,) long.

    The nodes themselves belong to it; those that are found in several ways count once.
    """
    receivers, reached = graph.receivers, torch.zeros(graph.num_nodes, dtype=torch.bool)
    reached[nodes] = True
    counts = [reached.sum()]
    for _ in range(depth):
        reached[graph.indices[reached[receivers]]] = True
        counts.append(reached.sum())
    return torch.stack(counts)


def gcn_layer(h: Tensor, adjacency: Tensor, weight: Tensor, activation: Activation = torch.relu) -> Tensor:
    """h_i' = α((1/N(i)) Σ_j a_ij h_j W), N(i) = Σ_j a_ij; α(0) where N(i) = 0.

    h: (N, F); adjacency: (N, N), a_ij ≥ 0, dense or sparse; weight: W, (F, D). Returns (N, D).
    """
    total = adjacency @ torch.cat([h @ weight, h.new_ones(len(h), 1)], dim=1)
    sums, sizes = total[:, :-1], total[:, -1:]
    return activation(torch.where(sizes > 0, sums / torch.where(sizes > 0, sizes, 1), 0))


def sample_neighbors(graph: Graph, nodes: Tensor, k: int) -> Tensor:
    """k draws, with replacement, from p(j | i) = a_ij / N(i) for each node (n,): (n, k); -1 for isolated ones."""
    degrees = graph.degrees[nodes][:, None]
    steps = (torch.rand(len(nodes), k, device=nodes.device) * degrees).long()
    # float32 rounds up to the degree itself where that is huge
    entries = graph.indptr[nodes][:, None] + torch.minimum(steps, (degrees - 1).clamp(min=0))
    if not graph.num_edges:
        return torch.full_like(entries, -1)
    return torch.where(degrees > 0, graph.indices[entries.clamp(max=graph.num_edges - 1)], -1)


def mc_gcn_layer(h: Tensor, neighbors: Tensor, weight: Tensor, activation: Activation = torch.relu) -> Tensor:
    """h_i' = α((1/k) Σ_κ h_{j_κ} W): neighbors (n, k) are rows of h (m, F), and -1 adds nothing. Returns (n, D)."""
    shares = (neighbors >= 0).to(h.dtype) / neighbors.shape[1]
    drawn = neighbors.clamp(min=0)
    # Adds up without an (n, k, D) tensor of what was drawn
    return activation(F.embedding_bag(drawn, h @ weight, per_sample_weights=shares, mode="sum"))


def sampling_variance(h: Tensor, adjacency: Tensor, k: int) -> Tensor:
    """E‖(1/k) Σ_κ h_{j_κ} − Σ_j p(j | i) h_j‖² for j_κ ~ p(· | i), exactly; 0 where N(i) = 0. Returns (N,)."""
    ones = torch.eye(h.shape[1], dtype=h.dtype)
    mean = gcn_layer(h, adjacency, ones, lambda value: value)
    square = gcn_layer((h**2).sum(dim=1, keepdim=True), adjacency, ones[:1, :1], lambda value: value)
    return (square[:, 0] - (mean**2).sum(dim=1)) / k


def neighbor_rewards(h: Tensor, weight: Tensor, upstream: Tensor) -> Tensor:
    """∂L/∂h_i' · h_j W, (n, S)."""
    return torch.einsum("nsf,fd,nd->ns", h, weight, upstream)


def exact_sampler_gradient(logits: Tensor, h: Tensor, weight: Tensor, upstream: Tensor) -> Tensor:
    """∇_θ of Σ_i upstream_i · Σ_j q(j | i) h_j W, by enumeration, for q(· | i) = softmax(θ_i).

    logits: θ, (n, S), -inf where a row has fewer neighbours; h: (n, S, F); weight: (F, D); upstream: (n, D).
    Returns (n, S).
    """
    q, rewards = logits.softmax(dim=1), neighbor_rewards(h, weight, upstream)
    return q * (rewards - (q * rewards).sum(dim=1, keepdim=True))


def sampler_gradient(logits: Tensor, h: Tensor, weight: Tensor, upstream: Tensor, k: int) -> Tensor:
    """The same from k draws a row, by the log-derivative trick: (1/k) Σ_κ r_{j_κ} ∇_θ log q(j_κ | i). (n, S)."""
    q = logits.softmax(dim=1)
    drawn = torch.multinomial(q, k, replacement=True)
    rewards = neighbor_rewards(h, weight, upstream).gather(1, drawn)
    score = F.one_hot(drawn, q.shape[1]) - q[:, None]
    return (rewards[..., None] * score).mean(dim=1)


def leave_one_out(rewards: Tensor) -> Tensor:
    """For each of the k rewards of a row its baseline, the mean of the others; 0 where k = 1. (n, k) to (n, k).

    Independent of the draw that it is taken from, so the gradient stays unbiased (Kool, van Hoof & Welling, 2019).
    """
    k = rewards.shape[1]
    return (rewards.sum(dim=1, keepdim=True) - rewards) / max(k - 1, 1)


def normalize_scores(scores: Tensor, found: Tensor) -> Tensor:
    """q (n, S): max(score, 0) + 1e-9, normalised over the neighbours that exist (`found`, bool); 0 where none does."""
    positive = (scores.clamp(min=0) + TINY) * found
    return positive / positive.sum(dim=1, keepdim=True).clamp(min=TINY)


def draw_candidates(candidates: Tensor, q: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """k draws a row, with replacement, from q over candidates, both (n, S): neighbours and their log q, each (n, k).

    Rows of which q is 0 everywhere: -1 and 0. The logarithm carries the gradient of q.
    """
    exists = (q.detach() > 0).any(dim=1, keepdim=True)
    places = torch.multinomial(torch.where(exists, q.detach(), 1), k, replacement=True)
    chances = torch.where(exists, q.gather(1, places), 1)
    return torch.where(exists, candidates.gather(1, places), -1), chances.log()


class PerformanceAdaptiveSampler(nn.Module):
    """q(j | i) ∝ max(0, softmax(mixture) · ((W_s h_i)·(W_s h_j), 1/N(i))) + 1e-9 (Yoon et al., 2021)."""

    def __init__(self, in_features: int, hidden: int = 32) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(in_features, hidden), gain=0.7))
        self.mixture = nn.Parameter(torch.zeros(2))

    def probabilities(self, x: Tensor, nodes: Tensor, candidates: Tensor) -> Tensor:
        """x: (N, F); nodes: (n,); candidates: (n, S), -1 where a node has fewer. Returns q (n, S)."""
        found = candidates >= 0
        keys = x @ self.weight
        importance = (keys[nodes][:, None] * keys[candidates.clamp(min=0)]).sum(dim=2)  # faster than einsum's bmm
        uniform = 1 / found.sum(dim=1, keepdim=True).clamp(min=1)
        share = self.mixture.softmax(dim=0)
        return normalize_scores(share[0] * importance + share[1] * uniform, found)

    def forward(self, x: Tensor, nodes: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """What `draw_candidates` gives."""
        return draw_candidates(candidates, self.probabilities(x, nodes, candidates), k)


def sampler_loss(log_q: Tensor, messages: Tensor, upstream: Tensor) -> Tensor:
    """A number whose gradient is the estimate of ∇_θ L, with leave-one-out baselines.

    log_q: (n, k); messages: h_j W of each draw, (n, k, D); upstream: ∂L/∂(their mean), (n, D).
    """
    rewards = torch.einsum("nkd,nd->nk", messages, upstream).detach()
    return (log_q * (rewards - leave_one_out(rewards))).mean(dim=1).sum()


def joint_step(
    network: SampledGCN,
    x: Tensor,
    labels: Tensor,
    hops: Hops,
    network_optimizer: torch.optim.Optimizer,
    sampler_optimizer: torch.optim.Optimizer,
) -> float:
    """One step of network and sampler on the same batch; returns the cross-entropy. See `fixmelab.SampledGCN`."""
    loss = F.cross_entropy(network(x, hops), labels)
    network_optimizer.zero_grad()
    loss.backward()
    log_q, upstream = hops.log_q, network.aggregate.grad
    assert log_q is not None and upstream is not None  # hops come from a sampler that learns; backward was called
    surrogate = sampler_loss(log_q, network.messages, upstream)
    sampler_optimizer.zero_grad()
    surrogate.backward()
    network_optimizer.step()
    sampler_optimizer.step()
    return loss.item()


def same_class_share(q: Tensor, candidates: Tensor, nodes: Tensor, labels: Tensor) -> Tensor:
    """Of the probability that goes to other nodes, the share that goes to nodes of the same class; a number.

    q, candidates: (n, S), -1 where a node has fewer; nodes: (n,); labels: (N,).
    """
    others = (candidates >= 0) & (candidates != nodes[:, None])
    same = others & (labels[candidates.clamp(min=0)] == labels[nodes][:, None])
    return (q * same).sum() / (q * others).sum()
