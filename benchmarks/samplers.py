"""What trains a network of two layers on a graph, and what is measured of it in a process of its own.

`python samplers.py REQUEST`, a JSON object, prints one JSON object: gcn.py asks.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import measuring
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import fixmelab
from autograder.assignments.gcn import reference
from fixmelab import data as datasets
from fixmelab.graphs import GraphData
from fixmelab.models.sampled_gcn import SampledGCN

HIDDEN = 64
# One training step on nodes (n,); returns how many edges were drawn for it.
Step = Callable[[Tensor], int]


def uniform(data: GraphData, fan_out: list[int]) -> Step:
    network, optimizer = _sampled(data)
    upper, lower = (lambda nodes, k=k: (reference.sample_neighbors(data.graph, nodes, k), None) for k in fan_out)

    def step(nodes: Tensor) -> int:
        hops = fixmelab.two_hops(lower, nodes, upper=upper)
        _descend(F.cross_entropy(network(hops.read(data.features), hops), data.labels[nodes]), optimizer)
        return hops.outer.numel() + hops.inner.numel()

    return step


def means_first(data: GraphData, fan_out: list[int]) -> Step:
    """The same draws and the same function, but W comes after the mean of what was drawn, as in SAGEConv.

    The mean is taken from the graph's features: what was drawn need not be numbered, and nothing is copied.
    """
    network, optimizer = _sampled(data)
    upper, lower = fan_out

    def step(nodes: Tensor) -> int:
        read, outer = reference.sample_neighbors(data.graph, nodes, upper).unique(return_inverse=True)
        if read[0] < 0:  # nobody
            read, outer = read[1:], outer - 1
        inner = reference.sample_neighbors(data.graph, read, lower)
        hidden = torch.relu(_mean(data.features, inner) @ network.lower)
        _descend(F.cross_entropy(_mean(hidden, outer) @ network.upper, data.labels[nodes]), optimizer)
        return outer.numel() + inner.numel()

    return step


def _mean(h: Tensor, neighbors: Tensor) -> Tensor:
    """(1/k) Σ_κ h_{j_κ} for neighbors (n, k), rows of h (m, F); -1 adds nothing."""
    shares = (neighbors >= 0).to(h.dtype) / neighbors.shape[1]
    return F.embedding_bag(neighbors.clamp(min=0), h, per_sample_weights=shares, mode="sum")


def learned(data: GraphData, fan_out: list[int]) -> Step:
    network, optimizer = _sampled(data)
    compared = fixmelab.condense(data.features)
    sampler = reference.PerformanceAdaptiveSampler(compared.shape[1])
    sampler_optimizer = torch.optim.Adam(sampler.parameters(), lr=3e-3)
    upper, lower = (fixmelab.learned_draw(sampler, data.graph, compared, k) for k in fan_out)

    def step(nodes: Tensor) -> int:
        hops = fixmelab.two_hops(lower, nodes, upper=upper)
        inputs, labels = hops.read(data.features), data.labels[nodes]
        reference.joint_step(network, inputs, labels, hops, optimizer, sampler_optimizer)
        return hops.outer.numel() + hops.inner.numel()

    return step


def full_batch(data: GraphData, fan_out: list[int]) -> Step:
    """No samples: a step reads the whole graph."""
    network, optimizer = _sampled(data)
    adjacency = means(data.graph)

    def step(nodes: Tensor) -> int:
        hidden = torch.relu(adjacency @ (data.features @ network.lower))
        logits = adjacency @ (hidden @ network.upper)
        _descend(F.cross_entropy(logits[nodes], data.labels[nodes]), optimizer)
        return 2 * data.graph.num_edges

    return step


def means(graph: fixmelab.Graph) -> Tensor:
    """p(j | i) = a_ij / N(i), sparse (N, N): a product with it is the mean over all neighbours."""
    values = (1 / graph.degrees.float())[graph.receivers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls CSR a beta, and warns that it checks nothing
        return torch.sparse_csr_tensor(graph.indptr, graph.indices, values, (graph.num_nodes,) * 2)


def geometric(data: GraphData, fan_out: list[int], batch: int) -> Callable[[], None]:
    """PyTorch-Geometric: NeighborLoader in this process, and SAGEConv with nothing but W, as ours."""
    from torch_geometric.data import Data
    from torch_geometric.loader import NeighborLoader
    from torch_geometric.nn import SAGEConv

    sizes = ((data.features.shape[1], HIDDEN), (HIDDEN, len(data.classes)))
    layers = nn.ModuleList(SAGEConv(*size, root_weight=False, bias=False) for size in sizes)
    optimizer = _adam(layers)
    edges = torch.stack([data.graph.indices, data.graph.receivers])
    given = Data(x=data.features, y=data.labels, edge_index=edges)
    loader = NeighborLoader(given, fan_out, input_nodes=data.train, batch_size=batch, shuffle=True)

    def epoch() -> None:
        for part in loader:
            hidden = torch.relu(layers[0](part.x, part.edge_index))
            logits = layers[1](hidden, part.edge_index)[: part.batch_size]
            _descend(F.cross_entropy(logits, part.y[: part.batch_size]), optimizer)

    return epoch


STEPS = {"uniform": uniform, "means first": means_first, "learned": learned, "full batch": full_batch}


def cora(path: str, folder: str | None) -> dict[str, Any]:
    """Write Cora, self loops added; all but Planetoid's validation and test nodes train. `missing` says why not."""
    try:
        data = datasets.cora(folder, planetoid_split=True).with_self_loops()
    except datasets.DownloadError as error:
        return {"missing": error.why}
    others = torch.ones(data.graph.num_nodes, dtype=torch.bool)
    others[torch.cat([data.validation, data.test])] = False
    return _save(data, others.nonzero()[:, 0], path)


def random(path: str, nodes: int) -> dict[str, Any]:
    """Write random_graph with ten edges a node and 128 features."""
    data = datasets.random_graph(nodes, 10 * nodes, features=128)
    return _save(data, data.train, path)


def training(name: str, path: str, fan_out: list[int], batch: int, epochs: int) -> dict[str, float]:
    """Seconds of a training epoch, the median after one that is not timed, and megabytes beyond the data."""
    data = _load(path)
    _epoch(name, datasets.random_graph(100, 1_000), fan_out, batch)()  # libraries are loaded at the first step
    before = measuring.peak_memory()
    torch.manual_seed(0)
    epoch = _epoch(name, data, fan_out, batch)
    seconds = [measuring.seconds(epoch) for _ in range(1 + epochs)][1:]
    return {"seconds": statistics.median(seconds), "memory": measuring.peak_memory() - before}


def _epoch(name: str, data: GraphData, fan_out: list[int], batch: int) -> Callable[[], None]:
    if name == "geometric":
        return geometric(data, fan_out, batch)
    step = STEPS[name](data, fan_out)
    size = len(data.train) if name == "full batch" else batch

    def epoch() -> None:
        for nodes in data.train[torch.randperm(len(data.train))].split(size):
            step(nodes)

    return epoch


def steps(name: str, path: str, fan_out: list[int], batch: int, count: int) -> dict[str, float]:
    """Nanoseconds of a training step for each edge drawn in it (median), and megabytes beyond the data.

    The batches are drawn from all nodes, of which small graphs have less than a batch.
    """
    data = _load(path)
    _epoch(name, datasets.random_graph(100, 1_000), fan_out, batch)()  # libraries are loaded at the first step
    before = measuring.peak_memory()
    torch.manual_seed(0)
    step, times = STEPS[name](data, fan_out), []
    for _ in range(5 + count):
        nodes = torch.randint(data.graph.num_nodes, (batch,))
        begun = time.perf_counter()
        drawn = step(nodes)
        times.append((time.perf_counter() - begun) / drawn)
    return {
        "nanoseconds": 1e9 * statistics.median(times[5:]),
        "memory": measuring.peak_memory() - before,
        "drawn": drawn,
    }


def _sampled(data: GraphData) -> tuple[SampledGCN, torch.optim.Optimizer]:
    network = SampledGCN(reference.mc_gcn_layer, data.features.shape[1], HIDDEN, len(data.classes))
    return network, _adam(network)


def _adam(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=5e-4)


def _descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _save(data: GraphData, train: Tensor, path: str) -> dict[str, Any]:
    parts = {"indptr": data.graph.indptr, "indices": data.graph.indices, "train": train}
    torch.save(parts | {"features": data.features, "labels": data.labels, "classes": data.classes}, path)
    return {"nodes": data.graph.num_nodes, "edges": data.graph.num_edges, "train": len(train)}


def _load(path: str) -> GraphData:
    """What was written: reading it takes no more memory than it fills, as making it would."""
    parts = torch.load(path)
    graph = fixmelab.Graph(parts.pop("indptr"), parts.pop("indices"))
    return GraphData("", graph, **parts, validation=parts["train"][:0], test=parts["train"][:0])


REQUESTS = {"cora": cora, "random": random, "training": training, "steps": steps}

if __name__ == "__main__":
    measuring.serve(REQUESTS)
