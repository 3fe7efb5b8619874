"""The mean squared ("l2") or mean absolute ("l1") difference between ε and its prediction.

Any other kind must raise ValueError, which is often forgotten. In other answers the kinds are ignored or swapped, a sum
or a root stands for the mean, signs cancel, or the gradient is cut.
"""

import torch
from torch.nn import functional

from autograder.assignments.diffusion import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised


@exercise("diffusion.eps_loss")
def eps_loss(student: Remote, draw: Draw) -> None:
    for shape, dtype in draw.again(((5, 3), torch.float32), ((2, 3, 4, 5), torch.float64)):
        eps, eps_hat = draw.normal(*shape, dtype=dtype), 2 * draw.normal(*shape, dtype=dtype)
        expect(student(eps, eps_hat), "the loss without a kind").close(reference.eps_loss(eps, eps_hat))
        for kind in ("l2", "l1"):
            wanted = reference.eps_loss(eps, eps_hat, kind)
            expect(student(eps, eps_hat, kind), f"the loss of kind {kind!r}").close(wanted)
    for kind in ("l2", "l1"):
        (gradient,) = student.gradient(eps, eps_hat, kind, wrt=[1])
        expect(gradient).holds(
            gradient is not None, "No gradient reaches eps_hat: training could not improve it.", "detached"
        )
        leaf = eps_hat.clone().requires_grad_()
        (wanted,) = torch.autograd.grad(reference.eps_loss(eps, leaf, kind), leaf)
        expect(gradient, "the gradient by eps_hat").close(wanted, mistake="detached")
    for kind in ("l3", "smooth_l1"):
        try:
            student(eps, eps_hat, kind)
        except AnswerRaised as raised:
            is_right = raised.kind == "ValueError"
            expect(raised).holds(is_right, f"For an unknown kind it raises {raised.kind}, not ValueError.")
        else:
            expect(None).holds(False, f"An unknown kind, {kind!r}, is accepted: raise ValueError.", "accepts_any_kind")


@mistake("The squares are added up: take their mean, or the loss grows with the size of the images.")
def adds_up(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat, kind) * eps.numel()


@mistake("Differences are averaged with their signs, so that they cancel.")
def signs_cancel(eps, eps_hat, kind="l2"):
    if kind not in ("l1", "l2"):
        raise ValueError(kind)
    return (eps - eps_hat).mean()


@mistake("l1 and l2 are swapped: l2 is the squared one.")
def kinds_swapped(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat, {"l1": "l2", "l2": "l1"}.get(kind, kind))


@mistake("The kind is ignored: l1 is the absolute difference.")
def kind_ignored(eps, eps_hat, kind="l2"):
    if kind not in ("l1", "l2"):
        raise ValueError(kind)
    return reference.eps_loss(eps, eps_hat)


@mistake("A root is taken: the loss is the mean square itself.")
def root_mean_square(eps, eps_hat, kind="l2"):
    value = reference.eps_loss(eps, eps_hat, kind)
    return value.sqrt() if kind == "l2" else value


@mistake("An unknown kind must not pass silently: raise ValueError.")
def accepts_any_kind(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat, "l1" if kind == "l1" else "l2")


@mistake("No gradient reaches eps_hat: the graph is cut (detach, no_grad, item or numpy).")
def detached(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat.detach(), kind)


@equivalent
def by_functional(eps, eps_hat, kind="l2"):
    losses = {"l1": functional.l1_loss, "l2": functional.mse_loss}
    if kind not in losses:
        raise ValueError(f"unknown kind {kind}")
    return losses[kind](eps, eps_hat)


HARMLESS = {
    "return F.mse_loss(eps_hat, eps) → return F.mse_loss(eps_hat, eps).squeeze()": "A number has no side to lose.",
    "F.mse_loss(eps_hat, eps) → F.mse_loss(eps, eps_hat)": "The distance is the same from either side.",
    "F.mse_loss(eps_hat, eps) → F.mse_loss(eps_hat, eps.detach())": "The noise is drawn, and not learned.",
    "return F.l1_loss(eps_hat, eps) → return F.l1_loss(eps_hat, eps).squeeze()": "A number has no side to lose.",
    "F.l1_loss(eps_hat, eps) → F.l1_loss(eps, eps_hat)": "The distance is the same from either side.",
    "F.l1_loss(eps_hat, eps) → F.l1_loss(eps_hat, eps.detach())": "The noise is drawn, and not learned.",
    "f\"kind is {kind!r}: use 'l1' or 'l2'\" → f\"kind is {eps!r}: use 'l1' or 'l2'\"": "The error may say anything.",
    "f\"kind is {kind!r}: use 'l1' or 'l2'\" → f\"kind is {eps_hat!r}: use 'l1' or 'l2'\"": "The error may say anything.",
}
