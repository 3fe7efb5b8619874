"""The sampler of PASS: (W_s h_i)·(W_s h_j) and 1/N(i), mixed by a learned softmax, then normalised.

The judge sets the parameters and compares q and the sizes of their gradients. Common mistakes: a mixture without
softmax, W_s on one side, a wrong 1/N(i), a cosine or scaled product, scores cut or normalised before they are mixed.
"""

import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.gcn import common, reference
from autograder.assignments.gcn.reference import TINY
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.PerformanceAdaptiveSampler")
def sampler(student: Remote, draw: Draw) -> None:
    # All scores are positive, without the softmax too, and both parts of them of one size: everything counts.
    x, nodes = draw.uniform(0.2, 0.6, 6, 2), torch.tensor([3, 0, 5])
    x[5] = 2.5 * x[0]
    candidates = torch.tensor([[1, 2, 4], [5, 0, -1], [-1, -1, -1]])
    state = {"weight": draw.positive(2, 3), "mixture": torch.tensor([0.3, 1.2]) + draw.uniform(-0.1, 0.1, 2)}
    tried = _expect_probabilities(student, state, x, nodes, candidates)
    weights = draw.normal(3, 3)
    sizes = tried.probabilities.gradient(x, nodes, candidates, wrt=tried, weights=[weights])
    expect(sizes).holds(
        all(size is not None and size != 0 for size in sizes),
        "No gradient reaches one of the parameters: look for detach, no_grad, item or data.",
        "detached",
    )
    right = reference.PerformanceAdaptiveSampler(2, 3)
    right.load_state_dict(state)
    total = (right.probabilities(x, nodes, candidates) * weights).sum()
    gradients = torch.autograd.grad(total, list(right.parameters()))
    wanted = torch.tensor([float(gradient.abs().max()) for gradient in gradients])
    got = expect(torch.tensor(sizes), "the gradient of weight and mixture").finite("gradient_not_a_number")
    got.close(wanted, rtol=1e-2)
    for width, hidden, rows, n, columns in draw.again((3, 5, 9, 5, 4), (6, 2, 12, 4, 7), (2, 1, 6, 4, 3)):
        state = {"weight": 0.7 * draw.normal(width, hidden), "mixture": draw.normal(2)}
        x, nodes = draw.normal(rows, width), torch.tensor([draw.integer(0, rows) for _ in range(n)])
        candidates = torch.tensor([[draw.integer(0, rows) for _ in range(columns)] for _ in range(n)])
        candidates = torch.where(common.random_found(draw, n, columns), candidates, -1)
        tried = _expect_probabilities(student, state, x, nodes, candidates)
    expect(tried.probabilities(x, nodes[:1], candidates[:1]), "q of a single node").shape(1, columns)
    expect_any_device(tried.probabilities, x, nodes, candidates, mistake="MadeOnTheCpu")


def _expect_probabilities(
    student: Remote, state: dict[str, Tensor], x: Tensor, nodes: Tensor, candidates: Tensor
) -> Remote:
    """A sampler with those parameters gives the right q; row 2 has no candidates. Returns the sampler."""
    tried, right = student.kept(*state["weight"].shape), reference.PerformanceAdaptiveSampler(*state["weight"].shape)
    tried.load_state_dict.kept(state)
    right.load_state_dict(state)
    got = expect(tried.probabilities(x, nodes, candidates), "q").shape(*candidates.shape).value
    common.expect_a_number_for_nobody(got, 2, "q of a node without candidates")
    expect(got, "q").close(right.probabilities(x, nodes, candidates).detach(), rtol=1e-3)
    return tried


class _Parts(reference.PerformanceAdaptiveSampler):
    """The same in parts, each of which may be another."""

    def shares(self):
        return self.mixture.softmax(dim=0)

    def keys(self, x):
        return x @ self.weight

    def products(self, ours, theirs):
        """ours (n, 1, H), theirs (n, S, H)."""
        return (ours * theirs).sum(dim=2)

    def importance(self, x, nodes, candidates):
        keys = self.keys(x)
        return self.products(keys[nodes][:, None], keys[candidates.clamp(min=0)])

    def uniform(self, x, found):
        return 1 / found.sum(dim=1, keepdim=True).clamp(min=1)

    def scores(self, x, nodes, candidates):
        first, second = self.shares()
        return first * self.importance(x, nodes, candidates) + second * self.uniform(x, candidates >= 0)

    def normalize(self, scores, found):
        return reference.normalize_scores(scores, found)

    def probabilities(self, x, nodes, candidates):
        return self.normalize(self.scores(x, nodes, candidates), candidates >= 0)


@mistake("The mixture is used without its softmax.")
class MixtureWithoutSoftmax(_Parts):
    def shares(self):
        return self.mixture


@mistake("The mixture goes through a sigmoid; it is a softmax over the two.")
class MixtureThroughSigmoid(_Parts):
    def shares(self):
        return self.mixture.sigmoid()


@mistake("The two parts are swapped: the first of the mixture belongs to the importance.")
class MixtureSwapped(_Parts):
    def shares(self):
        return self.mixture.softmax(dim=0).flip(0)


@mistake("The mixture is left out: importance and 1/N(i) are added with equal shares.")
class WithoutMixture(_Parts):
    def shares(self):
        return 1.0, 1.0


@WithoutMixture.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class FirstShareForBoth(_Parts):
    def shares(self):
        return self.mixture.softmax(dim=0)[[0, 0]]


@WithoutMixture.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class SecondShareForBoth(_Parts):
    def shares(self):
        return self.mixture.softmax(dim=0)[[1, 1]]


@mistake("1/N(i) is missing: only the importance is normalised.")
class WithoutUniform(_Parts):
    def uniform(self, x, found):
        return 0.0


@mistake("The importance is missing: only 1/N(i) is normalised, so that q is uniform.")
class WithoutImportance(_Parts):
    def importance(self, x, nodes, candidates):
        return torch.zeros(candidates.shape)


@mistake("1/S, of all columns, stands for 1/N(i); N(i) counts the candidates that exist.")
class UniformOverColumns(_Parts):
    def uniform(self, x, found):
        return 1 / found.shape[1]


@mistake("One over the number of all nodes stands for 1/N(i), of the candidates of i.")
class UniformOverNodes(_Parts):
    def uniform(self, x, found):
        return 1 / len(x)


@mistake("1 stands for 1/N(i): divide by the number of candidates.")
class OneForUniform(_Parts):
    def uniform(self, x, found):
        return 1.0


@mistake("N(i) stands for 1/N(i).")
class SizesForUniform(_Parts):
    def uniform(self, x, found):
        return found.sum(dim=1, keepdim=True)


@mistake("N(i) is summed over all nodes; each row has its own (dim=1, keepdim=True).")
class OneSizeForAll(_Parts):
    def uniform(self, x, found):
        return 1 / found.sum()


@mistake("The importance is h_i · h_j, without W_s.")
class ImportanceWithoutWeight(_Parts):
    def keys(self, x):
        return x


@mistake("It raises: W_s h_i is x[i] @ weight, (F,) @ (F, H), for node and candidates both; then the shapes fit.")
class WeightOnOneSide(_Parts):
    def importance(self, x, nodes, candidates):
        return self.products(self.keys(x)[nodes][:, None], x[candidates.clamp(min=0)])


@mistake("The importance compares candidates with themselves: it is (W_s h_i) · (W_s h_j).")
class CandidatesAlone(_Parts):
    def products(self, ours, theirs):
        return (theirs * theirs).sum(dim=2)


@mistake("The importance compares the node with itself: it is (W_s h_i) · (W_s h_j).")
class NodesAlone(_Parts):
    def products(self, ours, theirs):
        return (ours * ours).sum(dim=2).expand(theirs.shape[:2])


@mistake("The rows of x are taken to be the nodes in their order: take x[nodes].")
class IgnoresNodes(_Parts):
    def importance(self, x, nodes, candidates):
        return super().importance(x, torch.arange(len(nodes)), candidates)


@mistake("The importance is the cosine; take the plain product, lengths and all.")
class CosineForProduct(_Parts):
    def products(self, ours, theirs):
        return functional.cosine_similarity(ours, theirs, dim=2)


@mistake("The product is divided by the root of H, as in attention; take the plain product.")
class ScaledProduct(_Parts):
    def products(self, ours, theirs):
        return (ours * theirs).sum(dim=2) / ours.shape[2] ** 0.5


@mistake("It is the mean over the H numbers; a product of vectors is the sum.")
class MeanForProduct(_Parts):
    def products(self, ours, theirs):
        return (ours * theirs).mean(dim=2)


@mistake("The importance goes through a sigmoid; take the plain product.")
class SigmoidOfImportance(_Parts):
    def products(self, ours, theirs):
        return super().products(ours, theirs).sigmoid()


@mistake("The importance goes through a tanh; take the plain product.")
class TanhOfImportance(_Parts):
    def products(self, ours, theirs):
        return super().products(ours, theirs).tanh()


@mistake("The importance is cut at 0 before it is mixed; it is the mixture that is cut.")
class CutBeforeMixing(_Parts):
    def products(self, ours, theirs):
        return super().products(ours, theirs).relu()


@mistake("The importance is normalised before it is mixed; mix first, and normalise the mixture.")
class NormalizedBeforeMixing(_Parts):
    def importance(self, x, nodes, candidates):
        return reference.normalize_scores(super().importance(x, nodes, candidates), candidates >= 0)


@mistake("A squared distance stands for the product (W_s h_i) · (W_s h_j).")
class DistanceForProduct(_Parts):
    def products(self, ours, theirs):
        return -((ours - theirs) ** 2).sum(dim=2)


@mistake("The keys go through a relu; W_s h is linear.")
class ReluOfKeys(_Parts):
    def keys(self, x):
        return (x @ self.weight).relu()


@mistake("The scores go through a softmax; use normalize_scores.")
class SoftmaxOfScores(_Parts):
    def normalize(self, scores, found):
        return scores.masked_fill(~found, -torch.inf).softmax(dim=1).nan_to_num(0.0)


@mistake("The scores go through a softmax over all columns, -1 and all; use normalize_scores.")
class SoftmaxOfAllColumns(_Parts):
    def normalize(self, scores, found):
        return scores.softmax(dim=1)


@mistake("These are the scores; make probabilities of them with normalize_scores.")
class ScoresForProbabilities(_Parts):
    def normalize(self, scores, found):
        return scores * found


@mistake("-1 is taken for a candidate: tell normalize_scores which are found (candidates >= 0).")
class PaddingTakesPart(_Parts):
    def normalize(self, scores, found):
        return reference.normalize_scores(scores, torch.ones_like(found))


@mistake("Node 0 is taken for nobody; only -1 is: candidates >= 0.")
class NodeZeroIsNobody(_Parts):
    def probabilities(self, x, nodes, candidates):
        return self.normalize(self.scores(x, nodes, candidates), candidates > 0)


@mistake("NaN where a node has no candidates: 1/N(i) is infinite there; divide by at least 1.")
class not_a_number_for_isolated_nodes(_Parts):
    def uniform(self, x, found):
        return 1 / found.sum(dim=1, keepdim=True)


@mistake("No gradient reaches one of the parameters: look for detach, no_grad, item or data.")
class detached(_Parts):
    def shares(self):
        return self.mixture.detach().softmax(dim=0)


@mistake(
    "1 / N(i) is infinite for a node without candidates. q hides it, but the gradient of the mixture is NaN: use at least 1."
)
class gradient_not_a_number(_Parts):
    def uniform(self, x, found):
        return 1 / found.sum(dim=1, keepdim=True)

    def normalize(self, scores, found):
        return common.normalized_rows(torch.where(found, scores.relu() + TINY, 0.0), found)


@mistake(SENTENCE)
class MadeOnTheCpu(_Parts):
    def scores(self, x, nodes, candidates):
        scores = torch.zeros(candidates.shape)
        scores[candidates >= 0] = super().scores(x, nodes, candidates)[candidates >= 0]
        return scores


@equivalent
class KeysOfPadding(_Parts):
    def importance(self, x, nodes, candidates):
        keys = self.keys(x)
        return torch.bmm(keys[candidates], keys[nodes].unsqueeze(2)).squeeze(2)


@equivalent
class UniformByEntry(_Parts):
    def uniform(self, x, found):
        return found / torch.maximum(found.sum(dim=1), torch.tensor(1))[:, None]


@equivalent
class FromAllPairs(_Parts):
    def importance(self, x, nodes, candidates):
        products = x @ self.weight @ self.weight.T @ x.T
        return products[nodes[:, None], candidates.clamp(min=0)]


@equivalent
class MixtureByHand(_Parts):
    def shares(self):
        return self.mixture.exp() / self.mixture.exp().sum()


HARMLESS = {
    "x @ self.weight → x.detach() @ self.weight": "The parameters learn; no gradient of x is asked for.",
    "candidates.clamp(min=0) → candidates.clamp(min=-1)": "What stands there is not found, and put aside.",
    "found.sum(dim=1, keepdim=True).clamp(min=1) → found.sum(dim=1, keepdim=True).clamp(min=2)": "A single candidate has probability 1, whatever its score.",
    "torch.softmax(self.mixture, dim=0) → torch.softmax(self.mixture, dim=-1)": "The mixture has one dimension.",
    "return normalize_scores(m[0] * importance + m[1] * uniform, found) → return normalize_scores(m[0] * importance + m[1] * uniform, found).float()": "The parameters are float32.",
}
