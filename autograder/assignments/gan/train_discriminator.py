"""Gradient ascent on V with a given optimizer, on a new batch of both samples in each step.

Plain gradient steps of a small discriminator, whose gradients are not 0 at the beginning, show each deviation in its
parameters. The commonest mistakes go downhill, draw once, leave old gradients, or return something else than V.
"""

import numpy
import torch
from torch import Tensor

from autograder.assignments.gan import reference, trials
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote
from fixmelab.judged.players import Batches, TrainingProblem

DIMENSIONS = 3


@exercise("gan.train_discriminator", parts={"the steps": 2, "the history": 1})
def train_discriminator(student: Remote, draw: Draw) -> None:
    for steps, left in ((4, 0.7), (3, 0.0), (1, 0.7)):
        wanted = [0.0] * steps
        while steps > 1 and wanted == sorted(wanted) or not any(wanted):  # V falls once, which is no reason to stop
            given = draw.normal(DIMENSIONS), draw.normal(1)[0]
            batches_1 = [draw.normal(5, DIMENSIONS) + 0.5 for _ in range(2 * steps + 2)]
            batches_0 = [2 * draw.normal(4, DIMENSIONS) for _ in range(2 * steps + 2)]
            right, samples = TrainingProblem(*given, left), (Batches(batches_1), Batches(batches_0))
            wanted = reference.train_discriminator(right.discriminator, *samples, steps, right.optimizer)
        toy = student.make("TrainingProblem", *given, left)
        sample_1, sample_0 = Batches(batches_1), Batches(batches_0)
        got = student(toy.attribute("discriminator"), sample_1, sample_0, steps, toy.attribute("optimizer"))
        drawn = {sample_1.drawn, sample_0.drawn}
        with part("the steps"):
            found = {name: toy.attribute(name) for name in ("weight", "bias")}
            for name, old in zip(found, given, strict=True):
                value = expect(found[name], f"the discriminator's {name}").shape(*old.shape).value
                expect(value).holds(not torch.equal(value, old), "The discriminator has not moved.", "never_steps")
            made, said = toy.attribute("steps_made"), "The optimizer that it is given makes no step."
            expect(made).holds(type(made) is not int or made > 0, said, "another_optimizer")
            for name in found:
                wanted_now = getattr(right, name).detach()
                label = f"the discriminator's {name} after {steps} steps"
                told = lambda: trials.told_of_steps(student, given, batches_1[0], batches_0[0])  # noqa: B023, E731
                expect(found[name], label).close(wanted_now, rtol=1e-3, otherwise=told)
            said = "Each step draws one batch from each sampler."
            expect(drawn).holds(drawn == {steps}, said, "draws_too_often")
        with part("the history"):
            _expect_history(got, wanted)
    toy = student.make("TrainingProblem", *given, left)
    players = toy.attribute("discriminator"), Batches(batches_1), Batches(batches_0), 1, toy.attribute("optimizer")
    expect_any_device(student, *players, mistake="made_on_the_cpu")


def _expect_history(got: object, wanted: list[float]) -> None:
    expect(got, "the history").holds(
        isinstance(got, list),
        "The history is not a list of floats, one V for each step.",
        "returns_nothing" if got is None else None,
    )
    values = [value.item() if _is_double(value) else value for value in got] if isinstance(got, list) else []
    expect(got).holds(len(values) == len(wanted), "The history holds one V for each step; yours has another length.")
    are_tensors = any(isinstance(value, Tensor) for value in values)
    expect(got).holds(not are_tensors, "The history holds tensors.", "returns_tensors")
    are_floats = all(isinstance(value, float) for value in values)
    expect(got).holds(are_floats, "The history holds no Python floats: V.item().")
    expect(torch.tensor(values), "the history of V").close(
        torch.tensor(wanted), rtol=1e-3, otherwise=lambda: "history_of_something_else"
    )


def _is_double(value: object) -> bool:
    """A float of NumPy's, which is a Python float too."""
    return isinstance(value, numpy.ndarray) and value.ndim == 0 and value.dtype == float


def _value(discriminator, sample_1, sample_0):
    return reference.discriminator_objective(discriminator(sample_1()), discriminator(sample_0()))


def _downhill(loss, optimizer):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _with_loss(loss_of, discriminator, sample_1, sample_0, steps, optimizer):
    """Steps on another loss than −V, of the logits of both samples, with a history of V."""
    history = []
    for _ in range(steps):
        logits = discriminator(sample_1()), discriminator(sample_0())
        history.append(reference.discriminator_objective(*logits).item())
        _downhill(loss_of(*logits), optimizer)
    return history


def _real(logits):
    return torch.nn.functional.softplus(-logits).mean()


def _fake(logits):
    return torch.nn.functional.softplus(logits).mean()


@mistake("It goes downhill: V is made smaller, and the discriminator becomes worse than a coin.")
def goes_downhill(discriminator, sample_1, sample_0, steps, optimizer):
    climbed = reference.discriminator_objective
    return _with_loss(climbed, discriminator, sample_1, sample_0, steps, optimizer)


@mistake("Gradients are never cleared: each step follows those of the steps before, too.")
def gradients_never_cleared(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        value = _value(discriminator, sample_1, sample_0)
        (-value).backward()
        optimizer.step()
        history.append(value.item())
    return history


@mistake("Gradients are cleared after each step, but not before the first: some may be left from elsewhere.")
def cleared_too_late(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        value = _value(discriminator, sample_1, sample_0)
        (-value).backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append(value.item())
    return history


@mistake("Both batches are drawn once, before the loop: the discriminator learns these draws by heart.")
def draws_once(discriminator, sample_1, sample_0, steps, optimizer):
    x_1, x_0 = sample_1(), sample_0()
    return reference.train_discriminator(discriminator, lambda: x_1, lambda: x_0, steps, optimizer)


@mistake("A step draws more than one batch from a sampler, or draws are made outside the steps.", earns=1)
def draws_too_often(discriminator, sample_1, sample_0, steps, optimizer):
    history = reference.train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)
    sample_1(), sample_0()
    return history


@mistake("The samples have changed places: the discriminator learns to give f_0 the high logits.")
def samples_swapped(discriminator, sample_1, sample_0, steps, optimizer):
    return reference.train_discriminator(discriminator, sample_0, sample_1, steps, optimizer)


@mistake(
    "The discriminator never moves: backward() and then optimizer.step() belong into the loop, and no zero_grad() between."
)
def never_steps(discriminator, sample_1, sample_0, steps, optimizer):
    return [_value(discriminator, sample_1, sample_0).item() for _ in range(steps)]


@never_steps.also
def cleared_before_the_step(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        value = _value(discriminator, sample_1, sample_0)
        (-value).backward()
        optimizer.zero_grad(set_to_none=False)
        optimizer.step()
        history.append(value.item())
    return history


@mistake("The discriminator moves, but the optimizer that is given makes no step: use it, and no other.")
def another_optimizer(discriminator, sample_1, sample_0, steps, optimizer):
    own = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    return reference.train_discriminator(discriminator, sample_1, sample_0, steps, own)


@mistake("One of the samples does not move the discriminator: both terms of V have gradients.", broad=True)
def one_sample_forgotten(discriminator, sample_1, sample_0, steps, optimizer):
    return _with_loss(lambda one, zero: _real(one), discriminator, sample_1, sample_0, steps, optimizer)


@mistake("One of the two terms counts more than the other in the steps: V is their plain sum.", broad=True)
def terms_weighted(discriminator, sample_1, sample_0, steps, optimizer):
    return _with_loss(
        lambda one, zero: _real(one) + 2 * _fake(zero), discriminator, sample_1, sample_0, steps, optimizer
    )


@mistake("The steps have the right direction and another length: neither scale nor clip them.", broad=True)
def another_length(discriminator, sample_1, sample_0, steps, optimizer):
    tenth = lambda one, zero: 0.1 * (_real(one) + _fake(zero))  # noqa: E731
    return _with_loss(tenth, discriminator, sample_1, sample_0, steps, optimizer)


@mistake("The steps do not follow the gradient of V: look at what backward() is called on.", broad=True)
def another_direction(discriminator, sample_1, sample_0, steps, optimizer):
    def confusion(one, zero):
        return zero.sigmoid().mean() - one.sigmoid().mean()

    return _with_loss(confusion, discriminator, sample_1, sample_0, steps, optimizer)


@mistake("The first step is right, later ones are not: each clears the gradients and draws anew.", broad=True)
def later_steps_wrong(discriminator, sample_1, sample_0, steps, optimizer):
    optimizer.zero_grad()
    return gradients_never_cleared.answer(discriminator, sample_1, sample_0, steps, optimizer)


@mistake("The first step follows gradients that were left from before: clear them before backward().", broad=True)
def old_gradients_followed(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        x_1, x_0 = sample_1(), sample_0()
        (-reference.discriminator_objective(discriminator(x_1), discriminator(x_0))).backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append(reference.discriminator_objective(discriminator(x_1), discriminator(x_0)).item())
    return history


@mistake("There is one step too few.")
def one_step_too_few(discriminator, sample_1, sample_0, steps, optimizer):
    return reference.train_discriminator(discriminator, sample_1, sample_0, steps - 1, optimizer)


@mistake("There is one step too many.")
def one_step_too_many(discriminator, sample_1, sample_0, steps, optimizer):
    return reference.train_discriminator(discriminator, sample_1, sample_0, steps + 1, optimizer)


@mistake("The history holds −V, the loss; note V itself.", earns=2)
def history_of_losses(discriminator, sample_1, sample_0, steps, optimizer):
    return [-value for value in reference.train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)]


@mistake("The steps are right, the history is not: note V of each step as it is.", broad=True, earns=2)
def history_of_something_else(discriminator, sample_1, sample_0, steps, optimizer):
    history = reference.train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)
    return [value / 2 for value in history]


@mistake("Only the last V is returned; return a list with the V of each step.", earns=2)
def last_value_alone(discriminator, sample_1, sample_0, steps, optimizer):
    return reference.train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)[-1]


@mistake("It returns nothing: return the list of V.", earns=2)
def returns_nothing(discriminator, sample_1, sample_0, steps, optimizer):
    reference.train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)


@mistake("The list holds tensors, and each may keep a whole graph alive: note V.item().", earns=2)
def returns_tensors(discriminator, sample_1, sample_0, steps, optimizer):
    return list(map(torch.tensor, reference.train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)))


@mistake("V is noted after the step; note the V from which the step was made.", earns=2)
def noted_after_the_step(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        x_1, x_0 = sample_1(), sample_0()
        reference.train_discriminator(discriminator, lambda x=x_1: x, lambda x=x_0: x, 1, optimizer)
        history.append(_value(discriminator, lambda x=x_1: x, lambda x=x_0: x).item())
    return history


@mistake(
    "The steps follow half of V, as a mean cross-entropy over both samples does; V is the sum of two expectations."
)
def half_of_the_value(discriminator, sample_1, sample_0, steps, optimizer):
    entropy = lambda one, zero: (_real(one) + _fake(zero)) / 2  # noqa: E731
    return _with_loss(entropy, discriminator, sample_1, sample_0, steps, optimizer)


@mistake("Player for player, one term after the other, makes two steps of each: climb V as a whole.")
def two_updates_a_step(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        x_1, x_0 = sample_1(), sample_0()
        history.append(_value(discriminator, lambda x=x_1: x, lambda x=x_0: x).item())
        _downhill(_real(discriminator(x_1)), optimizer)
        _downhill(_fake(discriminator(x_0)), optimizer)
    return history


@mistake(SENTENCE)
def made_on_the_cpu(discriminator, sample_1, sample_0, steps, optimizer):
    entropy, history = torch.nn.functional.binary_cross_entropy_with_logits, []
    for _ in range(steps):
        real, fake = discriminator(sample_1()), discriminator(sample_0())
        loss = entropy(real, torch.ones(len(real))) + entropy(fake, torch.zeros(len(fake)))
        _downhill(loss, optimizer)
        history.append(-loss.item())
    return history


@equivalent
def by_cross_entropies(discriminator, sample_1, sample_0, steps, optimizer):
    entropy, history = torch.nn.functional.binary_cross_entropy_with_logits, []
    for _ in range(steps):
        real, fake = discriminator(sample_1()), discriminator(sample_0())
        loss = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
        _downhill(loss, optimizer)
        history.append(-float(loss.detach()))
    return history


@equivalent
def by_one_pass_over_both(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    while len(history) < steps:
        x_0, x_1 = sample_0(), sample_1()
        logits = discriminator(torch.cat([x_1, x_0]))
        value = reference.discriminator_objective(logits[: len(x_1)], logits[len(x_1) :])
        optimizer.zero_grad(set_to_none=False)
        torch.neg(value).backward()
        optimizer.step()
        history.append(value.item())
    return history


@equivalent
def one_after_the_other_into_one_gradient(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        real = _real(discriminator(sample_1()))
        real.backward()
        fake = _fake(discriminator(sample_0()))
        fake.backward()
        optimizer.step()
        history.append(numpy.float64(-(real + fake).item()))
    return history


@equivalent
def uphill_by_turned_gradients(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        value = _value(discriminator, sample_1, sample_0)
        optimizer.zero_grad()
        value.backward()
        for parameter in discriminator.parameters():
            parameter.grad.neg_()
        optimizer.step()
        history.append(value.item())
    return history


@equivalent
def by_closures(discriminator, sample_1, sample_0, steps, optimizer):
    def ascend(x_1, x_0):
        optimizer.zero_grad()
        loss = -reference.discriminator_objective(discriminator(x_1), discriminator(x_0))
        loss.backward()
        return loss

    return [-optimizer.step(lambda: ascend(sample_1(), sample_0())).item() for _ in range(steps)]


HARMLESS = {
    "for … in range(steps) → list(range(steps))[::-1]": "The number of the step is not used.",
    "optimizer.zero_grad() → discriminator.zero_grad()": "The optimizer moves all parameters of the discriminator.",
}
