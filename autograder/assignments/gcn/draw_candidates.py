"""k draws a row, with replacement, from q over candidates, and their log q with its gradient.

Thousands of draws are tested for their frequencies and independence, and the gradient tells how often each was drawn.
Mistakes return columns for candidates, logarithms of other draws or no gradient, or fail where q is 0 everywhere.
"""

import torch
from torch import Tensor
from torch.distributions import Categorical

from autograder.assignments.gcn import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.draw_candidates")
def draw_candidates(student: Remote, draw: Draw) -> None:
    k = 3
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
    many = torch.zeros(4000, dtype=torch.long)
    common.expect_chance(*(expect(student(candidates[many[:20]], q[many[:20]], 20)).items(2)[0] for _ in range(2)))
    by_node = torch.zeros(12, dtype=torch.float64)
    by_node[candidates[0, :3]] = chances.double()
    calls, logs = [], []
    # Long calls and short ones in any order, so that none of them can be dealt from a deck.
    for count in common.lengths_of_calls(draw):
        neighbors, log_q = expect(student(candidates[many[:count]], q[many[:count]], k)).items(2)
        calls.append(expect(neighbors, "the neighbours").shape(count, k).dtype(torch.long).value)
        logs.append(expect(log_q, "log_q").shape(count, k).value)
        expect(neighbors).holds(
            not bool((neighbors < 3).all() and (neighbors != 2).any()),
            "These are the columns that were drawn; return the candidates that stand in them.",
            "columns_for_candidates",
        )
        if count >= 1000:
            others = {"uniform_candidates": common.shares(candidates[0, :3])}
            common.expect_draws(neighbors, by_node, (count, k), others)
    common.expect_scatter(calls, by_node)
    drawn = torch.cat(calls)
    expect(drawn).holds(
        bool(torch.isin(drawn, candidates[0, :3]).all()), "A draw is not among the candidates of its row."
    )
    expect(torch.cat(logs), "log_q").close(by_node[drawn].log().float())
    _expect_rows_of_their_own(student, candidates[0], draw)
    # Drawn n_j times, candidate j has the gradient n_j / q_j, a whole number over q_j; the logarithm of q over its sum
    # takes the same number off all of them.
    rows = torch.tensor([0] * 20 + [2])
    (gradient,) = student.gradient(candidates[rows], q[rows], k, wrt=[1], weights=[None, torch.ones(len(rows), k)])
    expect(gradient).holds(
        gradient is not None, "log_q carries no gradient of q: take its logarithm from q itself.", "detached"
    )
    through = expect(gradient, "the gradient through log_q").shape(len(rows), 4).finite("gradient_not_a_number")
    found = through.value[:-1, :3].double()
    times = chances * (found - (found * chances).sum(dim=1, keepdim=True) + k)
    expect(times, "the gradient through log_q").close(times.round().clamp(min=0), rtol=1e-3)
    expect_any_device(student, candidates, q, 2, mistake="made_on_the_cpu")


def _expect_rows_of_their_own(student: Remote, row: Tensor, draw: Draw) -> None:
    """Three rows of the same candidates and other q, turn by turn."""
    chances, k, count = draw.uniform(0.2, 1, 3, 4), 3, 1500
    chances[:, 3] = 0.0
    chances = chances / chances.sum(dim=1, keepdim=True)
    neighbors, log_q = expect(student(row.repeat(3 * count, 1), chances.repeat(count, 1), k)).items(2)
    drawn = expect(neighbors, "the neighbours").shape(3 * count, k).dtype(torch.long).value
    logs = expect(log_q, "log_q").shape(3 * count, k).value
    for place, mine in enumerate(chances):
        by_node = torch.zeros(12, dtype=torch.float64)
        by_node[row[:3]] = mine[:3].double()
        common.expect_draws(drawn[place::3], by_node, (count, k), {})
        expect(logs[place::3], "log_q").close(by_node[drawn[place::3]].log().float())


def _columns(q, k):
    """Draws from q (n, S), and from row 0 … of all columns where q is 0 everywhere."""
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    return torch.multinomial(torch.where(empty, 1.0, q.detach()), k, replacement=True)


def _with_logs(candidates, q, columns, chosen=None):
    """Neighbours in those columns and log of `chosen` (n, k), their q; -1 and 0 where q is 0 everywhere."""
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    chosen = q.gather(1, columns) if chosen is None else chosen
    return torch.where(empty, -1, candidates.gather(1, columns)), torch.where(empty, 1.0, chosen).log()


@mistake(
    "These are the columns that were drawn; return the candidates that stand in them (candidates.gather(1, columns))."
)
def columns_for_candidates(candidates, q, k):
    columns = _columns(q, k)
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    return torch.where(empty, -1, columns), _with_logs(candidates, q, columns)[1]


@mistake("Every row is drawn from the q of the first: each row has a q of its own.")
def first_q_for_all_rows(candidates, q, k):
    columns = _columns(q[:1], len(q) * k).view(len(q), k)
    chosen = q.gather(1, columns)
    return _with_logs(candidates, q, columns, torch.where(chosen > 0, chosen, 1.0))


@mistake("Nothing is drawn at random: every call gives the same neighbours. Use torch.multinomial.")
def nothing_is_drawn(candidates, q, k):
    return _with_logs(candidates, q, q.detach().argmax(dim=1, keepdim=True).expand(-1, k))


@mistake(
    "It raises for a row with fewer candidates than k, or none: draw with replacement, and give multinomial something "
    "positive where q is 0 everywhere."
)
def draws_without_replacement(candidates, q, k):
    return _with_logs(candidates, q, torch.multinomial(q.detach(), k))


@mistake(
    "It raises for a row of which q is 0 everywhere: that is no distribution; give Categorical something else there."
)
def refused_by_categorical(candidates, q, k):
    return _with_logs(candidates, q, Categorical(probs=q).sample((k,)).T)


@mistake("Every candidate is drawn as often as the others: draw with the probabilities q.")
def uniform_candidates(candidates, q, k):
    return _with_logs(candidates, q, _columns((q.detach() > 0).float(), k))


@mistake("All columns are drawn alike, and -1 with them: draw with the probabilities q.")
def uniform_columns(candidates, q, k):
    columns = torch.randint(q.shape[1], (len(q), k))
    return _with_logs(candidates, q, columns, q.gather(1, columns).where(candidates.gather(1, columns) >= 0, 1.0))


@mistake("The draws of a node avoid each other: draw with replacement, each by itself.")
def without_replacement(candidates, q, k):
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    chances = torch.where(empty, 1.0, q.detach())
    parts = (torch.rand(len(q), k) + torch.rand(len(q), k).argsort(dim=1)) / k
    up_to = (chances / chances.sum(dim=1, keepdim=True)).cumsum(dim=1)
    return _with_logs(candidates, q, (parts[..., None] > up_to[:, None, :-1]).sum(dim=2))


@mistake("q is taken for logits, so that exp(q) is drawn from: Categorical(probs=…), or torch.multinomial(q, …).")
def q_for_logits(candidates, q, k):
    columns = Categorical(logits=q.detach()).sample((k,)).T
    return _with_logs(candidates, q, columns, q.gather(1, columns).where(candidates.gather(1, columns) >= 0, 1.0))


@mistake("One draw is used k times: ask torch.multinomial for k of them.")
def one_draw_used_k_times(candidates, q, k):
    return _with_logs(candidates, q, _columns(q, 1).expand(-1, k))


@mistake("All rows share their draws: each row draws from its own q.")
def one_draw_for_all(candidates, q, k):
    cumulative = q.detach().cumsum(dim=1)
    columns = torch.searchsorted(cumulative, torch.rand(1, k) * cumulative[:, -1:], right=True)
    return _with_logs(candidates, q, columns.clamp(max=q.shape[1] - 1))


@mistake("The logarithm is missing: this is q of the draws.")
def without_the_logarithm(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q.exp() * (neighbors >= 0)


@mistake("The logarithm is missing: this is q of the draws, and 1 in rows of which q is 0 everywhere.")
def without_the_logarithm_and_one(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q.exp()


@mistake("log_q is −log q: probabilities are below 1, so their logarithms are negative.")
def minus_the_logarithm(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, -log_q


@mistake("This is the logarithm to the base 2 or 10; use torch.log.")
def another_base(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q / torch.log(torch.tensor(2.0))


@mistake("log_q is that of the draws in other rows, or of other draws: gather it with the same columns.")
def logs_of_other_draws(candidates, q, k):
    neighbors, _ = reference.draw_candidates(candidates, q, k)
    return neighbors, reference.draw_candidates(candidates, q, k)[1]


@mistake("log_q stands for the first columns; gather it in the columns that were drawn.")
def logs_of_the_first_columns(candidates, q, k):
    neighbors, _ = reference.draw_candidates(candidates, q, k)
    return neighbors, q[:, :k].where(q[:, :k] > 0, 1.0).log()


@mistake("There is one log_q a row; there is one a draw.")
def one_log_a_row(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q.sum(dim=1)


@mistake("log_q is that of all candidates, (n, S); gather those of the draws, (n, k).")
def logs_of_all_candidates(candidates, q, k):
    neighbors, _ = reference.draw_candidates(candidates, q, k)
    return neighbors, q.where(q > 0, 1.0).log()


@mistake("log_q carries no gradient of q: take its logarithm from q itself, not from q.detach(), and outside no_grad.")
def detached(candidates, q, k):
    return reference.draw_candidates(candidates, q.detach(), k)


@mistake("log_q is infinite or NaN where q is 0 everywhere: it is 0 there.")
def not_a_number_for_isolated_nodes(candidates, q, k):
    columns = _columns(q, k)
    return candidates.gather(1, columns), q.gather(1, columns).log()


@mistake("Where q is 0 everywhere, log_q is the logarithm of a small number; it is 0 there.")
def logarithm_of_a_small_number(candidates, q, k):
    columns = _columns(q, k)
    return candidates.gather(1, columns), (q.gather(1, columns) + 1e-9).log()


@mistake("The gradient is NaN where q is 0 everywhere: choose with torch.where before the logarithm, not after.")
def gradient_not_a_number(candidates, q, k):
    columns = _columns(q, k)
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    return candidates.gather(1, columns), torch.where(empty, 0.0, q.gather(1, columns).log())


@mistake("Where q is 0 everywhere, a node is drawn; it is -1, nobody.")
def isolated_nodes(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors.clamp(min=0), log_q


@mistake("The results are swapped: neighbours come first, then log_q.")
def results_swapped(candidates, q, k):
    return reference.draw_candidates(candidates, q, k)[::-1]


@mistake("Only the neighbours are returned: return (neighbors, log_q).")
def neighbors_alone(candidates, q, k):
    return reference.draw_candidates(candidates, q, k)[0].unsqueeze(0)


@mistake("Both are (k, n): return one row for each node and one column for each draw.")
def a_row_for_each_draw(candidates, q, k):
    return tuple(part.T for part in reference.draw_candidates(candidates, q, k))


@mistake(SENTENCE)
def made_on_the_cpu(candidates, q, k):
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    positive = torch.where(empty, torch.ones(q.shape), q.detach())
    return _with_logs(candidates, q, torch.multinomial(positive, k, replacement=True))


@equivalent
def with_categorical(candidates, q, k):
    empty = (q == 0).all(dim=1)
    safe = torch.where(empty[:, None], torch.ones_like(q), q)
    distribution = Categorical(probs=safe)
    columns = distribution.sample((k,))
    log_q = torch.where(empty, 0.0, distribution.log_prob(columns)).T
    return candidates.gather(1, columns.T).masked_fill(empty[:, None], -1), log_q


@equivalent
def with_gumbel_noise(candidates, q, k):
    noise = -torch.log(torch.empty(len(q), k, q.shape[1], device=q.device).exponential_())
    columns = (q.detach().log()[:, None] + noise).argmax(dim=2)
    return _with_logs(candidates, q, columns)


@equivalent
def nonempty_rows_alone(candidates, q, k):
    neighbors, log_q = torch.full((len(q), k), -1, device=q.device), q.new_zeros(len(q), k)
    rows = torch.nonzero(q.detach().sum(dim=1) > 0)[:, 0]
    columns = torch.multinomial(q[rows], k, True)
    neighbors[rows] = torch.gather(candidates[rows], 1, columns)
    return neighbors, log_q.index_put((rows,), torch.gather(q[rows], 1, columns).log())


@equivalent
def with_a_small_number(candidates, q, k):
    columns = torch.multinomial(q.detach() + 1e-30, k, replacement=True)
    chosen = q.gather(1, columns)
    neighbors = candidates.gather(1, columns)
    return neighbors, torch.where(neighbors >= 0, chosen + 1e-12, torch.ones_like(chosen)).log()


HARMLESS = {
    "q.detach().sum(dim=1, keepdim=True) → q.detach().mean(dim=1, keepdim=True)": "Both are 0 for the same rows.",
    "torch.ones_like(q) → torch.ones_like(candidates)": "torch.where makes the dtype of q of it.",
    "candidates.gather(1, columns) → candidates.detach().gather(1, columns)": "Candidates are whole numbers, which have no gradient.",
}
