"""What several exercises of the GCN notebook share."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from autograder.assignments.gcn import reference
from autograder.judge.chance import is_repetitive, is_too_even
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.graphs import Graph

# Standard errors. A false alarm in 4e11 looks at a normal number; for counts and variances of thousands of draws, whose
# tails are heavier, in 1e9. No check looks at more than 2,000 numbers.
SIGMAS = 7.0


def random_directed_graph(draw: Draw, nodes: int, most: int) -> Graph:
    """Directed rows of 0 to `most` entries in any order, with repetitions and self loops; node 1 is isolated.

    In the row of node 0 stand `most` entries, two in its middle alike; in that of node 2 one less, all different, and
    the last is node 2 itself.
    """
    degrees = torch.tensor([draw.integer(0, most + 1) for _ in range(nodes)])
    degrees[0], degrees[1], degrees[2], degrees[-1] = most, 0, most - 1, 1
    indices = torch.tensor([draw.integer(0, nodes) for _ in range(int(degrees.sum()))])
    different = draw.normal(nodes).argsort()
    different = different[different != 2]
    indices[:most], indices[most : 2 * most - 1] = different[:most], different[1 - most :]
    indices[most // 2], indices[2 * most - 2] = indices[most // 2 - 1], 2
    return Graph(torch.cat([torch.zeros(1, dtype=torch.long), degrees.cumsum(0)]), indices)


def remote_graph(student: Remote, graph: Graph) -> Remote:
    return student.make("Graph", graph.indptr, graph.indices)


def expect_a_number_for_nobody(got: Tensor, row: int, label: str) -> None:
    """The row of a node without neighbours is a number. If other rows are none either, that is another mistake."""
    others = torch.cat([got[:row], got[row + 1 :]])
    expect(got[row], label).finite("not_a_number_for_isolated_nodes" if bool(others.isfinite().all()) else None)


def random_adjacency(draw: Draw, nodes: int, dtype: torch.dtype) -> Tensor:
    """a_ij up to 3, about half of them 0, neither symmetric nor without loops; N(1) is 0.02 and node 2 is isolated."""
    weights = draw.positive(nodes, nodes, dtype=dtype)
    adjacency = weights * (draw.uniform(0, 1, nodes, nodes) < 0.5)
    adjacency[0, 0], adjacency[3, 0] = weights[0, 0], 0.0
    adjacency[0, 3], adjacency[2] = weights[0, 3], 0.0
    adjacency[1, :2] = weights[1, :2]
    adjacency[1] /= 50 * adjacency[1].sum()
    return adjacency


def dense_and_sparse(student: Remote, adjacency: Tensor) -> list[tuple[str, Tensor | Remote]]:
    """The matrix in both forms, and how a message begins that speaks of each."""
    return [("", adjacency), ("for a sparse adjacency, ", student.make("sparse", adjacency))]


def random_neighborhoods(
    draw: Draw, n: int, columns: int, width: int, out: int, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """logits, the last column of row 0 without a neighbour; h; weight; upstream."""
    logits = draw.normal(n, columns, dtype=dtype)
    logits[0, -1] = -math.inf
    h = 1 + draw.normal(n, columns, width, dtype=dtype)
    weight, upstream = draw.normal(width, out, dtype=dtype), draw.normal(n, out, dtype=dtype)
    return logits, h, weight, upstream


def random_found(draw: Draw, n: int, columns: int) -> Tensor:
    """Which candidates exist: all in row 0, one in row 1, none in row 2; gaps only at the end of a row."""
    sizes = torch.tensor([columns, 1, 0, *(draw.integer(1, columns) for _ in range(n - 3))])
    return torch.arange(columns) < sizes[:, None]


def expect_gradients(
    found: Sequence[Tensor | float | None], wanted: Sequence[Tensor], names: str, not_finite: str | None = None
) -> None:
    """The right gradients by what `names`, separated by spaces, says; `not_finite` is the mistake if they are not."""
    for name, gradient, right in zip(names.split(), found, wanted, strict=True):
        expect(gradient).holds(
            isinstance(gradient, Tensor) and bool(gradient.any()),
            f"No gradient reaches {name}: look for detach, no_grad, item or data.",
            "detached",
        )
        expect(gradient, f"the gradient by {name}").finite(not_finite).close(right, rtol=1e-4)


def shares(nodes: Tensor, weights: Tensor | None = None) -> Tensor:
    """The share of each node in a list of nodes, or in weights of them; (12,), of nodes 0 to 11."""
    counts = torch.bincount(nodes, weights, minlength=12).double()
    return counts / counts.sum()


def _counts(drawn: Tensor, size: int) -> Tensor | None:
    """How often each of 0 … size − 1 was drawn; None if something else was, which could be as large as it likes."""
    if not bool(((drawn >= 0) & (drawn < size)).all()):
        return None
    return torch.bincount(drawn.flatten(), minlength=size).double()


def expect_chance(one: Tensor, other: Tensor, mistake: str = "nothing_is_drawn") -> None:
    """Two calls with the same arguments give different draws."""
    different = not isinstance(one, Tensor) or not isinstance(other, Tensor) or not torch.equal(one, other)
    expect(one).holds(different, "Every call gives the same draws: they are not random.", mistake)


def _pearson(counts: Tensor, chances: Tensor) -> Tensor:
    """The terms of Pearson's χ², for what can be drawn at all, each count half of one further off: counts are whole
    numbers, and just the right ones come once in a hundred times if there are two."""
    possible = chances > 0
    wanted = counts.sum() * chances[possible]
    return ((counts[possible] - wanted).abs() + 0.5) ** 2 / wanted


def expect_draws(drawn: Tensor, chances: Tensor, shape: tuple[int, int], others: Mapping[str, Tensor]) -> None:
    """Each row holds independent draws of i with probability chances[i], and rows are independent.

    `others` are the chances of known mistakes, by their names.
    """
    expect(drawn, "the draws").shape(*shape).dtype(torch.long)
    total, (count, k) = drawn.numel(), shape
    counts = _counts(drawn.clamp(min=0), len(chances))

    def fits(chances: Tensor) -> bool:
        error = (total * chances * (1 - chances)).sqrt()
        return counts is not None and bool(((counts - total * chances).abs() <= SIGMAS * error).all())

    if float(chances.max()) < 1:
        expect(drawn).holds(
            not bool((drawn == drawn[:1]).all()),
            "Draws of one row tell those of the next: each node needs draws of its own.",
            "one_draw_for_all",
        )
        expect(drawn).holds(
            k == 1 or not bool((drawn == drawn[:, :1]).all()),
            "The draws of a node are all the same: draw anew for each.",
            "one_draw_used_k_times",
        )
    expect(drawn).holds(
        fits(chances),
        "The draws do not follow the right probabilities.",
        next((name for name, other in others.items() if fits(other)), None),
    )
    again = float((chances**2).sum())  # that two independent draws are the same
    error = (again * (1 - again) / count) ** 0.5
    across = float((drawn[1:, 0] == drawn[:-1, 0]).double().mean())
    expect(drawn).holds(
        abs(across - again) <= SIGMAS * error, "Draws of one row tell those of the next.", "one_draw_for_all"
    )
    for one, other in combinations(range(k), 2):
        within = float((drawn[:, one] == drawn[:, other]).double().mean())
        expect(drawn).holds(
            abs(within - again) <= SIGMAS * error,
            "The draws of a node are not independent: draw with replacement, and anew for each.",
            "without_replacement" if within < again else "one_draw_used_k_times",
        )
    if counts is not None and bool((chances > 0).sum() > 1):
        squares = _pearson(counts, chances)
        is_dealt = is_too_even(squares, len(squares) - 1) or is_repetitive(drawn == int(chances.argmax()))
        expect(drawn).holds(not is_dealt, "The draws are not independent: draw each by itself.", "one_draw_for_all")


def lengths_of_calls(draw: Draw) -> list[int]:
    """Numbers of rows to ask for in turn: three long ones and twelve short ones, in any order."""
    lengths = [draw.integer(2900, 3100) for _ in range(3)] + [draw.integer(40, 80) for _ in range(12)]
    return [lengths[place] for place in draw.normal(len(lengths)).argsort().tolist()]


def expect_scatter(calls: Sequence[Tensor], chances: Tensor) -> None:
    """The counts of many calls scatter as those of draws do; a deck with the right shares, shuffled, has exact ones.

    calls: each (n, k). Neither do the draws of a row avoid or follow each other.
    """
    squares = []
    for drawn in calls:
        counts = _counts(drawn, len(chances))
        expect(drawn).holds(counts is not None, "The draws do not follow the right probabilities.")
        if counts is not None:
            squares.append(_pearson(counts, chances))
    rows = torch.cat(list(calls))
    if rows.shape[1] > 1:
        pairs = [rows[:, one] == rows[:, other] for one, other in combinations(range(rows.shape[1]), 2)]
        alike = torch.stack(pairs).double().mean(dim=0)  # how many pairs of a row's draws are the same
        error = float(alike.std()) / len(alike) ** 0.5
        expect(rows).holds(
            abs(float(alike.mean()) - float((chances**2).sum())) <= SIGMAS * error + 1e-9,
            "The draws of a node are not independent: draw with replacement, and anew for each.",
            "without_replacement",
        )
    freedom = sum(len(terms) - 1 for terms in squares)
    expect(calls).holds(
        not is_too_even(torch.cat(squares), freedom),
        "The draws follow the probabilities too exactly: each must be drawn by itself, not dealt from a deck.",
    )


# Parts of mistakes and equivalents


def neighbors_of(graph, node):
    """The row of a node, as a list: whom it listens to."""
    return graph.indices[graph.indptr[node] : graph.indptr[node + 1]].tolist()


def turned_graph(graph):
    """The graph with each edge the other way round."""
    return Graph.from_edges(graph.indices, graph.receivers, graph.num_nodes)


def or_one(sizes):
    """Divisors: the sizes, and 1 where they are 0."""
    return torch.where(sizes > 0, sizes, 1.0)


def neighborhood_means(h, adjacency):
    """(1/N(i)) Σ_j a_ij h_j, 0 where N(i) = 0."""
    dense = adjacency.to_dense()
    return dense @ h / or_one(dense.sum(dim=1, keepdim=True))


def normalized_rows(positive, found):
    """positive over its sum in the row, among those found; 0 where the sum is 0."""
    positive = positive * found
    return positive / or_one(positive.sum(dim=1, keepdim=True))


def q_and_rewards(logits, h, weight, upstream):
    """q(s) and upstream · h_s W of each neighbour, each (n, S)."""
    return logits.softmax(dim=1), reference.neighbor_rewards(h, weight, upstream)
