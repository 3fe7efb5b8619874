# %% [markdown] minutes=3
# # Variational autoencoders
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)
#
# A picture of a garment has 784 pixels, but what makes it a boot rather than a coat takes only a few numbers. A
# *variational autoencoder* (Kingma & Welling, 2014) finds such numbers without being told what to look for: an
# **encoder** says which latent codes $z$ could have produced an image $x$, a **decoder** turns a code back into an
# image, and one objective, the evidence lower bound (ELBO), trains both.
#
# 1. **Pieces**: a divergence, a sample that can be differentiated, and its gradient by hand.
# 2. **Theory you can measure**: a model so simple that ELBO, evidence and posterior are known exactly.
# 3. **The real thing**: train on pictures, then walk through the latent space.
# 4. **A closer look**: what the encoder leaves on the table, and what its means do not tell.
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
# | symbol | meaning | shape in code |
# |---|---|---|
# | $x$, $\hat x$ | image and its reconstruction, pixels in $[0, 1]$ | `(B, 1, 28, 28)` |
# | $z$ | latent code | `(B, K)` |
# | $p(z) = \mathcal N(0, I)$ | prior | |
# | $q_\phi(z \mid x) = \mathcal N(\mu, \mathrm{diag}\,\sigma^2)$ | approximate posterior, from the encoder | `mu`, `sigma`: `(B, K)` |
# | $\sigma$ | standard deviation, never variance | |
# | $\phi$, $\theta$ | what $q$ is made of (the encoder's weights, or in 2.3 one number); the decoder's weights | |
# | $\varepsilon \sim \mathcal N(0, I)$ | noise | `eps`: `(B, K)` |
#
# Divergences and log-likelihoods are in nats (natural logarithms). Functions return the dtype that they are given,
# make new tensors **on their arguments' device** (`torch.zeros(3, device=x.device)`, `torch.randn_like(x)`), so that they
# run on a GPU too, and leave their arguments as they are.

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

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

import fixmelab
from fixmelab.data import load_images

lab = fixmelab.setup("{{name}}", keep_on_drive=KEEP_ON_DRIVE)

# %% [markdown]
# **Budget.** Here stands every number that decides how long this notebook runs, with one value for a GPU, one for a laptop and
# one for a quick trial; your hardware chooses. **Seed.** With the same seed you get the same pictures again.

# %%
EPOCHS = fixmelab.budget(full=40, cpu=20, smoke=1)
TRAINING_IMAGES = fixmelab.budget(full=60_000, cpu=12_000, smoke=1_000)
LATENT_DIM = 2
fixmelab.seed_everything(0)

# %% [markdown]
# ### The data
#
# `load_images()` gives FashionMNIST. If it cannot be downloaded, you get `garments`, ten kinds of clothing drawn by
# a program. Both have 28×28 grey pixels in $[0, 1]$.

# %% tags=["keep"]
train_set = load_images()
test_set = load_images(train_set.name, train=False)
train_images, test_images = train_set.images[:TRAINING_IMAGES], test_set.images
fixmelab.show_images(train_images[:40], columns=10, title=f"{train_set.name}: the first 40 training images")

# %% [markdown] written="parts_of_a_vae" points=4 minutes=15
# ### Question: the parts
#
# In your own words, a sentence or two each:
#
# 1. What does the encoder compute, and why does it give a *distribution* and not a point?
# 2. What does the decoder compute?
# 3. What would happen to a plain autoencoder without a bottleneck, and what takes the bottleneck's place in a VAE?
# 4. What does each of the two terms of $\mathrm{ELBO} = \mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(q_\phi(z \mid x) \,\|\, p(z))$
#    ask of the encoder and of the decoder?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. The parameters $\mu(x), \sigma(x)$ of an approximate posterior. Several codes can explain one image, and the spread
#    keeps neighbouring codes meaningful.
# 2. The parameters of $p(x \mid z)$: the mean of every pixel, given a code.
# 3. It could copy its input and learn nothing. In a VAE the divergence from the prior limits how much information a code
#    carries, even with many latents.
# 4. The first asks both for faithful reconstructions; the second only concerns the encoder: stay close to the prior, so that
#    codes drawn from the prior are codes that the decoder knows.
# ### END MARK SCHEME

# %% [markdown]
# ## 1. Pieces
#
# ### 1.1 How far is q from the prior?
#
# The ELBO punishes codes that stray from the prior by the Kullback–Leibler divergence
# $\mathrm{KL}(q \,\|\, p) = \mathbb E_{q}[\log q(z) - \log p(z)]$. For Gaussians the expectation has a closed form
# (Kingma & Welling, 2014, appendix B):
#
# $$\mathrm{KL}\big(\mathcal N(\mu, \mathrm{diag}\,\sigma^2) \,\|\, \mathcal N(0, I)\big)
#   = \sum_{j=1}^{K} \Big[ -\log \sigma_j + \tfrac12 \big(\sigma_j^2 + \mu_j^2 - 1\big) \Big].$$
#
# The latents of one image are added up; images stay apart.

# %% exercise="gaussian_kl"
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    """KL(N(mu, diag sigma²) ‖ N(0, I)) in nats, image by image.

    mu, sigma: (B, K), sigma > 0 the standard deviation. Returns (B,).
    """
    ### BEGIN SOLUTION
    per_latent = -torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)
    return per_latent.sum(dim=1)
    ### END SOLUTION


# %% tests="gaussian_kl" points=2 minutes=10
zero, one = torch.zeros(4, 3), torch.ones(4, 3)
kl = gaussian_kl(zero, one)
assert kl.shape == (4,), f"expected one number for each image, shape (4,); yours has shape {tuple(kl.shape)}"
assert torch.allclose(kl, torch.zeros(4)), "for mu = 0 and sigma = 1, q is the prior itself: the divergence must be 0"
assert torch.allclose(gaussian_kl(one, one), torch.full((4,), 1.5)), "three means that are off by 1 cost 1.5 nats"
assert (gaussian_kl(zero, 0.1 * one) > 1).all(), "a sigma far below 1 must cost something"
mixed = gaussian_kl(
    torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.tensor([[2.0, 1.0], [1.0, 1.0]])
)
assert torch.allclose(mixed, torch.tensor([1.306853, 4.5])), "μ = (1, 0), σ = (2, 1) costs 1.3069 nats; μ = (0, 3), σ = (1, 1) costs 4.5"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.gaussian_kl", gaussian_kl)
### END HIDDEN TESTS

# %% [markdown] predict="bowl"
# Plot this price over $\sigma$, once each for $\mu = 0$, $1$ and $2$. Where does each curve have its lowest
# point, and what do the curves do for $\sigma \to 0$ and for large $\sigma$?

# %% tags=["keep"]
spread = torch.linspace(0.05, 3, 200)[:, None]
curves = {f"μ = {m}": gaussian_kl(torch.full_like(spread, m), spread) for m in (0.0, 1.0, 2.0)}
fixmelab.plot_curves(spread[:, 0], curves, "σ", "KL (nats)", "One latent: the price of leaving the prior")

# %% [markdown]
# The bowl has its bottom at $\sigma = 1$, whatever $\mu$ is: $\mu$ only lifts it, by $\mu^2 / 2$. Being *sure* ($\sigma \to 0$)
# costs $-\log \sigma$, being vague costs about $\sigma^2 / 2$, and both grow without limit.

# %% [markdown]
# ### 1.2 A sample that can be differentiated
#
# Training needs $\nabla_\phi \, \mathbb E_{q_\phi}[f(z)]$, but a draw from a distribution has no derivative. The way out is to
# write the draw as a function of the parameters and of noise that does not depend on them (Kingma & Welling, 2014,
# equation 4):
#
# $$z = g(\varepsilon, x) = \mu(x) + \sigma(x) \odot \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I).$$

# %% exercise="reparameterize"
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    """A draw from N(mu, diag sigma²) made from standard normal noise eps.

    mu, sigma, eps: the same shape. Returns that shape; gradients reach mu and sigma.
    """
    ### BEGIN SOLUTION
    return mu + sigma * eps
    ### END SOLUTION


# %% tests="reparameterize" points=1 minutes=5
z = reparameterize(
    torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]]), torch.tensor([[2.0, -1.0]])
)
assert z.shape == (1, 2), f"expected the shape of mu, (1, 2); yours has shape {tuple(z.shape)}"
assert torch.allclose(z, torch.tensor([[2.0, -5.0]])), "for μ = (1, −2), σ = (0.5, 3), ε = (2, −1) the sample is (2, −5)"
parameter = torch.ones(1, 2, requires_grad=True)
assert reparameterize(parameter, parameter, torch.ones(1, 2)).requires_grad, "gradients must reach mu and sigma"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.reparameterize", reparameterize)
### END HIDDEN TESTS

# %% [markdown]
# Does it matter? Take $x = \theta + \varepsilon$ and ask for $\frac{d}{d\theta} \mathbb E[x^2] = 2\theta$. Two estimators, both made from
# samples:
#
# - **pathwise**: differentiate $(\theta + \varepsilon)^2$ itself, sample by sample, so that
#   $\frac{d}{d\theta} \mathbb E[x^2] = \mathbb E[2(\theta + \varepsilon)]$;
# - **score function**: differentiate only the density,
#   $\frac{d}{d\theta} \mathbb E[x^2] = \mathbb E\big[x^2 \, \frac{d}{d\theta} \log \mathcal N(x; \theta, 1)\big]$.
#
# Write both. They return one estimate for each entry of `eps`; the average is taken outside.

# %% exercise="pathwise_gradient"
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    """Pathwise estimates of d/dθ E[x²], x = θ + ε. theta: (), eps: (S,). Returns (S,)."""
    ### BEGIN SOLUTION
    return 2 * (theta + eps)
    ### END SOLUTION


# %% tests="pathwise_gradient" points=1 minutes=5
estimates = pathwise_gradient(torch.tensor(3.0), torch.tensor([0.0, 1.0]))
assert estimates.shape == (2,), f"expected one estimate for each entry of eps; yours has shape {tuple(estimates.shape)}"
assert float(estimates[0]) == 6.0, "without noise (ε = 0) the estimate at θ = 3 is the exact gradient, 6"
assert float(estimates[1]) == 8.0, "at θ = 3 and ε = 1 this sample sits at x = 4, where the slope of x² is 8"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.pathwise_gradient", pathwise_gradient)
### END HIDDEN TESTS

# %% [markdown] hints="score_function_gradient"
# **Where to look.** Only the density is differentiated, at a fixed $x$: the factor $x^2$ stays as it is.
#
# **Which rule.** $\log \mathcal N(x; \theta, 1) = -\tfrac12 (x - \theta)^2 + \text{const}$. Differentiate it by $\theta$ with $x$ held fixed, and
# only then put in $x = \theta + \varepsilon$.
#
# **A small case.** For $\theta = 3$ and $\varepsilon = 1$ the sample is $x = 4$. The derivative of its log-density is $1$ there, so the estimate is $16 \cdot 1$.

# %% exercise="score_function_gradient"
# exercise: score_function_gradient
def score_function_gradient(theta, eps):
    """Score-function estimates of d/dθ E[x²], x = θ + ε. theta: (), eps: (S,). Returns (S,)."""
    ### BEGIN SOLUTION
    x = theta + eps
    score = x - theta
    return x**2 * score
    ### END SOLUTION


# %% tests="score_function_gradient" points=1 minutes=10
estimates = score_function_gradient(torch.tensor(3.0), torch.tensor([0.0, 1.0]))
assert estimates.shape == (2,), f"expected one estimate for each entry of eps; yours has shape {tuple(estimates.shape)}"
assert float(estimates[0]) == 0.0, "at x = θ the density is flat in θ: that sample's estimate is 0"
assert float(estimates[1]) == 16.0, "at θ = 3 and ε = 1: x² = 16, times the slope of the log-density in θ, which is 1"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.score_function_gradient", score_function_gradient)
### END HIDDEN TESTS

# %% [markdown]
# Both are right on average. The next figure shows how far a single estimate is off.

# %% [markdown] predict="noise"
# Which of the two estimators scatters more, and how does its scatter depend on $\theta$? Guess the
# standard deviation of one estimate at $\theta = 0$ and at $\theta = 3$, for both.

# %% tags=["keep"]
thetas, noise = torch.linspace(-3, 3, 61), torch.randn(4000, generator=torch.Generator().manual_seed(0))
deviation = {
    "score function": torch.stack([score_function_gradient(theta, noise).std() for theta in thetas]),
    "pathwise": torch.stack([pathwise_gradient(theta, noise).std() for theta in thetas]),
}
fixmelab.plot_curves(thetas, deviation, "θ", "standard deviation of one estimate", "The same mean, not the same noise")

# %% [markdown]
# The pathwise estimate $2(\theta + \varepsilon)$ has the standard deviation 2 everywhere. The score function multiplies $\varepsilon$ by
# $x^2$, which is large where $\theta$ is: at $\theta = 3$ it scatters about eight times as much, and 64 times as many samples
# are needed for the same error.

# %% [markdown] hints="gradient_inside"
# **Where to look.** Write both expectations as integrals, and mark every place where $\phi$ stands.
#
# **Which rule.** The product rule, for an integrand in which $\phi$ stands twice; and Leibniz's rule, which says when a derivative may
# move inside an integral.

# %% [markdown] written="gradient_inside" points=2 minutes=15
# ### Question: moving the gradient inside
#
# $\nabla_\phi \, \mathbb E_{q_\phi(z \mid x)}[f(z)]$ cannot in general be written as $\mathbb E_{q_\phi(z \mid x)}[\nabla_\phi f(z)]$, yet
# $\nabla_\phi \, \mathbb E_{\varepsilon}[f(g_\phi(\varepsilon, x))] = \mathbb E_{\varepsilon}[\nabla_\phi f(g_\phi(\varepsilon, x))]$. Why? Say
# what changes between the two, and what is asked of $f$ and $g$.
#
# ### BEGIN MARK SCHEME
# - 1 point: in the first, the distribution that is averaged over depends on $\phi$, so differentiating the integral brings
#   a term with $\nabla_\phi q_\phi$. After reparameterisation the density of $\varepsilon$ does not depend on $\phi$.
# - 1 point: the exchange of derivative and integral needs $f \circ g$ to be differentiable in $\phi$ (almost everywhere) with a
#   derivative that is dominated by an integrable function (Leibniz's rule, dominated convergence).
# ### END MARK SCHEME

# %% [markdown]
# ### 1.3 The gradient by hand
#
# Autograd will do this for you later; do it once yourself. For one image let
#
# $$\ell = \ell_\text{recon}(z) + \mathrm{KL}\big(\mathcal N(\mu, \mathrm{diag}\,\sigma^2) \,\|\, \mathcal N(0, I)\big),
#   \qquad z = \mu + \sigma \odot \varepsilon.$$
#
# The decoder hands you $\partial \ell_\text{recon} / \partial z$. Derive $\partial \ell / \partial \mu_j$ and
# $\partial \ell / \partial \sigma_j$ by the chain rule and write them down as code, without autograd.

# %% [markdown] hints="grad_mu_sigma"
# **Where to look.** $\mu_j$ and $\sigma_j$ enter $\ell$ twice: through $z_j$, and through the divergence. Add up both ways.
#
# **Which rule.** The chain rule for the first way: how far does $z_j$ move if $\mu_j$ moves by a little, and if $\sigma_j$ does? For the second, differentiate the
# formula of 1.1 term by term.
#
# **A small case.** Take one latent, $\ell_\text{recon} = 0$ and $\sigma = 2$. The divergence is $-\log \sigma + \sigma^2 / 2 + \dots$, and its slope by $\sigma$ is $2 - \tfrac12$ there.

# %% exercise="grad_mu_sigma"
# exercise: grad_mu_sigma
def grad_mu_sigma(dl_dz, mu, sigma, eps):
    """Gradients of reconstruction loss plus KL by mu and by sigma.

    dl_dz, mu, sigma, eps: (B, K); dl_dz is the gradient of the reconstruction loss by z = mu + sigma * eps.
    Returns (d_mu, d_sigma), each (B, K).
    """
    ### BEGIN SOLUTION
    d_mu = dl_dz + mu
    d_sigma = dl_dz * eps + sigma - 1 / sigma
    return d_mu, d_sigma
    ### END SOLUTION


# %% tests="grad_mu_sigma" points=2 minutes=15
zero, one = torch.zeros(2, 3), torch.ones(2, 3)
d_mu, d_sigma = grad_mu_sigma(zero, zero, one, one)
assert d_mu.shape == d_sigma.shape == (2, 3), "both gradients have the shape of mu"
assert torch.allclose(d_mu, zero), "at μ = 0 with no reconstruction loss, nothing pulls on μ"
assert torch.allclose(d_sigma, zero), "σ = 1 is the bottom of the bowl: its gradient is 0 there"
assert torch.allclose(grad_mu_sigma(one, zero, one, 2 * one)[1], 2 * one), "z moves by ε when σ moves by 1: chain rule"
mu, sigma = (
    torch.tensor([[2.0, -1.0]], requires_grad=True),
    torch.tensor([[0.5, 3.0]], requires_grad=True),
)
eps = torch.tensor([[3.0, -2.0]])
z = mu + sigma * eps
by_autograd = torch.autograd.grad(
    (z**3).sum() + gaussian_kl(mu, sigma).sum(), (mu, sigma)
)
by_hand = grad_mu_sigma(3 * z.detach() ** 2, mu.detach(), sigma.detach(), eps)
assert torch.allclose(by_hand[0], by_autograd[0]), "for the reconstruction loss Σ z³ autograd finds another gradient by μ"
assert torch.allclose(by_hand[1], by_autograd[1]), "for the reconstruction loss Σ z³ autograd finds another gradient by σ"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.grad_mu_sigma", grad_mu_sigma)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Theory you can measure
#
# For a neural decoder nobody can compute $\log p(x)$ or the posterior. For a *linear* decoder with Gaussian noise everything
# is Gaussian, so every claim about the ELBO can be checked to the last digit:
#
# $$p(z) = \mathcal N(0, I_K), \qquad p(x \mid z) = \mathcal N(W z + b, \; s^2 I_D).$$

# %%
generator = torch.Generator().manual_seed(1)
D, K, s = 5, 2, 0.7
W = torch.randn(D, K, generator=generator, dtype=torch.float64)
b = torch.randn(D, generator=generator, dtype=torch.float64)
codes = torch.randn(8, K, generator=generator, dtype=torch.float64)
x_toy = codes @ W.T + b + s * torch.randn(8, D, generator=generator, dtype=torch.float64)
q_mu, q_sigma = 0.8 * codes, torch.full_like(codes, 0.4)

# %% [markdown]
# ### 2.1 Two forms of the ELBO
#
# With $q = \mathcal N(\mu, \mathrm{diag}\,\sigma^2)$,
#
# $$\mathrm{ELBO} = \mathbb E_q[\log p(x, z)] + H(q) \qquad\text{and}\qquad
#   \mathrm{ELBO} = \mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(q \,\|\, p(z)),$$
#
# where $H(q) = -\mathbb E_q[\log q(z)]$ is the entropy. Write both for the linear-Gaussian model, **exactly** (no sampling). Useful:
# $\mathbb E_q \|x - b - Wz\|^2 = \|x - b - W\mu\|^2 + \sum_j \sigma_j^2 \|W_{:j}\|^2$ and $\mathbb E_q[z_j^2] = \mu_j^2 + \sigma_j^2$.

# %% [markdown] hints="elbo_from_joint"
# **Where to look.** $\log p(x, z) = \log p(x \mid z) + \log p(z)$: three expectations in all, with the entropy. Write each in a line of its own.
#
# **Which rule.** $\log \mathcal N(x; m, s^2 I_D) = -\|x - m\|^2 / (2 s^2) - \tfrac D2 \log(2 \pi s^2)$; the expectation moves inside to the squared
# distance, and the formulas above give it. The entropy of a Gaussian with standard deviation $\sigma$ is $\log \sigma + \tfrac12 \log(2 \pi e)$ for each latent.
#
# **A small case.** $D = K = 1$, $W = 2$, $s = 1$, $x = b = 0$, $\mu = 0$, $\sigma = \tfrac12$: the expected squared distance is $\sigma^2 W^2 = 1$, so
# $\mathbb E_q[\log p(x \mid z)] = -\tfrac12 - \tfrac12 \log 2\pi$.

# %% exercise="elbo_from_joint"
# exercise: elbo_from_joint
def elbo_from_joint(x, mu, sigma, W, b, s):
    """E_q[log p(x, z)] + H(q) in nats for the linear-Gaussian model, exactly.

    x: (B, D); mu, sigma: (B, K); W: (D, K); b: (D,); s > 0: a number, the standard deviation of x given z.
    Returns (B,).
    """
    ### BEGIN SOLUTION
    D, K = W.shape
    error = ((x - b - mu @ W.T) ** 2).sum(dim=1) + (sigma**2) @ (W**2).sum(dim=0)
    log_likelihood = -error / (2 * s**2) - D / 2 * math.log(2 * math.pi * s**2)
    log_prior = -0.5 * (mu**2 + sigma**2).sum(dim=1) - K / 2 * math.log(2 * math.pi)
    entropy = torch.log(sigma).sum(dim=1) + K / 2 * math.log(2 * math.pi * math.e)
    return log_likelihood + log_prior + entropy
    ### END SOLUTION


# %% tests="elbo_from_joint" points=2 minutes=25
value = elbo_from_joint(x_toy, q_mu, q_sigma, W, b, s)
assert value.shape == (8,), f"expected one number for each datum, shape (8,); yours has shape {tuple(value.shape)}"
unit = torch.ones(1, 1, dtype=torch.float64)
bound = float(
    elbo_from_joint(
        0 * unit, 0 * unit, unit, 0 * unit, torch.zeros(1, dtype=torch.float64), 1.0
    )
)
assert abs(bound + 0.918939) < 1e-5, "W = 0, x = b = 0, s = 1 and q = p(z): the ELBO is log N(0; 0, 1) = −0.918939"
two = torch.tensor([[1.0, -0.5]], dtype=torch.float64)
bound = float(
    elbo_from_joint(
        two, 0.3 * two, two.abs(), torch.diag(two[0]) + 0.2, 0.1 * two[0], 0.5
    )
)
assert abs(bound + 5.1168) < 1e-4, "x = (1, −½), μ = 0.3 x, σ = (1, ½), b = 0.1 x, s = ½, W = diag(x) + 0.2: the ELBO is −5.1168"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.elbo_from_joint", elbo_from_joint)
### END HIDDEN TESTS

# %% [markdown] hints="elbo_from_kl"
# **Where to look.** One of the three lines of `elbo_from_joint` stays; the other two together are a function that you have written in 1.1.

# %% exercise="elbo_from_kl"
# exercise: elbo_from_kl
def elbo_from_kl(x, mu, sigma, W, b, s):
    """E_q[log p(x | z)] − KL(q ‖ p(z)) in nats for the linear-Gaussian model, exactly. Arguments as above; (B,)."""
    ### BEGIN SOLUTION
    error = ((x - b - mu @ W.T) ** 2).sum(dim=1) + (sigma**2) @ (W**2).sum(dim=0)
    reconstruction = -error / (2 * s**2) - W.shape[0] / 2 * math.log(2 * math.pi * s**2)
    return reconstruction - gaussian_kl(mu, sigma)
    ### END SOLUTION


# %% tests="elbo_from_kl" points=1 minutes=10
value = elbo_from_kl(x_toy, q_mu, q_sigma, W, b, s)
assert value.shape == (8,), f"expected one number for each datum, shape (8,); yours has shape {tuple(value.shape)}"
unit = torch.ones(1, 1, dtype=torch.float64)
bound = float(
    elbo_from_kl(
        0 * unit, 0 * unit, unit, 0 * unit, torch.zeros(1, dtype=torch.float64), 1.0
    )
)
assert abs(bound + 0.918939) < 1e-5, "W = 0, x = b = 0, s = 1 and q = p(z): the ELBO is log N(0; 0, 1) = −0.918939"
two = torch.tensor([[1.0, -0.5]], dtype=torch.float64)
bound = float(
    elbo_from_kl(two, 0.3 * two, two.abs(), torch.diag(two[0]) + 0.2, 0.1 * two[0], 0.5)
)
assert abs(bound + 5.1168) < 1e-4, "x = (1, −½), μ = 0.3 x, σ = (1, ½), b = 0.1 x, s = ½, W = diag(x) + 0.2: the ELBO is −5.1168"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.elbo_from_kl", elbo_from_kl)
### END HIDDEN TESTS

# %%
one_form, other_form = (form(x_toy, q_mu, q_sigma, W, b, s) for form in (elbo_from_joint, elbo_from_kl))
print("joint + entropy      ", [f"{value:9.4f}" for value in one_form[:5].tolist()])
print("reconstruction − KL  ", [f"{value:9.4f}" for value in other_form[:5].tolist()])
print(f"largest difference    {float((one_form - other_form).abs().max()):.1e}   (should be at most 1e-5)")

# %% [markdown] hints="two_forms"
# **Where to look.** Only one factor of $p(x, z)$ needs to be taken apart; $H(q)$ is an expectation under $q$ as well.
#
# **Which rule.** Expectations are linear; then the definition of the Kullback–Leibler divergence.

# %% [markdown] written="two_forms" points=3 minutes=15
# ### Question: two forms
#
# Prove that the two forms are equal for *any* $p(x, z)$ and $q(z \mid x)$, not only Gaussian ones. Suppose that
# expectations over $q$ have to be estimated from samples, except for the divergence from the prior, which is known in closed form: which
# form do you prefer, and why?
#
# ### BEGIN MARK SCHEME
# - 1 point: $\log p(x, z) = \log p(x \mid z) + \log p(z)$ is put into the first form.
# - 1 point: $\mathbb E_q[\log p(z)] - \mathbb E_q[\log q(z \mid x)] = -\mathrm{KL}(q \,\|\, p(z))$ by definition.
# - 1 point: the second, since its divergence is exact for Gaussians and only the reconstruction term carries sampling noise.
# ### END MARK SCHEME

# %% [markdown]
# ### 2.2 What the bound leaves out
#
# $$\log p(x) = \mathrm{ELBO} + \mathrm{KL}\big(q(z \mid x) \,\|\, p(z \mid x)\big).$$
#
# All three terms are known here. The evidence is the density of $x \sim \mathcal N(b, \, W W^\top + s^2 I)$; the posterior is Gaussian
# with covariance $\Sigma = (I + W^\top W / s^2)^{-1}$ and mean $\Sigma W^\top (x - b) / s^2$.

# %% exercise="log_evidence"
# exercise: log_evidence
def log_evidence(x, W, b, s):
    """log p(x) in nats under the linear-Gaussian model. x: (B, D); W: (D, K); b: (D,); s: a number. Returns (B,)."""
    ### BEGIN SOLUTION
    covariance = W @ W.T + s**2 * torch.eye(len(b), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(b, covariance).log_prob(x)
    ### END SOLUTION


# %% tests="log_evidence" points=2 minutes=10
assert log_evidence(x_toy, W, b, s).shape == (8,), "expected one number for each datum"
standard = log_evidence(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1), 1.0)
assert abs(float(standard) + 0.918939) < 1e-5, "W = 0 and s = 1 leave a standard Gaussian: log N(0; 0, 1) = −0.918939"
slope = torch.tensor([[2.0]])
spread = log_evidence(torch.tensor([[3.0]]), slope, torch.tensor([1.0]), 0.5)
assert abs(float(spread) + 2.112986) < 1e-5, "W = 2, b = 1, s = ½: x has the mean 1 and the variance 4.25; at x = 3 the log-density is −2.1130"
pair = log_evidence(
    torch.tensor([[2.0, 1.0]]), torch.ones(2, 1), torch.tensor([1.0, 0.0]), 1.0
)
assert abs(float(pair) + 2.720516) < 1e-5, "two pixels that share a latent are correlated: covariance [[2, 1], [1, 2]], log-density −2.7205"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.log_evidence", log_evidence)
### END HIDDEN TESTS

# %% [markdown] hints="posterior"
# **Where to look.** Both formulas stand above. The covariance is needed for the mean; nothing has to be inverted twice.
#
# **Which rule.** Data are rows: $x$ is `(B, D)`, so what stands to the left of a column in the formula, transposed, stands to the right of a row in code.
#
# **A small case.** $K = D = 1$, $W = 2$, $b = 1$, $s = 1$: the covariance is $1 / (1 + 4) = 0.2$, and for $x = 3$ the mean is $0.2 \cdot 2 \cdot 2 = 0.8$.

# %% exercise="posterior"
# exercise: posterior
def posterior(x, W, b, s):
    """p(z | x) of the linear-Gaussian model. x: (B, D); W: (D, K); b: (D,); s: a number.

    Returns (mean (B, K), covariance (K, K)); the covariance is the same for every datum.
    """
    ### BEGIN SOLUTION
    precision = torch.eye(W.shape[1], dtype=x.dtype) + W.T @ W / s**2
    covariance = torch.linalg.inv(precision)
    mean = (x - b) @ W @ covariance / s**2
    return mean, covariance
    ### END SOLUTION


# %% tests="posterior" points=2 minutes=15
mean, covariance = posterior(x_toy, W, b, s)
assert mean.shape == (8, 2) and covariance.shape == (2, 2), "the mean is (B, K), the covariance (K, K)"
prior_mean, prior_covariance = posterior(
    torch.ones(1, 3), torch.zeros(3, 2), torch.zeros(3), 1.0
)
assert torch.allclose(prior_covariance, torch.eye(2)), "with W = 0 the data say nothing: the posterior is the prior"
assert torch.allclose(prior_mean, torch.zeros(1, 2)), "with W = 0 the data say nothing: the posterior is the prior"
mean, covariance = posterior(
    torch.tensor([[3.0]]), torch.tensor([[2.0]]), torch.tensor([1.0]), 0.5
)
assert abs(float(covariance) - 1 / 17) < 1e-5, "W = 2 and s = ½: the precision is 1 + 4 / ¼ = 17"
assert abs(float(mean) - 16 / 17) < 1e-5, "with b = 1 and x = 3 besides, the posterior mean is 16 / 17"
shared = posterior(torch.zeros(1, 1), torch.ones(1, 2), torch.zeros(1), 1.0)[1]
assert torch.allclose(shared, torch.tensor([[2 / 3, -1 / 3], [-1 / 3, 2 / 3]])), "two latents that explain one pixel are correlated"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.posterior", posterior)
### END HIDDEN TESTS

# %% [markdown]
# The posterior's latents are correlated, so this divergence needs full covariances:
#
# $$\mathrm{KL}\big(\mathcal N(\mu, S) \,\|\, \mathcal N(m, \Sigma)\big) = \tfrac12 \Big[\operatorname{tr}(\Sigma^{-1} S)
#   + (m - \mu)^\top \Sigma^{-1} (m - \mu) - K + \log \frac{\det \Sigma}{\det S}\Big], \qquad S = \mathrm{diag}\,\sigma^2.$$

# %% [markdown] hints="kl_to_posterior"
# **Where to look.** Four terms, and each gives one number for each datum. $\Sigma$ is one matrix for all of them; $S$ is diagonal, and never has to be built.
#
# **Which rule.** $\operatorname{tr}(\Sigma^{-1} S)$ with a diagonal $S$ only needs the diagonal of $\Sigma^{-1}$; $\log \det S = \sum_j \log \sigma_j^2$.
#
# **A small case.** $K = 1$, $q = \mathcal N(1, 1)$ and $\Sigma = 2$ around $m = 0$: the terms are $\tfrac12$, $\tfrac12$, $-1$ and $\log 2$, half of whose sum is $0.347$.

# %% exercise="kl_to_posterior"
# exercise: kl_to_posterior
def kl_to_posterior(mu, sigma, mean, covariance):
    """KL(N(mu, diag sigma²) ‖ N(mean, covariance)) in nats. mu, sigma, mean: (B, K); covariance: (K, K). (B,)."""
    ### BEGIN SOLUTION
    precision, shift = torch.linalg.inv(covariance), mean - mu
    trace = (sigma**2) @ torch.diagonal(precision)
    distance = (shift @ precision * shift).sum(dim=1)
    log_determinants = torch.logdet(covariance) - 2 * torch.log(sigma).sum(dim=1)
    return 0.5 * (trace + distance - mu.shape[1] + log_determinants)
    ### END SOLUTION


# %% tests="kl_to_posterior" points=2 minutes=15
zero, one = torch.zeros(3, 2), torch.ones(3, 2)
value = kl_to_posterior(zero, one, zero, torch.eye(2))
assert value.shape == (3,), f"expected one number for each datum, shape (3,); yours has shape {tuple(value.shape)}"
assert torch.allclose(value, torch.zeros(3)), "two equal distributions have divergence 0"
assert torch.allclose(kl_to_posterior(one, one, zero, torch.eye(2)), torch.ones(3)), "two means off by 1: 1 nat"
correlated = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
value = kl_to_posterior(torch.tensor([[1.0, -1.0]]), 2 * one[:1], zero[:1], correlated)
assert abs(float(value) - 1.829680) < 1e-4, "μ = (1, −1), σ = (2, 2), m = 0, Σ = [[2, 1], [1, 2]]: 1.8297 nats"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.kl_to_posterior", kl_to_posterior)
### END HIDDEN TESTS

# %%
gap = kl_to_posterior(q_mu, q_sigma, *posterior(x_toy, W, b, s))
bound, evidence = elbo_from_kl(x_toy, q_mu, q_sigma, W, b, s), log_evidence(x_toy, W, b, s)
print("   ELBO  +  KL to posterior  =  log p(x)")
for row in zip(bound[:5].tolist(), gap[:5].tolist(), evidence[:5].tolist()):
    print("{:9.4f}  {:12.4f}  {:15.4f}".format(*row))
print(f"largest difference {float((bound + gap - evidence).abs().max()):.1e}")

# %% [markdown] hints="evidence_bound"
# **Where to look.** $\log p(x)$ does not depend on $z$, so it equals its own expectation under $q$.
#
# **Which rule.** Bayes: $p(x) = p(x, z) / p(z \mid x)$. Then put $q(z \mid x)$ in twice, above and below the line.

# %% [markdown] written="evidence_bound" points=2 minutes=15
# ### Question: a lower bound
#
# Derive $\log p(x) = \mathrm{ELBO} + \mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x))$, conclude that the ELBO is a lower bound of the evidence, and
# say when it is tight.
#
# ### BEGIN MARK SCHEME
# - 1 point: $\log p(x) = \mathbb E_q[\log p(x)] = \mathbb E_q\big[\log \tfrac{p(x, z)}{q(z \mid x)}\big]
#   + \mathbb E_q\big[\log \tfrac{q(z \mid x)}{p(z \mid x)}\big]$, by Bayes' rule.
# - 1 point: a divergence is never negative (Jensen), so ELBO ≤ log p(x), with equality exactly where $q$ is the posterior.
# ### END MARK SCHEME

# %% [markdown]
# ### 2.3 One knob, two curves
#
# Freeze everything but one number: one latent, one datum, $q = \mathcal N(\phi, \sigma^2)$ with a fixed $\sigma$. Sweep $\phi$ and
# record the ELBO and the divergence from the posterior.

# %% exercise="sweep_phi"
# exercise: sweep_phi
def sweep_phi(phis, sigma, x, W, b, s):
    """ELBO and KL(q ‖ posterior) of one datum for q = N(φ, sigma²), one latent.

    phis: (P,); sigma: a number; x: (1, D); W: (D, 1); b: (D,); s: a number. Returns (elbos (P,), divergences (P,)).
    """
    ### BEGIN SOLUTION
    mu, spread = phis[:, None], torch.full_like(phis, sigma)[:, None]
    mean, covariance = posterior(x, W, b, s)
    elbos = elbo_from_kl(x.expand(len(phis), -1), mu, spread, W, b, s)
    return elbos, kl_to_posterior(mu, spread, mean.expand(len(phis), -1), covariance)
    ### END SOLUTION


# %% tests="sweep_phi" points=1 minutes=10
phis = torch.linspace(-2, 2, 81, dtype=torch.float64)
elbos, divergences = sweep_phi(phis, 0.3, x_toy[:1], W[:, :1], b, s)
assert elbos.shape == divergences.shape == (81,), "expected one value for each φ, shape (81,), in both"
assert int(elbos.argmax()) == int(divergences.argmin()), "where the ELBO is largest, the divergence must be smallest"
both = elbos + divergences
assert torch.allclose(both, log_evidence(x_toy[:1], W[:, :1], b, s).expand(81)), "at every φ the two must add up to log p(x)"
assert (divergences > 0).all(), "a divergence is never negative: the ELBOs come first"
at_zero = elbo_from_kl(
    x_toy[:1],
    torch.zeros(1, 1).double(),
    torch.full((1, 1), 0.3).double(),
    W[:, :1],
    b,
    s,
)
assert torch.allclose(elbos[40], at_zero[0]), "at φ = 0 the ELBO is that of q = N(0, 0.3²)"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.sweep_phi", sweep_phi)
### END HIDDEN TESTS

# %% [markdown] predict="two_curves"
# Both curves over $\phi$ in one figure, and $\log p(x)$ beside them: what shape does each have, and where do
# they come closest to each other? Does the ELBO touch $\log p(x)$?

# %% tags=["keep"]
phis = torch.linspace(-2, 2, 81, dtype=torch.float64)
elbos, divergences = sweep_phi(phis, 0.3, x_toy[:1], W[:, :1], b, s)
curves = {"log p(x)": elbos + divergences, "ELBO": elbos, "KL(q ‖ posterior)": divergences}
fixmelab.plot_curves(phis, curves, "φ", "nats", "What the ELBO wins, the divergence loses")

# %% [markdown]
# Two parabolas, one upside down, whose sum is flat. The ELBO comes closest to $\log p(x)$ where the divergence is smallest, and touches
# it only if the fixed $\sigma = 0.3$ happens to be the posterior's standard deviation: no $\phi$ can remove the rest.

# %% [markdown] written="same_optimum" points=2 minutes=10
# ### Question: one optimum
#
# Explain the plot: why do the two curves add up to a constant in $\phi$, and why does it follow that maximising the ELBO over $\phi$
# minimises $\mathrm{KL}(q_\phi \,\|\, p(z \mid x))$? Is the same true when the *decoder's* parameters change?
#
# ### BEGIN MARK SCHEME
# - 1 point: $\log p(x)$ does not depend on $\phi$; so the sum is constant and the maximiser of one is the minimiser of the other.
# - 1 point: no. The decoder's parameters move $\log p(x)$ itself, so the ELBO may grow while the divergence grows too.
# ### END MARK SCHEME

# %% [markdown]
# ## 3. The real thing
#
# Now the decoder is a network, and so is the encoder: one network that answers for every image at once what $q$ is
# (*amortised* inference). Any architecture will do that fits into the frame:
#
# - `encode(x)`: images `(B, 1, 28, 28)` → `(mu, sigma)`, each `(B, K)`, `sigma` positive. It draws no noise.
# - `decode(z)`: codes `(B, K)` → images `(B, 1, 28, 28)` in $[0, 1]$.
# - `forward(x, eps=None)`: → `(x_hat, mu, sigma)` with $z = \mu + \sigma \odot \varepsilon$. With `eps` given it uses it; without, it
#   draws fresh noise for every image at every call.
#
# Two or three fully connected layers of a few hundred units each train in a minute or two.

# %% [markdown] hints="VAE"
# **Where to look.** Four places: the layers in `__init__`, and one method each. An encoder that ends in `2 * latent_dim` numbers can give half of them to
# $\mu$ and half to $\sigma$.
#
# **Which rule.** A linear layer gives any number, and $\sigma$ has to be positive: let the layer give $\log \sigma$. Pixels lie in $[0, 1]$: end the decoder in a sigmoid.
#
# **A small case.** For a batch of 6 images and 3 latents the shapes run `(6, 1, 28, 28)` → `(6, 784)` → … → `(6, 6)` → two of `(6, 3)`; and back `(6, 3)` → … → `(6, 784)` → `(6, 1, 28, 28)`.

# %% exercise="VAE"
# exercise: VAE
class VAE(nn.Module):
    """A variational autoencoder for 28×28 images in [0, 1] with latent_dim latents."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim
        ### BEGIN SOLUTION
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 2 * latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784)
        )
        ### END SOLUTION

    # exercise: encode
    def encode(self, x):
        """Parameters of q(z | x). x: (B, 1, 28, 28) in [0, 1]. Returns (mu, sigma), each (B, K), sigma > 0."""
        ### BEGIN SOLUTION
        mu, log_sigma = self.encoder(x).chunk(2, dim=1)
        return mu, torch.exp(log_sigma)
        ### END SOLUTION

    # exercise: decode
    def decode(self, z):
        """Mean of every pixel given z. z: (B, K). Returns (B, 1, 28, 28) in [0, 1]."""
        ### BEGIN SOLUTION
        return torch.sigmoid(self.decoder(z)).view(-1, 1, 28, 28)
        ### END SOLUTION

    # exercise: forward
    def forward(self, x, eps=None):
        """Encode, sample, decode. eps: (B, K), or None to draw it here. Returns (x_hat, mu, sigma)."""
        ### BEGIN SOLUTION
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(reparameterize(mu, sigma, eps)), mu, sigma
        ### END SOLUTION


# %% [markdown]
# `encode` alone:

# %% tests="encode" points=2 minutes=10
images = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
model = VAE(3).eval()
mu, sigma = model.encode(images)
assert mu.shape == sigma.shape == (6, 3), f"mu and sigma are (6, 3) here; yours are {tuple(mu.shape)}, {tuple(sigma.shape)}"
assert (sigma > 0).all(), "sigma is a standard deviation: it must be positive for every image and latent"
assert torch.equal(mu, model.encode(images)[0]), "encode must draw no noise: the same images have the same mu"
assert torch.allclose(model.encode(images[:2])[0], mu[:2], atol=1e-5), "an image's mu must not depend on what else is in the batch"
assert mu.requires_grad and sigma.requires_grad, "gradients must flow through mu and sigma: no detach, no no_grad"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.encode", VAE)
### END HIDDEN TESTS

# %% [markdown]
# `decode` alone:

# %% tests="decode" points=2 minutes=5
model, z = (
    VAE(3).eval(),
    10 * torch.randn(6, 3, generator=torch.Generator().manual_seed(0)),
)
x_hat = model.decode(z).detach()
assert x_hat.shape == (6, 1, 28, 28), f"expected six images, (6, 1, 28, 28); yours has shape {tuple(x_hat.shape)}"
assert 0 <= float(x_hat.min()) and float(x_hat.max()) <= 1, "pixels must lie in [0, 1], whatever the code"
assert not torch.allclose(x_hat[0], x_hat[1]), "two different codes give the same image"
assert float(x_hat.min()) < 0.5 < float(x_hat.max()), "dark and bright pixels must both be possible: one sigmoid, at the end"
assert torch.equal(x_hat, model.decode(z)), "decode must draw no noise: the same code gives the same image"
assert torch.allclose(model.decode(z[:2]), x_hat[:2], atol=1e-5), "an image must not depend on what else is in the batch"
moved = (
    (model.decode(10 * torch.eye(3)) - model.decode(torch.zeros(1, 3)))
    .abs()
    .amax(dim=(1, 2, 3))
)
assert (moved > 0).all(), "each of the three latents must change the image"
assert model.decode(z).requires_grad, "gradients must flow through the image: no detach, no no_grad"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.decode", VAE)
### END HIDDEN TESTS

# %% [markdown]
# `forward`, which puts them together:

# %% tests="forward" points=2 minutes=10
torch.manual_seed(0)
model, images, eps = VAE(3).eval(), torch.rand(4, 1, 28, 28), torch.randn(4, 3)
x_hat, mu, sigma = model(images, eps=eps)
assert x_hat.shape == (4, 1, 28, 28), f"x_hat is the first of three results, (4, 1, 28, 28); yours is {tuple(x_hat.shape)}"
assert torch.equal(mu, model.encode(images)[0]), "the second result is mu, just as encode gives it"
assert torch.equal(x_hat, model(images, eps=eps)[0]), "the same eps must give the same reconstruction"
assert not torch.equal(model(images)[0], model(images)[0]), "without eps, fresh noise must be drawn at each call"
assert torch.allclose(x_hat, model.decode(reparameterize(mu, sigma, eps)), atol=1e-5), "x_hat is what decode makes of z = μ + σ ⊙ ε"
assert all(part.requires_grad for part in model(images)), "gradients must flow through x_hat, mu and sigma: no detach, no no_grad"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.forward", VAE)
### END HIDDEN TESTS

# %% [markdown]
# And the model as a whole: any number of latents, every parameter registered and within reach of the gradient:

# %% tests="VAE" points=1 minutes=10
made = VAE(5)
x_hat, mu, sigma = made(torch.rand(3, 1, 28, 28))
assert mu.shape == (3, 5), f"VAE(5) must give codes of shape (3, 5); yours have shape {tuple(mu.shape)}"
assert len(list(made.parameters())) > 0, "the model has no parameters: assign its layers to self"
(x_hat.sum() + mu.sum() + sigma.sum()).backward()
silent = [name for name, parameter in made.named_parameters() if parameter.grad is None]
assert not silent, f"no gradient reaches {', '.join(silent)}: use every layer, and no detach or no_grad"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.VAE", VAE)
### END HIDDEN TESTS

# %% [markdown]
# ### 3.1 The loss
#
# Pixels in $[0, 1]$ are treated as Bernoulli means, so the reconstruction term is a cross-entropy, and
#
# $$\mathcal L = \frac1B \sum_{n=1}^{B} \Big[ -\sum_{\text{pixels}} \big(x \log \hat x + (1 - x) \log(1 - \hat x)\big)
#   + \mathrm{KL}\big(q(z \mid x_n) \,\|\, p(z)\big) \Big]$$
#
# is the negative ELBO in nats per image. (For black and white pixels, that is. Grey ones make the cross-entropy a customary stand-in for
# the log-likelihood, off by a normalising constant that depends on $\hat x$.) Pixels are **added**, as log-likelihoods are; only images are averaged. A pixel of $\hat x$ may be
# exactly 0 or 1: the loss must stay finite.

# %% exercise="elbo_loss"
# exercise: elbo_loss
def elbo_loss(x_hat, x, mu, sigma):
    """Negative ELBO in nats per image, averaged over the batch.

    x_hat, x: (B, 1, 28, 28) in [0, 1]; mu, sigma: (B, K). Returns a tensor without dimensions.
    """
    ### BEGIN SOLUTION
    reconstruction = F.binary_cross_entropy(x_hat, x, reduction="sum") / len(x)
    return reconstruction + gaussian_kl(mu, sigma).mean()
    ### END SOLUTION


# %% tests="elbo_loss" points=2 minutes=10
grey, code, one = torch.full((2, 1, 28, 28), 0.5), torch.zeros(2, 3), torch.ones(2, 3)
loss = elbo_loss(grey, grey, code, one)
assert loss.shape == (), f"training needs one number; yours has shape {tuple(loss.shape)}"
assert abs(float(loss) - 784 * math.log(2)) < 0.01, "a grey guess costs log 2 for each pixel: 784 · log 2 = 543.43 nats"
assert abs(float(elbo_loss(grey, grey, code + 1, one) - loss) - 1.5) < 1e-2, "three means off by 1 add 1.5 nats"
black = torch.zeros(2, 1, 28, 28)
assert torch.isfinite(elbo_loss(black, black, code, one)), "pixels that are exactly 0 make the loss infinite or NaN"
white = torch.ones(2, 1, 28, 28)
sure = float(elbo_loss(0.25 * white, white, code, one))
assert abs(sure - 784 * math.log(4)) < 0.05, "x̂ = ¼ where x = 1 costs log 4 for each pixel: 784 · log 4 = 1086.85 nats"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.elbo_loss", elbo_loss)
### END HIDDEN TESTS

# %% [markdown]
# ### 3.2 Training
#
# After every epoch a checkpoint is written. If the runtime goes away, run the cells again: training goes on where it
# stopped. To start afresh, delete the file.

# %% [markdown] predict="loss"
# An untrained model guesses grey everywhere and pays $784 \log 2 = 543$ nats for each image. What will be left after training, with
# only two latents? A tenth of it, a third, a half?

# %% tags=["train"]
fixmelab.seed_everything(0)
model = VAE(LATENT_DIM)


def training_loss(model, images):
    x_hat, mu, sigma = model(images)
    return elbo_loss(x_hat, images, mu, sigma)


checkpoint = lab.folder / f"vae-{train_set.name}-{lab.budget}.safetensors"
epochs = EPOCHS * max(1, min(4, 10_000 // len(train_images)))  # a small data set needs more rounds
history = fixmelab.train(
    model, training_loss, train_images, epochs=epochs, checkpoint=checkpoint, device=lab.device
)
model = model.cpu().eval()  # pictures and sliders are quick enough without a GPU

# %% tags=["keep"]
EXPECTED = {
    "garments": fixmelab.budget(full=(190, 210), cpu=(194, 210), smoke=(270, 315)),
    "fashion_mnist": fixmelab.budget(full=(245, 275), cpu=(250, 285), smoke=None),
}
fixmelab.plot_history(history, expected=EXPECTED.get(train_set.name))

# %% [markdown]
# The green band is where our own run ended. Far above it something is wrong with the loss or the network, and far below it the loss leaves something out, such as the
# divergence or the sum over pixels.

# %% [markdown]
# Top row: test images. Bottom row: their reconstructions, through a code of only two numbers.

# %% tags=["keep"]
with torch.no_grad():
    reconstructions = model(test_images[:10])[0]
fixmelab.show_images(torch.cat([test_images[:10], reconstructions]), columns=10, title="test images and their reconstructions")

# %% [markdown] written="sampling" points=3 minutes=15
# ### Question: sampling
#
# 1. How do you draw a new image from a trained VAE? Which of the two networks is used?
# 2. Why does the same recipe fail for a plain autoencoder that was trained on reconstruction alone?
# 3. Which term of the ELBO makes the difference, and what would too much or too little of it do?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Draw $z \sim \mathcal N(0, I)$, decode, and take the mean image (or sample pixels). Only the decoder.
# 2. Nothing says where its codes lie: a code drawn from any simple distribution mostly falls where the decoder was never trained.
# 3. The divergence from the prior. Too little: an autoencoder with holes. Too much: codes carry no information (posterior collapse)
#    and all images look alike.
# ### END MARK SCHEME

# %% [markdown]
# ### 3.3 The latent grid
#
# Walk through the latent space: ten values of $z_i$ from −3 to 3 along the columns, ten values of $z_j$ along the rows, all other
# latents 0. Decode each code and put the 100 images together into one canvas of 280×280 pixels:
#
# - column $c$ has $z_i = $ `torch.linspace(-3, 3, 10)[c]`, left to right;
# - row $r$ has $z_j = $ `torch.linspace(-3, 3, 10)[r]`, top to bottom.

# %% [markdown] hints="plot_latents"
# **Where to look.** Make one batch of 100 codes and decode it at once; what is left is to order codes before, and pixels after.
#
# **Which rule.** The images come as `(row, column, y, x)`. In the canvas the row of a pixel is made of `row` and `y`, its column of `column` and `x`: bring the four axes into
# that order first, then `reshape`. A `view` alone keeps each image's pixels together and gives stripes.
#
# **A small case.** Two images of 2×2 side by side, `[[a, b], [c, d]]` and `[[e, f], [g, h]]`, make the canvas `[[a, b, e, f], [c, d, g, h]]`.

# %% exercise="plot_latents"
# exercise: plot_latents
def plot_latents(model, i=0, j=1):
    """A 10×10 grid of decoded images over z_i (columns) and z_j (rows), all other latents 0.

    model has latent_dim and decode(z (B, K)) -> (B, 1, 28, 28), on the CPU. Returns (figure, canvas): a matplotlib
    figure that shows the canvas (close it with plt.close, or Jupyter shows it twice), and the canvas, a tensor or an
    array of shape (280, 280).
    """
    ### BEGIN SOLUTION
    values = torch.linspace(-3, 3, 10)
    z = torch.zeros(10, 10, model.latent_dim)
    z[:, :, i] = values[None, :]
    z[:, :, j] = values[:, None]
    with torch.no_grad():
        tiles = model.decode(z.view(100, -1)).view(10, 10, 28, 28)
    canvas = tiles.permute(0, 2, 1, 3).reshape(280, 280)
    figure, axes = plt.subplots(figsize=(6, 6))
    axes.imshow(canvas, cmap="gray", extent=(-10 / 3, 10 / 3, 10 / 3, -10 / 3))
    axes.set(xlabel=f"z_{i}", ylabel=f"z_{j}", title="What the decoder makes of each code")
    plt.close(figure)
    return figure, canvas
    ### END SOLUTION


# %% tests="plot_latents" points=3 minutes=20
from fixmelab.toys import LinearDecoder

# A toy decoder: z_0 brightens the whole image, the other two latents do nothing.
toy = LinearDecoder(torch.tensor([[1.0, 0.0, 0.0]]).repeat(784, 1), torch.zeros(784))
figure, canvas = plot_latents(toy)  # i=0 and j=1 where nothing else is said
assert tuple(canvas.shape) == (280, 280), f"the canvas is (280, 280); yours has shape {tuple(canvas.shape)}"
assert float(canvas[0, 0]) < 0.1 < 0.9 < float(canvas[0, 279]), "z_i must grow from left to right along the columns"
assert abs(float(canvas[0, 0] - canvas[279, 0])) < 1e-4, "down a column only z_j changes, and this toy ignores it"
down = torch.as_tensor(plot_latents(toy, i=1, j=0)[1])
assert float(down[0, 0]) < 0.1 < 0.9 < float(down[279, 0]), "z_j must grow from top to bottom along the rows"
ramp = LinearDecoder(
    torch.tensor([[1.0, 0.0, 0.0]]).repeat(784, 1), torch.linspace(-2, 2, 784)
)
tile = ramp.decode(torch.tensor([[-3.0, 0.0, 0.0]])).detach()[0, 0]
corner = torch.as_tensor(plot_latents(ramp)[1])[:28, :28]
assert torch.allclose(corner.float(), tile, atol=1e-4), "the top left tile is the image decoded at z_i = −3, pixel by pixel"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.plot_latents", plot_latents)
### END HIDDEN TESTS

# %% tags=["keep"]
figure, canvas = plot_latents(model)
figure

# %% [markdown]
# ### 3.4 Where do the images live?
#
# The map shows the encoder's mean $\mu(x)$ for test images; no label was used in training. Click into the map, or move the
# sliders, and the decoder draws what lies there. As in the grid above, $z_1$ grows downwards, so the grid is what the middle of
# the map decodes to.

# %% [markdown] predict="map"
# Ten kinds of garments, two latents, and no label was used. Which kinds will lie apart on the map of
# $\mu(x)$, and which on top of each other? What lies at the origin?

# %% tags=["keep"]
with torch.no_grad():
    means, spreads = model.encode(test_images)
fixmelab.latent_explorer(model.decode, means, test_set.labels, test_set.class_names)

# %% [markdown]
# The same without widgets:

# %% tags=["keep"]
fixmelab.latent_explorer_static(model.decode, means, test_set.labels, test_set.class_names)

# %% [markdown]
# ## 4. A closer look
#
# ### 4.1 The amortisation gap
#
# The encoder answers for every image in one pass. Per-datum inference instead optimises $\mu$ and $\sigma$ for *this* image until the ELBO is
# as large as it gets. What the encoder loses is the **amortisation gap** (Cremer, Li & Duvenaud, 2018):
#
# $$\max_{\mu, \sigma} \mathrm{ELBO}(x; \mu, \sigma) - \mathrm{ELBO}(x; \mu_\phi(x), \sigma_\phi(x)) \ge 0.$$
#
# The ELBO below is estimated with a fixed set of noise draws, and optimised on the same draws, so the gap it finds is a little too large.
#
# Start at the encoder's answer, take `steps` steps of gradient ascent (Adam, say, on $\mu$ and $\log \sigma$) and keep, for each
# datum, the best value seen, the start included.

# %% [markdown] hints="amortization_gap"
# **Where to look.** Three things: parameters that Adam can move, a loop of steps, and the best value of each datum so far.
#
# **Which rule.** Adam minimises one number: give it the negative ELBO, summed over the batch. Moving $\log \sigma$ keeps $\sigma$ positive. The best value is kept
# datum by datum with an elementwise maximum, and starts at the encoder's own ELBO.
#
# **A small case.** If the ELBO of two data goes $(-5, -3)$, $(-4, -6)$, $(-4.5, -2)$ over start and two steps, the best is $(-4, -2)$ and the gap $(1, 1)$.

# %% exercise="amortization_gap"
# exercise: amortization_gap
def amortization_gap(elbo, mu, sigma, steps=200, lr=0.05):
    """What per-datum optimisation of q gains over the encoder, in nats. Never negative.

    elbo: a function (mu (B, K), sigma (B, K)) -> (B,). mu, sigma: the encoder's answer, (B, K), left unchanged.
    steps, lr: number of steps and learning rate. Returns (B,), without a graph.
    """
    ### BEGIN SOLUTION
    mean, log_sigma = mu.detach().clone().requires_grad_(), sigma.detach().log().requires_grad_()
    optimizer = torch.optim.Adam([mean, log_sigma], lr=lr)
    start = elbo(mu, sigma).detach()
    best = start
    for _ in range(steps):
        optimizer.zero_grad()
        loss = -elbo(mean, log_sigma.exp()).sum()
        loss.backward()
        optimizer.step()
        best = torch.maximum(best, elbo(mean, log_sigma.exp()).detach())
    return best - start
    ### END SOLUTION


# %% tests="amortization_gap" points=2 minutes=25
from fixmelab.toys import Bowl

# A concave toy in the place of the ELBO: its maximum, 0, lies at mu = 1 and sigma = 1.
bowl = Bowl(torch.zeros(2), torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 3))
found = amortization_gap(bowl, torch.zeros(2, 3), torch.ones(2, 3), steps=12, lr=0.2)
assert found.shape == (2,), f"expected one gap for each datum, shape (2,); yours has shape {tuple(found.shape)}"
assert torch.allclose(found, torch.full((2,), 3.0), atol=0.15), "three means off by 1 in this bowl leave a gap of 3"
assert (amortization_gap(bowl, torch.ones(2, 3), torch.ones(2, 3), steps=5) >= 0).all(), "a gap is never negative"
unmoved = amortization_gap(bowl, torch.zeros(2, 3), torch.ones(2, 3), steps=0)
assert torch.equal(unmoved, torch.zeros(2)), "without a single step the best value seen is the start: the gap is 0"
assert not found.requires_grad, "the result must not carry a graph: detach it"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.amortization_gap", amortization_gap)
### END HIDDEN TESTS

# %% tags=["keep"]
count, draws = 64, 16
x = test_images[:count]
noise = torch.randn(draws, count, LATENT_DIM, generator=torch.Generator().manual_seed(0))


def elbo_on_images(mu, sigma):
    """ELBO of the first test images, with the same noise at every call. Returns (64,)."""
    x_hat = model.decode((mu + sigma * noise).flatten(0, 1))
    likelihood = -F.binary_cross_entropy(x_hat, x.repeat(draws, 1, 1, 1), reduction="none").flatten(1).sum(dim=1)
    return likelihood.view(draws, count).mean(dim=0) - gaussian_kl(mu, sigma)


gaps = amortization_gap(elbo_on_images, means[:count], spreads[:count], steps=fixmelab.budget(300, 150, 5))
print(f"mean gap {gaps.mean():.2f} nats, largest {gaps.max():.2f}; mean ELBO of the encoder's answer "
      f"{elbo_on_images(means[:count], spreads[:count]).mean():.1f} nats")

# %% [markdown] written="amortized" points=3 minutes=10
# ### Question: amortised or per-datum
#
# Compare amortised with per-datum inference: (1) which gives the larger ELBO for an image, and how large is the difference in the cell above? (2)
# What does each cost in computation for a new image? (3) What does each have to store for $N$ training images?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Per-datum, by the amortisation gap; the student quotes a number from the run. The bound on the marginal likelihood is tighter.
# 2. One forward pass against hundreds of steps, each with a forward and a backward pass of the decoder.
# 3. The encoder's weights, whatever $N$ is, against $2K$ numbers for each of the $N$ images.
# ### END MARK SCHEME

# %% [markdown]
# ### 4.2 What the means do not tell
#
# Average $q(z \mid x_n)$ over all images and you get the *aggregate posterior* $\frac1N \sum_n \mathcal N(\mu_n, \mathrm{diag}\,\sigma_n^2)$. Samples are
# drawn from the prior, so it had better be close to that: mean 0, variance 1. Compute its mean and its variance, latent by latent.

# %% [markdown] hints="aggregate_moments"
# **Where to look.** Think of two draws: first an image $n$, then $z$ from its $q$. Which part of the spread comes from the first draw, and which from the second?
#
# **Which rule.** The law of total variance: the variance of the means plus the mean of the variances. A mean over $N$ images divides by $N$.
#
# **A small case.** Two images, $\mu = \pm 1$ and $\sigma = 2$ for both: the means alone have the variance 1, and each $q$ adds 4.

# %% exercise="aggregate_moments"
# exercise: aggregate_moments
def aggregate_moments(mu, sigma):
    """Mean and variance of the aggregate posterior (1/N) Σ_n N(mu_n, diag sigma_n²), latent by latent.

    mu, sigma: (N, K). Returns (mean (K,), variance (K,)).
    """
    ### BEGIN SOLUTION
    mean = mu.mean(dim=0)
    variance = (sigma**2).mean(dim=0) + ((mu - mean) ** 2).mean(dim=0)
    return mean, variance
    ### END SOLUTION


# %% tests="aggregate_moments" points=1 minutes=10
two_mu, two_sigma = (
    torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 2.0]]),
    torch.tensor([[1e-9, 2.0, 1.0], [1e-9, 2.0, 3.0]]),
)
mean, variance = aggregate_moments(two_mu, two_sigma)
assert mean.shape == variance.shape == (3,), "one mean and one variance for each latent, shape (3,)"
assert torch.allclose(variance[0], torch.tensor(1.0)), "two points at ±1 without any spread: variance 1"
assert torch.allclose(variance[1], torch.tensor(4.0)), "one place, spread σ = 2: variance 4"
assert torch.allclose(mean, torch.tensor([0.0, 0.0, 1.0])), "the means of μ are (0, 0, 1)"
assert torch.allclose(variance[2], torch.tensor(6.0)), "μ = 0 and 2 with σ = 1 and 3: variance 1 + (1 + 9) / 2 = 6"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("vae.aggregate_moments", aggregate_moments)
### END HIDDEN TESTS

# %% [markdown]
# A counter-example to "the means are distributed like the prior": let half of the data have $\mu = -0.9$ and the other half $\mu = +0.9$, with
# just the $\sigma$ that makes the aggregate variance 1. Mean and variance are those of $\mathcal N(0, 1)$; the means take two values only.
# (More extreme still: $\mu = 0$, $\sigma = 1$ for every image gives exactly the prior, and all means are equal.)

# %% tags=["keep"]
two_means = torch.tensor([[-0.9], [0.9]])
two_sigmas = torch.full((2, 1), math.sqrt(1 - 0.9**2))
mean, variance = aggregate_moments(two_means, two_sigmas)
print(f"aggregate posterior: mean {mean.item():.3f}, variance {variance.item():.3f}; variance of the means alone 0.81")
points = torch.linspace(-3, 3, 301)
mixture = torch.distributions.Normal(two_means, two_sigmas).log_prob(points).exp().mean(dim=0)
prior = torch.distributions.Normal(0.0, 1.0).log_prob(points).exp()
fixmelab.plot_curves(points, {"aggregate posterior": mixture, "prior": prior}, "z", "density", "Same mean and variance, other shape")

# %% [markdown]
# And trained models? First the one with two latents. Two are few: once it is trained for more than a few epochs, each has to say so much that the
# encoder is nearly sure of it, $\sigma$ is small, and the means alone have almost the whole variance. To say more, they even spread further than the prior.

# %% tags=["keep"]
mean, variance = aggregate_moments(means, spreads)
for k in range(LATENT_DIM):
    print(f"z_{k}: aggregate mean {mean[k]:+.2f}, variance {variance[k]:.2f}; variance of the means alone {means[:, k].var(correction=0):.2f}")

# %% [markdown]
# What the means do not tell shows in a model that has latents to spare. Here is one with ten, trained like the first.

# %% tags=["train"]
fixmelab.seed_everything(0)
wide = VAE(10)
wide_checkpoint = lab.folder / f"vae-ten-{train_set.name}-{lab.budget}.safetensors"
fixmelab.train(wide, training_loss, train_images, epochs=epochs, checkpoint=wide_checkpoint, device=lab.device)
wide = wide.cpu().eval()

# %% [markdown] predict="ten_latents"
# Ten latents, and for each the variance of the aggregate posterior and that of the means alone. Are they alike in all ten? What will a latent look like that the
# decoder does not use?

# %% tags=["keep"]
with torch.no_grad():
    wide_means, wide_spreads = wide.encode(test_images)
variance = aggregate_moments(wide_means, wide_spreads)[1]
of_means = wide_means.var(dim=0, correction=0)
order = of_means.argsort(descending=True)
curves = {"aggregate posterior": variance[order], "the means alone": of_means[order], "prior": torch.ones(10)}
fixmelab.plot_curves(torch.arange(10), curves, "latent, the most used first", "variance", "Ten latents: what the means do not tell")

# %% [markdown]
# The aggregate variance is near 1 in every latent, but the means are of two kinds. In a used latent they have nearly all of that variance. In an unused one all means are near 0 and
# $\sigma$ is near 1: the encoder says nothing, which costs no divergence, and the variance is that of $\sigma$ alone. On a laptop's budget about half of the ten stay unused with `garments`; on the
# smoke budget, all of them.

# %% [markdown] written="means_alone" points=3 minutes=15
# ### Question: means alone
#
# Somebody keeps only the means $\mu(x_n)$ of a trained VAE and throws $\sigma(x_n)$ away.
#
# 1. Must the means look like draws from $\mathcal N(0, I)$? Use the counter-example.
# 2. Fit a Gaussian to the means and decode draws from it: what may go wrong, compared with draws from the prior?
# 3. Can the data set be recovered exactly from the means and the decoder? Why, or why not?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. No. At best the *aggregate posterior* matches the prior; the means have less variance (the rest is $\mathbb E[\sigma^2]$) and need not be
#    Gaussian: two values in the counter-example.
# 2. The fitted Gaussian is narrower than the prior and fills gaps between clusters, so draws are less varied and some fall where no image lies.
# 3. No. The decoder gives the mean image for a code; pixel noise and everything that $K$ numbers cannot hold is lost, and different images may
#    share a mean.
# ### END MARK SCHEME

# %% [markdown]
# ## Hand in
#
# *Restart and run all*, look once at every plot, save, and hand in this notebook. Pictures from your own training run stay in it for the person who
# reads your answers.
#
# **Read on.** Kingma & Welling, *Auto-Encoding Variational Bayes* (2014). Cremer, Li & Duvenaud, *Inference Suboptimality in Variational
# Autoencoders* (2018). Hoffman & Johnson, *ELBO surgery* (2016).
