"""Graphs drawn at random: blocks with known noise edges, replaced edges, large graphs."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from fixmelab.data import noisy_blocks, random_graph, split, with_random_edges
from fixmelab.data.blocks import _distinct, _number, _pair
from fixmelab.graphs import Graph


def check_simple(graph):
    """Undirected, no self loops, no repeated edges."""
    adjacency = graph.adjacency().to_dense()
    assert torch.equal(adjacency, adjacency.T) and adjacency.max() <= 1 and adjacency.diagonal().sum() == 0


def marked(data):
    """is_noise as a matrix: 1 where an edge is noise."""
    nodes = data.graph.num_nodes
    matrix = torch.zeros(nodes, nodes)
    matrix[data.graph.receivers, data.graph.indices] = data.is_noise.float()
    return matrix


def same_class(data):
    return data.labels[data.graph.receivers] == data.labels[data.graph.indices]


def check_split(data):
    assert torch.equal(
        torch.cat([data.train, data.validation, data.test]).sort().values, torch.arange(len(data.labels))
    )


@pytest.mark.parametrize(
    ("nodes", "classes", "degree", "noise"),
    [
        (1000, 4, 8, 0.5),
        (61, 3, 5.5, 0.3),
        (40, 5, 3, 0),
        (50, 2, 9, 1),
        (7, 7, 2, 1),
        (30, 1, 29, 0),
        (12, 3, 11, 0.9),
    ],
)
def test_noisy_blocks_are_as_they_are_told_to_be(nodes, classes, degree, noise):
    data = noisy_blocks(nodes, classes=classes, degree=degree, noise=noise, features=6, seed=3)
    edges = round(nodes * degree / 2)
    check_simple(data.graph)
    check_split(data)
    assert data.graph.num_nodes == nodes and data.graph.num_edges == 2 * edges
    assert data.features.shape == (nodes, 6) and data.features.dtype == torch.float32
    sizes = torch.bincount(data.labels)
    assert data.labels.dtype == torch.long and len(sizes) == len(data.classes) == classes
    assert sizes.max() - sizes.min() <= 1
    assert data.is_noise.dtype == torch.bool and data.is_noise.sum() == 2 * round(edges * noise)
    assert torch.equal(marked(data), marked(data).T)
    assert same_class(data)[~data.is_noise].all()


def test_noise_edges_know_no_class_and_few_nodes_are_alone():
    data = noisy_blocks(20_000, features=4)
    # 40,000 noise edges, one in four within a class: 6 standard deviations are 0.013 (less than 1e-8)
    assert same_class(data)[data.is_noise].float().mean().item() == pytest.approx(1 / 4, abs=0.013)
    # Degrees nearly Poisson with mean 8: 6.7 isolated nodes expected, more than 40 with less than 1e-15
    assert (data.graph.degrees == 0).sum() <= 40
    assert data.graph.degrees.float().var().item() == pytest.approx(8, rel=0.1)


def test_edges_are_drawn_evenly():
    graphs = [noisy_blocks(8, classes=2, degree=3, noise=0.5, seed=seed).graph for seed in range(1000)]
    drawn = sum(graph.adjacency().to_dense() for graph in graphs) / 1000
    labels = noisy_blocks(8, classes=2, degree=3).labels
    within = labels[:, None] == labels[None, :]
    # 6 of the 12 pairs within classes are clean; 6 noise edges among the 22 pairs left. Hoeffding for 28 pairs: 1e-6
    limit = math.sqrt(math.log(2 * 28 / 1e-6) / (2 * 1000))
    expected = torch.where(within, 0.5 + 0.5 * 6 / 22, torch.tensor(6 / 22)).fill_diagonal_(0)
    assert (drawn - expected).abs().max() < limit


def test_a_seed_says_all_and_the_global_state_stays():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = noisy_blocks(seed=5), noisy_blocks(seed=5), noisy_blocks(seed=6)
    noisier = with_random_edges(first, 0.2), with_random_edges(first, 0.2), with_random_edges(first, 0.2, seed=1)
    large = random_graph(50, 200), random_graph(50, 200), random_graph(50, 200, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    for one, two, three in ((first, again, other), noisier, large):
        assert torch.equal(one.graph.indices, two.graph.indices) and torch.equal(one.features, two.features)
        assert torch.equal(one.train, two.train)
        assert not torch.equal(one.graph.indices, three.graph.indices)
    assert not torch.equal(first.train, other.train) and not torch.equal(first.features, other.features)


def accuracy(x, data):
    """Of logistic regression, on the test nodes."""
    weight = torch.zeros(x.shape[1], len(data.classes), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=100)

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy(x[data.train] @ weight, data.labels[data.train]) + 0.01 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return ((x[data.test] @ weight).argmax(1) == data.labels[data.test]).float().mean().item()


def neighbour_mean(data, kept):
    receivers, sources = data.graph.receivers[kept], data.graph.indices[kept]
    total = torch.zeros_like(data.features).index_add_(0, receivers, data.features[sources])
    return total / torch.bincount(receivers, minlength=len(total)).clamp(min=1)[:, None]


def test_who_ignores_the_noise_edges_knows_more():
    data = noisy_blocks()
    own = accuracy(data.features, data)
    uniform = accuracy(neighbour_mean(data, torch.ones_like(data.is_noise)), data)
    clean = accuracy(neighbour_mean(data, ~data.is_noise), data)
    assert 0.6 < own < 0.72 and 0.7 < uniform < 0.82 and clean > 0.87


def test_the_signal_is_the_length_of_a_mean():
    data = noisy_blocks(40_000, classes=4, features=5, signal=3, degree=1)
    means = torch.stack([data.features[data.labels == k].mean(0) for k in range(4)])
    # Each entry of a mean is off by a normal number of standard deviation 0.01
    assert torch.allclose(means @ means.T, 9 * torch.eye(4), atol=0.3)
    many = noisy_blocks(1000, classes=20, features=3, degree=1)  # more classes than features
    assert many.features.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nodes": 1}, "nodes is 1"),
        ({"nodes": 3}, "nodes is 3, must be a whole number, 4 or more"),
        ({"nodes": 10.5}, "nodes is 10.5"),
        ({"classes": 0}, "classes is 0"),
        ({"features": 0}, "features is 0"),
        ({"degree": -1}, "degree is -1"),
        ({"degree": 1000}, "degree is 1000, must be between 0 and 999"),
        ({"noise": 1.1}, "noise is 1.1, must be between 0 and 1"),
        ({"noise": math.nan}, "noise is nan"),
        ({"signal": -0.1}, "signal is -0.1"),
        ({"signal": math.inf}, "signal is inf"),
        ({"nodes": 8, "degree": 6}, "12 edges within classes, but only 4 pairs"),
    ],
)
def test_noisy_blocks_refuse_what_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message) as raised:
        noisy_blocks(**arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0, 0.25, 1])
@pytest.mark.parametrize("known", [True, False])
def test_random_edges_replace_a_share(share, known):
    data = noisy_blocks(101, degree=6, noise=0.4, features=4)
    data = data if known else replace(data, is_noise=None)
    changed = with_random_edges(data, share)
    check_simple(changed.graph)
    edges, new = data.graph.num_edges // 2, round(share * data.graph.num_edges / 2)
    before, after = data.graph.adjacency().to_dense(), changed.graph.adjacency().to_dense()
    marks = marked(changed)
    assert after.sum() == 2 * edges and (before * after).sum() == 2 * (edges - new)
    assert torch.equal(marks * (1 - before), after * (1 - before))  # every new edge is noise
    assert torch.equal(marks * before, (marked(data) if known else 0 * before) * after)  # others keep their mark
    assert changed.features is data.features and changed.train is data.train and changed.name == data.name


def test_random_edges_refuse_what_cannot_be():
    data = noisy_blocks(20, degree=6)
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="share is"):
            with_random_edges(data, share)
    with pytest.raises(ValueError, match="171 new edges, but only 19 pairs"):
        with_random_edges(noisy_blocks(20, degree=17.1, noise=0.9, classes=2), 1)
    directed = Graph(torch.tensor([0, 1, 1]), torch.tensor([1]))
    repeated = Graph(torch.tensor([0, 2, 4]), torch.tensor([1, 1, 0, 0]))
    for graph in (directed, repeated, data.graph.with_self_loops()):
        with pytest.raises(ValueError, match="must be undirected"):
            with_random_edges(replace(data, graph=graph, is_noise=None), 0.5)
    empty = replace(data, graph=Graph.from_edges(data.train[:0], data.train[:0], 20), is_noise=None)
    assert with_random_edges(empty, 1).graph.num_edges == 0


def test_a_random_graph_has_as_many_entries_as_told():
    data = random_graph(3000, 60_000, features=7, classes=3)
    check_split(data)
    assert data.graph.num_edges == 60_000 and data.features.shape == (3000, 7)
    assert (data.graph.receivers != data.graph.indices).all()
    assert data.labels.unique().tolist() == [0, 1, 2] and len(data.classes) == 3
    assert data.graph.degrees.float().var().item() == pytest.approx(20, rel=0.2)
    assert random_graph(2, 0).graph.num_edges == 0
    for arguments in ((1, 5), (5, -1), (5, 5, 0), (5, 5, 5, 0)):
        with pytest.raises(ValueError, match="random_graph: "):
            random_graph(*arguments)


def test_the_split_is_by_class():
    labels = torch.tensor([0] * 40 + [1] * 27 + [3] * 1)[torch.randperm(68, generator=torch.Generator().manual_seed(0))]
    train, validation, test = split(labels, seed=2)
    assert torch.equal(torch.cat([train, validation, test]).sort().values, torch.arange(68))
    counts = [torch.bincount(labels[part], minlength=4).tolist() for part in (train, validation, test)]
    assert counts == [[20, 13, 0, 0], [4, 2, 0, 0], [16, 12, 0, 1]]
    assert all((part.diff() > 0).all() for part in (train, validation, test))
    assert not torch.equal(train, split(labels, seed=3)[0])
    assert [len(part) for part in split(labels[:0])] == [0, 0, 0]


def test_numbers_of_pairs():
    first, second = torch.triu_indices(50, 50, 1)
    assert _number(second, first).sort().values.tolist() == list(range(50 * 49 // 2))
    large = torch.tensor([10**6, 10**8])
    edges = torch.cat([large * (large - 1) // 2 + shift for shift in (-1, 0, 1)])  # where the root is nearly whole
    low, high = _pair(edges)
    assert torch.equal(_number(low, high), edges) and (low >= 0).all() and (low < high).all()


def test_distinct_numbers():
    generator = torch.Generator().manual_seed(0)
    for count, below in ((10, 13), (0, 0), (500, 10**9), (300, 1500)):
        without = torch.arange(3) if below else None
        drawn = _distinct(count, below, generator, without)
        assert len(drawn.unique()) == count and (count == 0 or (drawn.min() >= 3 and drawn.max() < below))
