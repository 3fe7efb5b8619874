"""Reference answers of the notebook on adversarial training, by other ways than the notebook's where there are any."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Network = Callable[[Tensor, Tensor], Tensor]
Critic = Callable[[Tensor], Tensor]


def optimal_discriminator(log_f0: Tensor, log_f1: Tensor) -> Tensor:
    """D* = f_1 / (f_0 + f_1), the shape of both log-densities."""
    return torch.exp(log_f1 - torch.logaddexp(log_f0, log_f1))


def cross_entropies(logits_1: Tensor, logits_0: Tensor) -> tuple[Tensor, Tensor]:
    """−E_1[log D] and −E_0[log(1 − D)], two numbers."""
    return functional.softplus(-logits_1).mean(), functional.softplus(logits_0).mean()


def discriminator_objective(logits_1: Tensor, logits_0: Tensor) -> Tensor:
    """V = E_1[log D] + E_0[log(1 − D)], a number."""
    real, fake = cross_entropies(logits_1, logits_0)
    return -real - fake


def jsd_from_discriminator(logits_1: Tensor, logits_0: Tensor) -> Tensor:
    """log 2 + V / 2 in nats, a number."""
    return math.log(2) + discriminator_objective(logits_1, logits_0) / 2


def density_from_discriminator(log_f0: Tensor, logits: Tensor) -> Tensor:
    """log f_1 = log f_0 + log D − log(1 − D), the shape of both."""
    return log_f0 + functional.logsigmoid(logits) - functional.logsigmoid(-logits)


def train_discriminator(
    discriminator: nn.Module,
    sample_1: Callable[[], Tensor],
    sample_0: Callable[[], Tensor],
    steps: int,
    optimizer: torch.optim.Optimizer,
) -> list[float]:
    """Climb V for some steps, each on a new batch of both; V of each step, before its update."""
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        real, fake = cross_entropies(discriminator(sample_1()), discriminator(sample_0()))
        (real + fake).backward()
        optimizer.step()
        history.append(-(real + fake).item())
    return history


def pushforward_log_density(z: Tensor, warp: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """x = warp(z) and log f_1(x) of z ~ N(0, 1), each (N,)."""
    leaf = z.detach().clone().requires_grad_()
    x = warp(leaf)
    (slope,) = torch.autograd.grad(x, leaf, torch.ones_like(x))
    return x.detach(), torch.distributions.Normal(0.0, 1.0).log_prob(z) - slope.log()


def wasserstein_distance(x_1: Tensor, x_0: Tensor) -> Tensor:
    """W_1 of two samples of N numbers, a number: the area between their distribution functions."""
    places, order = torch.cat([x_1, x_0]).sort()
    steps = torch.cat([torch.ones_like(x_1), -torch.ones_like(x_0)])[order] / len(x_1)
    return (steps.cumsum(0)[:-1].abs() * places.diff()).sum()


def masked_squared_error(network: Network, x: Tensor, m: Tensor) -> Tensor:
    """The mean of (x̂ − x)² over what the mask hides, a number; 0 if it hides nothing."""
    return error_in_the_hole(network((1 - m) * x, m), x, m)


def error_in_the_hole(x_hat: Tensor, x: Tensor, m: Tensor) -> Tensor:
    """The mean of (x̂ − x)² over what the mask hides, a number; 0 if it hides nothing."""
    hidden = m.expand_as(x)
    return (hidden * (x_hat - x) ** 2).sum() / hidden.sum().clamp(min=1)


def completed(x_hat: Tensor, x: Tensor, m: Tensor) -> Tensor:
    """x̃: the network's pixels in the hole, the picture's own around it."""
    return torch.lerp(x, x_hat, m.expand_as(x))


def inpainting_losses(
    generator: Network, discriminator: Critic, x: Tensor, m: Tensor, weight: float
) -> tuple[Tensor, Tensor]:
    """−V on pictures and detached completions, and squared error plus weight · −E[log D(x̃)]; two numbers."""
    x_hat = generator((1 - m) * x, m)
    filled = completed(x_hat, x, m)
    real, fake = cross_entropies(discriminator(x), discriminator(filled.detach()))
    fooled = functional.softplus(-discriminator(filled)).mean()
    return real + fake, error_in_the_hole(x_hat, x, m) + weight * fooled


def inpainting_step(
    generator: nn.Module,
    discriminator: nn.Module,
    x: Tensor,
    m: Tensor,
    weight: float,
    generator_optimizer: torch.optim.Optimizer,
    discriminator_optimizer: torch.optim.Optimizer,
) -> tuple[float, float]:
    """A step of the discriminator, then one of the generator against it; the losses from which they were made."""
    discriminator_loss, _ = inpainting_losses(generator, discriminator, x, m, weight)
    discriminator_optimizer.zero_grad()
    discriminator_loss.backward()
    discriminator_optimizer.step()
    _, generator_loss = inpainting_losses(generator, discriminator, x, m, weight)
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
    return discriminator_loss.item(), generator_loss.item()
