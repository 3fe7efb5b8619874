"""The checks of the GCN notebook. Nodes, features, candidates, draws and outputs differ in number from each other."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from autograder.assignments.gcn import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import exercise
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.graphs import Graph
from fixmelab.toys import JointProblem

# Standard errors. A false alarm in 4e11 looks at a normal number; for counts and variances of thousands of draws, whose
# tails are heavier, in 1e9. No check looks at more than 2,000 numbers.
SIGMAS = 7.0


def _graph(draw: Draw, nodes: int, most: int) -> Graph:
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


def _sent(student: Remote, graph: Graph) -> Remote:
    return student.toy("Graph", graph.indptr, graph.indices)


def _adjacency(draw: Draw, nodes: int, dtype: torch.dtype) -> Tensor:
    """a_ij up to 3, about half of them 0, neither symmetric nor without loops; N(1) is 0.02 and node 2 is isolated."""
    weights = draw.positive(nodes, nodes, dtype=dtype)
    adjacency = weights * (draw.uniform(0, 1, nodes, nodes) < 0.5)
    adjacency[0, 0], adjacency[3, 0] = weights[0, 0], 0.0
    adjacency[0, 3], adjacency[2] = weights[0, 3], 0.0
    adjacency[1, :2] = weights[1, :2]
    adjacency[1] /= 50 * adjacency[1].sum()
    return adjacency


def _forms(student: Remote, adjacency: Tensor) -> list[tuple[str, Tensor | Remote]]:
    """The matrix, dense and sparse, and what to call each."""
    return [("", adjacency), ("for a sparse adjacency, ", student.toy("sparse", adjacency))]


# The problem


@exercise("gcn.nodes_touched")
def nodes_touched(student: Remote, draw: Draw) -> None:
    for nodes, most, depth in ((40, 2, 5), (9, 3, 3), (25, 4, 0)):
        graph = _graph(draw, nodes, most)
        sent = _sent(student, graph)
        starts = [torch.tensor(start) for start in ([0], [1], [2, 0, nodes - 1], [3, 4, 3])]
        for start, got in zip(starts, [student(sent, start, depth) for start in starts], strict=True):
            expect(got, "the counts").shape(depth + 1)
            wanted = reference.nodes_touched(graph, start, depth)
            expect(got, "the counts").holds(
                torch.equal(got.double(), wanted.double()), "The counts have the right shape, but some are wrong."
            )


# Graph convolution


@exercise("gcn.gcn_layer")
def gcn_layer(student: Remote, draw: Draw) -> None:
    for nodes, width, out, dtype in ((6, 3, 5, torch.float32), (7, 4, 2, torch.float64), (5, 1, 3, torch.float32)):
        adjacency, h = _adjacency(draw, nodes, dtype), draw.normal(nodes, width, dtype=dtype)
        weight = draw.normal(width, out, dtype=dtype)
        curve = student.toy("Curve")
        for label, form in _forms(student, adjacency):
            got, curved = student(h, form, weight), student(h, form, weight, curve)
            expect(got, f"{label}the row of an isolated node" if label else "the result").shape(nodes, out)
            expect(got[2], f"{label}the row of an isolated node").finite("not_a_number_for_isolated_nodes")
            expect(got, f"{label}the result").close(reference.gcn_layer(h, adjacency, weight))
            wanted = reference.gcn_layer(h, adjacency, weight, lambda x: torch.cos(x) + 2)
            expect(curved, f"{label}the result with another activation").close(wanted)
    adjacency, h, weight = (
        _adjacency(draw, 6, torch.float64),
        draw.positive(6, 3).double(),
        draw.positive(3, 2).double(),
    )
    _expect_gradients(student.gradient(h, adjacency, weight, wrt=[0, 2], weights=[draw.normal(6, 2).double()]), "h W")


def _expect_gradients(found: Sequence[Tensor | None], names: str) -> None:
    for name, gradient in zip(names.split(), found, strict=True):
        expect(gradient).holds(
            gradient is not None and bool(gradient.any()),
            f"No gradient reaches {name}: look for detach, no_grad, item or data.",
            "detached",
        )
        expect(gradient, f"the gradient by {name}").finite("gradient_not_a_number")


# Sampling


@exercise("gcn.sample_neighbors")
def sample_neighbors(student: Remote, draw: Draw) -> None:
    graph = _graph(draw, 12, 4)
    sent = _sent(student, graph)
    every = torch.arange(12)
    for nodes, k in ((every.flip(0), 3), (torch.tensor([0, 0, 1, 5]), 7), (torch.tensor([11]), 1)):
        got = expect(student(sent, nodes, k), "the draws").shape(len(nodes), k).dtype(torch.long).value
        for node, drawn in zip(nodes.tolist(), got.tolist(), strict=True):
            row = set(graph.indices[graph.indptr[node] : graph.indptr[node + 1]].tolist()) or {-1}
            isolated = graph.degrees[node] == 0
            expect(drawn).holds(
                set(drawn) <= row,
                "An isolated node must have -1 for each draw."
                if isolated
                else "A draw is not among the neighbours that the node listens to.",
                "isolated_nodes_draw_somebody" if isolated else None,
            )
    count, k = 3000, 4
    _expect_chance(*(student(sent, torch.zeros(20, dtype=torch.long), 20) for _ in range(2)))
    for node in (0, 2):
        row = graph.indices[graph.indptr[node] : graph.indptr[node + 1]]
        ends = torch.ones(len(row), dtype=torch.float64)
        ends[[0, -1]] = 0.5
        others = {
            "never_the_last": _shares(row[:-1]),
            "never_the_first": _shares(row[1:]),
            "each_neighbor_once": _shares(row.unique()),
            "ends_half_as_often": _shares(row, ends),
        }
        _expect_draws(student(sent, torch.full((count,), node), k), _shares(row), (count, k), others)
    # A node with many neighbours; that one of 90 is never drawn in 4,500 draws has a probability below 1e-19.
    hub = Graph(torch.tensor([0, 90, *[90] * 90]), torch.arange(1, 91))
    drawn = (
        expect(student(_sent(student, hub), torch.zeros(3, dtype=torch.long), 1500), "the draws").shape(3, 1500).value
    )
    expect(drawn).holds(len(drawn.unique()) == 90, "Some neighbours of a node with many are never drawn.")


def _shares(nodes: Tensor, weights: Tensor | None = None) -> Tensor:
    """The share of each node in a list of nodes, or in weights of them; (12,), of nodes 0 to 11."""
    counts = torch.bincount(nodes, weights, minlength=12).double()
    return counts / counts.sum()


def _expect_chance(one: Tensor, other: Tensor) -> None:
    """Two calls with the same arguments give different draws."""
    different = not isinstance(one, Tensor) or not isinstance(other, Tensor) or not torch.equal(one, other)
    expect(one).holds(different, "Every call gives the same draws: they do not come by chance.", "nothing_is_drawn")


def _expect_draws(drawn: Tensor, chances: Tensor, shape: tuple[int, int], others: Mapping[str, Tensor]) -> None:
    """Each row holds independent draws of i with probability chances[i], and rows are independent.

    `others` are the chances of known mistakes, by their names.
    """
    expect(drawn, "the draws").shape(*shape)
    total, (count, k) = drawn.numel(), shape
    counts = torch.bincount(drawn.flatten().clamp(min=0), minlength=len(chances)).double()

    def fits(chances: Tensor) -> bool:
        error = (total * chances * (1 - chances)).sqrt()
        return counts.shape == chances.shape and bool(((counts - total * chances).abs() <= SIGMAS * error).all())

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
        "The draws do not follow the probabilities that are wanted.",
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


@exercise("gcn.mc_gcn_layer")
def mc_gcn_layer(student: Remote, draw: Draw) -> None:
    for rows, n, k, width, out, dtype in (
        (7, 5, 3, 4, 2, torch.float32),
        (4, 9, 6, 2, 5, torch.float64),
        (3, 2, 1, 1, 4, torch.float32),
    ):
        h, weight = draw.normal(rows, width, dtype=dtype), draw.normal(width, out, dtype=dtype)
        neighbors = torch.tensor([[draw.integer(0, rows) for _ in range(k)] for _ in range(n)])
        neighbors[0] = -1
        neighbors[1, 0] = -1 if k > 1 else 0  # somebody and nobody in one row
        curve = student.toy("Curve")
        got, curved = student(h, neighbors, weight), student(h, neighbors, weight, curve)
        expect(got).close(reference.mc_gcn_layer(h, neighbors, weight))
        wanted = reference.mc_gcn_layer(h, neighbors, weight, lambda x: torch.cos(x) + 2)
        expect(curved, "the result with another activation").close(wanted)
    neighbors = torch.tensor([[0, 3, 3], [1, 2, 0]])
    h, weight = 1 + draw.positive(4, 3).double(), draw.positive(3, 2).double()
    _expect_gradients(student.gradient(h, neighbors, weight, wrt=[0, 2]), "h W")


@exercise("gcn.sampling_variance")
def sampling_variance(student: Remote, draw: Draw) -> None:
    for nodes, width, k in ((6, 3, 4), (9, 5, 1), (5, 1, 30)):
        adjacency, h = _adjacency(draw, nodes, torch.float64), 2 + draw.normal(nodes, width, dtype=torch.float64)
        wanted = reference.sampling_variance(h, adjacency, k)
        for label, form in _forms(student, adjacency):
            expect(student(h, form, k), f"{label}the variance").close(wanted)


# A gradient through chance


def _neighborhoods(draw: Draw, n: int, columns: int, width: int, out: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """logits, the last column of row 0 without a neighbour; h; weight; upstream."""
    logits = draw.normal(n, columns, dtype=torch.float64)
    logits[0, -1] = -math.inf
    h = 1 + draw.normal(n, columns, width, dtype=torch.float64)
    weight, upstream = draw.normal(width, out, dtype=torch.float64), draw.normal(n, out, dtype=torch.float64)
    return logits, h, weight, upstream


@exercise("gcn.exact_sampler_gradient")
def exact_sampler_gradient(student: Remote, draw: Draw) -> None:
    for n, columns, width, out in ((4, 5, 3, 2), (1, 2, 4, 3), (6, 3, 1, 5)):
        given = _neighborhoods(draw, n, columns, width, out)
        expect(student(*given), "the gradient").close(reference.exact_sampler_gradient(*given))


@exercise("gcn.sampler_gradient")
def sampler_gradient(student: Remote, draw: Draw) -> None:
    for n, columns, width, out, k in ((3, 4, 2, 3, 2), (2, 3, 3, 1, 5), (3, 4, 1, 2, 1)):
        given = _neighborhoods(draw, n, columns, width, out)
        expect(student(*given, k), "the gradient").shape(n, columns).dtype(torch.float64).finite()
    count = 6000
    logits, h, weight, upstream = _neighborhoods(draw, 1, 4, 3, 2)
    # Probabilities of about 0.6, 0.3 and 0.1, and rewards of about 1, 0.5 and -0.2, each in any order.
    logits[0, :3] = torch.tensor([0.8, 0.0, -0.8]) + draw.uniform(-0.1, 0.1, 3)
    wanted = torch.tensor([1.0, 0.5, -0.2])[draw.normal(3).argsort()] + draw.uniform(-0.05, 0.05, 3)
    worth = weight @ upstream[0]  # of each feature
    h[0, :3] += (wanted - h[0, :3] @ worth)[:, None] * worth / (worth @ worth)
    exact = reference.exact_sampler_gradient(logits, h, weight, upstream)[0]
    q, rewards = logits[0].softmax(dim=0), reference._rewards(h, weight, upstream)[0]
    score = torch.eye(4, dtype=torch.float64) - q  # row j: ∇ log q(j)
    single = (q[:, None] * (rewards[:, None] * score) ** 2).sum(dim=0) - exact**2
    repeated = (logits.repeat(count, 1), h.repeat(count, 1, 1), weight, upstream.repeat(count, 1))
    for k in (2, 1, 5):
        got = student(*repeated, k)
        found = expect(got, "the gradient").shape(count, 4).dtype(torch.float64).finite().value
        centred = found - found.mean(dim=0)
        variance = (centred**2).mean(dim=0)
        expect(found).holds(bool(found.any()), "The estimates are all 0.", "no_gradient")
        expect(found).holds(
            float(variance.max()) > 1e-12 * float(found.abs().max()) ** 2,
            "The estimates of all rows are the same: each row needs draws of its own.",
            "nothing_is_drawn" if torch.allclose(found[0], exact) else "one_draw_for_all",
        )
        bias = (found.mean(dim=0) - exact).abs()
        expect(found).holds(
            bool((bias <= SIGMAS * (variance / count).sqrt() + 1e-12).all()),
            f"With k = {k} the mean over {count} estimates is not the exact gradient: the estimate is biased.",
        )
        spread = ((centred**4).mean(dim=0) / count).sqrt()
        expect(found).holds(
            bool((variance <= single / k + SIGMAS * spread + 1e-12).all()),
            f"With k = {k} the variance is larger than 1/k of that of a single draw.",
            "one_draw_used_k_times",
        )


@exercise("gcn.leave_one_out")
def leave_one_out(student: Remote, draw: Draw) -> None:
    for n, k, dtype in ((4, 3, torch.float64), (2, 7, torch.float32), (5, 2, torch.float64), (3, 1, torch.float64)):
        rewards = 2 + draw.normal(n, k, dtype=dtype)
        rewards[0] = rewards[0].roll(1) if k < 3 else rewards[0].where(torch.arange(k) > 1, rewards[0, 0])  # equal ones
        label = "for a single draw (k = 1), the baseline" if k == 1 else "the baseline"
        expect(student(rewards), label).close(reference.leave_one_out(rewards))


# The sampler


def _found(draw: Draw, n: int, columns: int) -> Tensor:
    """Which candidates exist: all in row 0, one in row 1, none in row 2; gaps only at the end of a row."""
    sizes = torch.tensor([columns, 1, 0, *(draw.integer(1, columns) for _ in range(n - 3))])
    return torch.arange(columns) < sizes[:, None]


@exercise("gcn.normalize_scores")
def normalize_scores(student: Remote, draw: Draw) -> None:
    for n, columns, dtype in ((5, 4, torch.float32), (4, 7, torch.float64)):
        scores, found = draw.normal(n, columns, dtype=dtype), _found(draw, n, columns)
        scores[0, 0], scores[3, 0] = 1.5, -0.7
        scores[1, :2] = torch.tensor([0.8, 1.2])  # the second is not found
        negative = -draw.positive(n, columns, dtype=dtype)
        tiny = 1e-9 * draw.positive(n, columns, dtype=dtype)  # as large as what is added
        for label, values in (("", scores), ("where all scores are negative, ", negative), ("", tiny)):
            got = expect(student(values, found), f"{label}q").shape(n, columns).value
            expect(got[2], "q of a row where nothing is found").finite("not_a_number_for_isolated_nodes")
            wanted = reference.normalize_scores(values, found)
            expect(got, f"{label}q").close(wanted, rtol=1e-4)
    scores, found, weights = 6 * draw.positive(4, 3).double(), _found(draw, 4, 3), draw.normal(4, 3).double()
    (gradient,) = student.gradient(scores, found, wrt=[0], weights=[weights])
    _expect_gradients([gradient], "scores")
    leaf = scores.clone().requires_grad_()
    (reference.normalize_scores(leaf, found) * weights).sum().backward()
    expect(gradient, "the gradient by scores").close(leaf.grad, rtol=1e-4)


@exercise("gcn.draw_candidates")
def draw_candidates(student: Remote, draw: Draw) -> None:
    count, k = 3000, 3
    candidates = torch.tensor([[4, 9, 2, -1], [7, -1, -1, -1], [-1, -1, -1, -1]])
    chances = draw.positive(3)
    chances = chances / chances.sum()
    q = torch.zeros(3, 4)
    q[0, :3], q[1, 0] = chances, 1.0
    neighbors, log_q = expect(student(candidates, q, 2)).items(2)
    expect(neighbors, "the neighbours").shape(3, 2).dtype(torch.long)
    expect(log_q, "log_q").shape(3, 2)
    expect(neighbors).holds(
        bool((neighbors[2] == -1).all()), "A row of which q is 0 everywhere must have -1.", "isolated_nodes"
    )
    expect(log_q, "log_q").finite("not_a_number_for_isolated_nodes")
    expect(log_q[1:], "log_q of a row with a single candidate, or with none,").close(torch.zeros(2, 2))
    many = torch.zeros(count, dtype=torch.long)
    _expect_chance(*(expect(student(candidates[many[:20]], q[many[:20]], 20)).items(2)[0] for _ in range(2)))
    neighbors, log_q = expect(student(candidates[many], q[many], k)).items(2)
    by_node = torch.zeros(12, dtype=torch.float64)
    by_node[candidates[0, :3]] = chances.double()
    expect(neighbors).holds(
        not bool((neighbors < 3).all() and (neighbors != 2).any()),
        "These are the columns that were drawn; return the candidates that stand in them.",
        "columns_for_candidates",
    )
    _expect_draws(neighbors, by_node, (count, k), {"uniform_candidates": _shares(candidates[0, :3])})
    expect(log_q, "log_q").close(by_node[neighbors].log().float())
    # Drawn n_j times, candidate j has the gradient n_j / q_j, a whole number over q_j; the logarithm of q over its sum
    # takes the same number off all of them.
    rows = torch.tensor([0] * 20 + [2])
    (gradient,) = student.gradient(candidates[rows], q[rows], k, wrt=[1], weights=[None, torch.ones(len(rows), k)])
    expect(gradient).holds(
        gradient is not None, "log_q carries no gradient of q: take its logarithm from q itself.", "detached"
    )
    expect(gradient, "the gradient through log_q").finite("gradient_not_a_number")
    gradient = gradient[:-1, :3].double()
    times = chances * (gradient - (gradient * chances).sum(dim=1, keepdim=True) + k)
    expect(times, "the gradient through log_q").close(times.round().clamp(min=0), rtol=1e-3)


@exercise("gcn.PerformanceAdaptiveSampler")
def sampler(student: Remote, draw: Draw) -> None:
    # All scores are positive, and both parts of them of one size: everything counts.
    x, nodes = draw.uniform(0.2, 0.6, 6, 2), torch.tensor([3, 0, 5])
    x[5] = 2.5 * x[0]
    candidates = torch.tensor([[1, 2, 4], [5, 0, -1], [-1, -1, -1]])
    state = {"weight": draw.positive(2, 3), "mixture": torch.tensor([-0.6, 0.3]) + draw.uniform(-0.1, 0.1, 2)}
    made = _expect_probabilities(student, state, x, nodes, candidates)
    weights = draw.normal(3, 3)
    sizes = made.probabilities.gradient(x, nodes, candidates, wrt=made, weights=[weights])
    expect(sizes).holds(
        all(size is not None and size != 0 for size in sizes),
        "No gradient reaches one of the parameters: look for detach, no_grad, item or data.",
        "detached",
    )
    right = reference.PerformanceAdaptiveSampler(2, 3)
    right.load_state_dict(state)
    (right.probabilities(x, nodes, candidates) * weights).sum().backward()
    wanted = torch.tensor([float(parameter.grad.abs().max()) for parameter in right.parameters()])
    got = expect(torch.tensor(sizes), "the gradient of weight and mixture").finite("gradient_not_a_number")
    got.close(wanted, rtol=1e-2)
    for width, hidden, rows, n, columns in ((3, 5, 9, 5, 4), (6, 2, 12, 4, 7), (2, 1, 6, 4, 3)):
        state = {"weight": 0.7 * draw.normal(width, hidden), "mixture": draw.normal(2)}
        x, nodes = draw.normal(rows, width), torch.tensor([draw.integer(0, rows) for _ in range(n)])
        candidates = torch.tensor([[draw.integer(0, rows) for _ in range(columns)] for _ in range(n)])
        candidates = torch.where(_found(draw, n, columns), candidates, -1)
        _expect_probabilities(student, state, x, nodes, candidates)


def _expect_probabilities(
    student: Remote, state: dict[str, Tensor], x: Tensor, nodes: Tensor, candidates: Tensor
) -> Remote:
    """A sampler with those parameters gives the right q; row 2 has no candidates. Returns the sampler."""
    made, right = student.kept(*state["weight"].shape), reference.PerformanceAdaptiveSampler(*state["weight"].shape)
    made.load_state_dict.kept(state)
    right.load_state_dict(state)
    got = expect(made.probabilities(x, nodes, candidates), "q").shape(*candidates.shape).value
    expect(got[2], "q of a node without candidates").finite("not_a_number_for_isolated_nodes")
    expect(got, "q").close(right.probabilities(x, nodes, candidates).detach(), rtol=1e-3)
    return made


# Training


@exercise("gcn.sampler_loss")
def sampler_loss(student: Remote, draw: Draw) -> None:
    for n, k, width, dtype in ((4, 3, 2, torch.float64), (3, 1, 5, torch.float32), (2, 6, 1, torch.float64)):
        log_q = -draw.positive(n, k, dtype=dtype)
        messages, upstream = draw.normal(n, k, width, dtype=dtype), draw.normal(n, width, dtype=dtype)
        expect(student(log_q, messages, upstream), "the loss of the sampler").shape().dtype(dtype).finite()
        leaf = log_q.clone().requires_grad_()
        reference.sampler_loss(leaf, messages, upstream).backward()
        by_log_q, *others = student.gradient(log_q, messages, upstream, wrt=[0, 1, 2])
        expect(by_log_q).holds(by_log_q is not None, "No gradient reaches log_q.", "detached")
        expect(others).holds(
            all(other is None or not other.any() for other in others),
            "A gradient reaches the messages or upstream: rewards and baselines are numbers here, so detach them.",
            "gradient_reaches_the_messages",
        )
        expect(by_log_q, "the gradient by log_q").close(leaf.grad)


def _joint_problem(draw: Draw) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """What JointProblem is given, features and labels, such that network and sampler learn from both steps.

    About one draw in a hundred has a hidden layer that is silent everywhere, or a gradient too small to be compared.
    """
    n, m, k, columns, width, hidden, classes, rows = 5, 6, 3, 4, 3, 4, 2, 8
    while True:
        theta = draw.normal(m, columns)
        chosen = torch.tensor([[draw.integer(0, columns) for _ in range(k)] for _ in range(m)])
        table = torch.tensor([[draw.integer(0, rows) for _ in range(columns)] for _ in range(m)])
        table[0, 0] = rows - 1
        chosen[0, 0] = 0
        outer = torch.tensor([[draw.integer(0, m) for _ in range(k)] for _ in range(n)])
        weights = draw.normal(width, hidden), draw.normal(hidden, classes)
        given = (*weights, theta, chosen, table.gather(1, chosen), outer)
        x = 0.5 + draw.normal(rows, width)
        labels = torch.tensor([0, 1, *(draw.integer(0, classes) for _ in range(n - 2))])
        tried, sizes = JointProblem(*given, 0.0), []
        for _ in range(2):
            optimizers = tried.network_optimizer, tried.sampler_optimizer
            reference.joint_step(tried.network, x, labels, tried.hops, *optimizers)
            sizes += [value.grad.abs().max() for value in (tried.lower, tried.upper, tried.theta)]
        if min(sizes) > 1e-3:
            return given, x, labels


@exercise("gcn.joint_step")
def joint_step(student: Remote, draw: Draw) -> None:
    for left in (0.9, 0.0):
        given, x, labels = _joint_problem(draw)
        right, toy = JointProblem(*given, left), student.toy("JointProblem", *given, left)
        for step in ("the first", "the second"):
            optimizers = right.network_optimizer, right.sampler_optimizer
            wanted = reference.joint_step(right.network, x, labels, right.hops, *optimizers)
            remote = [toy.attribute(name) for name in ("network", "hops", "network_optimizer", "sampler_optimizer")]
            network, hops, *optimizers = remote
            got = student(network, x, labels, hops, *optimizers)
            expect(got).holds(
                isinstance(got, float) or (isinstance(got, Tensor) and got.ndim == 0),
                "The loss is no Python float: return loss.item().",
            )
            expect(float(got) if isinstance(got, Tensor) else got, f"the loss of {step} step").close(
                torch.tensor(wanted), rtol=1e-3
            )
            names = {"lower": "the lower weights", "upper": "the upper weights", "theta": "the sampler"}
            found = {name: toy.attribute(name) for name in names}
            for name, old in zip(names, given[:3], strict=True):
                expect(found[name]).holds(
                    not torch.equal(found[name], old),
                    f"After {step} step, {names[name]} have not moved.",
                    f"{name}_stays",
                )
            for name, what in names.items():
                wanted = getattr(right, name).detach()
                expect(found[name], f"after {step} step, {what}").close(wanted, rtol=1e-3, atol=1e-4)


@exercise("gcn.same_class_share")
def same_class_share(student: Remote, draw: Draw) -> None:
    for n, columns, rows in ((12, 5, 20), (7, 4, 11)):
        found = _found(draw, n, columns)
        q = reference.normalize_scores(draw.positive(n, columns).double(), found)
        order = 1 + draw.normal(rows - 1).argsort()
        nodes, other = order[:n], order[-1]
        candidates = torch.tensor([[draw.integer(0, rows) for _ in range(columns)] for _ in range(n)])
        labels = torch.tensor([draw.integer(0, 3) for _ in range(rows)])
        # In row 0 stand the node itself, twice, node 0, of the same class, and one of another class.
        candidates[0, :4] = torch.stack([nodes[0], torch.zeros_like(other), other, nodes[0]])
        labels[0], labels[other] = labels[nodes[0]], (labels[nodes[0]] + 1) % 3
        candidates = torch.where(found, candidates, -1)
        expect(student(q, candidates, nodes, labels)).close(reference.same_class_share(q, candidates, nodes, labels))
