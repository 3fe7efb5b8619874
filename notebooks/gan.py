# %% [markdown] minutes=3
# # Adversarial training
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)
#
# Cut a hole into the picture of a shirt and ask a network to fill it. If it is punished for squared errors alone, it answers with a blur:
# between a button here and a button there, the average of both is the safest bet. A second network, the **discriminator**, would not be fooled
# by that. It learns to tell real pictures from filled ones, and the first network, the **generator**, learns to pass its test
# (Goodfellow et al., 2014).
#
# The same judge is a measuring instrument: a good discriminator knows the ratio of two densities, and how far apart two distributions are.
#
# 1. **A discriminator is a ruler**: what the best one computes, and the distance that it measures.
# 2. **A density from a discriminator**: train one, and read an unknown density off it.
# 3. **Why it is hard**: two lines that move apart, and a ruler that does not notice.
# 4. **Fill the hole**: squared error alone, and with an adversary.
#
# **How to work.** Fill in every cell that starts with `# exercise:`; replace the line that raises
# `NotImplementedError`, and keep the `# exercise:` lines, by which your answer is found. The cell below each exercise
# tests it and says what is wrong. Questions are answered in the Markdown cell under them. If you are stuck, a click unfolds a hint.
# Where the text says **Predict first**, write a sentence before you run the next cell: nobody grades it, and a wrong guess teaches more than
# a right one. Before you hand in, *Restart and run all*.
# The machine that grades it has Python's standard library, `numpy`, `torch`, `torchvision`, `matplotlib`, `tqdm`, `ipywidgets` and
# `fixmelab`: no other packages, no network and no GPU.

# %% [markdown]
# ## Symbols
#
# | symbol | meaning | shape in code |
# |---|---|---|
# | $f_1$ | density of the data | `log_f1`: `(N,)` |
# | $f_0$ | density of what is compared with them: one that you can write down, or a generator's | `log_f0`: `(N,)` |
# | $\mathbb E_1$, $\mathbb E_0$ | expectation over $x \sim f_1$, over $x \sim f_0$ | |
# | $D(x)$ | the probability that the discriminator gives to "$x$ comes from $f_1$" | |
# | $\ell(x) = \log \frac{D(x)}{1 - D(x)}$ | its logit, which is what networks return: $D = \mathrm{sigmoid}(\ell)$ | `logits_1`: `(N_1,)` at draws from $f_1$; `logits_0`: `(N_0,)` at draws from $f_0$ |
# | $V(D)$ | the discriminator's objective | |
# | $x$, $\hat x$, $\tilde x$ | a picture, what the network makes of it, the picture with its hole filled | `(B, C, H, W)`, in $[0, 1]$ |
# | $m$ | the mask: 1 in the hole, 0 around it | `(B, 1, H, W)` |
# | $\odot$ | product entry by entry; $m$ is the same for all channels | |
#
# Logarithms are natural, so divergences are in nats. $N_1$ and $N_0$ may differ. Functions return the dtype that they are given, make new tensors
# on the argument's device, and leave their arguments as they are.

# %% [markdown]
# ## 0. Setup
#
# One cell for Colab and for your own machine. All training together takes a minute or two, so nothing is kept between runs.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("fixmelab") is None:
    package = "git+https://github.com/{{repository}}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %%
import copy
import math

import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import trange

import fixmelab
from fixmelab.data import load_images, roughness, square_holes

lab = fixmelab.setup("{{name}}")

# %% [markdown]
# **Budget.** Every number that decides how long this notebook takes stands here, one value for a GPU, one for a laptop and
# one for a quick trial; your hardware chooses. **Seed.** With the same seed you get the same pictures again.

# %%
DENSITY_STEPS = fixmelab.budget(full=(4_000, 2_000), cpu=(1_400, 600), smoke=(200, 100))  # large, then small
LINE_STEPS = fixmelab.budget(full=(10, 100), cpu=(10, 100), smoke=(10, 30))  # few, then many more
TRAINING_IMAGES = fixmelab.budget(full=12_000, cpu=12_000, smoke=640)
EPOCHS = fixmelab.budget(full=30, cpu=8, smoke=2)
MORE_EPOCHS = fixmelab.budget(full=40, cpu=6, smoke=2)
WEIGHT = 0.01  # λ, of the adversarial term
fixmelab.seed_everything(0)

# %% [markdown]
# ## 1. A discriminator is a ruler
#
# ### 1.1 The best discriminator
#
# Toss a coin. Heads: draw $x$ from $f_1$. Tails: draw it from $f_0$. Given $x$ alone, the probability of heads is, by Bayes' rule,
#
# $$D^*(x) = \frac{f_1(x)}{f_0(x) + f_1(x)},$$
#
# and no discriminator can do better (Goodfellow et al., 2014, proposition 1). Densities of pictures are numbers such as $e^{-1000}$, which a computer
# rounds to 0. So the function is given log-densities, and has to be right for them, whether they are −1000 or +1000.

# %% [markdown] hints="optimal_discriminator"
# **Which rule.** Divide numerator and denominator by $f_1$. What is left depends on one number only, the ratio $f_0 / f_1$, and its logarithm is a difference of
# what you are given. Which function of PyTorch turns such a logarithm into a probability, without a large exponential on the way?

# %% exercise="optimal_discriminator"
# exercise: optimal_discriminator
def optimal_discriminator(log_f0, log_f1):
    """D* = f_1 / (f_0 + f_1), point by point (Goodfellow et al., 2014, equation 2).

    log_f0, log_f1: (N,), log-densities of any size. Returns probabilities, (N,).
    """
    ### BEGIN SOLUTION
    return torch.sigmoid(log_f1 - log_f0)
    ### END SOLUTION


# %% tests="optimal_discriminator" points=2 minutes=10
best = optimal_discriminator(
    torch.tensor([0.2, 0.5]).log(), torch.tensor([0.6, 0.5]).log()
)
assert best.shape == (2,), f"expected one probability for each point, shape (2,); yours has shape {tuple(best.shape)}"
assert abs(float(best[1]) - 0.5) < 1e-5, "where the densities are equal, nobody can tell: D* is ½"
assert abs(float(best[0]) - 0.75) < 1e-5, "for f_0 = 0.2 and f_1 = 0.6, three of four points come from f_1: D* is 0.75"
far = optimal_discriminator(
    torch.tensor([-1000.0, 1000.0, -1000.0]), torch.tensor([-1001.0, 1000.0, 1000.0])
)
assert torch.isfinite(far).all(), "for log-densities of ±1000 the result is infinite or NaN: do not leave the logarithms too early"
assert torch.allclose(far, torch.tensor([0.26894, 0.5, 1.0]), atol=1e-4), "log f_0 = −1000 and log f_1 = −1001: D* is 1/(1 + e) = 0.2689"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.optimal_discriminator", optimal_discriminator)
### END HIDDEN TESTS

# %% [markdown] predict="far_out"
# Let $f_0$ be wide, $\mathcal N(0, 1)$, and $f_1$ narrow, $\mathcal N(1.5, 0.6^2)$. Where $x$ is far out on the right, at $x = 8$, say:
# is $D^*$ near 0, near ½ or near 1?

# %%
f_0, f_1 = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(1.5, 0.6)
x = torch.linspace(-4, 8, 601)
log_f0, log_f1 = f_0.log_prob(x), f_1.log_prob(x)
curves = {"$f_0$": log_f0.exp(), "$f_1$": log_f1.exp(), "$D^*$": optimal_discriminator(log_f0, log_f1)}
fixmelab.plot_curves(x, curves, "x", "density, probability", "The best discriminator of two Gaussians")

# %% [markdown]
# Both densities vanish on the right, but the wide one vanishes more slowly. A discriminator sees ratios, not densities.
#
# ### 1.2 What a discriminator climbs
#
# Nobody tells a network the two densities; it has to learn from draws. The objective
#
# $$V(D) = \mathbb E_1[\log D(x)] + \mathbb E_0[\log(1 - D(x))]$$
#
# is largest at $D^*$. Write it for logits, with means over the draws in the place of the expectations. The logarithm of a sigmoid that has been rounded to 0
# is $-\infty$, although the true value is a harmless number: the result must be right for logits of ±300, and so must its gradients, there and at 0.

# %% [markdown] hints="discriminator_objective"
# **Where to look.** $1 - \mathrm{sigmoid}(\ell) = \mathrm{sigmoid}(-\ell)$, so that one function is enough for both terms. PyTorch has the logarithm of a sigmoid ready, computed without
# the sigmoid, in `torch.nn.functional`. A small case: both logits 0 gives $\log \tfrac12 + \log \tfrac12 = -1.386$.

# %% exercise="discriminator_objective"
# exercise: discriminator_objective
def discriminator_objective(logits_1, logits_0):
    """V = E_1[log D] + E_0[log(1 − D)] from logits (Goodfellow et al., 2014, equation 1).

    logits_1: (N_1,), at draws from f_1; logits_0: (N_0,), at draws from f_0. Returns a tensor without dimensions.
    """
    ### BEGIN SOLUTION
    return F.logsigmoid(logits_1).mean() + F.logsigmoid(-logits_0).mean()
    ### END SOLUTION


# %% tests="discriminator_objective" points=3 minutes=15
value = discriminator_objective(torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.0]))
assert value.shape == (), f"expected one number; yours has shape {tuple(value.shape)}"
assert abs(float(value) + 1.008956) < 1e-4, "for the logits (2, −1, ½) and (−3, 0), V is −0.638089 − 0.370867 = −1.008956"
extreme = discriminator_objective(torch.tensor([-300.0]), torch.tensor([300.0]))
assert abs(float(extreme) + 600) < 1e-2, "logits of −300 and 300, both utterly wrong: V is −300 − 300 = −600"
parameter = torch.tensor([-300.0], requires_grad=True)
slope = torch.autograd.grad(
    discriminator_objective(parameter, -parameter.detach()), parameter
)[0]
assert abs(float(slope) - 1) < 1e-4, "a discriminator that is utterly wrong must still get a gradient: here it is 1"
parameter = torch.zeros(1, requires_grad=True)
slope = torch.autograd.grad(
    discriminator_objective(parameter, torch.zeros(1)), parameter
)[0]
assert abs(float(slope) - 0.5) < 1e-4, "at a logit of 0 the gradient is ½: clamp, relu and abs have a kink there"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.discriminator_objective", discriminator_objective)
### END HIDDEN TESTS

# %% [markdown]
# ### 1.3 The distance that it measures
#
# The *Jensen–Shannon divergence* compares both densities with their mixture $\bar f = \frac12 (f_0 + f_1)$:
#
# $$\mathrm{JSD}(f_0, f_1) = \tfrac12 \mathrm{KL}(f_0 \,\|\, \bar f) + \tfrac12 \mathrm{KL}(f_1 \,\|\, \bar f).$$
#
# Put $D^*$ into $V$ and you find it there. Derive how, and write the estimate of the divergence that a discriminator's logits give. It is in nats, and it may come out
# negative for a bad discriminator: leave it so.

# %% [markdown] hints="jsd_from_discriminator"
# **Where to look.** Write $D^* = \tfrac12 f_1 / \bar f$ and $1 - D^* = \tfrac12 f_0 / \bar f$, and take the logarithms inside $V(D^*)$ apart. Two things are left: a constant, and twice the divergence.
#
# **A small case.** If $f_0 = f_1$, the best discriminator says ½ everywhere, and the divergence is 0. If the two never meet, the best discriminator is never wrong, $V = 0$,
# and the divergence is as large as it can be.

# %% exercise="jsd_from_discriminator"
# exercise: jsd_from_discriminator
def jsd_from_discriminator(logits_1, logits_0):
    """The Jensen–Shannon divergence in nats that a discriminator sees (Goodfellow et al., 2014, theorem 1).

    logits_1: (N_1,), at draws from f_1; logits_0: (N_0,), at draws from f_0. Returns a tensor without dimensions.
    """
    ### BEGIN SOLUTION
    return math.log(2) + discriminator_objective(logits_1, logits_0) / 2
    ### END SOLUTION


# %% tests="jsd_from_discriminator" points=2 minutes=15
found = jsd_from_discriminator(torch.zeros(3), torch.zeros(2))
assert abs(float(found)) < 1e-5, "a discriminator that always says ½ sees no difference: 0"
found = jsd_from_discriminator(torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.0]))
assert torch.as_tensor(found).shape == (), f"expected one number; yours has shape {tuple(found.shape)}"
assert abs(float(found) - 0.188669) < 1e-4, "for the logits (2, −1, ½) and (−3, 0) it is 0.188669"
assert (
    float(jsd_from_discriminator(torch.full((3,), -4.0), torch.full((2,), 4.0))) < -3
), "worse than ½ everywhere: negative"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.jsd_from_discriminator", jsd_from_discriminator)
### END HIDDEN TESTS

# %% [markdown]
# For the two Gaussians the integral can be computed to many digits (by the trapezoidal rule, say), so the ruler can be checked.

# %% [markdown] predict="too_sure"
# A discriminator that is too sure of itself returns $2\,\ell^*(x)$, twice the best logit; a timid one returns $\frac12 \ell^*(x)$. Does one of them see more than the true divergence?

# %%
log_mixture = torch.logaddexp(log_f0, log_f1) - math.log(2)
terms = 0.5 * log_f0.exp() * (log_f0 - log_mixture) + 0.5 * log_f1.exp() * (log_f1 - log_mixture)
print(f"by quadrature             {torch.trapezoid(terms, x):.4f}")
draws_1, draws_0 = f_1.sample((100_000,)), f_0.sample((100_000,))
for name, factor in (("the best", 1.0), ("too sure", 2.0), ("timid", 0.5), ("blind", 0.0), ("upside down", -1.0)):
    logits = [factor * (f_1.log_prob(draws) - f_0.log_prob(draws)) for draws in (draws_1, draws_0)]
    print(f"{name:12} discriminator {round(jsd_from_discriminator(*logits).item(), 4) + 0:8.4f}")  # + 0 turns −0 into 0

# %% [markdown] written="lower_bound" points=3 minutes=20
# ### Question: a lower bound
#
# 1. Derive the formula that you wrote: how $\mathrm{JSD}(f_0, f_1)$ follows from $V(D^*)$.
# 2. Why does *every* discriminator see at most the true divergence (if the means were exact)? When exactly as much?
# 3. A network is trained on 50 draws and evaluated on the same 50. Is the number that it gives still a lower bound?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. $D^* = \frac12 f_1 / \bar f$ and $1 - D^* = \frac12 f_0 / \bar f$, so $V(D^*) = -2 \log 2 + \mathrm{KL}(f_1 \| \bar f) + \mathrm{KL}(f_0 \| \bar f)
#    = -2 \log 2 + 2\,\mathrm{JSD}$. Solve for JSD.
# 2. For each $x$, $f_1 \log D + f_0 \log(1 - D)$ is concave in $D$ and largest at $D^*$, so $V(D) \le V(D^*)$. Equality if and only if $D = D^*$ wherever
#    $f_0 + f_1 > 0$ (almost everywhere).
# 3. No: the bound holds for expectations, or on average on fresh draws. The network can learn the 50 draws by heart, and its estimate then nears $\log 2$ whatever the densities are.
# ### END MARK SCHEME

# %% [markdown]
# ## 2. A density from a discriminator
#
# ### 2.1 The way back
#
# Read $D^* = f_1 / (f_0 + f_1)$ from right to left. You know $f_0$, since you chose it; a discriminator gives you $D$. Solve for $f_1$: a classifier has
# become a density. Work with the logarithm of the density and with the logit, so that nothing overflows.

# %% [markdown] hints="density_from_discriminator"
# **Which rule.** Solve for the ratio $f_1 / f_0$ first. What is the logarithm of $D / (1 - D)$ called?

# %% exercise="density_from_discriminator"
# exercise: density_from_discriminator
def density_from_discriminator(log_f0, logits):
    """log f_1 of the density that the discriminator believes in, point by point.

    log_f0: (N,), the known log-density; logits: (N,), the discriminator's at the same points. Returns (N,).
    """
    ### BEGIN SOLUTION
    return log_f0 + logits
    ### END SOLUTION


# %% tests="density_from_discriminator" points=2 minutes=10
recovered = density_from_discriminator(
    torch.tensor([0.2, 0.5]).log(), torch.tensor([3.0, 1.0]).log()
)
assert recovered.shape == (2,), f"expected one log-density for each point, shape (2,); yours has shape {tuple(recovered.shape)}"
assert abs(float(recovered[1].exp()) - 0.5) < 1e-5, "a logit of 0 says that both densities are equal"
assert abs(float(recovered[0].exp()) - 0.6) < 1e-5, "f_0 = 0.2 and D = ¾: f_1 is 0.6. Is yours the logarithm of it?"
assert torch.isfinite(
    density_from_discriminator(torch.tensor([-1000.0]), torch.tensor([300.0]))
).all(), "it must be finite"
assert torch.allclose(
    density_from_discriminator(log_f0, log_f1 - log_f0), log_f1, atol=1e-3
), "the best logit gives back f_1"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.density_from_discriminator", density_from_discriminator)
### END HIDDEN TESTS

# %% [markdown]
# Drag the two peaks: sideways for the mean, up and down for the spread. The slider makes the discriminator timid or too sure of itself: it multiplies its logit. $D^*$, the density that is read off the
# discriminator, and the divergence that it sees follow.

# %% tags=["keep"]
fixmelab.density_explorer(optimal_discriminator, density_from_discriminator)

# %% [markdown]
# The same without widgets:

# %% tags=["keep"]
fixmelab.density_explorer_static(optimal_discriminator, density_from_discriminator)

# %% [markdown]
# ### 2.2 Train one
#
# $V$ is climbed step by step. In each step:
#
# - draw one new batch from each sampler: `sample_1()` gives `(N_1, D)`, `sample_0()` gives `(N_0, D)`;
# - compute $V$ on them (`discriminator(batch)` returns one logit for each row) and note it as a Python float;
# - let the optimizer make one step **uphill**. Optimizers go downhill, so give it $-V$. Gradients may be left from before: clear them first.
#
# The list holds, for each step, the $V$ from which the step was made.

# %% [markdown] hints="train_discriminator"
# **Where to look.** The body of the loop is the usual four lines of PyTorch: a loss, `zero_grad`, `backward`, `step`. Both batches are drawn inside the loop.
# `.item()` turns a tensor without dimensions into a float.

# %% exercise="train_discriminator"
# exercise: train_discriminator
def train_discriminator(discriminator, sample_1, sample_0, steps, optimizer):
    """Train a discriminator in place by gradient ascent on V, on new draws in each step.

    discriminator: a module, (N, D) → logits (N,). sample_1, sample_0: functions without arguments, which draw a batch
    (N_1, D) from f_1 and (N_0, D) from f_0. optimizer: one of torch.optim, for the discriminator's parameters.
    Returns a list of `steps` floats: V of each step, before its update.
    """
    ### BEGIN SOLUTION
    history = []
    for _ in range(steps):
        value = discriminator_objective(discriminator(sample_1()), discriminator(sample_0()))
        optimizer.zero_grad()
        (-value).backward()
        optimizer.step()
        history.append(value.item())
    return history
    ### END SOLUTION


# %% tests="train_discriminator" points=3 minutes=20
tiny = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
nn.init.zeros_(tiny[0].weight), nn.init.zeros_(tiny[0].bias)
tiny[0].weight.grad, drawn = torch.ones(1, 1), []
samplers = (
    (lambda: drawn.append(1) or torch.tensor([[1.0], [2.0]])),
    (lambda: drawn.append(0) or torch.tensor([[-1.0], [0.0], [-2.0]])),
)
history = train_discriminator(
    tiny, *samplers, 1, torch.optim.SGD(tiny.parameters(), lr=1.0)
)
assert isinstance(history, list) and isinstance(history[0], float), "expected a list of one Python float"
assert abs(history[0] + 2 * math.log(2)) < 1e-4, "with all weights 0, V is −2 log 2 before the first step"
assert abs(tiny[0].weight.item() - 1.25) < 1e-4, "uphill, by ½ · mean of sample_1 − ½ · mean of sample_0: the weight is 1.25 after one step"
history = train_discriminator(
    tiny, *samplers, 5, torch.optim.SGD(tiny.parameters(), lr=0.1)
)
assert len(history) == 5 and history[0] < history[-1], "V must grow from step to step here"
assert sorted(drawn) == [0] * 6 + [1] * 6, "each step draws one new batch of each"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.train_discriminator", train_discriminator)
### END HIDDEN TESTS

# %% [markdown]
# ### 2.3 A density whose truth is known
#
# To see whether a trained discriminator finds the right density, take one that you know. Bend a standard Gaussian: $z \sim \mathcal N(0, 1)$, $x = g(z)$ with an increasing function $g$, the *warp*. Probability
# is neither lost nor made, so where $g$ stretches, the density thins (the change of variables). Derive $\log f_1(x)$ at $x = g(z)$ and write it for any warp, with the slope $g'(z)$ from autograd.

# %% [markdown] hints="pushforward_log_density"
# **A small case.** Let $g(z) = 2z$. An interval of length $\delta$ becomes one of length $2\delta$ and holds the same probability, so the density at $x = 2z$ is half of that at $z$. In general the factor 2
# is the slope at that very $z$.
#
# **Which rule.** $x_n$ depends on $z_n$ alone, so the gradient of $\sum_n x_n$ by $z$ holds all slopes at once. `z` may not track gradients: make a copy that does. What you return must carry no graph.

# %% exercise="pushforward_log_density"
# exercise: pushforward_log_density
def pushforward_log_density(z, warp):
    """x = warp(z) and log f_1(x), where f_1 is the density of warp(z) for z ~ N(0, 1).

    z: (N,); warp: an increasing, differentiable function that works point by point. Returns (x, log f_1(x)), each (N,),
    without a graph.
    """
    ### BEGIN SOLUTION
    z = z.detach().clone().requires_grad_()
    x = warp(z)
    (slope,) = torch.autograd.grad(x.sum(), z)
    log_density = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) - slope.log()
    return x.detach(), log_density.detach()
    ### END SOLUTION


# %% tests="pushforward_log_density" points=3 minutes=20
z = torch.tensor([0.0, 1.0], dtype=torch.float64)
places, log_density = pushforward_log_density(z, lambda z: 2 * z + 1)
assert places.shape == log_density.shape == (2,), "expected x and log f_1(x), each of shape (2,)"
assert abs(float(log_density[0]) + 1.612086) < 1e-5, "2z + 1 is twice as wide: log N(0; 0, 1) − log 2 = −1.612086 at its middle"
places, log_density = pushforward_log_density(z, torch.exp)
assert abs(float(places[1]) - math.e) < 1e-5, "the first result is x = warp(z)"
assert abs(float(log_density[1]) + 2.418939) < 1e-5, "for the warp exp, the slope at z = 1 is e: −½ − 0.918939 − 1 = −2.418939"
assert not places.requires_grad and not log_density.requires_grad, "the results must not carry a graph: detach both"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.pushforward_log_density", pushforward_log_density)
### END HIDDEN TESTS

# %% [markdown] predict="peaks"
# The warp below is steep around $z = -0.3$ and flat elsewhere. How many peaks does $f_1$ have, and which is higher?

# %%
def warp(z):
    return 0.6 * z + 1.2 * torch.tanh(2.5 * z + 0.8)


z = torch.linspace(-3.5, 3.5, 701)
places, true_log_density = pushforward_log_density(z, warp)
curves = {"$f_1$, by the change of variables": true_log_density.exp(), "$f_0$": f_0.log_prob(places).exp()}
fixmelab.plot_curves(places, curves, "x", "density", "A Gaussian, bent")

# %% [markdown]
# Now forget the formula. A network gets draws from the warp and from $f_0 = \mathcal N(0, 1)$, nothing else, and learns to tell them apart.

# %%
class Logit(nn.Module):
    """A small discriminator: (N, D) → logits (N,)."""

    def __init__(self, dimensions, width=64):
        super().__init__()
        hidden = (nn.Linear(dimensions, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.layers = nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0))

    def forward(self, x):
        return self.layers(x)


# %% tags=["train"]
fixmelab.seed_everything(0)
discriminator, history = Logit(1), []
sample_1, sample_0 = lambda: warp(torch.randn(512, 1)), lambda: torch.randn(512, 1)
for steps, rate in zip(DENSITY_STEPS, (1e-2, 1e-3)):
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=rate)
    history += train_discriminator(discriminator, sample_1, sample_0, steps, optimizer)

# %% tags=["keep"]
with torch.no_grad():
    logits = discriminator(places[:, None])
curves["$f_1$, from the discriminator"] = density_from_discriminator(f_0.log_prob(places), logits).exp()
fixmelab.plot_curves(places, curves, "x", "density", "Read off a classifier")

# %% [markdown]
# The third curve should lie over the first one, but for a few hundredths, and the two numbers below should nearly agree: 0.12 nats and a little more.

# %% tags=["keep"]
with torch.no_grad():
    seen = jsd_from_discriminator(discriminator(warp(torch.randn(100_000, 1))), discriminator(torch.randn(100_000, 1)))
    true_logits = true_log_density - f_0.log_prob(places)
weights = f_0.log_prob(z).exp()  # x = warp(z) has the density f_1 in x, N(0, 1) in z
from_f1 = torch.trapezoid(weights * F.logsigmoid(true_logits), z)
from_f0 = torch.trapezoid((f_0.log_prob(places).exp() * F.logsigmoid(-true_logits)), places)
print(f"JSD that the discriminator sees {seen:.4f}, by quadrature {math.log(2) + (from_f1 + from_f0) / 2:.4f}")
print(f"mean V of the last 100 steps    {sum(history[-100:]) / len(history[-100:]):.4f}")

# %% [markdown] written="density_limits" points=2 minutes=10
# ### Question: where to trust it
#
# 1. Suppose that $f_0$ were $\mathcal N(0, 0.1^2)$. Nothing in the formula changes. Why would the recovered density be poor, and where?
# 2. In a generative adversarial network $f_0$ is the *generator's* density, and at the end of training $D \approx \frac12$. Which density can you then read off the discriminator, and why does
#    this not help you to compute it?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Where $f_0$ puts no draws, the discriminator only ever sees $x \sim f_1$, and nothing holds its logit back: the ratio is estimated from no data. So it is poor wherever $f_1$ has mass and $f_0$ has none, here for $|x|$ above some 0.3.
# 2. $f_1 = f_0$: the data's density is the generator's. But the generator only draws; nobody can evaluate its density $f_0$, which the formula needs.
# ### END MARK SCHEME

# %% [markdown]
# ## 3. Why it is hard
#
# A generator learns from how the distance changes when it moves. Take the simplest case (after Arjovsky, Chintala & Bottou, 2017, example 1): the data lie on a vertical line in the plane, $(0, u)$ with $u$ uniform in
# $[0, 1]$; the generator draws from a parallel line $(\theta, u)$ and has one parameter, $\theta$.
#
# Beside the Jensen–Shannon divergence, look at the *Wasserstein distance* $W_1$: how far probability has to be carried, on average, to turn one distribution into the other by the cheapest plan. For two samples of
# equally many *numbers* the cheapest plan carries the smallest to the smallest, the second smallest to the second smallest, and so on.

# %% exercise="wasserstein_distance"
# exercise: wasserstein_distance
def wasserstein_distance(x_1, x_0):
    """W_1 between two samples of numbers: the mean distance by the cheapest plan, which pairs them in order.

    x_1, x_0: (N,), in any order. Returns a tensor without dimensions.
    """
    ### BEGIN SOLUTION
    return (x_1.sort().values - x_0.sort().values).abs().mean()
    ### END SOLUTION


# %% tests="wasserstein_distance" points=2 minutes=5
far = wasserstein_distance(torch.tensor([4.0, 0.0, 1.0]), torch.tensor([1.0, 2.0, 1.5]))
assert far.shape == (), f"expected one number; yours has shape {tuple(far.shape)}"
assert abs(float(far) - 3.5 / 3) < 1e-5, "0 goes to 1, 1 goes to 1.5, 4 goes to 2: 3.5 / 3 on average"
assert (
    abs(float(wasserstein_distance(torch.zeros(4), torch.full((4,), -2.0))) - 2) < 1e-5
), "two heaps, 2 apart"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.wasserstein_distance", wasserstein_distance)
### END HIDDEN TESTS

# %% [markdown] predict="two_distances"
# Sketch both distances as functions of $\theta$ from −1 to 1: which values do they take at $\theta = 0$, $\theta = 0.1$ and $\theta = 1$?

# %%
def line(theta, count=256):
    """Points (count, 2) on a vertical line at theta."""
    return torch.stack([torch.full((count,), theta), torch.rand(count)], dim=1)


# %% tags=["train"]
right = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0]
thetas, carried = [*(-theta for theta in reversed(right)), 0.0, *right], []
seen = {"after 10 steps": [], "after many": []}
for theta in thetas:
    judge = Logit(2)
    optimizer = torch.optim.Adam(judge.parameters(), lr=0.01)
    for name, steps in zip(seen, LINE_STEPS):
        train_discriminator(judge, lambda theta=theta: line(theta), lambda: line(0.0), steps, optimizer)
        with torch.no_grad():
            seen[name].append(jsd_from_discriminator(judge(line(theta, 4096)), judge(line(0.0, 4096))).item())
    carried.append(wasserstein_distance(line(theta)[:, 0], line(0.0)[:, 0]).item())

# %% tags=["keep"]
curves = {f"JSD, seen {name}": values for name, values in seen.items()} | {"Wasserstein distance": carried}
fixmelab.plot_curves(torch.tensor(thetas), curves, "θ", "JSD (nats), $W_1$", "Two parallel lines, moved apart")

# %% [markdown]
# Discriminators that were trained for long find the exact divergence: 0 at $\theta = 0$, and $\log 2 = 0.693$ everywhere else.

# %% [markdown] written="flat_divergence" points=3 minutes=15
# ### Question: a flat landscape
#
# 1. What are $\mathrm{JSD}$ and $W_1$ as functions of $\theta$, and why?
# 2. A generator at $\theta = 0.5$ wants to move towards the data. What gradient by $\theta$ does a perfectly trained discriminator give it through the JSD, and what gradient does $W_1$ give?
# 3. After ten steps the discriminators see less than there is, and the less the nearer the lines are. Is that a fault, or what a generator lives on?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. JSD is 0 at $\theta = 0$ and $\log 2$ everywhere else: the supports do not meet, so a discriminator can be perfect. $W_1 = |\theta|$: each point is carried straight across.
# 2. None: JSD is constant there, so its derivative is 0 (and the discriminator is saturated). $W_1$ gives the sign of $\theta$, of size 1 however far the lines are apart.
# 3. A smooth function cannot jump between two near lines after few steps, so what it sees changes with $\theta$, and that change is what a generator can follow. Generators learn from discriminators that are good, not perfect; hence few steps of the discriminator
#    for one of the generator, added noise, or another distance (Wasserstein GAN, gradient penalties).
# ### END MARK SCHEME

# %% [markdown]
# ## 4. Fill the hole
#
# Back to pictures. The data are `garments`, clothes drawn by a program, so nothing has to be downloaded (`load_images()` in its place gives FashionMNIST). A square of 16×16 pixels is missing at a random place.

# %% tags=["keep"]
images, test_images = load_images("garments").images[:TRAINING_IMAGES], load_images("garments", train=False).images
fixmelab.seed_everything(1)
holes = square_holes(len(test_images))
with_holes = (1 - holes) * test_images + 0.5 * holes
fixmelab.show_images(torch.cat([test_images[:10], with_holes[:10]]), columns=10, title="test pictures, and what is left of them")

# %% [markdown]
# ### 4.1 Squared error, in the hole alone
#
# The network is given what is visible and where the hole is, and returns a whole picture, $\hat x = G((1 - m) \odot x, \; m)$. It is judged where something was hidden, and there alone:
#
# $$\mathcal L_\text{rec} = \frac{\sum m \odot (\hat x - x)^2}{\sum m},$$
#
# where both sums run over all pictures, channels and pixels: it is the **mean over all hidden numbers**, and a pixel in the hole hides one number for each channel. If nothing is hidden, the loss is 0.
#
# The hidden pixels are the target, and must never be part of the *input*. A network that sees the answer learns to copy it, the loss falls to 0, and the first real hole shows that
# nothing was learned.

# %% [markdown] hints="masked_squared_error"
# **Where to look.** $m$ is `(B, 1, H, W)` and $x$ is `(B, C, H, W)`. A product broadcasts by itself, a sum over $m$ alone does not know of the channels: `m.expand_as(x)` does.
#
# **A small case.** 0 divided by 0 is NaN. A denominator that is at least 1 changes nothing if anything is hidden.

# %% exercise="masked_squared_error"
# exercise: masked_squared_error
def masked_squared_error(network, x, m):
    """Mean squared error over what the mask hides; the network never sees it (Pathak et al., 2016, equation 1).

    network: (visible (B, C, H, W), m (B, 1, H, W)) → (B, C, H, W). x: (B, C, H, W). m: (B, 1, H, W), 1 in the hole and 0
    around it. Returns a tensor without dimensions; 0 if nothing is hidden.
    """
    ### BEGIN SOLUTION
    x_hat = network((1 - m) * x, m)
    hidden = m.expand_as(x)
    return (hidden * (x_hat - x) ** 2).sum() / hidden.sum().clamp(min=1)
    ### END SOLUTION


# %% tests="masked_squared_error" points=4 minutes=20
shown = []


def half_grey(visible, mask):
    shown.append((visible, mask))
    return torch.full_like(visible, 0.5)


x, m = torch.zeros(2, 3, 2, 2), torch.zeros(2, 1, 2, 2)
x[0, :, 0, 0], x[1, :, 1] = 0.9, 0.7
# One pixel of the first picture and two of the second are hidden.
m[0, 0, 0, 0], m[1, 0, 1] = 1, 1
loss = masked_squared_error(half_grey, x, m)
assert loss.shape == (), f"expected one number; yours has shape {tuple(loss.shape)}"
assert not shown[-1][0].any(), "here everything bright lies in the holes: the network must be shown zeros, not the pixels of the hole"
assert torch.equal(shown[-1][1], m), "the second argument of the network is the mask, 1 in the hole"
assert abs(float(loss) - 0.08) < 1e-5, "three hidden numbers are off by 0.4 and six by 0.2: (3 · 0.16 + 6 · 0.04) / 9 = 0.08"
assert float(masked_squared_error(half_grey, x, torch.zeros_like(m))) == 0, "if nothing is hidden, the loss is 0, and no NaN"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.masked_squared_error", masked_squared_error)
### END HIDDEN TESTS

# %% [markdown] predict="guesses"
# Where will a network that is trained on this loss alone do well, and where will you see at once that it has guessed: at the edge of a sleeve that runs on below the hole, at the sole of a shoe, at stripes,
# at buttons?

# %% tags=["train"]
fixmelab.seed_everything(0)
blurry = fixmelab.HoleFiller()


def reconstruction_loss(network, pictures):
    return masked_squared_error(network, pictures, square_holes(len(pictures), device=pictures.device))


history = fixmelab.train(blurry, reconstruction_loss, images, epochs=EPOCHS, batch_size=64, device=lab.device)

# %% tags=["keep"]
fixmelab.plot_history(history, ylabel="squared error (mean over hidden pixels)")

# %% [markdown]
# On a laptop's budget, after eight epochs, the last point should lie between 0.007 and 0.010.

# %% tags=["keep"]
def filled(network):
    """The test pictures with their holes filled, (N, 1, 28, 28)."""
    network = network.cpu().eval()
    with torch.no_grad():
        return holes * network((1 - holes) * test_images, holes) + (1 - holes) * test_images


blurry_pictures = filled(blurry)
rows = [test_images[:10], with_holes[:10], blurry_pictures[:10]]
fixmelab.show_images(torch.cat(rows), columns=10, title="test pictures, what is left, filled by squared error")

# %% [markdown] written="why_blurred" points=2 minutes=10
# ### Question: why it is blurred
#
# 1. Suppose that a hole can be filled in two ways that are equally likely, $x_a$ and $x_b$. Which $\hat x$ makes the expected squared error smallest?
# 2. Would a larger network, or more data, cure the blur? Would absolute errors?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Their mean, $\frac12 (x_a + x_b)$, pixel by pixel: $\mathbb E[(\hat x - x)^2]$ is smallest at the conditional mean, which is a picture that neither of the two looks like.
# 2. No: the blur is not an error of estimation; it is the right answer to this loss, for any network that reaches the optimum (more capacity only brings it nearer to the conditional mean). Absolute errors give the median of each pixel on its own:
#    less blurred where one way is more likely, but still no joint choice for all pixels.
# ### END MARK SCHEME

# %% [markdown]
# ### 4.2 Two players
#
# The **discriminator** is shown real pictures $x$ and completed ones, $\tilde x = m \odot \hat x + (1 - m) \odot x$: the network's pixels in the hole, the picture's own around it. It wants a large $V$, so its loss is
#
# $$\mathcal L_D = -\,\mathbb E[\log D(x)] - \mathbb E[\log(1 - D(\tilde x))].$$
#
# The **generator** wants small errors, and wants to be taken for real:
#
# $$\mathcal L_G = \mathcal L_\text{rec} - \lambda \, \mathbb E[\log D(\tilde x)].$$
#
# That is the *non-saturating* form: $-\log D(\tilde x)$ in the place of $+\log(1 - D(\tilde x))$, which would be the generator's share of $V$.
#
# Each term belongs to one player. Nothing in $\mathcal L_D$ may reach the generator: for it, $\tilde x$ is a given picture, cut from the graph. Through the second term of $\mathcal L_G$ the gradient runs *through* the discriminator and *to* the
# generator. (On its way it leaves gradients with the discriminator's parameters, too. Nobody wants those; whoever makes the steps must see to it that they are never followed.)

# %% [markdown] hints="inpainting_losses"
# **Where to look.** One pass of the generator is enough: $\hat x$ serves the squared error and $\tilde x$. The discriminator is asked about $\tilde x$ twice, once with `detach` and once without. You have written all the logarithms before: `discriminator_objective`, and `F.logsigmoid`.
#
# **A small case.** Let the discriminator say ½ always (all logits 0), let $\hat x$ be right, and let λ be 0.1. Then $\mathcal L_D = 2 \log 2 = 1.386$ and $\mathcal L_G = 0.1 \log 2 = 0.0693$.

# %% exercise="inpainting_losses"
# exercise: inpainting_losses
def inpainting_losses(generator, discriminator, x, m, weight):
    """The losses of both players, each a tensor without dimensions: (discriminator's, generator's).

    generator: (visible (B, C, H, W), m (B, 1, H, W)) → (B, C, H, W). discriminator: (B, C, H, W) → logits (B,).
    x: (B, C, H, W). m: (B, 1, H, W), 1 in the hole. weight: λ, a number.
    """
    ### BEGIN SOLUTION
    x_hat = generator((1 - m) * x, m)
    filled = m * x_hat + (1 - m) * x
    discriminator_loss = -discriminator_objective(discriminator(x), discriminator(filled.detach()))
    reconstruction = masked_squared_error(lambda visible, mask: x_hat, x, m)
    generator_loss = reconstruction - weight * F.logsigmoid(discriminator(filled)).mean()
    return discriminator_loss, generator_loss
    ### END SOLUTION


# %% [markdown]
# Two players so small that you can compute their losses by hand: one fills every hole with a single learned grey, one looks at the sum of all pixels.

# %%
class OneGrey(nn.Module):
    """A generator with one parameter, a grey for all pixels."""

    def __init__(self):
        super().__init__()
        self.grey = nn.Parameter(torch.tensor(0.5))

    def forward(self, visible, m):
        return self.grey * torch.ones_like(visible)


class Brightness(nn.Module):
    """A discriminator with one parameter: the logit slope · (Σ x − 1)."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.slope * (x.flatten(1).sum(dim=1) - 1)


# %% tests="inpainting_losses" points=5 minutes=30
# One pixel, 0.9, is hidden.
x, m = (
    torch.tensor([[[[0.9, 0.2], [0.4, 0.0]]]]),
    torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]]),
)
painter, critic = OneGrey(), Brightness()
losses = inpainting_losses(painter, critic, x, m, 0.1)
assert len(losses) == 2 and all(loss.shape == () for loss in losses), "expected two tensors without dimensions"
assert abs(losses[0].item() - 1.218474) < 1e-4, "D sees the logit 0.5 for x and 0.1 for x̃: its loss is 0.474077 + 0.744397"
assert abs(losses[1].item() - 0.224440) < 1e-4, "G is off by 0.4 in the hole, and D sees the logit 0.1: 0.16 + 0.1 · 0.644397"
reached = torch.autograd.grad(
    losses[0], painter.grey, retain_graph=True, allow_unused=True
)[0]
assert reached in (None, 0), "the discriminator's loss must not reach the generator: cut x̃ from the graph"
shown = []
inpainting_losses(
    lambda visible, mask: shown.append((visible, mask)) or painter(visible, mask),
    critic,
    x,
    m,
    0.1,
)
assert not shown[0][0][m > 0].any() and torch.equal(shown[0][1], m), "the generator sees zeros in the hole, and the mask m"
slope = torch.autograd.grad(losses[1], painter.grey)[0]
assert abs(slope.item() + 0.847502) < 1e-4, "both terms pull on the grey: by 2 · (0.5 − 0.9) and by 0.1 · −(1 − D) = −0.047502"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.inpainting_losses", inpainting_losses)
### END HIDDEN TESTS

# %% [markdown] written="who_gets_what" points=4 minutes=20
# ### Question: which term reaches whom
#
# 1. For each of the four terms, $-\mathbb E[\log D(x)]$, $-\mathbb E[\log(1 - D(\tilde x))]$, $\mathcal L_\text{rec}$ and $-\lambda \, \mathbb E[\log D(\tilde x)]$: whose parameters does it train?
# 2. Written as one game, $\min_G \max_D \; V(D) + \frac{1}{\lambda} \mathcal L_\text{rec}$, the squared error stands in the discriminator's objective as well. Does it change what the discriminator learns?
# 3. The game's generator minimises $\mathbb E[\log(1 - D(\tilde x))]$. Early in training the discriminator is sure: $D(\tilde x) \approx 0$. Compare the derivatives of $\log(1 - D)$ and of $-\log D$ by the logit there.
# 4. Why is $\mathcal L_\text{rec}$ kept at all?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. The first two train the discriminator, the last two the generator. (The last runs through the discriminator, whose parameters stay as they are.)
# 2. No: it does not depend on the discriminator's parameters, so its gradient by them is 0. It changes the number that is printed, and nothing else; it must not be taken for a term that the discriminator climbs.
# 3. $\log(1 - D)$ has the derivative $-D \approx 0$ by the logit: no gradient when it is needed most. $-\log D$ has $-(1 - D) \approx -1$. Both pull the same way.
# 4. The discriminator only asks whether the picture looks real, not whether it is *this* picture; the squared error ties the filling to the data, and steadies training.
# ### END MARK SCHEME

# %% [markdown]
# ### 4.3 Who moves when
#
# One step of training on a batch (after Goodfellow et al., 2014, algorithm 1):
#
# 1. compute $\mathcal L_D$, and let the discriminator's optimizer make a step on it;
# 2. compute $\mathcal L_G$ **with the discriminator as it is now**, and let the generator's optimizer make a step on it.
#
# Each player's gradients are cleared before its own backward pass: some may be left from before, and the generator's loss leaves some with the discriminator.

# %% [markdown] hints="inpainting_step"
# **Where to look.** Call `inpainting_losses` twice, once before the discriminator's step and once after it. If you compute both losses first and make the steps later, PyTorch stops with "modified by an inplace operation": the second loss was
# computed with weights that are gone.

# %% exercise="inpainting_step"
# exercise: inpainting_step
def inpainting_step(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    """A step of the discriminator, then one of the generator against the new discriminator, in place.

    Arguments as for inpainting_losses; the optimizers hold one player's parameters each.
    Returns (discriminator's loss, generator's loss) as floats: those from which the two steps were made.
    """
    ### BEGIN SOLUTION
    discriminator_loss, _ = inpainting_losses(generator, discriminator, x, m, weight)
    discriminator_optimizer.zero_grad()
    discriminator_loss.backward()
    discriminator_optimizer.step()
    _, generator_loss = inpainting_losses(generator, discriminator, x, m, weight)
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
    return discriminator_loss.item(), generator_loss.item()
    ### END SOLUTION


# %% tests="inpainting_step" points=4 minutes=20
x, m = (
    torch.tensor([[[[0.9, 0.2], [0.4, 0.0]]]]),
    torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]]),
)
painter, critic = OneGrey(), Brightness()
# Left from elsewhere.
critic.slope.grad, painter.grey.grad = torch.tensor(7.0), torch.tensor(7.0)
optimizers = [
    torch.optim.SGD(player.parameters(), lr=1.0) for player in (painter, critic)
]
losses = inpainting_step(painter, critic, x, m, 0.1, *optimizers)
assert all(isinstance(loss, float) for loss in losses), "expected two Python floats: loss.item()"
assert abs(losses[0] - 1.218474) < 1e-4, "the first number is the discriminator's loss before its step, 1.218474"
assert abs(critic.slope.item() - 1.136272) < 1e-4, "the discriminator makes one step on its own loss, with cleared gradients"
assert abs(losses[1] - 0.223795) < 1e-4, "with this weight and the discriminator as it is after its step, the generator's loss is 0.223795"
assert abs(painter.grey.item() - 1.353589) < 1e-4, "the generator makes one step on its own loss, with cleared gradients"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("gan.inpainting_step", inpainting_step)
### END HIDDEN TESTS

# %% [markdown]
# ### 4.4 What it buys
#
# From where the first training stopped, go on in two ways, for equally many epochs: with squared error alone, and with an adversary.

# %% [markdown] predict="error_or_sharpness"
# Which of the two will have the smaller squared error on test pictures, and which the sharper pictures?

# %% tags=["train"]
fixmelab.seed_everything(0)
sharp, critic = copy.deepcopy(blurry).to(lab.device), fixmelab.PictureCritic().to(lab.device)
rates = (sharp, 5e-4), (critic, 1e-3)
optimizers = [torch.optim.Adam(player.parameters(), lr=rate, betas=(0.5, 0.99)) for player, rate in rates]
pictures, played = images.to(lab.device), []
for _ in trange(MORE_EPOCHS * len(pictures) // 64):
    batch = pictures[torch.randint(len(pictures), (64,))]
    m = square_holes(len(batch), device=lab.device)
    played.append(inpainting_step(sharp, critic, batch, m, WEIGHT, *optimizers))

# %% tags=["train"]
settings = {"epochs": MORE_EPOCHS, "batch_size": 64, "learning_rate": 5e-4, "seed": 1, "device": lab.device}
fixmelab.plot_history(fixmelab.train(blurry, reconstruction_loss, images, **settings), ylabel="squared error")

# %% tags=["keep"]
losses = torch.tensor(played)[:, 0]
curves = {"$\\mathcal{L}_D$": losses, "2 log 2, for D = ½": torch.full_like(losses, 2 * math.log(2))}
fixmelab.plot_curves(torch.arange(len(losses)), curves, "steps", "discriminator's loss", "Equals: the loss stays just below that of a coin")

# %% [markdown]
# In an ordinary training a loss that stays level means that nothing is learned. Here it means that both players are about equally strong: on a laptop's
# budget it wanders between 1.2 and 1.4.

# %% tags=["keep"]
blurry_pictures, sharp_pictures = filled(blurry), filled(sharp)
rows = [test_images[:10], with_holes[:10], blurry_pictures[:10], sharp_pictures[:10]]
fixmelab.show_images(torch.cat(rows), columns=10, scale=1.1, title="real, what is left, squared error alone, with an adversary")

# %% [markdown]
# A number for the eye's impression: how much neighbouring pixels in the hole differ (`roughness`). A blur has too little of it. On a laptop's budget,
# expect a squared error of 0.006 to 0.007 and a roughness near 0.082 for squared error alone, 0.008 to 0.010 and 0.090 to 0.094 with an adversary, against 0.091 for real pictures.

# %% tags=["keep"]
for name, shown in (("real", test_images), ("squared error alone", blurry_pictures), ("with an adversary", sharp_pictures)):
    error = (holes * (shown - test_images) ** 2).sum() / holes.sum()
    print(f"{name:20} squared error {error:.4f}, roughness {roughness(shown, holes):.4f}")

# %% [markdown] written="what_it_buys" points=3 minutes=15
# ### Question: what it buys
#
# 1. Compare the three lines above: what does the adversary cost, and what does it buy? Quote the numbers.
# 2. Roughness is easily fooled. Name a filling that has the roughness of real pictures and looks wrong.
# 3. With an adversary the network fills a hole in *one* of several possible ways. Is it more faithful to what was there? Would you use it to restore a medical picture?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. The squared error grows, the roughness comes near that of real pictures; with numbers from the run.
# 2. Noise of the right strength, or the pixels of the hole shuffled; also edges at wrong places. The number looks at pairs of neighbours only.
# 3. No: it invents detail that is plausible and may be false, and looks certain about it. For a diagnosis that is dangerous; the blur at least shows that nothing is known.
# ### END MARK SCHEME

# %% [markdown]
# ## Hand in
#
# *Restart and run all*, look once at every plot, save, and hand in this notebook. Pictures from your own training run stay in it for the person who
# reads your answers.
#
# **Read on.** Goodfellow et al., *Generative Adversarial Nets* (2014). Arjovsky, Chintala & Bottou, *Wasserstein GAN* (2017). Pathak et al., *Context
# Encoders: Feature Learning by Inpainting* (2016). Sugiyama, Suzuki & Kanamori, *Density Ratio Estimation in Machine Learning* (2012).
