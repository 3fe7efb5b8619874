# %% [markdown] minutes=5
# # Diffusion models
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)
#
# Destroying a picture is easy: add a little noise, and again, until nothing is left. A *denoising diffusion model* (Sohl-Dickstein et al.,
# 2015; Ho, Jain & Abbeel, 2020) learns to undo one such small step, and by undoing all of them turns pure noise into a picture that
# nobody has seen.
#
# 1. **Forward**: schedules, one step of noise, a whole chain of them, and the shortcut.
# 2. **Backward, where everything is known**: in one dimension the best possible denoiser, the posterior and every term of the ELBO have closed forms.
# 3. **The real thing**: a `Diffusion` class around a U-Net, trained on pictures.
# 4. **Look at it**: strips of the way there and back.
#
# **How to work.** Fill in every cell that starts with `# exercise:`; replace the line that raises
# `NotImplementedError`, and keep the `# exercise:` lines, by which your answer is found. The cell below each exercise
# tests it and says what is wrong. Questions are answered in the Markdown cell under them. Before you hand in,
# *Restart and run all*.
# The machine that grades it has Python's standard library, `numpy`, `torch`, `torchvision`, `matplotlib`, `tqdm`, `ipywidgets` and
# `fixmelab`: no other packages, no network and no GPU.
#
# Points and expected minutes stand at each exercise. **Hints** unfold when you click on them; try without them first.
# Where it says **Predict first**, write down what you expect before you run the next cell: nobody grades it, and a wrong
# guess is what you learn most from.

# %% [markdown]
# ## Symbols
#
# | symbol | meaning | in code |
# |---|---|---|
# | $T$ | number of steps | `timesteps` |
# | $t = 1, \dots, T$ | steps of noise so far; the state after $t$ steps is $x_t$ | index `k = t - 1`; a batch of them is a `(B,)` long tensor |
# | $x_0$ | data; images in $[-1, 1]$ | `(B, C, H, W)` |
# | $x_T$ | the start of the reverse chain: pure noise | |
# | $\beta_t$, $\alpha_t = 1 - \beta_t$ | variance that step $t$ adds, and what it leaves | `betas`, `alphas`: `(T,)`, entry `[k]` |
# | $\bar\alpha_t = \prod_{i \le t} \alpha_i$, $\bar\alpha_0 = 1$ | what is left of the signal's variance after $t$ steps | `alpha_bars`: `(T,)`; $\bar\alpha_0$ is not in it |
# | $\varepsilon \sim \mathcal N(0, I)$ | noise | `noise`, `eps` |
#
# So `betas[0]` belongs to the *first* step, and `t` in code starts at 0. Divergences and log-likelihoods are in nats. Functions
# return the dtype that they are given, make new tensors **on their arguments' device** (`torch.randn(3, device=x.device)`, `torch.randn_like(x)`), so that
# they run on a GPU too, and leave their arguments as they are.

# %% [markdown]
# ## 0. Setup
#
# One cell for Colab and for your own machine. To keep checkpoints when Colab disconnects, set `KEEP_ON_DRIVE = True`.

# %%
import importlib.util
import subprocess
import sys

KEEP_ON_DRIVE = False
if importlib.util.find_spec("fixmelab") is None:
    package = "git+https://github.com/{{repository}}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %%
import math
import time

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

import fixmelab
from fixmelab.data import load_pictures

lab = fixmelab.setup("{{name}}", keep_on_drive=KEEP_ON_DRIVE)

# %% [markdown]
# **Budget.** Here stands every number that decides how long this notebook runs, with one value for a GPU, one for a laptop and
# one for a quick trial; your hardware chooses. **Seed.** With the same seed you get the same pictures again.

# %%
TIMESTEPS = 200
TRAINING_IMAGES = fixmelab.budget(full=4_000, cpu=4_000, smoke=320)
EPOCHS = fixmelab.budget(full=80, cpu=8, smoke=2)  # of 125 steps: 10,000 or 1,000 in all
SAMPLES = fixmelab.budget(full=40, cpu=20, smoke=2)
ROWS = fixmelab.budget(full=3, cpu=3, smoke=1)
fixmelab.seed_everything(0)

# %% [markdown]
# ## 1. Forward
#
# ### 1.1 Schedules
#
# A schedule says how much noise each step adds. The simplest adds the same at every step: $\beta_t = \beta$. Ho et al. (2020, section 4) let
# $\beta_t$ grow evenly from $10^{-4}$ to $0.02$, both included.

# %% exercise="constant_schedule"
# exercise: constant_schedule
def constant_schedule(timesteps, beta=0.02):
    """β_t = beta at every step. Returns betas, a float tensor of shape (T,)."""
    ### BEGIN SOLUTION
    return torch.full((timesteps,), float(beta))
    ### END SOLUTION


# %% tests="constant_schedule" points=1 minutes=5
betas = constant_schedule(5, beta=0.1)
assert betas.shape == (5,), f"expected one β for each of 5 steps, shape (5,); yours has shape {tuple(betas.shape)}"
assert torch.allclose(betas.float(), torch.full((5,), 0.1)), "every entry must be beta"
assert torch.allclose(constant_schedule(2).float(), torch.full((2,), 0.02)), "where no beta is given it is 0.02"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.constant_schedule", constant_schedule)
### END HIDDEN TESTS

# %% exercise="linear_schedule"
# exercise: linear_schedule
def linear_schedule(timesteps, beta_start=1e-4, beta_end=0.02):
    """β_t evenly spaced from beta_start to beta_end, both included. Returns betas, a float tensor of shape (T,)."""
    ### BEGIN SOLUTION
    return torch.linspace(beta_start, beta_end, timesteps)
    ### END SOLUTION


# %% tests="linear_schedule" points=1 minutes=5
betas = linear_schedule(1000)
assert betas.shape == (1000,), f"expected shape (1000,); yours has shape {tuple(betas.shape)}"
assert abs(float(betas[0]) - 1e-4) < 1e-7, "the first step has beta_start"
assert abs(float(betas[-1]) - 0.02) < 1e-6, "the last step has beta_end"
five = linear_schedule(5, beta_start=0.1, beta_end=0.5)
assert torch.allclose(five.float(), torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])), "five steps from 0.1 to 0.5 are 0.1, 0.2, 0.3, 0.4, 0.5"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.linear_schedule", linear_schedule)
### END HIDDEN TESTS

# %% [markdown]
# Nichol & Dhariwal (2021, equation 17) say instead what should be *left* after $t$ steps, and let it fall like a cosine:
#
# $$f(t) = \cos^2\!\Big(\frac{t/T + s}{1 + s} \cdot \frac{\pi}{2}\Big), \qquad
#   \alpha_t = \mathrm{clip}\Big(\frac{f(t)}{f(t-1)},\; 0.001,\; 1\Big), \qquad \beta_t = 1 - \alpha_t,$$
#
# with $s = 0.008$ and $t = 1, \dots, T$. Without the clip the last $\alpha_T$ would be 0, and everything divided by it infinite.

# %% [markdown] hints="cosine_schedule"
# **Where to look.** $f$ is needed at $T + 1$ places, $t = 0, 1, \dots, T$; each $\alpha_t$ is a quotient of two neighbours.
#
# **Which rule.** `betas[0]` belongs to $t = 1$, hence to $f(1) / f(0)$. Clip $\alpha$, and only then take it from 1.
#
# **A small case.** $T = 2$, $s = 0$: $f = (1, \tfrac12, 0)$, so that $\alpha = (\tfrac12, 0)$ before the clip and $(\tfrac12, 0.001)$ after it.

# %% exercise="cosine_schedule"
# exercise: cosine_schedule
def cosine_schedule(timesteps, s=0.008):
    """The cosine schedule, α_t clipped to [0.001, 1]. Returns betas, a float tensor of shape (T,)."""
    ### BEGIN SOLUTION
    steps = torch.arange(timesteps + 1, dtype=torch.float64)
    f = torch.cos((steps / timesteps + s) / (1 + s) * math.pi / 2) ** 2
    alphas = torch.clip(f[1:] / f[:-1], 0.001, 1)
    return (1 - alphas).float()
    ### END SOLUTION


# %% tests="cosine_schedule" points=2 minutes=15
betas = cosine_schedule(100)
alpha_bars = torch.cumprod(1 - betas, dim=0)
assert betas.shape == (100,), f"expected shape (100,); yours has shape {tuple(betas.shape)}"
assert float(betas.max()) < 1, "every β must stay below 1: clip α"
assert abs(float(alpha_bars[49]) - 0.4938) < 1e-3, "half-way about half of the variance is left: ᾱ_50 = 0.494 for T = 100"
assert float(alpha_bars[-1]) < 1e-4, "at the end nothing of the image may be left"
assert torch.allclose(
    cosine_schedule(2, s=0.0).float(), torch.tensor([0.5, 0.999]), atol=5e-4
), "T = 2 and s = 0: f = (1, ½, 0), α = (½, 0.001)"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.cosine_schedule", cosine_schedule)
### END HIDDEN TESTS

# %% [markdown]
# The next figure shows what is left of the image after each step, for the three schedules.

# %% [markdown] predict="schedules"
# After half of the 1,000 steps, what is left of the image's variance under each of the three schedules: most of it, half of it, next to nothing?
# Which schedule destroys it fastest?

# %% tags=["keep"]
schedules = {"constant": constant_schedule(1000), "linear": linear_schedule(1000), "cosine": cosine_schedule(1000)}
left = {name: torch.cumprod(1 - betas, dim=0) for name, betas in schedules.items()}
fixmelab.plot_curves(torch.arange(1, 1001), left, "t", "$\\bar\\alpha_t$, share of the variance", "How fast the image disappears, T = 1000")

# %% [markdown]
# ### 1.2 One step, and a chain of them
#
# One step shrinks the signal a little and adds noise, such that a variance of 1 stays 1 (Ho et al., 2020, equation 2):
#
# $$q(x_t \mid x_{t-1}) = \mathcal N\big(\sqrt{1 - \beta_t}\, x_{t-1},\; \beta_t I\big).$$

# %% exercise="q_step"
# exercise: q_step
def q_step(x_prev, beta, noise):
    """x_t from x_{t-1} and standard normal noise of its shape. beta: a number or a tensor without dimensions."""
    ### BEGIN SOLUTION
    return (1 - beta) ** 0.5 * x_prev + beta**0.5 * noise
    ### END SOLUTION


# %% tests="q_step" points=1 minutes=5
one = torch.ones(2, 3)
assert torch.allclose(q_step(one, 0.36, 0 * one), 0.8 * one), "without noise, β = 0.36 shrinks x to 0.8 of it"
assert torch.allclose(q_step(0 * one, 0.36, one), 0.6 * one), "noise enters with the standard deviation √β, 0.6 for β = 0.36"
assert torch.allclose(q_step(2 * one, 0.36, -one), one), "β = 0.36, x = 2 and noise −1 give 0.8 · 2 − 0.6 = 1"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.q_step", q_step)
### END HIDDEN TESTS

# %% [markdown] hints="q_chain"
# **Where to look.** You have the step already. What does the loop run over, the betas or the noises?
#
# **A small case.** $\beta = (0.36, 0.19, 0.5)$ with two noises that are 0: $x_0$ is multiplied by $0.8$, then by $0.9$, and that is all.

# %% exercise="q_chain"
# exercise: q_chain
def q_chain(x_0, betas, noises):
    """x_t after t = len(noises) steps from x_0, with one noise for each step.

    x_0: (B, …); betas: (T,), T ≥ t; noises: (t, B, …), noises[k] for the step with betas[k]. Returns (B, …).
    """
    ### BEGIN SOLUTION
    x = x_0
    for k in range(len(noises)):
        x = q_step(x, betas[k], noises[k])
    return x
    ### END SOLUTION


# %% tests="q_chain" points=1 minutes=10
betas = torch.tensor([0.36, 0.19, 0.5])
x = q_chain(torch.ones(2, 3), betas, torch.zeros(2, 2, 3))
assert x.shape == (2, 3), f"expected the shape of x_0, (2, 3); yours has shape {tuple(x.shape)}"
assert torch.allclose(x, torch.full((2, 3), 0.72)), "two steps without noise leave 0.8 · 0.9 of x_0; the third β is not used"
x = q_chain(torch.ones(2, 3), betas, torch.stack([torch.ones(2, 3), -torch.ones(2, 3)]))
assert torch.allclose(x, torch.full((2, 3), 1.26 - 0.19**0.5)), "noise 1, then −1: 0.8 + 0.6 = 1.4, and 0.9 · 1.4 − √0.19 after it"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.q_chain", q_chain)
### END HIDDEN TESTS

# %% [markdown]
# ### 1.3 The shortcut
#
# A Gaussian that is scaled and given more Gaussian noise stays Gaussian, so $q(x_t \mid x_0) = \mathcal N(m_t\, x_0,\; v_t I)$ for some numbers
# $m_t, v_t$. Let them run through the chain, step by step: what does one step do to a mean and to a variance? Start with $m_0 = 1$ and $v_0 = 0$.

# %% [markdown] hints="chain_moments"
# **Where to look.** At the step $x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \varepsilon$ alone. Its input has the mean $m_{t-1} x_0$ and the variance $v_{t-1}$.
#
# **Which rule.** $\mathbb E[aX + bY] = a\, \mathbb E X + b\, \mathbb E Y$, and for independent ones $\mathrm{Var}(aX + bY) = a^2\, \mathrm{Var} X + b^2\, \mathrm{Var} Y$.
#
# **A small case.** $\beta = (0.36, 0.19)$: $m = (0.8,\ 0.9 \cdot 0.8)$ and $v_1 = 0.36$.

# %% exercise="chain_moments"
# exercise: chain_moments
def chain_moments(betas):
    """m and v, each (T,), such that q(x_t | x_0) = N(m[k] x_0, v[k] I) with k = t - 1."""
    ### BEGIN SOLUTION
    m, v = [betas.new_ones(())], [betas.new_zeros(())]
    for beta in betas:
        m.append((1 - beta).sqrt() * m[-1])
        v.append((1 - beta) * v[-1] + beta)
    return torch.stack(m[1:]), torch.stack(v[1:])
    ### END SOLUTION


# %% tests="chain_moments" points=2 minutes=15
m, v = chain_moments(torch.tensor([0.36, 0.19]))
assert m.shape == v.shape == (2,), f"expected two tensors of shape (2,); yours are {tuple(m.shape)} and {tuple(v.shape)}"
assert torch.allclose(m, torch.tensor([0.8, 0.72])), "m_1 = 0.8 and m_2 = 0.8 · 0.9 for β = (0.36, 0.19)"
assert abs(float(v[0]) - 0.36) < 1e-6, "after one step the variance is β_1"
assert abs(float(v[1]) - 0.4816) < 1e-6, "the second step shrinks the variance 0.36 by 0.81 and adds 0.19: 0.4816"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.chain_moments", chain_moments)
### END HIDDEN TESTS

# %% [markdown]
# Compare with $\sqrt{\bar\alpha_t}$ and $1 - \bar\alpha_t$: the largest difference is

# %% tags=["keep"]
betas = cosine_schedule(1000).double()
alpha_bars = torch.cumprod(1 - betas, dim=0)
m, v = chain_moments(betas)
print(f"mean: {(m - alpha_bars.sqrt()).abs().max():.1e}, variance: {(v - (1 - alpha_bars)).abs().max():.1e}")

# %% [markdown] hints="closed_form"
# **Where to look.** Put the claim for $t - 1$ into one step, and collect the two noises.
#
# **Which rule.** A sum of independent Gaussians is Gaussian, and variances add up.

# %% [markdown] written="closed_form" points=3 minutes=20
# ### Question: the closed form
#
# 1. Prove by induction that $q(x_t \mid x_0) = \mathcal N(\sqrt{\bar\alpha_t}\, x_0,\; (1 - \bar\alpha_t) I)$, that is,
#    $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon$.
# 2. What is $\bar\alpha_t$ for a constant $\beta$?
# 3. What do the chain and the closed form cost, as functions of $t$, and why does that matter in training?
#
# ### BEGIN MARK SCHEME
# - 1 point: $t = 1$ is the definition. If $x_{t-1} = \sqrt{\bar\alpha_{t-1}} x_0 + \sqrt{1 - \bar\alpha_{t-1}} \varepsilon'$ then
#   $x_t = \sqrt{\alpha_t \bar\alpha_{t-1}} x_0 + \sqrt{\alpha_t (1 - \bar\alpha_{t-1})} \varepsilon' + \sqrt{1 - \alpha_t} \varepsilon_t$; independent
#   Gaussians add up with variance $\alpha_t - \bar\alpha_t + 1 - \alpha_t = 1 - \bar\alpha_t$.
# - 1 point: $(1 - \beta)^t$.
# - 1 point: $O(t)$ against $O(1)$ for one sample of $x_t$; each training step needs an $x_t$ at random $t$, $T/2$ steps of chain on average.
# ### END MARK SCHEME

# %% [markdown]
# ### 1.4 How much is left at the end?
#
# Sampling will start from $\mathcal N(0, I)$, so $q(x_T \mid x_0)$ had better be close to it. With $d$ the number of entries of $x_0$,
#
# $$\mathrm{KL}\big(q(x_T \mid x_0) \,\|\, \mathcal N(0, I)\big)
#   = \tfrac12 \big( \bar\alpha_T \|x_0\|^2 + d\,(1 - \bar\alpha_T) - d \log(1 - \bar\alpha_T) - d \big).$$

# %% [markdown] hints="kl_to_prior"
# **Where to look.** Everything but $\|x_0\|^2$ is the same for all examples. $d$ is the number of entries of *one* example.
#
# **A small case.** One entry, $x_0 = 1$ and $\bar\alpha = \tfrac12$: $\tfrac12 (\tfrac12 + \tfrac12 + \log 2 - 1) = \tfrac12 \log 2$.

# %% exercise="kl_to_prior"
# exercise: kl_to_prior
def kl_to_prior(x_0, alpha_bar):
    """KL(q(x_T | x_0) ‖ N(0, I)) in nats, example by example.

    x_0: (B, …); alpha_bar: ᾱ_T, a number or a tensor without dimensions. Returns (B,).
    """
    ### BEGIN SOLUTION
    alpha_bar = torch.as_tensor(alpha_bar, dtype=x_0.dtype)
    flat = x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (alpha_bar * (flat**2).sum(dim=1) + d * (1 - alpha_bar) - d * torch.log(1 - alpha_bar) - d)
    ### END SOLUTION


# %% tests="kl_to_prior" points=2 minutes=10
images = torch.ones(4, 3, 2, 2)
kl = kl_to_prior(images, 0.5)
assert kl.shape == (4,), f"expected one number for each example, shape (4,); yours has shape {tuple(kl.shape)}"
assert torch.allclose(kl, torch.full((4,), 6 * math.log(2))), "12 entries that are 1, at ᾱ = ½: 6 log 2 = 4.159 nats"
assert torch.allclose(kl_to_prior(images, 0.0), torch.zeros(4)), "at ᾱ = 0 nothing is left, and the divergence is 0"
assert torch.allclose(kl_to_prior(2 * images, 0.36), torch.full((4,), 9.157722)), "12 entries that are 2, at ᾱ = 0.36: 9.1577 nats"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.kl_to_prior", kl_to_prior)
### END HIDDEN TESTS

# %% tags=["keep"]
white = torch.ones(1, 3, 32, 32, dtype=torch.float64)
for name, betas in schedules.items():
    alpha_bar = torch.cumprod(1 - betas.double(), dim=0)[-1]
    print(f"{name:>8}: ᾱ_T = {alpha_bar:.1e}, {kl_to_prior(white, alpha_bar).item():.4f} nats for a white 32×32 image")

# %% [markdown] written="where_to_start" points=2 minutes=10
# ### Question: where to start
#
# 1. What happens to this divergence as $\bar\alpha_T \to 0$, and what does that say about where to start the reverse chain?
# 2. With the linear schedule ($10^{-4}$ to $0.02$) and only $T = 50$ steps, $\bar\alpha_T \approx 0.6$. What goes wrong if you sample from that model?
#
# ### BEGIN MARK SCHEME
# - 1 point: it goes to 0 whatever $x_0$ is, so the reverse chain may start from $\mathcal N(0, I)$, which does not depend on the data.
# - 1 point: real $x_T$ still shows the image; the network never saw pure noise at $t = T$, so chains start where it was not trained and samples are off
#   (too bright or dark, washed out).
# ### END MARK SCHEME

# %% [markdown]
# ## 2. Backward, where everything is known
#
# ### 2.1 One step back, if the end is known
#
# Undoing a step needs $q(x_{t-1} \mid x_t)$, which depends on all of the data. But *given $x_0$* it is Gaussian (Ho et al., 2020, equations 6 and 7):
#
# $$q(x_{t-1} \mid x_t, x_0) = \mathcal N(\tilde\mu_t, \tilde\beta_t I), \qquad
#   \tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0 + \frac{\sqrt{\alpha_t}\,(1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t,
#   \qquad \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t.$$
#
# (Mind the root: several handouts print it over the wrong letters.) First the same thing by brute force: **Bayes' rule** on a grid of values of $x_{t-1}$,
# one-dimensional, normalised at the end:
#
# $$q(x_{t-1} \mid x_t, x_0) \propto q(x_t \mid x_{t-1})\; q(x_{t-1} \mid x_0).$$

# %% [markdown] hints="bayes_on_grid"
# **Where to look.** Both factors are Gaussian densities that you know: one step, as a function of its *input* $x_{t-1}$, and the shortcut for $x_{t-1}$.
#
# **Which rule.** Add log-densities and take the exponential at the end; subtract the largest first, so that nothing underflows. Normalise by the sum times the grid's spacing.
#
# **A small case.** $x_0 = x_t = 0$ and $\beta = \bar\alpha_{t-1} = \tfrac12$: the product is $e^{-x^2 / 2} \cdot e^{-x^2}$ up to a factor, a Gaussian with variance $\tfrac13$.

# %% exercise="bayes_on_grid"
# exercise: bayes_on_grid
def bayes_on_grid(grid, x_0, x_t, beta, alpha_bar_before):
    """The density q(x_{t-1} | x_t, x_0) at the points of an even grid, by Bayes' rule.

    grid: (G,), values of x_{t-1}; x_0, x_t: numbers; beta: β_t; alpha_bar_before: ᾱ_{t-1} < 1, numbers.
    Returns (G,): not negative, and its sum times the grid's spacing is 1.
    """
    ### BEGIN SOLUTION
    step = torch.distributions.Normal(math.sqrt(1 - beta) * grid, math.sqrt(beta))
    before = torch.distributions.Normal(math.sqrt(alpha_bar_before) * x_0, math.sqrt(1 - alpha_bar_before))
    log_product = step.log_prob(torch.as_tensor(x_t, dtype=grid.dtype)) + before.log_prob(grid)
    density = torch.exp(log_product - log_product.max())
    return density / (density.sum() * (grid[1] - grid[0]))
    ### END SOLUTION


# %% tests="bayes_on_grid" points=2 minutes=20
grid = torch.linspace(-4, 4, 801, dtype=torch.float64)
density = bayes_on_grid(grid, 0.0, 0.0, 0.5, 0.5)
assert density.shape == (801,), f"expected one value for each point of the grid; yours has shape {tuple(density.shape)}"
assert abs(float(density.sum()) * 0.01 - 1) < 1e-6, "a density sums to 1, times the spacing of the grid"
assert int(density.argmax()) == 400, "with x_0 = x_t = 0 the most likely x_{t-1} is 0"
density = bayes_on_grid(grid, 0.8, -0.4, 0.2, 0.6)
mean = float((grid * density).sum() * 0.01)
assert abs(mean + 0.036871) < 1e-4, "x_0 = 0.8, x_t = −0.4, β = 0.2, ᾱ before the step 0.6: the mean is −0.0369"
assert abs(float(((grid - mean) ** 2 * density).sum() * 0.01) - 2 / 13) < 1e-4, "and the variance is (0.4 / 0.52) · 0.2 = 0.1538"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.bayes_on_grid", bayes_on_grid)
### END HIDDEN TESTS

# %% [markdown]
# Now in closed form, for batches. `extract` is given: it picks the entries of a schedule that belong to the steps `t`, shaped to go with a batch.

# %%
def extract(a, t, x_shape):
    """Entries of a (T,) at t (B,), of shape (B, 1, …, 1), with as many dimensions as x_shape."""
    return a[t].view(len(t), *[1] * (len(x_shape) - 1))


# %% [markdown] hints="q_posterior"
# **Where to look.** Three coefficients for every step, each `(T,)`; then pick those of the batch with `extract`.
#
# **Which rule.** $\bar\alpha_{t-1}$ is $\bar\alpha$ moved by one place, with $\bar\alpha_0 = 1$ in front. In the second coefficient the root covers $\alpha_t$ of this one step, and nothing else.
#
# **A small case.** $\beta = (\tfrac12, \tfrac15)$: $\bar\alpha = (\tfrac12, \tfrac25)$ and, moved by one, $(1, \tfrac12)$. The variances are $0$ and $\tfrac{1/2}{3/5} \cdot \tfrac15 = \tfrac16$.

# %% exercise="q_posterior"
# exercise: q_posterior
def q_posterior(x_0, x_t, t, betas):
    """Mean and variance of q(x_{t-1} | x_t, x_0).

    x_0, x_t: (B, …); t: (B,) long, 0-based; betas: (T,). Returns (mean (B, …), variance (B, 1, …, 1)).
    At the first step (index 0) x_{t-1} is x_0 itself: mean x_0, variance 0.
    """
    ### BEGIN SOLUTION
    alpha_bars = torch.cumprod(1 - betas, dim=0)
    before = torch.cat([torch.ones_like(alpha_bars[:1]), alpha_bars[:-1]])
    of_x_0 = before.sqrt() * betas / (1 - alpha_bars)
    of_x_t = (1 - betas).sqrt() * (1 - before) / (1 - alpha_bars)
    variance = betas * (1 - before) / (1 - alpha_bars)
    mean = extract(of_x_0, t, x_t.shape) * x_0 + extract(of_x_t, t, x_t.shape) * x_t
    return mean, extract(variance, t, x_t.shape)
    ### END SOLUTION


# %% tests="q_posterior" points=2 minutes=25
betas = torch.tensor([0.5, 0.2], dtype=torch.float64)
x_0, x_t, t = (
    torch.tensor([[0.8], [0.8]]).double(),
    torch.tensor([[0.3], [0.3]]).double(),
    torch.tensor([0, 1]),
)
mean, variance = q_posterior(x_0, x_t, t, betas)
assert mean.shape == variance.shape == (2, 1), f"expected shapes (2, 1); yours are {tuple(mean.shape)}, {tuple(variance.shape)}"
assert abs(float(mean[0]) - 0.8) < 1e-6 and abs(float(variance[0])) < 1e-6, "before the first step there is x_0 itself, for certain"
assert abs(float(variance[1]) - 1 / 6) < 1e-6, "for β = (½, ⅕) the variance at t = 2 is (½ / ⅗) · ⅕ = ⅙"
by_bayes = bayes_on_grid(grid, 0.8, 0.3, 0.2, 0.5)
assert abs(float(mean[1]) - float((grid * by_bayes).sum() * 0.01)) < 1e-3, "the mean is not the one that Bayes' rule gives"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.q_posterior", q_posterior)
### END HIDDEN TESTS

# %% [markdown]
# Both, one over the other:

# %% tags=["keep"]
betas = cosine_schedule(50).double()
alpha_bars = torch.cumprod(1 - betas, dim=0)
k, x_0, x_t = 30, 0.8, -0.4
mean, variance = q_posterior(torch.tensor([x_0]).double(), torch.tensor([x_t]).double(), torch.tensor([k]), betas)
closed = torch.distributions.Normal(mean, variance.sqrt()).log_prob(grid).exp()
by_bayes = bayes_on_grid(grid, x_0, x_t, float(betas[k]), float(alpha_bars[k - 1]))
fixmelab.plot_curves(grid, {"Bayes on a grid": by_bayes, "closed form": closed}, "$x_{t-1}$", "density", "One step back, given $x_0$")

# %% [markdown]
# ### 2.2 The same mean, in terms of the noise
#
# A network does not know $x_0$. Put $x_0 = (x_t - \sqrt{1 - \bar\alpha_t}\, \varepsilon) / \sqrt{\bar\alpha_t}$ into $\tilde\mu_t$ and simplify; what remains (Ho et al., 2020,
# equation 11) is
#
# $$\tilde\mu_t = \frac{1}{\sqrt{\alpha_t}} \Big( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \varepsilon \Big).$$

# %% [markdown] hints="posterior_mean_from_eps"
# **Where to look.** The formula stands above, and deriving it is worth the paper: put $x_0$ into $\tilde\mu_t$ and collect what multiplies $x_t$, then what multiplies $\varepsilon$.
#
# **Which rule.** $\bar\alpha_t = \alpha_t \bar\alpha_{t-1}$, and $\beta_t + \alpha_t (1 - \bar\alpha_{t-1}) = 1 - \bar\alpha_t$.
#
# **A small case.** At $t = 1$ it must give back $x_0$: $\beta_1 = 1 - \bar\alpha_1$, so the bracket is $x_1 - \sqrt{1 - \bar\alpha_1}\, \varepsilon$.

# %% exercise="posterior_mean_from_eps"
# exercise: posterior_mean_from_eps
def posterior_mean_from_eps(x_t, eps, t, betas):
    """The mean of q(x_{t-1} | x_t, x_0) from x_t and the noise ε in it.

    x_t, eps: (B, …); t: (B,) long, 0-based; betas: (T,). Returns (B, …).
    """
    ### BEGIN SOLUTION
    factor = betas / (1 - torch.cumprod(1 - betas, dim=0)).sqrt()
    return (x_t - extract(factor, t, x_t.shape) * eps) / extract((1 - betas).sqrt(), t, x_t.shape)
    ### END SOLUTION


# %% tests="posterior_mean_from_eps" points=2 minutes=20
betas = linear_schedule(20).double()
alpha_bars = torch.cumprod(1 - betas, dim=0)
x_0, eps, t = (
    torch.tensor([[0.8, -0.1]]).double(),
    torch.tensor([[1.5, -0.7]]).double(),
    torch.tensor([12]),
)
x_t = alpha_bars[12].sqrt() * x_0 + (1 - alpha_bars[12]).sqrt() * eps
mean = posterior_mean_from_eps(x_t, eps, t, betas)
assert mean.shape == (1, 2), f"expected the shape of x_t, (1, 2); yours has shape {tuple(mean.shape)}"
assert torch.allclose(mean, q_posterior(x_0, x_t, t, betas)[0]), "for x_t made of x_0 and ε, this is the mean of q_posterior"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.posterior_mean_from_eps", posterior_mean_from_eps)
### END HIDDEN TESTS

# %% [markdown]
# The reverse chain that we train is $p_\theta(x_{t-1} \mid x_t) = \mathcal N(\mu_\theta(x_t, t), \sigma_t^2 I)$, where $\mu_\theta$ is the formula above with a prediction
# $\varepsilon_\theta(x_t, t)$ in the place of $\varepsilon$. The part of $\mathrm{KL}(q(x_{t-1} \mid x_t, x_0) \,\|\, p_\theta(x_{t-1} \mid x_t))$ that depends on $\theta$ is then
# $\|\tilde\mu_t - \mu_\theta\|^2 / (2 \sigma_t^2) = \lambda_t \|\varepsilon - \varepsilon_\theta\|^2$. Work out the weight $\lambda_t$. (At $t = 1$, where there is no
# such divergence, the same formula holds for the part of $-\log p_\theta(x_0 \mid x_1)$.)

# %% [markdown] hints="loss_weight"
# **Where to look.** $\tilde\mu_t - \mu_\theta$: both are the same formula, with $\varepsilon$ and with $\varepsilon_\theta$. What is left of $x_t$?
#
# **Which rule.** Take the factor of $\varepsilon - \varepsilon_\theta$, square all of it, and divide by $2 \sigma_t^2$.
#
# **A small case.** $\beta_1 = \sigma_1^2 = \tfrac12$: the factor is $\tfrac{1/2}{\sqrt{1/2} \sqrt{1/2}} = 1$, and $\lambda_1 = 1 / (2 \cdot \tfrac12) = 1$.

# %% exercise="loss_weight"
# exercise: loss_weight
def loss_weight(betas, variances):
    """λ_t for each step. betas: (T,); variances: σ_t², (T,), positive. Returns (T,)."""
    ### BEGIN SOLUTION
    alphas = 1 - betas
    return betas**2 / (2 * variances * alphas * (1 - torch.cumprod(alphas, dim=0)))
    ### END SOLUTION


# %% tests="loss_weight" points=2 minutes=20
weights = loss_weight(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 1.0]))
assert weights.shape == (2,), f"expected one weight for each step, shape (2,); yours has shape {tuple(weights.shape)}"
assert abs(float(weights[0]) - 1.0) < 1e-6, "for β_1 = σ_1² = ½ the weight of the first step is 1"
assert abs(float(weights[1]) - 1 / 3) < 1e-6, "for β = (½, ½) and σ_2² = 1 the weight of the second step is ⅓"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.loss_weight", loss_weight)
### END HIDDEN TESTS

# %% [markdown] predict="weights"
# The true weight $\lambda_t$ over the 1,000 steps, for $\sigma_t^2 = \beta_t$: is it largest at the noisy end, in the middle or near the clean image? By
# what factor do the largest and the smallest differ?

# %% tags=["keep"]
betas = cosine_schedule(1000).double()
curves = {"$\\lambda_t$ for $\\sigma_t^2 = \\beta_t$": loss_weight(betas, betas)}
fixmelab.plot_curves(torch.arange(1, 1001), curves, "t", "weight", "What the simple loss leaves out, T = 1000", log="y")

# %% [markdown] written="simple_loss" points=2 minutes=10
# ### Question: the simple loss
#
# Ho et al. (2020, equation 14) train with $\|\varepsilon - \varepsilon_\theta\|^2$, without $\lambda_t$. (1) Relative to the true weights in the plot, which steps get
# more attention and which less? (2) Why may that give better *pictures*, though a worse bound?
#
# ### BEGIN MARK SCHEME
# - 1 point: λ is largest at small $t$ (and at the clipped end of the schedule), so the simple loss gives the steps with little noise less weight
#   and those with much noise more.
# - 1 point: steps with little noise settle details that nobody sees but that cost many nats; capacity goes to the steps that decide on content.
# ### END MARK SCHEME

# %% [markdown]
# ### 2.3 The best possible denoiser
#
# Let the data be one-dimensional and Gaussian, $x_0 \sim \mathcal N(m, s^2)$. Then $x_t$ and $\varepsilon$ are jointly Gaussian, and the prediction with the least squared error is
# the conditional mean $\mathbb E[\varepsilon \mid x_t] = \mathrm{Cov}(\varepsilon, x_t)\, \mathrm{Var}(x_t)^{-1}\, (x_t - \mathbb E[x_t])$. Work it out.

# %% [markdown] hints="optimal_eps"
# **Where to look.** $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon$ with $x_0$ and $\varepsilon$ independent: write down its mean, its variance and its covariance with $\varepsilon$.
#
# **Which rule.** $\mathrm{Var}(aX + bY) = a^2\, \mathrm{Var} X + b^2\, \mathrm{Var} Y$, and $\mathrm{Cov}(\varepsilon, aX + b\varepsilon) = b$, if $X$ and $\varepsilon$ are independent and $\varepsilon$ has the variance 1.
#
# **A small case.** Data $\mathcal N(0, 1)$ and $\bar\alpha = \tfrac12$: $x_t$ has the variance 1, the covariance is $\sqrt{1/2}$, so the best guess is $\sqrt{1/2}\, x_t$.

# %% exercise="optimal_eps"
# exercise: optimal_eps
def optimal_eps(x_t, alpha_bar, mean, std):
    """E[ε | x_t] where the data are N(mean, std²), in one dimension.

    x_t: any shape; alpha_bar: ᾱ_t, a number or a tensor without dimensions; mean, std: numbers. Returns x_t's shape.
    """
    ### BEGIN SOLUTION
    alpha_bar = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - alpha_bar).sqrt() * (x_t - alpha_bar.sqrt() * mean) / (alpha_bar * std**2 + 1 - alpha_bar)
    ### END SOLUTION


# %% tests="optimal_eps" points=2 minutes=20
x_t = torch.tensor([-1.0, 0.0, 2.0])
assert torch.allclose(optimal_eps(x_t, 0.64, 0.0, 0.0), x_t / 0.6), "data that are always 0: x_t is nothing but noise, ε = x_t / √(1 − ᾱ)"
assert torch.allclose(optimal_eps(x_t, 0.5, 0.0, 1.0), x_t * 0.5**0.5), "for data N(0, 1) and ᾱ = ½ half the variance is noise: √½ · x_t"
guess = optimal_eps(torch.tensor([2.0]), 0.64, 1.0, 0.5)
assert abs(float(guess) - 0.72 / 0.52) < 1e-5, "data N(1, ¼), ᾱ = 0.64, x_t = 2: 1.2 above its mean 0.8, variance 0.52, covariance 0.6"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.optimal_eps", optimal_eps)
### END HIDDEN TESTS

# %% [markdown]
# With it the best denoiser for a *mixture* of Gaussians is known too: weigh the answer of each component with how likely it is, given $x_t$.

# %%
WEIGHTS, MEANS, STDS = torch.tensor([0.3, 0.7]), torch.tensor([-0.6, 0.45]), torch.tensor([0.06, 0.12])


def mixture_eps(x_t, alpha_bar):
    """E[ε | x_t] where the data are the mixture above. x_t: (S,). Returns (S,)."""
    spread = (alpha_bar * STDS**2 + 1 - alpha_bar).sqrt()
    components = torch.distributions.Normal(alpha_bar.sqrt() * MEANS, spread)
    share = torch.softmax(WEIGHTS.log() + components.log_prob(x_t[:, None]), dim=1)
    each = [optimal_eps(x_t, alpha_bar, mean, std) for mean, std in zip(MEANS, STDS)]
    return (share * torch.stack(each, dim=1)).sum(dim=1)


# %% [markdown]
# Run the chain backward with it: 5,000 points of pure noise, $T = 200$ steps.

# %% [markdown] predict="flow"
# All points start in one Gaussian heap, and the data have two peaks, with 30 % of the mass on the left one. Do the points part early or late? Will
# the heights of the peaks come out right, although every point walks for itself?

# %% tags=["keep"]
betas = cosine_schedule(200)
alpha_bars = torch.cumprod(1 - betas, dim=0)
x = torch.randn(5_000, generator=torch.Generator().manual_seed(0))
states = [x]
for k in reversed(range(200)):
    t = torch.full((len(x),), k)
    mean = posterior_mean_from_eps(x, mixture_eps(x, alpha_bars[k]), t, betas)
    x = mean + q_posterior(x, x, t, betas)[1].sqrt() * torch.randn_like(x) if k else mean
    states.append(x)
fixmelab.plot_density_flow(torch.stack(states[::-1]), title="From noise (right) to data (left), with the best denoiser")

# %% tags=["keep"]
data_mean = (WEIGHTS * MEANS).sum()
data_std = ((WEIGHTS * (STDS**2 + MEANS**2)).sum() - data_mean**2).sqrt()
print(f"mean {x.mean():+.3f} (data {data_mean:+.3f}), standard deviation {x.std():.3f} (data {data_std:.3f}), "
      f"left peak {(x < 0).float().mean():.3f} (data {WEIGHTS[0]:.3f})")

# %% [markdown]
# ### 2.4 The ELBO, term by term
#
# $-\log p_\theta(x_0)$ is at most (Ho et al., 2020, equation 5)
#
# $$\underbrace{-\mathbb E_q \log p_\theta(x_0 \mid x_1)}_{L_0}
#   + \sum_{t=2}^{T} \underbrace{\mathbb E_q\, \mathrm{KL}\big(q(x_{t-1} \mid x_t, x_0) \,\|\, p_\theta(x_{t-1} \mid x_t)\big)}_{L_{t-1}}
#   + \underbrace{\mathrm{KL}\big(q(x_T \mid x_0) \,\|\, \mathcal N(0, I)\big)}_{L_T}.$$
#
# For data $\mathcal N(m, s^2)$ in one dimension, the best $\varepsilon_\theta$ and $\sigma_t^2 = \beta_t$, compute every term **exactly**, averaged over $x_0$ too. Useful:
# $\mathbb E\,(\varepsilon - \mathbb E[\varepsilon \mid x_t])^2 = \bar\alpha_t s^2 / (\bar\alpha_t s^2 + 1 - \bar\alpha_t)$; the divergence of two Gaussians with
# variances $\tilde\beta_t$ and $\beta_t$ has a part from the variances and a part $\lambda_t\, \mathbb E(\varepsilon - \varepsilon_\theta)^2$ from the means; and at $t = 1$ the true noise
# gives $\tilde\mu_1 = x_0$.

# %% [markdown] hints="elbo_terms"
# **Where to look.** Term by term. $L_T$ is `kl_to_prior` for one entry, with $\mathbb E[x_0^2]$ in the place of $x_0^2$. $L_{t-1}$ is a divergence of two Gaussians in one dimension.
#
# **Which rule.** $\mathrm{KL}(\mathcal N(\mu_1, v_1) \,\|\, \mathcal N(\mu_2, v_2)) = \tfrac12 (v_1 / v_2 - 1 - \log(v_1 / v_2)) + (\mu_1 - \mu_2)^2 / (2 v_2)$. Here $v_1 / v_2 = \tilde\beta_t / \beta_t$,
# and the last part is $\lambda_t\, \mathbb E(\varepsilon - \varepsilon_\theta)^2$ on average. $L_0$ is minus a Gaussian log-density with variance $\beta_1$, whose squared distance is that part again.
#
# **A small case.** Data that are always $m$ (`std` 0): the noise is known exactly, so that all parts from the means vanish.

# %% exercise="elbo_terms"
# exercise: elbo_terms
def elbo_terms(mean, std, betas):
    """The terms of the negative ELBO in nats, averaged over data N(mean, std²), one-dimensional.

    mean, std: numbers; betas: (T,), also the variances σ_t² of the reverse chain. Returns (L_0, L, L_T): tensors
    without dimensions, and L (T - 1,) for L_1, …, L_{T-1}.
    """
    ### BEGIN SOLUTION
    alpha_bars = torch.cumprod(1 - betas, dim=0)
    error = alpha_bars * std**2 / (alpha_bars * std**2 + 1 - alpha_bars)
    from_means = loss_weight(betas, betas) * error
    l_0 = 0.5 * torch.log(2 * math.pi * betas[0]) + from_means[0]
    ratio = (1 - alpha_bars[:-1]) / (1 - alpha_bars[1:])
    between = 0.5 * (ratio - 1 - ratio.log()) + from_means[1:]
    last = alpha_bars[-1]
    l_T = 0.5 * (last * (mean**2 + std**2) - last - torch.log(1 - last))
    return l_0, between, l_T
    ### END SOLUTION


# %% tests="elbo_terms" points=3 minutes=40
l_0, between, l_T = elbo_terms(0.5, 0.4, cosine_schedule(100).double())
assert between.shape == (99,), f"L holds L_1 … L_99 for T = 100, shape (99,); yours has shape {tuple(between.shape)}"
assert (between >= 0).all() and l_T >= 0, "L_1 … L_T are divergences: never negative"
entropy = 0.5 * math.log(2 * math.pi * math.e * 0.4**2)
total = float(l_0 + between.sum() + l_T)
assert total > entropy, f"the sum is at least the data's entropy, {entropy:.4f} nats; yours is {total:.4f}"
assert total < entropy + 0.1, f"with the best denoiser the bound is nearly tight: {entropy:.4f} nats; yours is {total:.4f}"
betas = cosine_schedule(20).double()
sure = elbo_terms(0.5, 0.0, betas)
right = kl_to_prior(torch.tensor([[0.5]]).double(), torch.cumprod(1 - betas, dim=0)[-1])
assert abs(float(sure[2] - right)) < 1e-8, "for data that are always 0.5, L_T is what kl_to_prior says of x_0 = 0.5"
assert abs(float(sure[0]) - 0.5 * math.log(2 * math.pi * float(betas[0]))) < 1e-8, "and L_0 is ½ log(2π β_1): the mean is known"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.elbo_terms", elbo_terms)
### END HIDDEN TESTS

# %% [markdown]
# The next figure shows the sum of the terms for more and more steps, against the entropy of the data, below which no model can come.

# %% [markdown] predict="tighter"
# The denoiser is the best there is. Is the bound tight, then, with 10 steps? And does it pay to go from 100 to 1,000?

# %% tags=["keep"]
lengths = torch.tensor([10, 20, 50, 100, 200, 500, 1000])
bounds = []
for T in lengths.tolist():
    l_0, between, l_T = elbo_terms(0.5, 0.4, cosine_schedule(T).double())
    bounds.append(l_0 + between.sum() + l_T)
curves = {"sum of the terms": torch.stack(bounds), "entropy of the data": torch.full((7,), entropy)}
fixmelab.plot_curves(lengths, curves, "T", "nats", "More steps, tighter bound", log="x")

# %% [markdown] hints="lower_bound"
# **Where to look.** $p_\theta(x_0) = \int p_\theta(x_{0:T})\, dx_{1:T}$: divide and multiply by $q(x_{1:T} \mid x_0)$.
#
# **Which rule.** Jensen: $\log \mathbb E[X] \ge \mathbb E[\log X]$. The forward chain is Markov, so conditioning on $x_0$ as well changes nothing; then Bayes, and a product that telescopes.

# %% [markdown] written="lower_bound" points=4 minutes=30
# ### Question: the bound
#
# 1. Show that $\log p_\theta(x_0) \ge \mathbb E_q \big[ \log p_\theta(x_{0:T}) - \log q(x_{1:T} \mid x_0) \big]$.
# 2. Show by Bayes' rule that $q(x_t \mid x_{t-1}) = q(x_{t-1} \mid x_t, x_0)\, q(x_t \mid x_0) / q(x_{t-1} \mid x_0)$ for $t \ge 2$, and use it to turn the bound into
#    the three kinds of terms above.
# 3. Which term does not depend on $\theta$, and why?
#
# ### BEGIN MARK SCHEME
# - 1 point: Jensen's inequality on $\log \mathbb E_q[p_\theta(x_{0:T}) / q(x_{1:T} \mid x_0)]$, or the divergence from the posterior that is left out is not negative.
# - 1 point: the forward chain is Markov, so $q(x_t \mid x_{t-1}) = q(x_t \mid x_{t-1}, x_0)$; then Bayes.
# - 1 point: the quotients $q(x_{t-1} \mid x_0) / q(x_t \mid x_0)$ telescope to $q(x_1 \mid x_0) / q(x_T \mid x_0)$; collecting gives $L_0$, $L_{t-1}$, $L_T$.
# - 1 point: $L_T$: neither the fixed forward chain nor $\mathcal N(0, I)$ has parameters.
# ### END MARK SCHEME

# %% [markdown] written="why_train" points=2 minutes=10
# ### Question: why train at all?
#
# $q(x_{t-1} \mid x_t, x_0)$ is known in closed form. (1) Why can we not simply sample with it? (2) What, then, does the network learn, in terms of conditional expectations?
#
# ### BEGIN MARK SCHEME
# - 1 point: it needs $x_0$, which is what we want to make.
# - 1 point: $\mathbb E[\varepsilon \mid x_t]$ (equivalently $\mathbb E[x_0 \mid x_t]$), an average over all data that could have led to $x_t$; this depends on the data's distribution.
# ### END MARK SCHEME

# %% [markdown]
# ## 3. The real thing
#
# ### The data
#
# `load_pictures()` gives small pictures of cats, 32×32, in $[-1, 1]$. They are drawn by a program, so there is nothing to download; a folder of your own
# images works too: `load_pictures("path/to/folder", data_class="dog")`.

# %% tags=["keep"]
pictures = load_pictures()
images = pictures.images[:TRAINING_IMAGES]
fixmelab.show_images((images[:40] + 1) / 2, columns=10, title=f"{pictures.name}: the first 40 training images")

# %% [markdown]
# ### 3.1 The loss
#
# The distance between the noise and its prediction is a mean over all entries, squared (`"l2"`, Ho et al., 2020) or absolute (`"l1"`, less moved by outliers).

# %% exercise="eps_loss"
# exercise: eps_loss
def eps_loss(eps, eps_hat, kind="l2"):
    """Mean over all entries of (eps - eps_hat)² for kind "l2", of |eps - eps_hat| for "l1".

    eps, eps_hat: the same shape. Returns a tensor without dimensions. Raises ValueError for any other kind.
    """
    ### BEGIN SOLUTION
    if kind == "l2":
        return F.mse_loss(eps_hat, eps)
    if kind == "l1":
        return F.l1_loss(eps_hat, eps)
    raise ValueError(f"kind is {kind!r}: use 'l1' or 'l2'")
    ### END SOLUTION


# %% tests="eps_loss" points=1 minutes=5
one = torch.ones(2, 3, 4, 4)
assert eps_loss(one, 0 * one).shape == (), "training needs one number"
assert abs(float(eps_loss(one, 3 * one)) - 4) < 1e-6, "off by 2 everywhere: squared, 4"
assert abs(float(eps_loss(one, 3 * one, "l1")) - 2) < 1e-6, "off by 2 everywhere: absolute, 2"
try:
    eps_loss(one, one, "l3")
    is_refused = False
except ValueError:
    is_refused = True
assert is_refused, "a kind that is neither l1 nor l2 must raise a ValueError"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.eps_loss", eps_loss)
### END HIDDEN TESTS

# %% [markdown]
# ### 3.2 The class
#
# Everything comes together in one module around a network `model(x, t)` that predicts the noise in $x_t$. Rows of the table are exercises of their own.
#
# | method | what it does |
# |---|---|
# | `__init__` | `betas`, `alphas`, `alpha_bars` of the cosine schedule, each `(T,)`, registered as buffers so that they move with `.to(device)`; float32, as the network is (or cast what you take from them) |
# | `q_sample(x_0, t, noise=None)` | $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon$, each example at its own step |
# | `p_losses(x_0, t, noise=None)` | `eps_loss` between the noise and `model(x_t, t)`, of the kind `self.loss_kind` |
# | `forward(x_0, noise=None)` | `p_losses` at steps drawn uniformly from all $T$, **one for each example** |
# | `p_sample(x, t, t_index)` | one step back: $\hat x_0 = (x_t - \sqrt{1 - \bar\alpha_t}\, \varepsilon_\theta) / \sqrt{\bar\alpha_t}$, clamped to $[-1, 1]$; the mean $\tilde\mu_t$ of $q(x_{t-1} \mid x_t, \hat x_0)$ (in the form of 2.2 it needs the $\varepsilon$ that belongs to the *clamped* $\hat x_0$); plus $\sqrt{\tilde\beta_t}\, z$ with fresh $z \sim \mathcal N(0, I)$, but **no noise at the last step** (index 0) |
# | `p_sample_loop(img)` | all $T$ steps from $x_T$ = `img`, the model in evaluation mode; returns $x_0$ in $[-1, 1]$ |
# | `sample(batch_size)` | new images by one `p_sample_loop` from fresh noise, mapped to $[0, 1]$ |
#
# If `noise` is `None`, draw standard normal noise, fresh for every entry at every call. Sampling builds no graph. `t` is always a `(B,)` long tensor of 0-based
# indices, and `t_index` the same index as a number.

# %% [markdown] hints="Diffusion"
# **Where to look.** Each row of the table is one method of a few lines, and each uses a function that you have written above, or a method above it.
#
# **Which rule.** `register_buffer(name, tensor)` makes a tensor move with the module. In `p_sample` the network gives $\varepsilon_\theta$; from it comes $\hat x_0$, which is clamped, and from that and $x$
# comes mean and variance by `q_posterior`. In `p_sample_loop` remember the network's mode, and give it back.
#
# **A small case.** $T = 10$ and a batch of 3: `forward` draws three steps, each from 0 to 9; `p_sample_loop` calls `p_sample` with `t_index` 9, 8, …, 0, and `t` is `t_index` three times.

# %% exercise="Diffusion"
# exercise: Diffusion
class Diffusion(nn.Module):
    """Gaussian diffusion with the cosine schedule around model(x (B, C, H, W), t (B,)) -> predicted noise (B, C, H, W)."""

    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__()
        self.model, self.image_size, self.channels, self.timesteps = model, image_size, channels, timesteps
        self.loss_kind = "l2"
        ### BEGIN SOLUTION
        betas = cosine_schedule(timesteps)
        self.register_buffer("betas", betas)
        self.register_buffer("alphas", 1 - betas)
        self.register_buffer("alpha_bars", torch.cumprod(1 - betas, dim=0))
        ### END SOLUTION

    # exercise: q_sample
    def q_sample(self, x_0, t, noise=None):
        """x_t given x_0. x_0, noise: (B, C, H, W); t: (B,) long, 0-based. Returns (B, C, H, W)."""
        ### BEGIN SOLUTION
        noise = torch.randn_like(x_0) if noise is None else noise
        alpha_bar = extract(self.alpha_bars, t, x_0.shape)
        return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise
        ### END SOLUTION

    # exercise: p_losses
    def p_losses(self, x_0, t, noise=None):
        """The loss of predicting the noise in x_t. x_0, noise: (B, C, H, W); t: (B,) long. Returns ()."""
        ### BEGIN SOLUTION
        noise = torch.randn_like(x_0) if noise is None else noise
        predicted = self.model(self.q_sample(x_0, t, noise), t)
        return eps_loss(noise, predicted, self.loss_kind)
        ### END SOLUTION

    # exercise: forward
    def forward(self, x_0, noise=None):
        """The loss at random steps, one for each example. x_0, noise: (B, C, H, W). Returns ()."""
        ### BEGIN SOLUTION
        t = torch.randint(0, self.timesteps, (len(x_0),), device=x_0.device)
        return self.p_losses(x_0, t, noise)
        ### END SOLUTION

    # exercise: p_sample
    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        """One step back. x: (B, C, H, W); t: (B,) long, all of them t_index. Returns (B, C, H, W)."""
        ### BEGIN SOLUTION
        alpha_bar = extract(self.alpha_bars, t, x.shape)
        x_0 = (x - (1 - alpha_bar).sqrt() * self.model(x, t)) / alpha_bar.sqrt()
        mean, variance = q_posterior(x_0.clamp(-1, 1), x, t, self.betas)
        return mean + variance.sqrt() * torch.randn_like(x) if t_index > 0 else mean
        ### END SOLUTION

    # exercise: p_sample_loop
    @torch.no_grad()
    def p_sample_loop(self, img):
        """The reverse chain from x_T = img (B, C, H, W). Returns x_0 in [-1, 1], (B, C, H, W)."""
        ### BEGIN SOLUTION
        was_training = self.model.training
        self.model.eval()
        for t_index in reversed(range(self.timesteps)):
            t = torch.full((len(img),), t_index, device=img.device)
            img = self.p_sample(img, t, t_index)
        self.model.train(was_training)
        return img
        ### END SOLUTION

    # exercise: sample
    @torch.no_grad()
    def sample(self, batch_size):
        """New images in [0, 1], (batch_size, C, H, W)."""
        ### BEGIN SOLUTION
        noise = torch.randn(batch_size, self.channels, self.image_size, self.image_size, device=self.betas.device)
        return (self.p_sample_loop(noise) + 1) / 2
        ### END SOLUTION


# %% [markdown]
# The buffers:

# %% tests="Diffusion" points=1 minutes=10
diffusion = Diffusion(nn.Identity(), image_size=4, channels=2, timesteps=10)
names = {name for name, _ in diffusion.named_buffers()}
assert {"betas", "alphas", "alpha_bars"} <= names, f"betas, alphas and alpha_bars must be buffers; found {sorted(names)}"
assert diffusion.alpha_bars.shape == (10,), f"alpha_bars has an entry for each step, (10,); yours: {tuple(diffusion.alpha_bars.shape)}"
left = torch.cumprod(1 - cosine_schedule(10), dim=0)
assert torch.allclose(diffusion.alpha_bars.float(), left.float(), atol=1e-5), "alpha_bars holds ᾱ of the cosine schedule: products of the α so far"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.Diffusion", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# `q_sample`:

# %% tests="q_sample" points=2 minutes=10
diffusion = Diffusion(nn.Identity(), image_size=4, channels=2, timesteps=10)
x_0, t = torch.ones(3, 2, 4, 4), torch.tensor([0, 5, 9])
x_t = diffusion.q_sample(x_0, t, torch.zeros_like(x_0))
assert x_t.shape == (3, 2, 4, 4), f"expected the shape of x_0, (3, 2, 4, 4); yours has shape {tuple(x_t.shape)}"
assert torch.allclose(x_t[:, 0, 0, 0] ** 2, diffusion.alpha_bars[t]), "without noise, √ᾱ of each example's own step is left"
assert not torch.equal(diffusion.q_sample(x_0, t), diffusion.q_sample(x_0, t)), "without noise given, draw it afresh"
noisy = diffusion.q_sample(2 * x_0, t, -torch.ones_like(x_0))
a = diffusion.alpha_bars[t]
assert torch.allclose(noisy[:, 0, 0, 0], 2 * a.sqrt() - (1 - a).sqrt()), "x_0 = 2 and noise −1: 2 √ᾱ − √(1 − ᾱ), each at its own step"
fresh = diffusion.q_sample(torch.zeros(300, 2, 4, 4), torch.full((300,), 5))
assert len(fresh.unique()) > 9_000, "noise that is not given is drawn anew for every pixel of every image"
assert (
    abs(float(fresh.std() / (1 - a[1]).sqrt()) - 1) < 0.05
    and abs(float(fresh.mean())) < 0.05
), "noise that is not given is standard normal"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.q_sample", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# `p_losses`:

# %% tests="p_losses" points=2 minutes=10
from fixmelab.toys import Recorder

# A toy network that predicts 0 whatever it sees, and remembers what it was shown.
toy = Recorder(torch.zeros(10), torch.zeros(10))
diffusion = Diffusion(toy, image_size=4, channels=2, timesteps=10)
x_0, t, noise = (
    torch.ones(3, 2, 4, 4),
    torch.tensor([0, 5, 9]),
    torch.full((3, 2, 4, 4), 2.0),
)
loss = diffusion.p_losses(x_0, t, noise)
assert loss.shape == () and abs(float(loss.detach()) - 4) < 1e-5, "noise 2 everywhere, prediction 0: the squared loss is 4"
assert torch.allclose(toy.inputs[-1], diffusion.q_sample(x_0, t, noise)), "the network must be shown x_t, made with this very noise"
assert torch.equal(toy.times[-1], t), "the network must be told the very steps that p_losses is given"
assert loss.requires_grad and all(toy.modes), "training needs a gradient of the loss, and the model in training mode"
loss = diffusion.p_losses(torch.ones(400, 2, 4, 4), torch.full((400,), 5)).detach()
assert abs(float(loss) - 1) < 0.15, "noise that is not given is standard normal: a prediction of 0 then costs 1"
assert len(toy.inputs[-1].unique()) > 12_000, "every pixel of every image gets noise of its own"
diffusion.loss_kind = "l1"
assert abs(float(diffusion.p_losses(x_0, t, noise).detach()) - 2) < 1e-5, "with loss_kind 'l1' the loss is absolute: 2"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.p_losses", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# `forward`:

# %% tests="forward" points=2 minutes=10
toy = Recorder(torch.zeros(10), torch.zeros(10))
diffusion = Diffusion(toy, image_size=2, channels=1, timesteps=10)
loss = diffusion(torch.zeros(64, 1, 2, 2), noise=torch.full((64, 1, 2, 2), 2.0))
assert loss.shape == () and abs(float(loss.detach()) - 4) < 1e-5, "the noise that is given must be used: prediction 0, noise 2, loss 4"
assert toy.times[-1].shape == (64,), f"t is (64,) for 64 examples; yours has shape {tuple(toy.times[-1].shape)}"
assert len(toy.times[-1].unique()) > 1, "every example has a step of its own"
assert loss.requires_grad and all(toy.modes), "the loss must carry a gradient, and the model stay in training mode"
diffusion(torch.zeros(1000, 1, 2, 2))
drawn = toy.times[-1].bincount()
assert len(drawn) == 10 and 40 < int(drawn.min()) and int(drawn.max()) < 170, "of 1000 examples, about 100 get each index from 0 to T − 1"
assert len(toy.inputs[-1].unique()) > 3_800, "every pixel of every example gets noise of its own"
diffusion(torch.zeros(1000, 1, 2, 2))
assert not torch.equal(toy.times[-1], toy.times[-2]), "each call draws its steps afresh"
assert not torch.equal(toy.inputs[-1], toy.inputs[-2]), "each call draws its noise afresh"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.forward", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# `p_sample`:

# %% tests="p_sample" points=3 minutes=25
diffusion = Diffusion(
    Recorder(torch.zeros(10), torch.zeros(10)), image_size=4, channels=2, timesteps=10
)
x, first = torch.full((3, 2, 4, 4), 0.25), torch.zeros(3, dtype=torch.long)
x_0 = diffusion.p_sample(x, first, 0)
assert x_0.shape == (3, 2, 4, 4), f"expected the shape of x, (3, 2, 4, 4); yours has shape {tuple(x_0.shape)}"
assert torch.allclose(x_0, x / diffusion.alpha_bars[0].sqrt()), "the last step gives x̂_0 itself: no noise is added at index 0"
assert not torch.equal(
    diffusion.p_sample(x, first + 5, 5), diffusion.p_sample(x, first + 5, 5)
), "at every other step, fresh noise is added"
clamped = torch.stack([diffusion.p_sample(x + far, first, 0).mean() for far in (-4, 4)])
assert torch.allclose(clamped, torch.tensor([-1.0, 1.0])), "x̂_0 is clamped to [−1, 1]: at the last step −3.75 becomes −1, and 4.25 becomes 1"
many, t = torch.full((2000, 2, 4, 4), 0.25), torch.full((2000,), 5)
mean, variance = q_posterior(
    (many / diffusion.alpha_bars[5].sqrt()).clamp(-1, 1), many, t, diffusion.betas
)
back = diffusion.p_sample(many, t, 5)
assert abs(float(back.mean() - mean.mean())) < 0.01, "the network predicts 0 here: on average the step back is the mean of q(x_{t−1} | x_t, x̂_0)"
assert abs(float(back.std() - variance.mean().sqrt())) < 0.01, "the noise of a step back has the standard deviation √β̃_t"
assert len(back.unique()) > 55_000 and not back.requires_grad, "every pixel of every image gets noise of its own; no gradient is kept"
assert torch.equal(diffusion.model.times[-1], t) and torch.equal(
    diffusion.model.inputs[-1], many
), "the network must be shown the very x and t that are given"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.p_sample", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# `p_sample_loop`:

# %% tests="p_sample_loop" points=2 minutes=15
toy = Recorder(torch.zeros(10), torch.zeros(10))
diffusion = Diffusion(toy, image_size=4, channels=2, timesteps=10)
x_T = torch.full((3, 2, 4, 4), 0.5)
x_0 = diffusion.p_sample_loop(x_T)
assert x_0.shape == (3, 2, 4, 4), f"expected the shape of img, (3, 2, 4, 4); yours has shape {tuple(x_0.shape)}"
assert [int(t[0]) for t in toy.times] == list(range(9, -1, -1)), "the steps go from index T − 1 down to 0, each once"
assert not any(toy.modes), "while sampling the model must be in evaluation mode: model.eval()"
assert torch.equal(toy.inputs[0], x_T), "the network sees first the img that is given"
assert len(toy.inputs[1].unique()) > 90, "after a step, every pixel of every image has noise of its own"
last = diffusion.p_sample(toy.inputs[9], torch.zeros(3, dtype=torch.long), 0)
assert torch.allclose(x_0, last), "what comes back is what the step at index 0 makes, as it is"
assert not x_0.requires_grad, "sampling needs no gradients: torch.no_grad()"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.p_sample_loop", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# `sample`:

# %% tests="sample" points=2 minutes=10
toy = Recorder(torch.zeros(10), torch.zeros(10))
diffusion = Diffusion(toy, image_size=4, channels=2, timesteps=10)
made = diffusion.sample(3)
assert made.shape == (3, 2, 4, 4), f"expected three images, (3, 2, 4, 4); yours has shape {tuple(made.shape)}"
assert -1e-3 < float(made.min()) and float(made.max()) < 1 + 1e-3, "images are handed out in [0, 1]"
assert not torch.equal(made[0], made[1]), "every image starts from noise of its own"
assert [int(t[0]) for t in toy.times] == list(range(9, -1, -1)), "the network is asked once for each step, from T − 1 down to 0"
assert not any(toy.modes), "while sampling the model must be in evaluation mode: model.eval()"
last = diffusion.p_sample(toy.inputs[9], torch.zeros(3, dtype=torch.long), 0)
assert torch.allclose(made, (last + 1) / 2), "from [−1, 1] to [0, 1]: half of what the loop gives, plus ½"
diffusion.sample(300)
start, after = toy.inputs[-10], toy.inputs[-9]
assert min(len(x.unique()) for x in (start, after)) > 9_000, "every pixel has noise of its own, at the start and in each step"
assert abs(float(start.std()) - 1) < 0.06 and abs(float(start.mean())) < 0.06, "the start is standard normal"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.sample", Diffusion)
### END HIDDEN TESTS

# %% [markdown]
# What the shortcut saves: $x_t$ for a batch of 64 images by the chain and by `q_sample`.

# %% [markdown] predict="cost"
# A batch of 64 images at $t = 1000$, by the chain and by the shortcut: how many times longer does the chain take?

# %% tags=["keep"]
diffusion = Diffusion(nn.Identity(), image_size=32, timesteps=1000)
batch, milliseconds = images[:64], {"chain": [], "closed form": []}
for t in (1, 250, 500, 750, 1000):
    noises = torch.randn(t, *batch.shape[1:])[:, None].expand(-1, len(batch), -1, -1, -1)
    start = time.perf_counter()
    q_chain(batch, diffusion.betas, noises)
    middle = time.perf_counter()
    diffusion.q_sample(batch, torch.full((len(batch),), t - 1))
    milliseconds["chain"].append(1000 * (middle - start))
    milliseconds["closed form"].append(1000 * (time.perf_counter() - middle))
fixmelab.plot_curves([1, 250, 500, 750, 1000], milliseconds, "t", "milliseconds", "The cost of one noisy batch")

# %% [markdown]
# ### 3.3 Training
#
# The network is given: `fixmelab.UNet`, a small U-Net with an embedding of $t$. After every epoch a checkpoint is written. If the runtime goes away, run the
# cells again: training goes on where it stopped. To start afresh, delete the file.

# %% [markdown] predict="loss"
# A network that always predicts 0 has a loss of 1, the variance of the noise. To what does it fall in the first steps, and where does it end? Can it reach 0?

# %% tags=["train"]
fixmelab.seed_everything(0)
diffusion = Diffusion(fixmelab.UNet(), image_size=32, timesteps=TIMESTEPS)


def training_loss(diffusion, batch):
    return diffusion(batch)


checkpoint = lab.folder / f"diffusion-{pictures.name}-{lab.budget}.safetensors"
history = fixmelab.train(
    diffusion, training_loss, images, epochs=EPOCHS, batch_size=32, checkpoint=checkpoint, device=lab.device
)
diffusion.eval();

# %% tags=["keep"]
expected = fixmelab.budget(full=(0.02, 0.07), cpu=(0.035, 0.1), smoke=(0.35, 0.75)) if pictures.name == "cats" else None
fixmelab.plot_history(history, ylabel="loss (mean squared error of the noise)", expected=expected)

# %% [markdown]
# The green band is where our own run ended. The loss falls fast at first, then slowly, and never reaches 0: from $x_t$ alone the noise cannot be told exactly, least of all
# where there is little of it. A loss that stays near 1 means that the network is shown something other than the $x_t$ of its noise.

# %% tags=["keep"]
with fixmelab.progress(diffusion.model, TIMESTEPS, "sampling"):
    new_images = diffusion.sample(SAMPLES).cpu()
fixmelab.show_images(new_images, columns=10, title="new images")

# %% [markdown]
# ### 3.4 How good is it?
#
# The Fréchet inception distance (Heusel et al., 2017) compares the statistics of features of real and of generated images. The command line trains *your* class from
# this notebook and keeps score.
#
# **This is a second training, from the start**, beside the one above: the curve of the distance needs samples at ten points on the way. The next question asks for two of its numbers, so start it
# now and read on meanwhile. On a laptop it takes somewhat longer than the training above did, and on a GPU a few minutes. Save the notebook first, then run in a terminal (in Colab, a cell that
# starts with `!`):
#
# ```
# fixmelab train diffusion --from {{name}}.ipynb --train_steps 1000 --save_and_sample_every 100 --fid
# ```
#
# It writes samples, the loss curve and the FID curve into `results/`. With `--train_steps 10000` you get the long run, with `--data_path` and `--data_class` your own pictures.

# %% [markdown] written="training_run" points=3 minutes=40
# ### Question: your run
#
# 1. Describe the loss curve of your run. Why does it stop falling although samples go on getting better?
# 2. Quote the FID at two points of the curve of 3.4. Why is a smaller number better, and what must be the same for two of them to be compared?
# 3. Look at the samples: what does the model get right, and what does it get wrong?
#
# ### BEGIN MARK SCHEME
# - 1 point: fast fall, then a noisy plateau; the noise of an image can never be told exactly (the remaining variance), and $t$ is drawn anew, so a step's loss says
#   little; small gains at some steps show in samples long before they show in the mean.
# - 1 point: two numbers; distance between Gaussians fitted to features of real and generated images, 0 if they agree; same feature network, number of images, preprocessing.
# - 1 point: an honest look at the student's own pictures.
# ### END MARK SCHEME

# %% [markdown]
# ## 4. Look at it
#
# The figures show states $x_t$ after $t$ steps of noise. So $t = 0$ is the clean image (or the finished sample) and $t = T$ pure noise, before any step back; the index of step $t$
# in code is `t - 1`. All three functions use nothing of `diffusion` but `timesteps`, `q_sample` and `p_sample`, and
# `fixmelab.show_strip(states, titles)` draws: `states` is `(number of states, B, C, H, W)` in $[-1, 1]$, one column for each state.
#
# ### 4.1 The way there
#
# $x_t$ at 0, 25, 50, 75 and 99 % of $T$: $t = \lfloor p\,T / 100 \rfloor$.

# %% exercise="plot_forward"
# exercise: plot_forward
def plot_forward(diffusion, x_0):
    """States of the forward process at 0, 25, 50, 75 and 99 % of T, t = p * T // 100.

    x_0: (B, C, H, W) in [-1, 1]. Returns (figure, states (5, B, C, H, W)), unscaled; states[0] is x_0 itself.
    """
    ### BEGIN SOLUTION
    times = [percent * diffusion.timesteps // 100 for percent in (0, 25, 50, 75, 99)]
    states = [x_0 if t == 0 else diffusion.q_sample(x_0, torch.full((len(x_0),), t - 1)) for t in times]
    states = torch.stack(states)
    return fixmelab.show_strip(states, [f"t = {t}" for t in times]), states
    ### END SOLUTION


# %% tests="plot_forward" points=1 minutes=10
from fixmelab.toys import Drift

# A toy in which the step with index k adds shift[k], there and back.
toy = Drift(torch.arange(100.0))
figure, states = plot_forward(toy, torch.zeros(2, 3, 4, 4))
assert states.shape == (5, 2, 3, 4, 4), f"expected five states, (5, 2, 3, 4, 4); yours has shape {tuple(states.shape)}"
assert float(abs(states[0]).max()) == 0, "at 0 % no step has been taken: x_0 itself"
assert float(states[-1, 0, 0, 0, 0]) == 98, "99 % of T = 100 is t = 99, whose index is 98"
assert states[:, 0, 0, 0, 0].tolist() == [0, 24, 49, 74, 98], "0, 25, 50, 75 and 99 % of 100 steps: the indices are one less than t"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.plot_forward", plot_forward)
### END HIDDEN TESTS

# %% tags=["keep"]
diffusion.cpu()  # pictures are quick enough without a GPU
figure, forward_states = plot_forward(diffusion, images[:ROWS])
figure

# %% [markdown]
# ### 4.2 And back
#
# The reverse chain from the **last forward state**, as it is: an image that was already mapped to $[0, 1]$ for a plot is no sample of $x_t$.

# %% [markdown] hints="plot_backward"
# **Where to look.** Run the whole chain, and put aside the states that are asked for.
#
# **Which rule.** The state $x_t$ goes back by the step with the index $t - 1$, and becomes $x_{t-1}$. So after the step with index $k$ you hold $x_k$.
#
# **A small case.** $T = 4$: 99 % is $t = 3$. The indices run 2, 1, 0, and the states are $x_2, x_1, x_0$ after them.

# %% exercise="plot_backward"
# exercise: plot_backward
def plot_backward(diffusion, x):
    """The reverse chain from the last forward state, at 99, 75, 50, 25 and 0 % of T, t = p * T // 100.

    x: (B, C, H, W), the state at 99 %, unscaled. Returns (figure, states (5, B, C, H, W)), unscaled; states[0] is x itself and
    states[-1] the finished sample.
    """
    ### BEGIN SOLUTION
    times = [percent * diffusion.timesteps // 100 for percent in (99, 75, 50, 25, 0)]
    kept = {times[0]: x}
    for k in reversed(range(times[0])):
        x = diffusion.p_sample(x, torch.full((len(x),), k), k)
        kept[k] = x
    states = torch.stack([kept[t] for t in times])
    return fixmelab.show_strip(states, [f"t = {t}" for t in times]), states
    ### END SOLUTION


# %% tests="plot_backward" points=2 minutes=20
toy = Drift(torch.ones(100))
figure, states = plot_backward(toy, torch.zeros(2, 3, 4, 4))
assert states.shape == (5, 2, 3, 4, 4), f"expected five states, (5, 2, 3, 4, 4); yours has shape {tuple(states.shape)}"
assert states[:, 0, 0, 0, 0].tolist() == [0, 24, 49, 74, 99], "from t = 99 to 75 there are 24 steps, and 99 to the finished sample"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.plot_backward", plot_backward)
### END HIDDEN TESTS

# %% tags=["keep"]
with fixmelab.progress(diffusion.model, 99 * TIMESTEPS // 100, "the chain back"):
    figure, backward_states = plot_backward(diffusion, forward_states[-1])
figure

# %% [markdown]
# ### 4.3 Six panels
#
# One chain from pure noise to a sample, seen at $t \in \{200, 100, 50, 20, 10, 0\}$. The panel $t = 200 = T$ is easily lost, since no index in code is 200: it is $x_T$, before the first step back.

# %% [markdown] hints="plot_denoising"
# **Where to look.** The same loop as in `plot_backward`, but from $t = T$: which state is there before the loop begins?
#
# **A small case.** `times=(4, 2, 0)` with $T = 4$: $x_4$ is what you are given, $x_2$ comes after the indices 3 and 2, $x_0$ after all four.

# %% exercise="plot_denoising"
# exercise: plot_denoising
def plot_denoising(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    """The reverse chain from pure noise, at each t in times.

    x_T: (B, C, H, W); times: whole numbers from 0 to T, descending. Returns (figure, states (len(times), B, C, H, W)),
    unscaled: x_T where t = T, the finished sample where t = 0.
    """
    ### BEGIN SOLUTION
    x, kept = x_T, {diffusion.timesteps: x_T}
    for k in reversed(range(diffusion.timesteps)):
        x = diffusion.p_sample(x, torch.full((len(x),), k), k)
        kept[k] = x
    states = torch.stack([kept[t] for t in times])
    return fixmelab.show_strip(states, [f"t = {t}" for t in times]), states
    ### END SOLUTION


# %% tests="plot_denoising" points=2 minutes=15
figure, states = plot_denoising(Drift(torch.ones(200)), torch.zeros(2, 3, 4, 4))
assert states.shape == (6, 2, 3, 4, 4), f"expected six states, (6, 2, 3, 4, 4); yours has shape {tuple(states.shape)}"
assert float(states[0].abs().max()) == 0, "t = T is pure noise, x_T itself, before any step"
assert states[:, 0, 0, 0, 0].tolist() == [0, 100, 150, 180, 190, 200], "the state at t has T − t steps behind it"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("diffusion.plot_denoising", plot_denoising)
### END HIDDEN TESTS

# %% tags=["keep"]
x_T = torch.randn(ROWS, 3, 32, 32, generator=torch.Generator().manual_seed(1))
with fixmelab.progress(diffusion.model, TIMESTEPS, "the chain back"):
    figure, states = plot_denoising(diffusion, x_T)
figure

# %% [markdown]
# ### 4.4 Step by step
#
# Move the slider: one image goes there by the closed form and comes back by the chain.

# %% tags=["keep"]
every = range(0, TIMESTEPS + 1, 4)
there = torch.stack([images[0] if t == 0 else diffusion.q_sample(images[:1], torch.tensor([t - 1]))[0] for t in every])
with fixmelab.progress(diffusion.model, TIMESTEPS, "the chain back"):
    figure, back = plot_denoising(diffusion, there[-1:], times=tuple(reversed(every)))
fixmelab.trajectory_slider({"forward": there, "backward": back[:, 0].flip(0)}, list(every))

# %% [markdown] written="compared_with_a_vae" points=4 minutes=20
# ### Question: compared with a VAE
#
# 1. What plays the part of the encoder in a diffusion model, what that of the decoder, and what is the latent? How does this encoder differ from a VAE's?
# 2. Which terms of the diffusion ELBO correspond to the VAE's reconstruction term and to its divergence from the prior?
# 3. Both are trained by a lower bound. Why do samples of a VAE tend to be blurred where those of a diffusion model are not?
# 4. Compare the cost of one training step and of one sample.
#
# ### BEGIN MARK SCHEME
# - 1 point: the forward chain is the encoder: fixed, without parameters, and the latents $x_1, \dots, x_T$ have the size of the data; the reverse chain is the decoder. A VAE's encoder
#   is learned, and usually maps to far fewer numbers.
# - 1 point: $L_0$ is the reconstruction, $L_T$ the divergence from the prior (here constant); the terms between belong to the other levels of the hierarchy.
# - 1 point: a VAE's decoder gives one mean for everything that a code leaves open; here each step settles only a little, so that the average is taken over a narrow set and details are
#   drawn one after the other.
# - 1 point: a training step costs one pass at one random $t$, much as in a VAE; a sample costs $T$ passes against one.
# ### END MARK SCHEME

# %% [markdown]
# ## Hand in
#
# *Restart and run all*, look once at every plot, save, and hand in this notebook. Pictures from your own training run stay in it for the person who
# reads your answers.
#
# **Read on.** Ho, Jain & Abbeel, *Denoising Diffusion Probabilistic Models* (2020). Nichol & Dhariwal, *Improved Denoising Diffusion Probabilistic Models* (2021). Song, Meng &
# Ermon, *Denoising Diffusion Implicit Models* (2021).
