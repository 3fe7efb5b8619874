import math

import pytest
import torch
from torch.nn import functional as F

import fixmelab
from fixmelab.data import noisy_blocks
from fixmelab.graphs import Graph
from fixmelab.models.sampled_gcn import Hops, SampledGCN, accuracy, condense, fit, learned_draw, two_hops


def layer(h, neighbors, weight, activation):
    drawn = torch.where((neighbors >= 0)[..., None], h[neighbors.clamp(min=0)], torch.zeros(()))
    return activation(drawn.mean(dim=1) @ weight)


def ring(nodes):
    """Node i listens to i - 1 and i + 1."""
    every = torch.arange(nodes)
    return Graph(2 * torch.arange(nodes + 1), torch.stack([(every - 1) % nodes, (every + 1) % nodes], dim=1).flatten())


def everybody(graph):
    """In a graph in which all degrees are the same: all neighbours, once each."""
    return lambda nodes: (graph.indices.view(graph.num_nodes, -1)[nodes], None)


def test_hops_number_each_node_once():
    drawn = {5: [7, 7], 2: [5, -1], 7: [2, 9]}
    asked = []

    def draw(nodes):
        asked.append(nodes.tolist())
        return torch.tensor([drawn[node] for node in nodes.tolist()]), nodes[:, None].expand(-1, 2).double()

    hops = two_hops(draw, torch.tensor([2, 5, 2]))
    assert asked == [[2, 5, 2], [5, 7]]  # each hidden node is drawn for once
    assert hops.outer.tolist() == [[0, -1], [1, 1], [0, -1]]
    assert hops.inputs.tolist() == [2, 7, 9]
    assert hops.inner.tolist() == [[1, 1], [0, 2]]
    assert hops.log_q.tolist() == [[5, 5], [7, 7]]


def test_hops_where_nobody_is_found():
    hops = two_hops(lambda nodes: (torch.full((len(nodes), 3), -1), None), torch.tensor([4, 1]))
    assert hops.outer.tolist() == [[-1] * 3] * 2
    network = SampledGCN(layer, 2, 3, 4)
    assert network(torch.ones(len(hops.inputs), 2), hops).tolist() == [[0.0] * 4] * 2


def test_with_all_neighbours_the_network_is_two_graph_convolutions():
    graph, x = ring(7), torch.randn(7, 3)
    network = SampledGCN(layer, 3, 5, 2)
    nodes = torch.tensor([6, 0, 3])
    hops = two_hops(everybody(graph), nodes)
    mean = graph.adjacency().to_dense() / 2
    wanted = mean @ torch.relu(mean @ x @ network.lower) @ network.upper
    assert torch.allclose(network(x[hops.inputs], hops), wanted[nodes], atol=1e-6)


def test_messages_and_aggregate_are_what_the_sampler_learns_from():
    network = SampledGCN(layer, 3, 5, 2)
    inner = torch.tensor([[0, 1, 1], [2, 0, 2]])
    hops = Hops(torch.arange(3), inner, torch.tensor([[0, 1], [1, 1]]), torch.zeros(2, 3, requires_grad=True))
    x = torch.randn(3, 3)
    logits = network(x, hops)
    F.cross_entropy(logits, torch.tensor([0, 1])).backward()
    assert torch.allclose(network.messages, (x @ network.lower)[inner]) and not network.messages.requires_grad
    assert torch.allclose(network.messages.mean(dim=1), network.aggregate, atol=1e-6)
    # ∂L/∂aggregate by hand: through the mean over the outer draws, and the ReLU
    by_logits = (logits.softmax(dim=1) - torch.eye(2)) / 2
    by_hidden = torch.tensor([[0.5, 0.5], [0.0, 1.0]]).T @ by_logits @ network.upper.T
    assert torch.allclose(network.aggregate.grad, by_hidden * (network.aggregate > 0), atol=1e-6)
    with torch.no_grad():
        network(x, hops)  # evaluation keeps no gradients


class Spy(torch.nn.Module):
    """Draws the first candidate; remembers what it was shown."""

    def forward(self, x, nodes, candidates, k):
        self.shown = x, nodes, candidates
        return candidates[:, :1].expand(-1, k), torch.zeros(len(nodes), k)


def test_a_sampler_reads_the_features_it_needs_and_no_others():
    graph = Graph(torch.tensor([0, 2, 2, 3, 3, 4]), torch.tensor([2, 4, 0, 0]))  # 0: 2, 4; 2: 0; 4: 0
    x, spy = torch.arange(5.0)[:, None], Spy()
    neighbors, _ = learned_draw(spy, graph, x, 3)(torch.tensor([4, 1, 0]))
    shown, nodes, candidates = spy.shown
    assert shown.flatten().tolist() == [0, 1, 2, 4]
    assert shown[nodes].flatten().tolist() == [4, 1, 0]
    assert candidates[1].tolist() == [-1, -1] and shown[candidates[2]].flatten().tolist() == [2, 4]
    assert neighbors.tolist() == [[0] * 3, [-1] * 3, [2] * 3]


def test_condensed_features_keep_the_cosines():
    torch.manual_seed(0)
    features = torch.randn(60, 5) @ torch.randn(5, 300)  # of rank 5
    features[3] = 0
    before = torch.get_rng_state()
    short = condense(features, width=8)
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(short, condense(features, width=8))
    assert short.shape == (60, 8)
    cosines = F.normalize(features, dim=1) @ F.normalize(features, dim=1).T
    assert torch.allclose(short @ short.T, cosines, atol=1e-3)
    assert torch.equal(condense(features[:, :8], width=8), F.normalize(features[:, :8], dim=1))


def trained(data, epochs, seed=0, **settings):
    torch.manual_seed(seed)
    network = SampledGCN(layer, data.features.shape[1], 16, len(data.classes))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)

    def draw(nodes):
        return data.graph.candidates(nodes, 50), None

    def step(hops, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(data.features[hops.inputs], hops), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return fit(network, draw, data, step, epochs=epochs, **settings), network, draw


def test_fit_learns_and_gives_the_accuracy_of_the_best_epoch():
    data = noisy_blocks(200, noise=0.0, seed=1)
    seen = []
    (validated, tested), network, draw = trained(data, 20, on_epoch=seen.append)
    assert seen == list(range(1, 21))
    assert validated > 0.7 and tested > 0.7  # four classes; chance is 0.25
    assert accuracy(network, draw, data.features, data.labels, data.test) > 0.7


def test_fit_stops_when_nothing_gets_better():
    seen = []
    data = noisy_blocks(60, seed=1)
    network = SampledGCN(layer, data.features.shape[1], 4, 4)
    fit(
        network,
        lambda nodes: (data.graph.candidates(nodes, 50), None),
        data,
        lambda hops, labels: 1.0,  # learns nothing
        epochs=50,
        patience=3,
        on_epoch=seen.append,
    )
    assert seen == [1, 2, 3, 4]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_said(loss):
    data = noisy_blocks(60, seed=1)
    network = SampledGCN(layer, data.features.shape[1], 4, 4)
    with pytest.raises(ValueError, match="the loss is .* in epoch 1: lower the learning rates"):
        fit(network, lambda nodes: (data.graph.candidates(nodes, 50), None), data, lambda *_: loss, epochs=2)


def test_data_with_self_loops_know_their_noise_still():
    data = noisy_blocks(50, seed=3)
    looped = data.with_self_loops()
    own = looped.graph.indices == looped.graph.receivers
    assert int(own.sum()) == 50 and not looped.is_noise[own].any()
    assert torch.equal(looped.graph.indices[~own], data.graph.indices)
    assert torch.equal(looped.is_noise[~own], data.is_noise)
    assert fixmelab.Graph is Graph
