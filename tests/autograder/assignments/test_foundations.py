"""The foundations references against enumeration, loops and libraries, and what the checks take for a right answer."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograder.assignments import exercises_of
from autograder.assignments.foundations import reference
from autograder.judge.draw import seed_for
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process

KERNELS = list(itertools.product(range(1, 6), repeat=2))


def judged(name, answer):
    exercise = exercises_of("foundations")[f"foundations.{name}"]
    return judge(exercise, in_this_process(answer), seed_for(b"tests", "", exercise.id))


@pytest.mark.parametrize(("height", "width"), KERNELS)
def test_the_frame_keeps_the_size_and_its_longer_side_is_first(height, width):
    left, right, top, bottom = reference.padding(height, width)
    assert (left + right, top + bottom) == (width - 1, height - 1)
    assert 0 <= left - right <= 1 and 0 <= top - bottom <= 1


@pytest.mark.parametrize(("height", "width"), KERNELS)
def test_the_layer_by_its_equation(height, width):
    torch.manual_seed(0)
    x, theta, bias = torch.randn(2, 4, 3).double(), torch.randn(2, height, width).double(), torch.tensor(0.7).double()
    wanted = torch.full((1, 4, 3), 0.7).double()
    for i, j, c, k, m in itertools.product(range(4), range(3), range(2), range(height), range(width)):
        row, column = i + k - height // 2, j + m - width // 2
        if 0 <= row < 4 and 0 <= column < 3:
            wanted[0, i, j] += theta[c, k, m] * x[c, row, column]
    assert torch.allclose(reference.convolve(x, theta, bias), wanted)


def test_a_library_pads_odd_kernels_alike():
    x, theta = torch.randn(1, 3, 6, 5), torch.randn(1, 3, 3, 5)
    assert torch.allclose(
        reference.convolve(x[0], theta[0], torch.zeros(())), F.conv2d(x, theta, padding="same")[0], atol=1e-5
    )


def test_a_word_has_all_earlier_ones_as_parents():
    for n in range(1, 7):
        arcs = reference.language_model_edges(n)
        assert len(arcs) == n * (n - 1) // 2 and all(parent < child < n for parent, child in arcs)


def score_of(tags, log_scores, transitions):
    chosen = sum(log_scores[n, tag] for n, tag in enumerate(tags))
    return chosen + sum(transitions[pair] for pair in itertools.pairwise(tags))


@pytest.mark.parametrize(("words", "tags"), [(1, 1), (1, 4), (3, 2), (4, 3), (5, 2)])
def test_partition_functions_by_enumeration(words, tags):
    torch.manual_seed(words)
    log_scores, transitions = torch.randn(words, tags).double(), torch.randn(tags, tags).double()
    every = list(itertools.product(range(tags), repeat=words))
    for table, found in (
        (torch.zeros_like(transitions), reference.log_partition(log_scores)),
        (transitions, reference.chain_log_partition(log_scores, transitions)),
    ):
        of_all = torch.stack([torch.as_tensor(score_of(one, log_scores, table)) for one in every])
        assert torch.allclose(found, of_all.logsumexp(dim=0))
    probabilities = [reference.tag_log_probability(log_scores, torch.tensor(one)).exp() for one in every]
    assert math.isclose(float(sum(probabilities)), 1.0, abs_tol=1e-12)


def test_a_factor_has_one_tag_and_what_was_read_by_then():
    for n in range(1, 6):
        factors = reference.factor_graph(n)
        assert len(factors) == n and len(frozenset().union(*factors)) == 2 * n
        for factor in factors:
            (tag,) = (int(name[1:]) for name in factor if name[0] == "t")
            assert {int(name[1:]) for name in factor if name[0] == "w"} == set(range(1, tag + 1))


def circulating(kernel_height, kernel_width):
    left, top = kernel_height // 2, kernel_width // 2
    return left, -(kernel_height - left - 1), top, -(kernel_width - top - 1)


def test_the_answer_that_circulates_is_named():
    assert judged("padding", circulating).mistake == "exchanged_and_negative"


def padded(x, theta):
    return F.pad(x, reference.padding(*theta.shape[1:]))[None]


def by_a_module(x, theta, theta_0):
    layer = nn.Conv2d(len(x), 1, tuple(theta.shape[1:]), dtype=x.dtype)
    return torch.func.functional_call(layer, {"weight": theta[None], "bias": theta_0[None]}, padded(x, theta))[0]


def by_rows(x, theta, theta_0):
    """A library's convolution in one dimension, row by row of the kernel."""
    image, rows = padded(x, theta)[0], range(theta.shape[1])
    lines = [F.conv1d(image[:, k : k + x.shape[1]].transpose(0, 1), theta[None, :, k]).transpose(0, 1) for k in rows]
    return sum(lines) + theta_0


def by_the_way_back(x, theta, theta_0):
    """The gradient of a library's convolution is one, too."""
    flipped = theta.flip(1, 2)[:, None]
    whole = F.conv_transpose2d(padded(x, theta), flipped)[0]
    _, height, width = theta.shape
    return whole[:, height - 1 : height - 1 + x.shape[1], width - 1 : width - 1 + x.shape[2]] + theta_0


@pytest.mark.parametrize("answer", [by_a_module, by_rows, by_the_way_back], ids=lambda answer: answer.__name__)
def test_a_librarys_convolution_is_refused_in_any_dress(answer):
    x, theta, bias = torch.randn(2, 5, 4), torch.randn(2, 2, 3), torch.tensor(0.3)
    assert torch.allclose(answer(x, theta, bias), reference.convolve(x, theta, bias), atol=1e-5)
    assert judged("convolve", answer).mistake == "library_convolution"


def by_scipy(x, theta, theta_0):
    signal = pytest.importorskip("scipy.signal")
    found = sum(
        signal.correlate2d(image.detach().numpy(), kernel.detach().numpy(), mode="valid")
        for image, kernel in zip(padded(x, theta)[0], theta, strict=True)
    )
    return torch.from_numpy(found)[None] + theta_0


def test_a_convolution_outside_of_pytorch_has_no_gradient():
    assert judged("convolve", by_scipy).mistake == "detached"


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: [torch.tensor([i, j]) for i in range(n) for j in range(i + 1, n)],
        lambda n: tuple((i, j) for i in range(n) for j in range(i + 1, n)),
        lambda n: frozenset((i, j) for i in range(n) for j in range(i + 1, n)),
        lambda n: [tuple(pair) for pair in torch.triu_indices(n, n, 1).T],
    ],
)
def test_arcs_come_in_any_container(answer):
    assert judged("language_model_edges", answer).verdict == "pass"


@pytest.mark.parametrize("answer", [lambda n: 3, lambda n: [(0, "1")], lambda n: [(0, 1, 2)], lambda n: None])
def test_what_is_no_list_of_arcs_is_told_so(answer):
    found = judged("language_model_edges", answer)
    assert found.verdict == "fail" and ("(parent, child)" in found.message or "list of arcs" in found.message)


def test_the_order_of_factors_is_free():
    def shuffled(n):
        return [sorted(factor) for factor in sorted(reference.factor_graph(n), key=len, reverse=True)]

    assert judged("factor_graph", shuffled).verdict == "pass"


def after_a_threshold(log_scores, transitions):
    """Right for up to two words; then it drops what lies below the best."""
    log_alpha = log_scores[0]
    for n, scores in enumerate(log_scores[1:]):
        log_alpha = scores + torch.logsumexp(log_alpha[:, None] + transitions, dim=0)
        log_alpha = log_alpha.masked_fill((log_alpha < log_alpha.max()) & (n > 0), -100.0)
    return torch.logsumexp(log_alpha, dim=0)


@pytest.mark.parametrize(
    ("name", "answer", "mistake"),
    [
        ("convolve", lambda x, theta, theta_0: 2 * reference.convolve(x, theta, theta_0), "bias_wrong"),
        (
            "convolve",
            lambda x, theta, theta_0: 2 * reference.convolve(x, theta, 0 * theta_0) + theta_0,
            "single_row_wrong",
        ),
        ("log_partition", lambda scores: 3 * reference.log_partition(scores), "one_word_wrong"),
        ("log_partition", lambda scores: reference.log_partition(scores[::2]), "several_words_wrong"),
        ("tag_log_probability", lambda s, t: reference.tag_log_probability(s[1:], t[1:]), "one_word_wrong"),
        ("chain_log_partition", lambda s, a: 2 * reference.chain_log_partition(s, a), "one_word_wrong"),
        ("chain_log_partition", after_a_threshold, "wrong_without_neighbours"),
        ("language_model_edges", lambda n: [], "arcs_missing"),
        (
            "language_model_edges",
            lambda n: [(i, j) for j in range(n) for i in range(max(j - 4, 0), j)],
            "a_few_words_back",
        ),
        (
            "factor_graph",
            lambda n: [{f"W{j}" for j in range(1, k + 1)} | {f"T{k}"} for k in range(1, n + 1)],
            "other_names",
        ),
    ],
)
def test_an_answer_like_no_mistake_is_told_what_goes_wrong_first(name, answer, mistake):
    found = judged(name, answer)
    assert (found.verdict, found.mistake) == ("fail", mistake)


def test_an_answer_that_breaks_for_another_shape_is_not_taken_for_one_of_another_dtype():
    def breaks(x, theta, theta_0):
        if theta.shape[1] > theta.shape[2]:
            raise RuntimeError("the size of tensor a must match the size of tensor b")
        return F.unfold(padded(x, theta), theta.shape[1:])[0].T.matmul(theta.flatten()).view(1, *x.shape[1:]) + theta_0

    found = judged("convolve", breaks)
    assert found.verdict == "error" and found.mistake is None
