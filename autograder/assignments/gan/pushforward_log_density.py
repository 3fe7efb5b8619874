"""The density of warp(z) for z ~ N(0, 1) by the change of variables, the slope from autograd.

It is judged on warps whose slope differs from point to point, and is tiny in one of them. The commonest mistakes
multiply by the slope, take the Gaussian at x, lose its constant, or share one slope among all points.
"""

import math

import torch
from torch import Tensor

from autograder.assignments.gan import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.judged.players import Warp


@exercise("gan.pushforward_log_density")
def pushforward_log_density(student: Remote, draw: Draw) -> None:
    for count, dtype, size in ((6, torch.float64, 1.0), (1, torch.float32, 1.0), (4, torch.float32, 1e-3)):
        scale, height, steepness = draw.positive(3, dtype=torch.float64).tolist()
        numbers = [size * scale, size * height, steepness, float(draw.normal(1)[0])]
        z = 1.5 * draw.normal(count, dtype=dtype) + 0.5
        x, log_density = expect(student(z, student.make("Warp", *numbers)), "what the function returns").items(2)
        places, wanted = reference.pushforward_log_density(z, Warp(*numbers))
        expect(x, "x").shape(*z.shape)
        expect(log_density, "log f_1").shape(*z.shape)
        if count > 2:
            _expect_point_by_point(student, z, numbers, log_density)
        common.expect_order([x, log_density], [places, wanted], "results", "results_swapped")
        expect(x, "the first result").close(places, rtol=1e-4, otherwise=lambda: "another_place")
        off = (log_density.double() - wanted.double()).abs().max()
        mistake = "nearly_the_slope" if count > 2 and off < 3e-3 else None
        rtol = 1e-6 if dtype == torch.float64 else 1e-4
        got = expect(log_density, "log f_1")
        got.close(wanted, rtol=rtol, atol=2e-5, mistake=mistake, otherwise=lambda: _told(student, z))  # noqa: B023
    carried = student.kept(z, student.make("Warp", *numbers)).attribute("requires_grad")
    carries_none = carried in (False, [False, False])  # of one tensor for both, too
    expect(carried).holds(carries_none, "A result still carries a graph: detach both.", "keeps_a_graph")
    expect_any_device(student, z, student.make("Warp", *numbers), mistake="made_on_the_cpu")


def _expect_point_by_point(student: Remote, z: Tensor, numbers: list[float], found: Tensor) -> None:
    """The same points in another order have the same densities."""
    order = torch.arange(len(z)).roll(2)
    _, other = expect(student(z[order], student.make("Warp", *numbers)), "what the function returns").items(2)
    expect(other, "log f_1 of the same points in another order").shape(*z.shape)
    same = torch.allclose(other.double(), found[order].double(), rtol=1e-3, atol=1e-4, equal_nan=True)
    expect(other).holds(same, "The density at a point depends on the order of the points.", "slope_from_neighbours")


def _told(student: Remote, z: Tensor) -> str | None:
    """Which term is wrong, by the warps z and 2z at one point: the outermost of z, since near 0 z² hides."""
    z = z[z.abs().argmax(), None]
    found = []
    for scale in (1.0, 2.0):
        got = student(z, student.make("Warp", scale, 0.0, 1.0, 0.0))
        found.append(got[1] if isinstance(got, list) and len(got) == 2 else None)
    gaussian = torch.distributions.Normal(0.0, 1.0).log_prob(z)
    is_right = [common.same(value, gaussian - k * math.log(2)) for k, value in enumerate(found)]
    if not is_right[0]:
        return "another_gaussian"
    if not is_right[1]:
        return "another_share_of_the_slope"
    bent = 0.5, 1.0, 2.0, 0.5
    _, wanted = reference.pushforward_log_density(z, Warp(*bent))
    got = student(z, student.make("Warp", *bent))
    return "one_slope_for_points" if common.same(got[1], wanted) else "right_if_straight"


def _parts(z, warp):
    """x, log N(z; 0, 1) and the slope of the warp, each (N,)."""
    leaf = z.detach().clone().requires_grad_()
    x = warp(leaf)
    (slope,) = torch.autograd.grad(x.sum(), leaf)
    return x.detach(), -0.5 * z**2 - 0.5 * math.log(2 * math.pi), slope


@mistake("The slope enters with the wrong sign: where the warp stretches, the density thins.")
def multiplied_by_the_slope(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base + slope.log()


@mistake(
    "For the warp g(z) = z, f_1 is N(0, 1) itself, and here it is not: look at each term at a single z.", broad=True
)
def another_gaussian(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base + 0.3 - slope.log()


@mistake("Right for the warp g(z) = z and wrong for 2z: −log g′(z) enters once, whatever the slope.", broad=True)
def another_share_of_the_slope(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - 2 * slope.log()


@mistake(
    "Right for a single point, but not for several: each point has its own slope, the derivative at that very z.",
    broad=True,
)
def one_slope_for_points(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - slope.median().log()


@mistake(
    "Right for g(z) = 2z, but not for a warp that bends, even at one point: the Gaussian and the slope are taken at z.",
    broad=True,
)
def right_if_straight(z, warp):
    x, _, slope = _parts(z, warp)
    return x, torch.distributions.Normal(torch.zeros_like(z), slope).log_prob(x)


@mistake("The first result is something else than x = warp(z).", broad=True)
def another_place(z, warp):
    _, base, slope = _parts(z, warp)
    return slope, base - slope.log()


@mistake("The slope is missing: a warp that stretches makes the density thinner.")
def without_the_slope(z, warp):
    x, base, _ = _parts(z, warp)
    return x, base


@mistake("The slope itself is taken off; it is its logarithm that is.")
def slope_for_its_logarithm(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - slope


@mistake("The Gaussian density is taken at x; it is that of z, from which x was made.")
def gaussian_at_x(z, warp):
    x, _, slope = _parts(z, warp)
    return x, -0.5 * x**2 - 0.5 * math.log(2 * math.pi) - slope.log()


@mistake("The Gaussian lacks its constant −½ log 2π: the density does not integrate to 1.")
def without_the_constant(z, warp):
    x, _, slope = _parts(z, warp)
    return x, -0.5 * z**2 - slope.log()


@mistake("The constant of the Gaussian is −½ log 2π for a standard deviation of 1; here it is twice that.")
def constant_twice(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - 0.5 * math.log(2 * math.pi) - slope.log()


@mistake("This is the density; its logarithm is asked for.")
def density_for_logarithm(z, warp):
    x, base, slope = _parts(z, warp)
    return x, (base - slope.log()).exp()


@mistake("All points share one slope; each has its own, the derivative at that very z.")
def one_slope_for_all(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - slope.mean().log()


@mistake("The slopes are divided by the number of points: differentiate the sum of x, not its mean.")
def slope_of_the_mean(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - (slope / len(z)).log()


@mistake("The ratio x / z is taken for the slope; the slope is the derivative.")
def ratio_for_slope(z, warp):
    x, base, _ = _parts(z, warp)
    return x, base - (x / z).abs().log()


@mistake("A small slope is taken for a larger one, as by a clamp or a small number added: a warp may be nearly flat.")
def slope_clamped(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - slope.clamp(min=1e-2).log()


@slope_clamped.also
def slope_and_a_little(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - (slope + 1e-5).log()


@mistake("The slope is taken at x; it is the derivative at z.")
def slope_at_x(z, warp):
    x, base, _ = _parts(z, warp)
    return x, base - _parts(x, warp)[2].log()


@mistake("The slope is halved, or doubled, by its logarithm: it enters once.")
def slope_under_a_root(z, warp):
    x, base, slope = _parts(z, warp)
    return x, base - 0.5 * slope.log()


@mistake("The two results have changed places: first x, then log f_1(x).")
def results_swapped(z, warp):
    x, base, slope = _parts(z, warp)
    return base - slope.log(), x


@mistake("The first result is z; it is x = warp(z).")
def returns_z(z, warp):
    _, base, slope = _parts(z, warp)
    return z.clone(), base - slope.log()


@mistake(
    "The density at a point depends on its neighbours in z, as differences between them do: z is no grid, "
    "and autograd gives the slope at each point."
)
def slope_from_neighbours(z, warp):
    x, base, _ = _parts(z, warp)
    return x, base - torch.gradient(x, spacing=(z,))[0].log()


@slope_from_neighbours.also
def slope_between_neighbours(z, warp):
    x, base, _ = _parts(z, warp)
    slope = x.diff() / z.diff()
    return x, base - torch.cat([slope, slope[-1:]]).log()


@mistake(
    "Nearly right, but not exact, as with a slope from a small difference or a constant that was rounded: "
    "autograd gives the slope exactly."
)
def nearly_the_slope(z, warp):
    x, base, _ = _parts(z, warp)
    return x, base - ((warp(z + 1e-3) - x) / 1e-3).log()


@mistake("It changes z itself, which tracks gradients from then on: work on z.detach().clone().")
def changes_its_argument(z, warp):
    z.requires_grad_(True)
    x = warp(z)
    (slope,) = torch.autograd.grad(x.sum(), z)
    return x.detach(), (-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - slope.log()).detach()


@mistake(SENTENCE)
def made_on_the_cpu(z, warp):
    x, _, slope = _parts(z, warp)
    normal = torch.distributions.Normal(torch.zeros(len(z), dtype=z.dtype), torch.ones(len(z), dtype=z.dtype))
    return x, normal.log_prob(z) - slope.log()


@mistake("It raises: z tracks no gradients, so there is none by it. Work on a copy that does.")
def z_does_not_track(z, warp):
    x = warp(z)
    (slope,) = torch.autograd.grad(x.sum(), z)
    return x, -0.5 * z**2 - 0.5 * math.log(2 * math.pi) - slope.log()


@mistake("The results still carry a graph: detach both.")
def keeps_a_graph(z, warp):
    leaf = z.detach().clone().requires_grad_()
    _, gaussian, slope = _parts(z, warp)
    return warp(leaf), gaussian - slope.log()


@equivalent
def by_backward(z, warp):
    leaf = z.clone().detach().requires_grad_(True)
    x = warp(leaf)
    x.sum().backward()
    gaussian = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
    return x.detach(), gaussian.log_prob(z) - torch.log(leaf.grad.abs())


@equivalent
def by_jacobian(z, warp):
    jacobian = torch.autograd.functional.jacobian(warp, z)
    density = torch.exp(-(z**2) / 2) / (math.sqrt(2 * math.pi) * jacobian.diagonal())
    return warp(z), density.log()


@equivalent
def by_functional_gradient(z, warp):
    slope = torch.func.vmap(torch.func.grad(warp))(z)
    return [warp(z), -(z.square() + math.log(2 * math.pi)) / 2 - slope.log()]


@equivalent
def by_forward_mode(z, warp):
    x, slope = torch.func.jvp(warp, (z,), (torch.ones_like(z),))
    loss = torch.nn.functional.gaussian_nll_loss
    return x, -loss(z, torch.zeros_like(z), torch.ones_like(z), full=True, reduction="none") - slope.log()


@equivalent
def point_by_point(z, warp):
    leaves = [one.clone().requires_grad_() for one in z]
    places = [warp(leaf) for leaf in leaves]
    slopes = [torch.autograd.grad(x, leaf)[0] for x, leaf in zip(places, leaves, strict=True)]
    constant = math.log(math.sqrt(2 * math.pi))
    return torch.stack(places).detach(), -0.5 * z**2 - constant - torch.stack(slopes).log()


@equivalent
def in_one_tensor(z, warp):
    return torch.stack(reference.pushforward_log_density(z, warp))


HARMLESS = {
    "z.detach().clone() → z.detach()": "A detached tensor is another one.",
    "z.detach() → z": "Nothing goes back further than to z, and results have no graph.",
    "z ** 2 → z.detach() ** 2": "The result has no graph.",
}
