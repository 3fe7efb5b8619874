"""Reference answers to the diffusion notebook.

Index conventions: `betas`, `alphas`, `alpha_bars` have shape (T,); index k = t − 1 belongs to step t = 1..T; ᾱ_0 = 1.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

COSINE_OFFSET = 0.008


def constant_schedule(timesteps: int, beta: float = 0.02) -> Tensor:
    """β_t = beta for every t. Returns (T,)."""
    return torch.full((timesteps,), beta)


def linear_schedule(timesteps: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> Tensor:
    """β_t evenly spaced from beta_start to beta_end (Ho et al., 2020, section 4). Returns (T,)."""
    return torch.linspace(beta_start, beta_end, timesteps)


def cosine_schedule(timesteps: int, s: float = COSINE_OFFSET) -> Tensor:
    """β_t of the cosine schedule (Nichol & Dhariwal, 2021, equation 17), α_t clipped to [0.001, 1]. Returns (T,)."""
    t = torch.arange(timesteps + 1, dtype=torch.float64)
    f = torch.cos((t / timesteps + s) / (1 + s) * math.pi / 2) ** 2
    alphas = (f[1:] / f[:-1]).clamp(0.001, 1.0)
    return (1 - alphas).float()


def alpha_bars_of(betas: Tensor) -> Tensor:
    """ᾱ_t = Π_{i ≤ t} (1 − β_i). Returns (T,)."""
    return torch.cumprod(1 - betas, dim=0)


def alpha_bars_before(betas: Tensor) -> Tensor:
    """ᾱ_{t−1}, with ᾱ_0 = 1. Returns (T,)."""
    return torch.cat([betas.new_ones(1), alpha_bars_of(betas)[:-1]])


def q_step(x_prev: Tensor, beta: float | Tensor, noise: Tensor) -> Tensor:
    """x_t from x_{t−1} (Ho et al., 2020, equation 2). Same shape as x_prev."""
    return (1 - beta) ** 0.5 * x_prev + beta**0.5 * noise


def q_chain(x_0: Tensor, betas: Tensor, noises: Tensor) -> Tensor:
    """x_t by t = len(noises) steps; noises: (t, *x_0.shape)."""
    x = x_0
    for beta, noise in zip(betas, noises, strict=False):
        x = q_step(x, beta, noise)
    return x


def chain_moments(betas: Tensor) -> tuple[Tensor, Tensor]:
    """(m_t, v_t), each (T,): q(x_t | x_0) = N(m_t x_0, v_t I)."""
    alpha_bars = alpha_bars_of(betas)
    return alpha_bars.sqrt(), 1 - alpha_bars


def kl_to_prior(x_0: Tensor, alpha_bar: float | Tensor) -> Tensor:
    """KL(q(x_T | x_0) ‖ N(0, I)) in nats. x_0: (B, …). Returns (B,)."""
    alpha_bar = torch.as_tensor(alpha_bar, dtype=x_0.dtype)
    flat = x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (alpha_bar * (flat**2).sum(dim=1) + d * (1 - alpha_bar) - d * torch.log1p(-alpha_bar) - d)


def extract(a: Tensor, t: Tensor, x_shape: tuple[int, ...]) -> Tensor:
    """The entries of `a` at `t` (B,), shaped (B, 1, …, 1) to go with x of `x_shape`."""
    return a[t].view(-1, *[1] * (len(x_shape) - 1))


def posterior_coefficients(betas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Factors of x_0 and of x_t in the mean of q(x_{t−1} | x_t, x_0), and its variance β̃_t (Ho et al., 2020,
    equation 7). Each (T,)."""
    alpha_bars, before = alpha_bars_of(betas), alpha_bars_before(betas)
    return (
        before.sqrt() * betas / (1 - alpha_bars),
        (1 - betas).sqrt() * (1 - before) / (1 - alpha_bars),
        betas * (1 - before) / (1 - alpha_bars),
    )


def q_posterior(x_0: Tensor, x_t: Tensor, t: Tensor, betas: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (B, …) and variance (B, 1, …) of q(x_{t−1} | x_t, x_0) (Ho et al., 2020, equations 6 and 7)."""
    # In double precision: 1 − ᾱ_1 is 4e-5 for a thousand steps, and float32 would leave three digits of it.
    of_x_0, of_x_t, variance = (extract(a, t, x_t.shape).to(x_t.dtype) for a in posterior_coefficients(betas.double()))
    return of_x_0 * x_0 + of_x_t * x_t, variance


def bayes_on_grid(grid: Tensor, x_0: float, x_t: float, beta: float, alpha_bar_before: float) -> Tensor:
    """q(x_{t−1} | x_t, x_0) on an even grid (G,) by Bayes' rule, as a density. Returns (G,)."""
    log_density = -((x_t - math.sqrt(1 - beta) * grid) ** 2) / (2 * beta) - (
        grid - math.sqrt(alpha_bar_before) * x_0
    ) ** 2 / (2 * (1 - alpha_bar_before))
    return torch.softmax(log_density, dim=0) / (grid[1] - grid[0])


def posterior_mean_from_eps(x_t: Tensor, eps: Tensor, t: Tensor, betas: Tensor) -> Tensor:
    """The posterior mean in terms of x_t and ε (Ho et al., 2020, equation 11). Shape of x_t."""
    factor = betas / (1 - alpha_bars_of(betas)).sqrt()
    return (x_t - extract(factor, t, x_t.shape) * eps) / extract((1 - betas).sqrt(), t, x_t.shape)


def loss_weight(betas: Tensor, variances: Tensor) -> Tensor:
    """λ_t = β_t² / (2 σ_t² α_t (1 − ᾱ_t)) (Ho et al., 2020, equation 12), variances = σ_t². Returns (T,)."""
    return betas**2 / (2 * variances * (1 - betas) * (1 - alpha_bars_of(betas)))


def optimal_eps(x_t: Tensor, alpha_bar: float | Tensor, mean: float, std: float) -> Tensor:
    """E[ε | x_t] for data N(mean, std²), in one dimension. Shape of x_t."""
    alpha_bar = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - alpha_bar).sqrt() * (x_t - alpha_bar.sqrt() * mean) / (alpha_bar * std**2 + 1 - alpha_bar)


def eps_variance(alpha_bars: Tensor, std: float) -> Tensor:
    """E[(ε − E[ε | x_t])²] for data N(·, std²), in one dimension."""
    return alpha_bars * std**2 / (alpha_bars * std**2 + 1 - alpha_bars)


def elbo_terms(mean: float, std: float, betas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """L_0 (), L_1..L_{T−1} (T − 1,) and L_T () in nats (Ho et al., 2020, equation 5), averaged over data N(mean, std²)
    in one dimension, for the reverse chain with the optimal ε and σ_t² = β_t."""
    alpha_bars = alpha_bars_of(betas)
    error = eps_variance(alpha_bars, std)
    weight = loss_weight(betas, betas)
    last = alpha_bars[-1]
    second = last * (mean**2 + std**2) + 1 - last
    l_T = 0.5 * (second - 1 - torch.log1p(-last))
    l_0 = 0.5 * torch.log(2 * math.pi * betas[0]) + weight[0] * error[0]
    ratio = posterior_coefficients(betas)[2][1:] / betas[1:]
    between = 0.5 * (ratio - 1 - ratio.log()) + weight[1:] * error[1:]
    return l_0, between, l_T


def eps_loss(eps: Tensor, eps_hat: Tensor, kind: str = "l2") -> Tensor:
    """Mean squared ("l2") or mean absolute ("l1") difference; anything else raises ValueError. Returns ()."""
    if kind == "l2":
        return ((eps - eps_hat) ** 2).mean()
    if kind == "l1":
        return (eps - eps_hat).abs().mean()
    raise ValueError(f"kind is {kind!r}: use 'l1' or 'l2'")


class Diffusion(nn.Module):
    """Gaussian diffusion with the cosine schedule (Ho et al., 2020; Nichol & Dhariwal, 2021).

    model(x (B, C, H, W), t (B,)) predicts ε. Images lie in [−1, 1].
    """

    betas: Tensor
    alphas: Tensor
    alpha_bars: Tensor

    def __init__(self, model: nn.Module, *, image_size: int, channels: int = 3, timesteps: int = 1000) -> None:
        super().__init__()
        self.model, self.image_size, self.channels, self.timesteps = model, image_size, channels, timesteps
        self.loss_kind = "l2"
        betas = cosine_schedule(timesteps)
        self.register_buffer("betas", betas)
        self.register_buffer("alphas", 1 - betas)
        self.register_buffer("alpha_bars", torch.cumprod(1 - betas, dim=0))

    def q_sample(self, x_0: Tensor, t: Tensor, noise: Tensor | None = None) -> Tensor:
        """x_t given x_0 (Ho et al., 2020, equation 4). t: (B,), 0-based."""
        noise = torch.randn_like(x_0) if noise is None else noise
        alpha_bar = extract(self.alpha_bars, t, x_0.shape)
        return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise

    def p_losses(self, x_0: Tensor, t: Tensor, noise: Tensor | None = None) -> Tensor:
        """The simple loss (Ho et al., 2020, equation 14). Returns ()."""
        noise = torch.randn_like(x_0) if noise is None else noise
        return eps_loss(noise, self.model(self.q_sample(x_0, t, noise), t), self.loss_kind)

    def forward(self, x_0: Tensor, noise: Tensor | None = None) -> Tensor:
        """The loss at steps drawn uniformly, one for each image. Returns ()."""
        t = torch.randint(0, self.timesteps, (len(x_0),), device=x_0.device)
        return self.p_losses(x_0, t, noise)

    def predicted_x_0(self, x: Tensor, t: Tensor) -> Tensor:
        """x̂_0 (Ho et al., 2020, equation 15), clamped to [−1, 1]."""
        alpha_bar = extract(self.alpha_bars, t, x.shape)
        x_0 = (x - (1 - alpha_bar).sqrt() * self.model(x, t)) / alpha_bar.sqrt()
        return x_0.clamp(-1, 1)

    @torch.no_grad()
    def p_sample(self, x: Tensor, t: Tensor, t_index: int) -> Tensor:
        """x_{t−1} from x_t; t: (B,), all of them t_index."""
        mean, variance = q_posterior(self.predicted_x_0(x, t), x, t, self.betas)
        if t_index == 0:
            return mean
        return mean + variance.sqrt() * torch.randn_like(x)

    @torch.no_grad()
    def p_sample_loop(self, img: Tensor) -> Tensor:
        """From x_T = img to x_0, all T steps, the model in evaluation mode."""
        was_training = self.model.training
        self.model.eval()
        for t_index in reversed(range(self.timesteps)):
            t = torch.full((len(img),), t_index, device=img.device)
            img = self.p_sample(img, t, t_index)
        self.model.train(was_training)
        return img

    @torch.no_grad()
    def sample(self, batch_size: int) -> Tensor:
        """New images in [0, 1], (batch_size, C, H, W)."""
        shape = (batch_size, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(torch.randn(shape, device=self.betas.device)) + 1) / 2


def steps_at(timesteps: int, percentages: tuple[int, ...] = (0, 25, 50, 75, 99)) -> list[int]:
    """t = ⌊percent · T / 100⌋ steps of noise."""
    return [percent * timesteps // 100 for percent in percentages]


def forward_states(diffusion: Any, x_0: Tensor) -> Tensor:
    """x_t at 0, 25, 50, 75 and 99 % of T; t = 0 is x_0 itself. Returns (5, B, C, H, W)."""
    return torch.stack(
        [diffusion.q_sample(x_0, torch.full((len(x_0),), t - 1)) if t else x_0 for t in steps_at(diffusion.timesteps)]
    )


def states_on_the_way(diffusion: Any, x: Tensor, start: int, times: list[int]) -> Tensor:
    """States of the reverse chain from x = x_start at each t in `times`. Returns (len(times), B, C, H, W)."""
    kept = {start: x}
    for k in reversed(range(start)):
        x = diffusion.p_sample(x, torch.full((len(x),), k), k)
        kept[k] = x
    return torch.stack([kept[t] for t in times])
