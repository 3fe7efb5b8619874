"""Toys stay with the judge: what an answer does to them is answered, remembered and bounded there."""

import socket
import threading
import time

import pytest
import torch
from torch import nn

from autograder.judge import lending
from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.lending import Lender
from autograder.judge.student import in_this_process, over_socket, student_of
from fixmelab import probe
from fixmelab.judged import wire
from fixmelab.judged.toys import Bowl, Drift, Halves, Identity, LinearDecoder, Recorder

SEED = b"seed" * 8


def in_process(answer):
    return in_this_process(answer)


def through_a_socket(answer):
    """As in grading: the answer lives in another thread, at the other end of a line."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)

    def serve():
        served = probe.Probe(answer, lambda question, serve: probe._ask(theirs, question, serve))
        while (body := wire.receive(theirs)) is not None:
            wire.send(theirs, served.reply(body))

    threading.Thread(target=serve, daemon=True).start()
    return over_socket(ours, time.monotonic() + 60)


@pytest.fixture(params=[in_process, through_a_socket], ids=["in process", "socket"])
def remote(request):
    """A function that gives the judge's side of an answer."""
    return lambda answer: student_of(request.param(answer), Draw(SEED))[0]


def recorder(steps: int = 4) -> Recorder:
    return Recorder(torch.arange(1.0, 1 + steps), torch.zeros(steps))


def test_calls_are_answered_and_remembered_by_the_judge(remote):
    toy, x, t = recorder(), torch.randn(3, 2), torch.tensor([0, 3, 1])
    got = remote(lambda model, x, t: model(x, t=t) + 1)(toy, x, t)
    assert torch.allclose(got, torch.tensor([[1.0], [4.0], [2.0]]) * x + 1)
    assert torch.equal(toy.inputs[0], x) and torch.equal(toy.times[0], t)
    assert toy.modes == [True]


def test_modes_follow_the_stand_in(remote):
    toy = recorder()
    remote(lambda model, x, t: model.eval()(x, t))(toy, torch.ones(1, 2), torch.tensor([0]))
    remote(lambda model, x, t: nn.Sequential(model.train()).eval()[0](x, t))(toy, torch.ones(1, 2), torch.tensor([0]))
    remote(lambda model, x, t: model.train()(x, t))(toy, torch.ones(1, 2), torch.tensor([0]))
    assert toy.modes == [False, False, True]


def test_gradients_go_through_a_toy_and_are_the_judges(remote):
    toy, x, t = recorder(), torch.randn(3, 2), torch.tensor([0, 3, 1])
    student = remote(lambda model, x, t: (model(x, t) ** 2).sum())
    (gradient,) = student.gradient(toy, x, t, wrt=[1])
    scale = torch.tensor([[1.0], [4.0], [2.0]])
    assert torch.allclose(gradient, 2 * scale**2 * x)
    assert torch.allclose(toy.gradients[0], 2 * scale * x)
    (size,) = student.gradient(toy, x, t, wrt=toy)
    assert size == pytest.approx(float((2 * (scale * x) ** 2).sum()), rel=1e-5)


@pytest.mark.parametrize("cut", [lambda y: y.detach(), lambda y: y.detach() + (y.sum() - y.sum().detach())])
def test_a_detached_loss_shows_in_the_judges_gradients(cut):
    toy, x, t = recorder(), torch.randn(3, 2), torch.tensor([0, 3, 1])
    student = student_of(in_this_process(lambda model, x, t: (cut(model(x, t)) ** 2).sum()), Draw(SEED))[0]
    student.gradient(toy, x, t, wrt=[1])
    right = 2 * torch.tensor([[1.0], [4.0], [2.0]]) * x
    assert not toy.gradients or not torch.allclose(toy.gradients[0], right)


def test_a_toy_of_several_results_and_one_without_arguments_by_name(remote):
    mu, sigma = remote(lambda halves, x: halves(x))(Halves(2), torch.arange(8.0).view(2, 4))
    assert mu.tolist() == [[0, 1], [4, 5]] and sigma.tolist() == [[2, 3], [6, 7]]
    (gradient,) = remote(lambda halves, same, x: same(halves(x)[1])).gradient(
        Halves(2), Identity(), torch.randn(2, 4), wrt=[2], weights=[torch.ones(2, 2)]
    )
    assert gradient.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_an_optimiser_can_go_up_a_toy(remote):
    def climb(elbo, mu, sigma):
        mu = mu.clone().requires_grad_()
        optimizer = torch.optim.SGD([mu], lr=0.25)
        for _ in range(20):
            optimizer.zero_grad()
            (-elbo(mu, sigma).sum()).backward()
            optimizer.step()
        return mu.detach()

    bowl = Bowl(torch.ones(2), torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 3))
    got = remote(climb)(bowl, torch.zeros(2, 3), torch.ones(2, 3))
    assert torch.allclose(got, torch.ones(2, 3), atol=1e-3)
    assert bowl.reach == pytest.approx(1, abs=1e-2) and torch.allclose(bowl.best, torch.ones(2), atol=1e-4)


def test_only_what_a_toy_shows_is_known_to_the_student(remote):
    drift = Drift(torch.full((7,), 0.25))
    look = remote(lambda toy: [toy.timesteps, [name for name in ("shift", "steps_back") if hasattr(toy, name)]])
    assert look(drift) == [7, []]
    spied = remote(lambda toy: list(toy.state_dict().values()))(recorder())
    assert [float(value) for value in spied] == [1.0]


def test_a_toy_reached_over_the_wire_raises_what_it_raises_itself(remote):
    def told(toy, x):
        try:
            toy.q_sample(x, 3)
        except ValueError as error:
            return str(error)

    assert "long tensor" in remote(told)(Drift(torch.ones(3)), torch.zeros(2, 1))


def questions(*asked: list):
    lender = Lender()
    toy = lender.lend(recorder())
    assert toy.number == 0
    return [wire.decode(lender.answer(wire.encode(question), bytes)) for question in asked]


X, T = torch.ones(1, 2), torch.tensor([0])


@pytest.mark.parametrize(
    "question",
    [
        [0, "call", "modes", [], [], [], True],
        [0, "call", "load_state_dict", [{}], [], [], True],
        [0, "call", "__class__", [], [], [], True],
        [7, "call", "forward", [X, T], [], [], True],
        [0, "call", "forward", [X, T], [], [5], True],
        [0, "call", "forward", [X, T], ["scale"], [], True],
        [0, "call", "forward", [torch.ones(4000, 2), torch.zeros(3999, dtype=torch.long)], [], [], True],
        [0, "call", "forward", [X, torch.tensor([400_000_000])], [], [], True],
        [0, "back", 0, [torch.ones(1, 2)]],
        [0, "back", -1, [torch.ones(1, 2)]],
    ],
)
def test_odd_questions_are_refused_as_the_students_own_errors(question):
    (answer,) = questions(question)
    assert "raised" in answer


@pytest.mark.parametrize(
    "question", [[], [0], ["0", "call"], [0, "call", "forward", X, [], [], True], [True, "x"], [0, "back", 0, {}]]
)
def test_what_is_no_question_ends_the_session(question):
    with pytest.raises(wire.WireError, match="no question"):
        questions(question)


def test_questions_bytes_and_what_is_kept_are_bounded(monkeypatch):
    call = [0, "call", "forward", [X, T], [], [0], True]
    monkeypatch.setattr(lending, "MOST_QUESTIONS", 5)
    with pytest.raises(wire.WireError, match="too many"):
        questions(*[call] * 6)
    monkeypatch.setattr(lending, "MOST_QUESTIONS", 1000)
    monkeypatch.setattr(lending, "MOST_KEPT_BYTES", 64)
    with pytest.raises(wire.WireError, match="hold too much"):
        questions(*[call] * 5)
    monkeypatch.setattr(lending, "MOST_KEPT_BYTES", 2**20)
    monkeypatch.setattr(lending, "MOST_BYTES", 300)
    with pytest.raises(wire.WireError, match="too many"):
        questions(*[call] * 4)
    monkeypatch.setattr(lending, "MOST_BYTES", 1000)
    with pytest.raises(wire.WireError, match="too many"):
        questions(call, *[[0, "back", 0, [torch.ones(1, 2)]]] * 20)


def test_too_many_questions_are_the_students_error_not_the_graders(monkeypatch):
    monkeypatch.setattr(lending, "MOST_QUESTIONS", 5)

    def check(student, draw):
        student(recorder(), torch.ones(1, 2), torch.tensor([0]))

    finding = judge(Exercise("toy.x", check), in_this_process(lambda m, x, t: [m(x, t) for _ in range(9)]), SEED)
    assert finding.verdict == "error" and "too many" in finding.message


def test_nothing_can_be_lent_to_the_judge():
    body = wire.encode({"value": wire.Lent(0, "Recorder", {})}, None)
    with pytest.raises(wire.WireError, match="lends"):
        wire.decode(body)


def test_a_decoder_is_not_asked_for_more_than_fits():
    with pytest.raises(ValueError, match="more than 10,000"):
        LinearDecoder(torch.ones(784, 2), torch.zeros(784)).decode(torch.zeros(10_001, 2))
