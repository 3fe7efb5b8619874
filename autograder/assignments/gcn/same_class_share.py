"""Of the probability that goes to other nodes, the share that goes to nodes of the same class.

Rows hold the node itself, node 0 and padding. Mistakes count self loops, take node 0 for nobody or rows for nodes,
average the shares of the nodes, or divide by something else.
"""

import torch

from autograder.assignments.gcn import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.same_class_share")
def same_class_share(student: Remote, draw: Draw) -> None:
    for n, columns, rows, dtype in draw.again((12, 5, 20, torch.float64), (7, 4, 11, torch.float32)):
        found = common.random_found(draw, n, columns)
        q = reference.normalize_scores(draw.positive(n, columns, dtype=dtype), found)
        order = 2 + draw.normal(rows - 2).argsort()
        nodes, other = order[:n], order[-1]
        candidates = torch.tensor([[draw.integer(0, rows) for _ in range(columns)] for _ in range(n)])
        labels = torch.tensor([draw.integer(0, 3) for _ in range(rows)])
        # In row 0 stand the node itself, twice, node 0, of the same class, and one of another class, to which node 1
        # belongs.
        candidates[0, :4] = torch.stack([nodes[0], torch.zeros_like(other), other, nodes[0]])
        labels[0], labels[1] = labels[nodes[0]], (labels[nodes[0]] + 1) % 3
        labels[other] = labels[1]
        candidates = torch.where(found, candidates, -1)
        expect(student(q, candidates, nodes, labels)).close(reference.same_class_share(q, candidates, nodes, labels))


def _others(candidates, nodes):
    return (candidates >= 0) & (candidates != nodes[:, None])


def _same(candidates, nodes, labels):
    return labels[candidates.clamp(min=0)] == labels[nodes][:, None]


@mistake("The node itself counts: leave out the pairs in which candidate and node are the same.")
def self_loops_count(q, candidates, nodes, labels):
    return (q * _same(candidates, nodes, labels)).sum() / q.sum()


@mistake("The node itself counts in the divisor; leave it out there, too.")
def self_loops_below(q, candidates, nodes, labels):
    return (q * (_others(candidates, nodes) & _same(candidates, nodes, labels))).sum() / q.sum()


@mistake("The node itself counts above the line; leave it out there, too.")
def self_loops_above(q, candidates, nodes, labels):
    return (q * _same(candidates, nodes, labels)).sum() / (q * _others(candidates, nodes)).sum()


@mistake("This is the mean of the shares of the nodes; sum over all pairs first, then divide once.")
def mean_of_shares(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return ((q * (others & _same(candidates, nodes, labels))).sum(dim=1) / (q * others).sum(dim=1)).nanmean()


@mistake("There is a share for each node; sum over all pairs: one number.")
def share_of_each_node(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return (q * (others & _same(candidates, nodes, labels))).sum(dim=1) / (q * others).sum(dim=1)


@mistake("It is not divided by the probability that goes to other nodes.")
def share_not_divided(q, candidates, nodes, labels):
    return (q * (_others(candidates, nodes) & _same(candidates, nodes, labels))).sum()


@mistake("It is divided by the number of nodes; divide by the probability that goes to other nodes.")
def share_by_nodes(q, candidates, nodes, labels):
    return (q * (_others(candidates, nodes) & _same(candidates, nodes, labels))).sum() / len(nodes)


@mistake("It is divided by the number of pairs; divide by the probability that goes to other nodes.")
def share_by_pairs(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return (q * (others & _same(candidates, nodes, labels))).sum() / others.sum()


@mistake("The pairs are counted; sum their q.")
def share_of_pairs(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return (others & _same(candidates, nodes, labels)).sum().double() / others.sum()


@mistake("This is the share of the other classes.")
def share_of_other_classes(q, candidates, nodes, labels):
    return 1 - reference.same_class_share(q, candidates, nodes, labels)


@mistake("The probability of the same class is divided by that of the other classes; divide it by that of both.")
def ratio_of_classes(q, candidates, nodes, labels):
    share = reference.same_class_share(q, candidates, nodes, labels)
    return share / (1 - share)


@mistake("The rows are taken to be the nodes 0, 1, …: row i belongs to nodes[i].")
def rows_for_nodes(q, candidates, nodes, labels):
    return reference.same_class_share(q, candidates, torch.arange(len(nodes)), labels)


@mistake("The classes of nodes are those of the rows 0, 1, …: use labels[nodes].")
def labels_of_rows(q, candidates, nodes, labels):
    others, same = _others(candidates, nodes), _same(candidates, torch.arange(len(nodes)), labels)
    return (q * (others & same)).sum() / (q * others).sum()


@mistake("Node 0 is taken for nobody; only -1 is: candidates >= 0.")
def node_zero_left_out(q, candidates, nodes, labels):
    return reference.same_class_share(q * (candidates > 0), candidates, nodes, labels)


@equivalent
def share_by_loop(q, candidates, nodes, labels):
    same = total = 0.0
    for i, node in enumerate(nodes.tolist()):
        for probability, j in zip(q[i].tolist(), candidates[i].tolist(), strict=True):
            if j >= 0 and j != node:
                total += probability
                same += probability * bool(labels[j] == labels[node])
    return same / total


@equivalent
def share_of_padding_too(q, candidates, nodes, labels):
    other = candidates != nodes[:, None]  # q is 0 where there is none
    return (q * other * (labels[candidates] == labels[nodes].unsqueeze(1))).sum() / (q * other).sum()


@equivalent
def share_by_selection(q, candidates, nodes, labels):
    other = _others(candidates, nodes)
    chosen = q[other]
    return torch.sum(chosen[_same(candidates, nodes, labels)[other]]) / torch.sum(chosen)


HARMLESS = {
    "graph": "The share is looked at, and no gradient of it is asked for.",
    "candidates >= 0 → q >= 0": "What is no candidate has a q of 0.",
    "candidates >= 0 → candidates >= -1": "What is no candidate has a q of 0.",
    "candidates.clamp(min=0) → candidates.clamp(min=-1)": "What stands there is no candidate, and left out.",
    "return q[other & same].sum() / q[other].sum() → return (q[other & same].sum() / q[other].sum()).squeeze()": "A number has no side to lose.",
}
