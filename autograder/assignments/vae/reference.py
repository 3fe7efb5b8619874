"""Reference answers of the VAE notebook, written with torch.distributions and autograd wherever that is another way
than the notebook's own, so that the two check each other.

Symbols: x data (B, D), μ and σ (B, K) parameters of q(z given x) = N(μ, diag σ²), p(z) = N(0, I),
linear-Gaussian model p(x given z) = N(Wz + b, s² I) with W (D, K), b (D,), s > 0 a number.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional

GRID = 10
SIDE = 28
LATENT_RANGE = 3.0


def gaussian_kl(mu: Tensor, sigma: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(0, I)), shape (B,). Kingma & Welling 2014, appendix B."""
    prior = Normal(torch.zeros_like(mu), torch.ones_like(sigma))
    return kl_divergence(Independent(Normal(mu, sigma), 1), Independent(prior, 1))


def reparameterize(mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
    """g(ε, x) = μ + σ ε, shape (B, K). Kingma & Welling 2014, equation 4."""
    return torch.addcmul(mu, sigma, eps)


def pathwise_gradient(theta: Tensor, eps: Tensor) -> Tensor:
    """d/dθ (θ + ε)², sample by sample, shape (S,)."""
    return 2 * (theta + eps)


def score_function_gradient(theta: Tensor, eps: Tensor) -> Tensor:
    """x² d/dθ log N(x; θ, 1) at x = θ + ε, sample by sample, shape (S,)."""
    x = theta + eps
    return x.square() * (x - theta)


def grad_mu_sigma(dl_dz: Tensor, mu: Tensor, sigma: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of ℓ_recon(μ + σ ε) + KL by autograd, ℓ_recon entering by its gradient; two of shape (B, K)."""
    mu, sigma = mu.detach().requires_grad_(), sigma.detach().requires_grad_()
    loss = (dl_dz * reparameterize(mu, sigma, eps)).sum() + gaussian_kl(mu, sigma).sum()
    by_mu, by_sigma = torch.autograd.grad(loss, (mu, sigma))
    return by_mu, by_sigma


def _expected_log_likelihood(x: Tensor, mu: Tensor, sigma: Tensor, W: Tensor, b: Tensor, s: float) -> Tensor:
    """E_q[log p(x given z)], shape (B,): the log-density at the mean, less half the trace of s⁻² W diag(σ²) Wᵀ."""
    at_mean = Independent(Normal(mu @ W.T + b, s), 1).log_prob(x)
    return at_mean - (sigma.square() @ W.square().sum(dim=0)) / (2 * s**2)


def elbo_from_kl(x: Tensor, mu: Tensor, sigma: Tensor, W: Tensor, b: Tensor, s: float) -> Tensor:
    """E_q[log p(x given z)] − KL(q ‖ p(z)), shape (B,)."""
    return _expected_log_likelihood(x, mu, sigma, W, b, s) - gaussian_kl(mu, sigma)


def elbo_from_joint(x: Tensor, mu: Tensor, sigma: Tensor, W: Tensor, b: Tensor, s: float) -> Tensor:
    """E_q[log p(x, z)] + H(q), shape (B,)."""
    log_prior = Normal(torch.zeros_like(mu), 1.0).log_prob(mu) - sigma.square() / 2
    entropy = Independent(Normal(mu, sigma), 1).entropy()
    return _expected_log_likelihood(x, mu, sigma, W, b, s) + log_prior.sum(dim=1) + entropy


def log_evidence(x: Tensor, W: Tensor, b: Tensor, s: float) -> Tensor:
    """log p(x) = log N(x; b, W Wᵀ + s² I), shape (B,)."""
    noise = s**2 * torch.eye(W.shape[0], dtype=W.dtype)
    return MultivariateNormal(b, W @ W.T + noise).log_prob(x)


def posterior(x: Tensor, W: Tensor, b: Tensor, s: float) -> tuple[Tensor, Tensor]:
    """Mean (B, K) and covariance (K, K) of p(z given x), by conditioning the joint Gaussian of x and z."""
    gain = torch.linalg.solve(W @ W.T + s**2 * torch.eye(W.shape[0], dtype=W.dtype), W).T
    return (x - b) @ gain.T, torch.eye(W.shape[1], dtype=W.dtype) - gain @ W


def kl_to_posterior(mu: Tensor, sigma: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(mean, covariance)), shape (B,)."""
    q = MultivariateNormal(mu, torch.diag_embed(sigma.square()))
    return kl_divergence(q, MultivariateNormal(mean, covariance))


def sweep_phi(phis: Tensor, sigma: float, x: Tensor, W: Tensor, b: Tensor, s: float) -> tuple[Tensor, Tensor]:
    """ELBO and KL(q ‖ posterior) of one datum x (1, D) for q = N(φ, σ²), φ in phis (P,), one latent; two (P,)."""
    mu, spread = phis[:, None], torch.full((len(phis), 1), sigma, dtype=phis.dtype)
    mean, covariance = posterior(x, W, b, s)
    many = x.expand(len(phis), -1)
    elbos = elbo_from_joint(many, mu, spread, W, b, s)
    return elbos, kl_to_posterior(mu, spread, mean.expand(len(phis), -1), covariance)


def amortization_gap(elbo: nn.Module, mu: Tensor, sigma: Tensor, steps: int = 200, lr: float = 0.05) -> Tensor:
    """max over per-datum (μ, σ) of elbo(μ, σ) − elbo at the encoder's, shape (B,), by Adam, best step kept."""
    mean, log_std = mu.detach().clone().requires_grad_(), sigma.detach().log().requires_grad_()
    optimizer = torch.optim.Adam([mean, log_std], lr=lr)
    start = best = elbo(mu, sigma).detach()
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(mean, log_std.exp()).sum()).backward()
        optimizer.step()
        best = torch.maximum(best, elbo(mean, log_std.exp()).detach())
    return best - start


def aggregate_moments(mu: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (K,) and variance (K,) of the aggregate posterior (1/N) Σ_n N(μ_n, σ_n²), by its first two moments."""
    first, second = mu.mean(dim=0), (mu.square() + sigma.square()).mean(dim=0)
    return first, second - first.square()


def elbo_loss(x_hat: Tensor, x: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """Negative ELBO in nats an image, averaged over the batch, Bernoulli pixels; a tensor without dimensions."""
    flat, target = x_hat.flatten(1).clamp(1e-7, 1 - 1e-7), x.flatten(1)
    reconstruction = Bernoulli(flat, validate_args=False).log_prob(target).sum(dim=1)
    return (gaussian_kl(mu, sigma) - reconstruction).mean()


class VAE(nn.Module):
    """A small VAE for images (B, 1, 28, 28) in [0, 1], with the interface that the notebook asks for."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 64), nn.Tanh())
        self.head = nn.Linear(64, 2 * latent_dim)
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 64), nn.Tanh(), nn.Linear(64, SIDE * SIDE))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, raw = self.head(self.encoder(x)).chunk(2, dim=1)
        return mu, functional.softplus(raw)

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(z)).view(-1, 1, SIDE, SIDE)

    def forward(self, x: Tensor, eps: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        mu, sigma = self.encode(x)
        z = reparameterize(mu, sigma, torch.randn_like(mu) if eps is None else eps)
        return self.decode(z), mu, sigma


def latent_values() -> Tensor:
    """What z_i and z_j run through in the grid, shape (10,)."""
    return torch.linspace(-LATENT_RANGE, LATENT_RANGE, GRID)


def latent_grid(latent_dim: int, i: int, j: int) -> Tensor:
    """z of every tile, shape (10, 10, K): z_j by row from −3 at the top to 3, z_i by column, the others 0."""
    values = latent_values()
    z = torch.zeros(GRID, GRID, latent_dim)
    z[:, :, i] = values[None, :]
    z[:, :, j] = values[:, None]
    return z


def latent_canvas(weight: Tensor, bias: Tensor, i: int, j: int) -> Tensor:
    """The (280, 280) canvas of plot_latents for fixmelab.judged.toys.LinearDecoder(weight, bias)."""
    z = latent_grid(weight.shape[1], i, j).view(GRID * GRID, -1)
    tiles = torch.sigmoid(z @ weight.T + bias).view(GRID, GRID, SIDE, SIDE)
    return tiles.permute(0, 2, 1, 3).reshape(GRID * SIDE, GRID * SIDE)
