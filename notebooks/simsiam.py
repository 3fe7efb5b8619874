# %% [markdown] minutes=3
# # Learning without contrast: why SimSiam does not collapse
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)
#
# Show a network two views of one picture and ask that it say the same of both. Nobody gives it labels, and nobody shows
# it pictures that should come out *different*. There is a perfect answer to this task: always say the same thing. Yet
# *SimSiam* (Chen & He, 2021) asks just that, and learns. What keeps it from the lazy answer is a small **predictor**
# and a gradient that is **stopped** in one place. This notebook finds out how, with networks so small that every motion
# of their weights can be written down (Tian, Chen & Ganguli, 2021).
#
# 1. **Two views**: an objective made of traces.
# 2. **Who pushes where**: the motion of both weight matrices.
# 3. **Collapse**, proved: what happens without the stopped gradient, and without both.
# 4. **Four worlds**: with and without each of the two, simulated and drawn.
# 5. **One direction at a time**: a plane with two valleys, to drag a point through.
# 6. **A real network**, with its own lazy answer in reach.
#
# **How to work.** Fill in every cell that starts with `# exercise:`; replace the line that raises
# `NotImplementedError`, and keep the `# exercise:` lines, by which your answer is found. The cell below each exercise
# tests it and says what is wrong. Questions are answered in the Markdown cell under them. Before you hand in,
# *Restart and run all*.
# The machine that grades it has Python's standard library, `numpy`, `torch`, `torchvision`, `matplotlib`, `tqdm`, `ipywidgets` and
# `fixmelab`: no other packages, no network and no GPU.

# %% [markdown]
# ## Symbols
#
# | symbol | meaning | in code |
# |---|---|---|
# | $x_1, x_2$ | two random views of one datum | `x_1`, `x_2`: `(N, n_1)`, one row for each pair |
# | $\bar x$ | the mean of all views of a datum | |
# | $X = \mathbb E[\bar x \bar x^\top]$ | what two views share | `X`: `(n_1, n_1)` |
# | $X' = \mathbb E[(x - \bar x)(x - \bar x)^\top]$ | what a view has to itself: its noise | `X_prime`: `(n_1, n_1)` |
# | $W$ | the encoder, $f_1 = W x_1$ and $f_2 = W x_2$ | `W`: `(n_2, n_1)` |
# | $W_p$ | the predictor, which sees $f_1$ and guesses $f_2$ | `W_p`: `(n_2, n_2)` |
# | $\tilde W_p = W_p - I$ | | |
# | $\dot W, \dot W_p$ | velocities: derivatives by time $t$ under gradient flow | |
# | $\eta$, $\alpha$ | weight decay; the predictor's rate | `weight_decay`, `predictor_rate` |
# | $\operatorname{vec}(W)$ | the columns of $W$, stacked | `W.T.reshape(-1)` |
# | $\lVert W \rVert$ | Frobenius' norm | |
#
# Both views of a pair come from the same distribution, and are independent once the datum is known. Functions return
# the dtype that they are given, make what they need on the argument's device, and leave their arguments as they are.

# %% [markdown]
# ## 0. Setup
#
# One cell for Colab and for your own machine.

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
from torch.nn import functional as F

import fixmelab
from fixmelab.data import load_images

lab = fixmelab.setup("{{name}}", keep_on_drive=KEEP_ON_DRIVE)

# %% [markdown]
# **Budget.** Every number that decides how long this notebook takes stands here, one value for a GPU, one for a laptop and
# one for a quick trial; your hardware chooses. **Seed.** With the same seed you get the same pictures again.

# %%
TRAINING_IMAGES = fixmelab.budget(full=12_000, cpu=4_000, smoke=500)
EPOCHS = fixmelab.budget(full=15, cpu=12, smoke=6)
fixmelab.seed_everything(0)

# %% [markdown]
# ## 1. Two views of one thing
#
# Below each picture stand two random *views* of it: shifted, turned, scaled, mirrored, darkened and strewn with noise. A
# code that is the same for both views has to be about the garment, since that is all they share.

# %% tags=["keep"]
train_set = load_images()
originals = train_set.images[:8]
views = [fixmelab.random_views(originals) for _ in range(2)]
fixmelab.show_images(torch.cat([originals, *views]), columns=8, title="Eight pictures, and two views of each")

# %% [markdown] predict="lazy_loss"
# A network that gives the code $(1, 0, 0, \dots)$ for every view of every picture: how well do its codes of two views of
# one picture agree? What would it be good for?

# %% [markdown] written="lazy_answer" points=2 minutes=10
# ### Question: the lazy answer
#
# 1. Give two different encoders $W$ for which $\mathbb E \lVert W x_1 - W x_2 \rVert^2$ is 0 for all data, or show that there is only one.
# 2. Contrastive methods have a second term that keeps codes of *different* pictures apart. SimSiam has none. What does that save,
#    and what is the risk?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. If $X'$ is regular there is only $W = 0$: the expectation is $2 \operatorname{tr}(W X' W^\top)$, which is 0 only if $W$ maps every direction
#    of noise to 0. (With a bias, any constant; with a singular $X'$, any $W$ whose rows lie in its null space.)
# 2. It saves pairs of different pictures, hence large batches or a memory of codes. The risk is collapse: nothing in the objective tells a
#    constant code from a useful one.
# ### END MARK SCHEME

# %% [markdown]
# ### 1.1 Signal and noise
#
# From now on encoder and predictor are matrices, and all that they know of the data are two matrices of second moments: $X$ of the signal
# $\bar x$, and $X'$ of the noise around it (Tian, Chen & Ganguli, 2021, section 3.1). You have $N$ *pairs* of views, and no
# $\bar x$. Estimate both such that
#
# - $X$ and $X'$ are right on average, whatever the data;
# - both views count alike: exchanging `x_1` and `x_2` changes nothing, and $X$ and $X'$ are symmetric;
# - $X + X'$ is the second moment $\frac{1}{2N} \sum x x^\top$ of all $2N$ views.
#
# Nothing is centred: these are second moments, not covariances.

# %% [markdown] hints="second_moments"
# **Where to look.** Write $x_1 = \bar x + \varepsilon_1$ and $x_2 = \bar x + \varepsilon_2$, and multiply $x_1 x_2^\top$ out. Which of the four terms are
# 0 on average?
#
# **Which rule.** Given the datum, the two noises are independent and have mean 0, so that the expectation of their product is the product of their
# expectations.
#
# **A small case.** One feature, one pair, views 3 and 5. The product of the views is 15, the mean of their squares is 17. What is left for the noise is 2,
# which is also half of the squared difference.

# %% exercise="second_moments"
# exercise: second_moments
def second_moments(x_1, x_2):
    """Estimates of X = E[x̄ x̄ᵀ] and X' = E[(x − x̄)(x − x̄)ᵀ] from pairs of views.

    x_1, x_2: (N, n_1), row by row two views of one datum. Returns (X, X_prime), each (n_1, n_1) and symmetric.
    """
    ### BEGIN SOLUTION
    N = len(x_1)
    X = (x_1.T @ x_2 + x_2.T @ x_1) / (2 * N)
    X_prime = (x_1 - x_2).T @ (x_1 - x_2) / (2 * N)
    return X, X_prime
    ### END SOLUTION


# %% tests="second_moments" points=2 minutes=15
X, X_prime = second_moments(
    torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([[1.0, 0.0], [2.0, 2.0]])
)
assert X.shape == X_prime.shape == (2, 2), "both are of features by features, (n_1, n_1)"
assert torch.allclose(X, X.T) and torch.allclose(X_prime, X_prime.T), "both matrices are symmetric"
one_X, one_X_prime = second_moments(torch.tensor([[3.0]]), torch.tensor([[5.0]]))
assert torch.allclose(one_X, torch.tensor([[15.0]])), "for one pair of views, 3 and 5, X is their product, 15"
assert torch.allclose(one_X_prime, torch.tensor([[2.0]])), "for one pair of views, 3 and 5, X' is 2: what X leaves of the mean of their squares"
assert torch.allclose(X, torch.tensor([[3.5, 2.0], [2.0, 0.0]])), "X is right for one pair of numbers, but not for two pairs of vectors: average over the pairs, features by features"
assert torch.allclose(X_prime, torch.tensor([[0.25, -0.5], [-0.5, 2.0]])), "X' is right for one pair of numbers, but not for two pairs of vectors: average over the pairs, features by features"
same = torch.tensor([[1.0, 2.0]])
assert torch.equal(second_moments(same, same)[1], torch.zeros(2, 2)), "two equal views have no noise: X' = 0"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.second_moments", second_moments)
### END HIDDEN TESTS

# %% [markdown]
# Here is the toy world of the next sections: points in three dimensions, of three kinds, and views whose noise differs from direction to direction.
# The last direction is mostly noise.

# %%
generator = torch.Generator().manual_seed(4)
centres = torch.tensor([[1.4, 0.0, 0.3], [-0.7, 1.2, 0.0], [-0.7, -1.2, -0.3]], dtype=torch.float64)
noise_size = torch.tensor([0.3, 0.5, 0.7], dtype=torch.float64)
kinds = torch.randint(3, (4000,), generator=generator)
data = centres[kinds] + 0.35 * torch.randn(4000, 3, generator=generator, dtype=torch.float64)
view_1, view_2 = (data + noise_size * torch.randn(4000, 3, generator=generator, dtype=torch.float64) for _ in range(2))
test_W = torch.randn(2, 3, generator=generator, dtype=torch.float64)  # an encoder and a predictor to try things on
test_W_p = torch.randn(2, 2, generator=generator, dtype=torch.float64)

# %% tags=["keep"]
X, X_prime = second_moments(view_1, view_2)
print("X =\n", X.numpy().round(2), "\nX' =\n", X_prime.numpy().round(2), "\n(the true X' is diag(0.09, 0.25, 0.49))")

# %% [markdown]
# ### 1.2 An objective made of traces
#
# The predictor is to guess the code of the second view from that of the first:
#
# $$J(W, W_p) = \tfrac12 \, \mathbb E \lVert W_p f_1 - f_2 \rVert^2, \qquad f_1 = W x_1, \quad f_2 = W x_2.$$
#
# Let $F_1 = \mathbb E[f_1 f_1^\top]$, $F_2 = \mathbb E[f_2 f_2^\top]$ and $F_{12} = \mathbb E[f_1 f_2^\top]$. Show that
#
# $$J = \tfrac12 \big[ \operatorname{tr}(W_p^\top W_p F_1) - \operatorname{tr}(W_p F_{12}) - \operatorname{tr}(F_{12} W_p) + \operatorname{tr} F_2 \big],$$
#
# express the three matrices by $W$, $X$ and $X'$, and compute $J$ from them, without any sample.

# %% [markdown]
# Four small matrices, to try all that follows on, made anew at each call:


# %%
def small_matrices():
    """W, W_p, X and X', each (2, 2)."""
    W, W_p = torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [0.0, 2.0]])
    return W, W_p, torch.tensor([[2.0, 1.0], [1.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]])



# %% [markdown] hints="objective"
# **Where to look.** A single view has signal and noise in it, so that $\mathbb E[x_1 x_1^\top] = X + X'$. What is $\mathbb E[x_1 x_2^\top]$?
#
# **Which rule.** A number is its own trace, and factors under a trace may be moved round: $f_1^\top W_p^\top W_p f_1 = \operatorname{tr}(W_p^\top W_p f_1 f_1^\top)$.
#
# **A small case.** In one dimension, with $W = w$, $W_p = p$, $X = 1$ and $X' = \sigma^2$, the first trace is $p^2 w^2 (1 + \sigma^2)$ and each of the middle
# ones $p w^2$.

# %% exercise="objective"
# exercise: objective
def objective(W, W_p, X, X_prime):
    """J = ½ E‖W_p W x_1 − W x_2‖² from second moments (Tian, Chen & Ganguli, 2021, equation 1, with one encoder).

    W: (n_2, n_1); W_p: (n_2, n_2); X, X_prime: (n_1, n_1). Returns a tensor without dimensions; gradients reach W and W_p.
    """
    ### BEGIN SOLUTION
    F_1 = W @ (X + X_prime) @ W.T
    F_12 = W @ X @ W.T
    products = torch.trace(W_p @ F_12) + torch.trace(F_12 @ W_p)
    return 0.5 * (torch.trace(W_p.T @ W_p @ F_1) - products + torch.trace(F_1))
    ### END SOLUTION


# %% tests="objective" points=2 minutes=20
value = objective(*small_matrices())
assert value.shape == (), f"J is one number; yours has shape {tuple(value.shape)}"
small_W, small_W_p, small_X, small_X_prime = small_matrices()
without_predictor = objective(small_W, torch.zeros(2, 2), small_X, small_X_prime)
assert torch.allclose(without_predictor, torch.tensor(16.0)), "for W_p = 0 half of tr F_2 is left, 16: look at F_2, at its trace and at the half"
nothing_shared = objective(small_W, small_W_p, torch.zeros(2, 2), small_X_prime)
assert torch.allclose(nothing_shared, torch.tensor(28.0)), "for X = 0 both middle traces are 0 and J is 28: look at the first trace and at F_12"
assert torch.allclose(value, torch.tensor(30.0)), "right for W_p = 0 and for X = 0, but J is 30: look at X in F_1, and at the two middle traces"
noiseless = objective(small_W, torch.eye(2), small_X, torch.zeros(2, 2))
assert torch.allclose(noiseless, torch.tensor(0.0), atol=1e-5), "without noise, W_p = I guesses the other view perfectly: J = 0"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.objective", objective)
### END HIDDEN TESTS

# %% [markdown]
# Against Monte-Carlo: an average over ever more pairs must come closer to the traces, and its error must fall as one over the root of their number.

# %% tags=["keep"]
errors = ((view_1 @ test_W.T @ test_W_p.T - view_2 @ test_W.T) ** 2).sum(dim=1) / 2
counts = torch.arange(10, 4001)
running = errors.cumsum(dim=0)[9:] / counts
by_traces = objective(test_W, test_W_p, *second_moments(view_1, view_2))
curves = {"mean over the first pairs": running, "by traces": by_traces.expand(len(counts))}
fixmelab.plot_curves(counts, curves, "pairs of views", "J", "The same number, without a sample")

# %% [markdown] written="traces" points=2 minutes=10
# ### Question: traces
#
# Derive the formula with the four traces from $J = \frac12 \mathbb E \lVert W_p f_1 - f_2 \rVert^2$. Where is it used that the two views
# are independent, once the datum is known?
#
# ### BEGIN MARK SCHEME
# - 1 point: the square is multiplied out, each term written as a trace, and the expectation drawn inside by linearity:
#   $\mathbb E[f_1^\top W_p^\top W_p f_1] = \operatorname{tr}(W_p^\top W_p F_1)$ and so on, with $\mathbb E[f_2^\top W_p f_1] = \operatorname{tr}(W_p F_{12})$.
# - 1 point: in $F_{12} = W \mathbb E[x_1 x_2^\top] W^\top = W X W^\top$. Independence makes the mixed term of the noises vanish.
# ### END MARK SCHEME

# %% [markdown]
# ## 2. Who pushes where
#
# Training by many small steps is close to *gradient flow*: weights move with the velocity $-\partial J / \partial(\cdot)$.
#
# ### 2.1 The predictor
#
# $$\dot W_p = -\frac{\partial J}{\partial W_p}.$$
#
# Derive it from the traces, and write it down with $F_1$ and $F_{12}$, without autograd.

# %% [markdown] hints="predictor_velocity"
# **Where to look.** Only three of the four traces hold $W_p$.
#
# **Which rule.** $\partial \operatorname{tr}(A^\top A B) / \partial A = A (B + B^\top)$ and $\partial \operatorname{tr}(A B) / \partial A = B^\top$.
#
# **A small case.** In one dimension $J = \frac12 (p^2 F_1 - 2 p F_{12} + F_2)$. Its slope in $p$ is 0 where $p = F_{12} / F_1$: the predictor shrinks its input by
# as much as that is noise.

# %% exercise="predictor_velocity"
# exercise: predictor_velocity
def predictor_velocity(W, W_p, X, X_prime):
    """Velocity of the predictor, −∂J/∂W_p. W: (n_2, n_1); W_p: (n_2, n_2); X, X_prime: (n_1, n_1). Returns (n_2, n_2)."""
    ### BEGIN SOLUTION
    F_1 = W @ (X + X_prime) @ W.T
    F_12 = W @ X @ W.T
    return F_12 - W_p @ F_1
    ### END SOLUTION


# %% tests="predictor_velocity" points=1 minutes=15
velocity = predictor_velocity(*small_matrices())
assert velocity.shape == (2, 2), f"the velocity has the shape of W_p; yours has {tuple(velocity.shape)}"
small_W, small_W_p, small_X, small_X_prime = small_matrices()
target = predictor_velocity(small_W, torch.zeros(2, 2), small_X, small_X_prime)
assert torch.allclose(target, torch.tensor([[14.0, 5.0], [5.0, 2.0]])), "for W_p = 0 the term of F_12 alone is left, and it is wrong"
nothing_shared = predictor_velocity(small_W, small_W_p, torch.zeros(2, 2), small_X_prime)
assert torch.allclose(nothing_shared, torch.tensor([[-19.0, -9.0], [-12.0, -6.0]])), "for X = 0 the term of F_1 alone is left, and it is wrong"
assert torch.allclose(velocity, torch.tensor([[-24.0, -11.0], [-17.0, -8.0]])), "right for W_p = 0 and for X = 0, but not else: look at X in F_1"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.predictor_velocity", predictor_velocity)
### END HIDDEN TESTS

# %% [markdown]
# ### 2.2 The encoder, with and without a stopped gradient
#
# $W$ stands in both branches. With **stop-gradient**, $f_2$ counts as a constant when $J$ is differentiated; without it, the
# gradient flows through both. Derive
#
# - with: $\dot W$ from $W_p$, $W$, $X$ and $X'$, where the error comes back through the predictor;
# - without: $\dot W = -\big[(\dots) W X' + (\dots) W X\big]$, where one bracket holds $W_p$ and the other $\tilde W_p = W_p - I$.

# %% [markdown] hints="encoder_velocity"
# **Where to look.** Call the second $W$ by another name, $W_a$, take $J = \frac12 \mathbb E \lVert W_p W x_1 - W_a x_2 \rVert^2$, differentiate by $W$ and by $W_a$, and set
# $W_a = W$ only afterwards. With stop-gradient the first derivative is all there is.
#
# **Which rule.** $\partial \frac12 \lVert A W x - b \rVert^2 / \partial W = A^\top (A W x - b) x^\top$.
#
# **A small case.** In one dimension, without stop-gradient, $J = \frac12 w^2 [(p^2 + 1) X' + (p - 1)^2 X]$: the noise of both branches, and the signal on which they
# differ. With stop-gradient, $\dot w = p \, w \, [X - p (X + X')]$.

# %% exercise="encoder_velocity"
# exercise: encoder_velocity
def encoder_velocity(W, W_p, X, X_prime, stop_gradient):
    """Velocity of the encoder, −∂J/∂W, through the predictor's branch alone (stop_gradient=True) or through both.

    W: (n_2, n_1); W_p: (n_2, n_2); X, X_prime: (n_1, n_1). Returns (n_2, n_1).
    """
    ### BEGIN SOLUTION
    if stop_gradient:
        return W_p.T @ (W @ X - W_p @ W @ (X + X_prime))
    identity = torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device)
    shifted = W_p - identity
    return -((W_p.T @ W_p + identity) @ W @ X_prime + shifted.T @ shifted @ W @ X)
    ### END SOLUTION


# %% tests="encoder_velocity" points=3 minutes=30
stopped = encoder_velocity(*small_matrices(), True)
both = encoder_velocity(*small_matrices(), False)
assert stopped.shape == both.shape == (2, 2), "the velocity has the shape of W"
small_W, small_W_p, small_X, small_X_prime = small_matrices()
noise_alone = [
    encoder_velocity(small_W, small_W_p, torch.zeros(2, 2), small_X_prime, stop)
    for stop in (True, False)
]
signal_alone = [
    encoder_velocity(small_W, small_W_p, small_X, torch.zeros(2, 2), stop)
    for stop in (True, False)
]
assert torch.allclose(noise_alone[0], torch.tensor([[-1.0, -9.0], [-1.0, -21.0]])), "with stop-gradient, the part of X' is wrong (X = 0)"
assert torch.allclose(signal_alone[0], torch.tensor([[-1.0, -2.0], [-3.0, -6.0]])), "with stop-gradient, the part of X is wrong (X' = 0)"
assert torch.allclose(stopped, torch.tensor([[-2.0, -11.0], [-4.0, -27.0]])), "with stop-gradient, the parts of X and X' do not add up"
assert torch.allclose(noise_alone[1], torch.tensor([[-2.0, -15.0], [-1.0, -24.0]])), "without stop-gradient, the bracket of W X' is wrong (X = 0)"
signal = torch.tensor([[0.0, 0.0], [-2.0, -4.0]])
assert torch.allclose(signal_alone[1], signal, atol=1e-5), "without stop-gradient, the bracket of W X is wrong (X' = 0)"
assert torch.allclose(both, torch.tensor([[-2.0, -15.0], [-3.0, -28.0]])), "without stop-gradient, the parts of X and X' do not add up"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.encoder_velocity", encoder_velocity)
### END HIDDEN TESTS

# %% [markdown]
# Autograd agrees, if it is told what to stop: `detach` is the whole of stop-gradient.

# %% tags=["keep"]
W_leaf, W_p_leaf = test_W.clone().requires_grad_(), test_W_p.clone().requires_grad_()
(by_W_p,) = torch.autograd.grad(objective(W_leaf, W_p_leaf, X, X_prime), W_p_leaf)
print(f"predictor:                 {(predictor_velocity(test_W, test_W_p, X, X_prime) + by_W_p).abs().max():.0e} apart")
for stop in (True, False):
    target = (W_leaf.detach() if stop else W_leaf) @ view_2.T
    mean_error = 0.5 * ((W_p_leaf @ W_leaf @ view_1.T - target) ** 2).sum() / len(view_1)
    (by_W,) = torch.autograd.grad(mean_error, W_leaf)
    found = encoder_velocity(test_W, test_W_p, X, X_prime, stop)
    print(f"encoder, stop-gradient {stop!s:5}: {float((found + by_W).norm() / by_W.norm()):.1%} of its length apart")
print("(the encoder's is taken from samples: views differ a little from their moments)")

# %% [markdown]
# ## 3. Collapse, proved
#
# ### 3.1 Without stop-gradient
#
# The velocity without stop-gradient is linear in $W$. With the columns of $W$ stacked into one long vector,
#
# $$\operatorname{vec}(\dot W) = -H \operatorname{vec}(W),$$
#
# with a matrix $H$ that depends on $W_p$, $X$ and $X'$. Write it with Kronecker's product $\otimes$ (`torch.kron`).

# %% [markdown] hints="flow_matrix"
# **Where to look.** The velocity is a sum of two terms of the form $A W B$.
#
# **Which rule.** $\operatorname{vec}(A W B) = (B^\top \otimes A) \operatorname{vec}(W)$ if vec stacks columns. (With stacked rows the factors change places.)
# If `torch.kron` stops at a transposed factor ("view size is not compatible"), hand it `B.T.contiguous()`.
#
# **A small case.** For $n_1 = 2$, $n_2 = 1$ and $W_p = 0$, $\dot W = -W (X' + X)$, so that $H$ is simply $X' + X$.

# %% exercise="flow_matrix"
# exercise: flow_matrix
def flow_matrix(W_p, X, X_prime):
    """H with vec(Ẇ) = −H vec(W) without stop-gradient; vec stacks columns.

    W_p: (n_2, n_2); X, X_prime: (n_1, n_1). Returns (n_1 n_2, n_1 n_2).
    """
    ### BEGIN SOLUTION
    identity = torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device)
    shifted = W_p - identity
    return torch.kron(X_prime, W_p.T @ W_p + identity) + torch.kron(X, shifted.T @ shifted)
    ### END SOLUTION


# %% tests="flow_matrix" points=2 minutes=20
H = flow_matrix(*small_matrices()[1:])
assert H.shape == (4, 4), f"H maps vec(W) to vec(Ẇ), (n_1 n_2, n_1 n_2); yours has shape {tuple(H.shape)}"
_, small_W_p, small_X, small_X_prime = small_matrices()
of_noise = torch.tensor(
    [
        [2.0, 1.0, 0.0, 0.0],
        [1.0, 6.0, 0.0, 0.0],
        [0.0, 0.0, 6.0, 3.0],
        [0.0, 0.0, 3.0, 18.0],
    ]
)
of_signal = torch.tensor(
    [
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 4.0, 0.0, 2.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 2.0, 0.0, 4.0],
    ]
)
found_noise, found_signal = (
    flow_matrix(small_W_p, 0 * small_X, small_X_prime),
    flow_matrix(small_W_p, small_X, 0 * small_X_prime),
)
assert torch.allclose(found_noise, of_noise, atol=1e-5), "the part of X' is wrong (X = 0): look at its bracket, and at the order of the factors"
assert torch.allclose(found_signal, of_signal, atol=1e-5), "the part of X is wrong (X' = 0): look at its bracket, and at the order of the factors"
assert torch.allclose(H[1], torch.tensor([1.0, 10.0, 0.0, 2.0])), "the parts of X and X' do not add up"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.flow_matrix", flow_matrix)
### END HIDDEN TESTS

# %% [markdown]
# $H$ is symmetric, and all of its eigenvalues are at least 0, since it is a sum of products of such matrices. Let $\lambda_0 > 0$ be the smallest
# eigenvalue that $H$ takes at any time. What does that say of $\lVert W(t) \rVert$? Write the bound down.

# %% [markdown] hints="norm_bound"
# **Where to look.** Differentiate $\lVert w \rVert^2 = w^\top w$ by time, for $w = \operatorname{vec}(W)$.
#
# **Which rule.** $w^\top H w \ge \lambda_0 \, w^\top w$ for a symmetric $H$, and Grönwall: if $\dot u \le -c\,u$, then $u(t) \le e^{-c t} u(0)$. Mind whether $u$ is the
# norm or its square.
#
# **A small case.** If $w$ halves in every unit of time, $\lVert w \rVert^2$ falls to a quarter.

# %% exercise="norm_bound"
# exercise: norm_bound
def norm_bound(norm_0, H_smallest, times):
    """What ‖W(t)‖ cannot exceed without stop-gradient.

    norm_0: a number, ‖W(0)‖; H_smallest: a number, the smallest eigenvalue of H at any time; times: (T,), of which the first need not
    be 0. Returns (T,).
    """
    ### BEGIN SOLUTION
    return norm_0 * torch.exp(-H_smallest * times)
    ### END SOLUTION


# %% tests="norm_bound" points=1 minutes=10
bound = norm_bound(2.0, 0.5, torch.tensor([0.0, 1.0, 3.0]))
assert bound.shape == (3,), f"there is a bound for each time, (3,); yours has shape {tuple(bound.shape)}"
assert abs(float(bound[0]) - 2) < 1e-6, "at t = 0 the bound is the norm itself"
assert torch.allclose(
    norm_bound(2.0, 0.0, torch.tensor([1.0, 3.0])), torch.tensor([2.0, 2.0])
), "for λ_0 = 0 nothing need shrink"
shrunk = norm_bound(2.0, 0.5, torch.tensor([1.0, 2.0, 3.0])) / 2
assert torch.allclose(shrunk[1:], shrunk[0] ** torch.tensor([2.0, 3.0])), "each unit of time must shrink the bound by the same factor"
assert torch.allclose(bound, torch.tensor([2.0, 1.2131, 0.4463]), atol=1e-3), "the bound falls at another rate (λ_0 = 0.5): is it that of the norm?"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.norm_bound", norm_bound)
### END HIDDEN TESTS

# %% [markdown] predict="bound_or_equality"
# The next cell lets $W$ follow $\operatorname{vec}(\dot W) = -H \operatorname{vec}(W)$ for a fixed $W_p$, and draws $\lVert W(t) \rVert$ beside the bound, on a
# logarithmic axis. Will the two curves lie on each other? If not, where do they part, and how do they run in the end?

# %% tags=["keep"]
fixed_W_p = torch.tensor([[0.6, 0.3], [-0.1, 0.7]], dtype=torch.float64)
H = flow_matrix(fixed_W_p, X, X_prime)
times = torch.linspace(0, 12, 121, dtype=torch.float64)
moved = torch.linalg.matrix_exp(-times[:, None, None] * H) @ test_W.T.reshape(-1)
limit = norm_bound(float(test_W.norm()), float(torch.linalg.eigvalsh(H)[0]), times)
curves = {"ln ‖W(t)‖": moved.norm(dim=1).log(), "ln of the bound": limit.log()}
fixmelab.plot_curves(times, curves, "t", "natural logarithm", "The norm and its bound")

# %% [markdown] written="only_a_bound" points=3 minutes=15
# ### Question: only a bound
#
# 1. Prove the bound for a predictor that changes with time.
# 2. Some lecture notes state $\lVert W(t) \rVert = e^{-\lambda_0 t} \lVert W(0) \rVert$. When does equality hold for a fixed $W_p$, and why not in general?
# 3. $\lambda_0 > 0$ if $X'$ is regular. Why? What does it mean for training without stop-gradient, whatever the predictor does?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. $\frac{d}{dt} \lVert w \rVert^2 = -2 w^\top H(t) w \le -2 \lambda_0 \lVert w \rVert^2$; by Grönwall $\lVert w(t) \rVert^2 \le e^{-2 \lambda_0 t} \lVert w(0) \rVert^2$.
# 2. Only if $w(0)$ lies in the eigenspace of $\lambda_0$. Other parts shrink faster, so that the norm falls faster at first; the slopes agree in the end.
# 3. $H \succeq X' \otimes (W_p^\top W_p + I) \succeq X' \otimes I$, whose smallest eigenvalue is that of $X'$. So $W \to 0$ exponentially: collapse,
#    with any predictor.
# ### END MARK SCHEME

# %% [markdown]
# ### 3.2 With neither
#
# And if there is no predictor either? Take $W_p = I$, fixed, and let the gradient flow through both branches.

# %% [markdown] hints="velocity_without_both"
# **Where to look.** Put $W_p = I$ into what you derived in 2.2.
#
# **A small case.** In one dimension $J = \frac12 w^2 \, \mathbb E(x_1 - x_2)^2$, and the expectation is $2 X'$: the signal is the same in both views.

# %% exercise="velocity_without_both"
# exercise: velocity_without_both
def velocity_without_both(W, X_prime):
    """Ẇ with neither stop-gradient nor predictor (W_p = I). W: (n_2, n_1); X_prime: (n_1, n_1). Returns (n_2, n_1)."""
    ### BEGIN SOLUTION
    return -2 * W @ X_prime
    ### END SOLUTION


# %% tests="velocity_without_both" points=1 minutes=10
velocity = velocity_without_both(
    small_matrices()[0], torch.tensor([[1.0, 0.5], [0.5, 3.0]])
)
assert velocity.shape == (2, 2), f"the velocity has the shape of W; yours has {tuple(velocity.shape)}"
even = velocity_without_both(small_matrices()[0], torch.eye(2))
assert torch.allclose(even[0, 1], 2 * even[0, 0]) and abs(float(even[1, 0])) < 1e-5, "for X' = I all of W shrinks alike: the velocity is a multiple of W"
assert torch.allclose(even[0, 0], torch.tensor(-2.0)), "for X' = I the multiple of W is wrong: count the branches, and mind sign and half"
assert torch.allclose(velocity, torch.tensor([[-4.0, -13.0], [-1.0, -6.0]])), "right for X' = I, but not for another X': how is W multiplied by it?"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.velocity_without_both", velocity_without_both)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Four worlds
#
# ### 4.1 A simulation
#
# Let both matrices move, with weight decay $\eta$ on both and a rate $\alpha$ for the predictor:
#
# $$\dot W = -\frac{\partial J}{\partial W} - \eta W, \qquad \dot W_p = -\alpha \frac{\partial J}{\partial W_p} - \eta W_p.$$
#
# Without predictor, $W_p$ *is* the identity: it neither moves nor decays, whatever was handed in. Any integrator will do, Euler's with steps of 0.01 for
# example, as long as no value is off by more than one per cent of the largest. `times` begins with the time at which the weights are those that are handed
# in, be it 0 or not; its gaps may be uneven. In between, take as many steps as you need.

# %%
start_W = torch.tensor([[-0.9, -0.2, 0.1], [-0.3, 0.5, -0.2]], dtype=torch.float64)
start_W_p = torch.tensor([[0.55, 0.2], [-0.05, 0.65]], dtype=torch.float64)
uneven = torch.tensor([0.5, 0.8, 1.5, 2.5], dtype=torch.float64)
some_X, some_X_prime = torch.diag(torch.tensor([1.0, 0.8, 0.2])).double(), torch.diag(torch.tensor([0.1, 0.2, 0.5])).double()

# %% [markdown] hints="simulate"
# **Where to look.** Two loops: one over the gaps between neighbouring times, and in it one over short steps. Keep $W$ and $W_p$ at each of the times, the first
# included, and compute norms and eigenvalues from what you have kept.
#
# **Which rule.** Euler: the new $W$ is the old one plus the length of the step times its velocity. Compute both velocities before you move either matrix.
# `torch.linalg.eigvalsh` gives the eigenvalues of a symmetric matrix, or of a stack of them, in rising order.
#
# **A small case.** With one number $w = 1$, $\dot w = -w$ and times 0 and 1, one step of length 1 ends at 0, a hundred of length 0.01 end at 0.366, and the truth is
# 0.368.

# %% exercise="simulate"
# exercise: simulate
def simulate(W, W_p, X, X_prime, times, stop_gradient=True, predictor=True, weight_decay=0.0, predictor_rate=1.0):
    """Gradient flow of linear SimSiam from W (n_2, n_1) and W_p (n_2, n_2). X, X_prime: (n_1, n_1); times: (T,), rising.

    Returns norms (T, 2), those of W and of W_p; eigenvalues (T, n_2) of W Wᵀ in rising order; and W at all times, (T, n_2, n_1).
    """
    ### BEGIN SOLUTION
    if not predictor:
        W_p = torch.eye(len(W), dtype=W.dtype, device=W.device)
    encoders, predictors = [W], [W_p]
    for gap in times.diff().tolist():
        count = math.ceil(gap / 0.01)
        for _ in range(count):
            W_dot = encoder_velocity(W, W_p, X, X_prime, stop_gradient) - weight_decay * W
            if predictor:
                W_p_dot = predictor_rate * predictor_velocity(W, W_p, X, X_prime) - weight_decay * W_p
                W_p = W_p + gap / count * W_p_dot
            W = W + gap / count * W_dot
        encoders.append(W)
        predictors.append(W_p)
    Ws, W_ps = torch.stack(encoders), torch.stack(predictors)
    norms = torch.stack([Ws.flatten(1).norm(dim=1), W_ps.flatten(1).norm(dim=1)], dim=1)
    return norms, torch.linalg.eigvalsh(Ws @ Ws.transpose(1, 2)), Ws
    ### END SOLUTION


# %% tests="simulate" points=4 minutes=40
norms, eigenvalues, Ws = simulate(
    start_W, start_W_p, some_X, some_X_prime, uneven, weight_decay=0.1, predictor_rate=2.0
)
assert norms.shape == (4, 2) and eigenvalues.shape == (4, 2) and Ws.shape == (4, 2, 3), "shapes: (T, 2), (T, n_2), (T, n_2, n_1)"
assert torch.equal(Ws[0], start_W), "the first W is the one that was handed in"
assert torch.allclose(eigenvalues.sum(dim=1), norms[:, 0] ** 2), "the eigenvalues of W Wᵀ add up to ‖W‖²"
passed = uneven - uneven[0]
free, _, _ = simulate(start_W, start_W_p, some_X, some_X_prime, uneven)
kept = free[:, 0] ** 2 - free[:, 1] ** 2
assert torch.allclose(kept, kept[0].expand(4), rtol=0.02), "without decay and for α = 1, ‖W‖² − ‖W_p‖² must stay as it is: look at both velocities"
kept = (norms[:, 0] ** 2 - norms[:, 1] ** 2 / 2) * torch.exp(0.2 * passed)
assert torch.allclose(kept, kept[0].expand(4), rtol=0.02), "(‖W‖² − ‖W_p‖²/α) e^{2ηt} must stay as it is: look at η and α"
without_both = {"stop_gradient": False, "predictor": False}
norms, _, _ = simulate(
    start_W, start_W_p, some_X, torch.eye(3).double(), uneven, **without_both
)
assert torch.allclose(
    norms[:, 0], norms[0, 0] * torch.exp(-2 * passed), rtol=0, atol=0.02
), "without both, and X' = I, ‖W‖ falls as e^{−2t}"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.simulate", simulate)
### END HIDDEN TESTS

# %% [markdown] written="conserved" points=2 minutes=15
# ### Question: what stays
#
# The test above relies on a law: with stop-gradient and predictor,
# $\; W W^\top - \frac{1}{\alpha} W_p^\top W_p = e^{-2 \eta t} C \;$ with a constant matrix $C$ (Tian, Chen & Ganguli, 2021, theorem 2). Prove it. What does it say of
# $W$ and $W_p$ after a long time if $\eta > 0$?
#
# ### BEGIN MARK SCHEME
# - 1 point: with $G = F_{12} - W_p F_1$, $\dot W W^\top = W_p^\top G - \eta W W^\top$ and $W_p^\top \dot W_p = \alpha W_p^\top G - \eta W_p^\top W_p$. Add the
#   transposes: the terms with $G$ cancel in the derivative of the difference, and $-2 \eta$ times the difference is left.
# - 1 point: the difference dies out, so that $W W^\top$ and $W_p^\top W_p / \alpha$ become equal: the directions in which the predictor passes something on are
#   those in which the codes spread.
# ### END MARK SCHEME

# %% [markdown] predict="four_worlds"
# Four simulations from the same start: with and without stop-gradient, with and without predictor. In which of them does $W$ survive? Does one of the two
# suffice?

# %% [markdown]
# ### 4.2 The figure
#
# `plot_collapse` runs all four worlds and draws, for each, the eigenvalues of $W W^\top$ over time and the cloud of codes $W x$ at the last time, for a set of
# `points`. Row 0 is with stop-gradient, row 1 without; column 0 is with predictor, column 1 without. How you draw is up to you: a panel for each world at least,
# with something in it.

# %% [markdown] hints="plot_collapse"
# **Where to look.** Two loops, over `(True, False)` each, with `enumerate` for the place. Collect the arrays in lists of lists and stack them at the end.
#
# **Which rule.** Points are rows, so that their codes are rows, too: the code of one point $x$ is $W x$, hence that of all is a product with a transpose.
#
# **A small case.** `plt.subplots(2, 4)` gives room for curves and clouds side by side; `axes[row, 2 * column]` is where a world's curves may stand.

# %% exercise="plot_collapse"
# exercise: plot_collapse
def plot_collapse(simulate, W, W_p, X, X_prime, times, points, weight_decay=0.0):
    """Eigenvalues and final codes in four worlds. simulate: as above; points: (N, n_1); the rest is handed to simulate.

    Returns (figure, eigenvalues (2, 2, T, n_2), clouds (2, 2, N, n_2)): a matplotlib figure (close it with plt.close, or Jupyter
    shows it twice), and the arrays that it shows, tensors or NumPy arrays; [0, 0] has both, stop-gradient and predictor.
    """
    ### BEGIN SOLUTION
    figure, axes = plt.subplots(2, 4, figsize=(13, 5.6), layout="constrained")
    eigenvalues = torch.zeros(2, 2, len(times), len(W), dtype=W.dtype)
    clouds = torch.zeros(2, 2, len(points), len(W), dtype=W.dtype)
    for row, stop in enumerate((True, False)):
        for column, predicts in enumerate((True, False)):
            _, found, Ws = simulate(W, W_p, X, X_prime, times, stop, predicts, weight_decay=weight_decay)
            eigenvalues[row, column], clouds[row, column] = found, points @ Ws[-1].T
            curves, cloud = axes[row, 2 * column], axes[row, 2 * column + 1]
            curves.plot(times, found)
            curves.set(xlabel="t", ylabel="eigenvalues of W Wᵀ", ylim=(-0.05, 2))
            curves.set_title(f"stop-gradient {'yes' if stop else 'no'}, predictor {'yes' if predicts else 'no'}")
            cloud.scatter(*clouds[row, column].T[:2], s=3)
            cloud.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title="codes in the end")
    plt.close(figure)
    return figure, eigenvalues, clouds
    ### END SOLUTION


# %% tests="plot_collapse" points=3 minutes=25
from fixmelab.toys import Trajectories

# Made-up trajectories: each of the four worlds has numbers of its own.
made_up = torch.arange(2 * 2 * 4 * 2, dtype=torch.float64).view(2, 2, 4, 2)
toy = Trajectories(
    made_up, torch.arange(2 * 2 * 4 * 2 * 3, dtype=torch.float64).view(2, 2, 4, 2, 3)
)
figure, eigenvalues, clouds = plot_collapse(
    toy, start_W, start_W_p, some_X, some_X_prime, uneven, data[:5], weight_decay=0.2
)
assert toy.asked, "call the simulate that is handed in, the argument, not the function of the notebook"
assert tuple(eigenvalues.shape) == (2, 2, 4, 2) and tuple(clouds.shape) == (2, 2, 5, 2), "shapes: (2, 2, T, n_2), (2, 2, N, n_2)"
first = torch.as_tensor(eigenvalues)[0][0]
is_of_a_world = any((first == world).all() for world in made_up.flatten(0, 1))
assert is_of_a_world, "hand the eigenvalues on as simulate returns them, its second result, in its order"
assert (torch.as_tensor(eigenvalues) == made_up).all(), "row 0 is with stop-gradient, column 0 with predictor"
assert all(asked[2] == 0.2 for asked in toy.asked), "hand weight_decay on to simulate"
last = torch.tensor([[90.0, 91.0, 92.0], [93.0, 94.0, 95.0]], dtype=torch.float64)
assert torch.allclose(torch.as_tensor(clouds[1][1]), data[:5] @ last.T), "the cloud is W x for each point, with W at the last time, neither moved nor scaled"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.plot_collapse", plot_collapse)
### END HIDDEN TESTS

# %% tags=["keep"]
long_times = torch.linspace(0, 20, 81, dtype=torch.float64)
figure, eigenvalues, clouds = plot_collapse(simulate, start_W, start_W_p, X, X_prime, long_times, data[:600], weight_decay=0.05)
figure

# %% [markdown]
# The numbers behind the figure, so that you can compare: with both, the project's own run ends with eigenvalues 0.585 and 0.847; in the three
# other worlds the larger one ends below 0.01.

# %% tags=["keep"]
for row, stop in enumerate(("with stop-gradient", "without          ")):
    for column, predicts in enumerate(("with predictor", "without       ")):
        least, most = eigenvalues[row, column, -1].tolist()
        print(f"{stop}, {predicts}: eigenvalues {least:.4f} and {most:.4f} at t = {long_times[-1]:.0f}")

# %% [markdown] predict="more_decay"
# Weight decay shrinks weights. Now only the world with both, with more and more weight decay: do the three groups of points fade evenly, or does something
# happen in between?

# %% [markdown]
# ### 4.3 More and more weight decay
#
# The same start, four weight decays, seen at four times. Each colour is one kind of points; the network was never told the kinds.

# %% tags=["keep"]
moments_shown = torch.tensor([0.0, 4.0, 12.0, 60.0], dtype=torch.float64)
decays = (0.02, 0.15, 0.26, 0.4)
films = [simulate(start_W, start_W_p, X, X_prime, moments_shown, weight_decay=decay)[2] for decay in decays]
clouds = torch.stack([data[:600] @ Ws.transpose(1, 2) for Ws in films])
titles = [f"t = {t:.0f}" for t in moments_shown.tolist()]
fixmelab.show_clouds(clouds, kinds[:600], titles, [f"η = {decay:g}" for decay in decays])

# %% [markdown] written="both_needed" points=4 minutes=20
# ### Question: both are needed
#
# 1. With stop-gradient but without predictor, $\dot W = -W X'$. Derive it, and say what it means.
# 2. So each of the two by itself collapses. Explain with $\dot W = W_p^\top (W X - W_p W (X + X'))$ what the two together do that neither does: under which condition
#    on $W_p$ does a direction *grow*?
# 3. In 4.3 one weight decay turns the cloud into a line. What has happened to the eigenvalues of $W W^\top$, and why to one of them alone?
# 4. A colleague says: "stop-gradient works because it makes the objective smaller". Is the flow with stop-gradient the gradient flow of *any* objective in
#    $(W, W_p)$ that could be called its loss? Argue with what happens to $J$ at $W = 0$.
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. $W_p = I$ in the velocity: $W X - W (X + X')$. Noise shrinks $W$ in every direction and nothing pushes back: collapse, at half the speed of the world with
#    neither.
# 2. A direction grows if the predictor shrinks enough: in one mode $p\,[\lambda - p (\lambda + \lambda')] > 0$, that is $0 < p < \lambda / (\lambda + \lambda')$. The encoder then
#    pushes its code up to make up for the predictor, and since the target is not moved along, $W$ grows. Without predictor $p = 1$ is always too large.
# 3. One eigenvalue has gone to 0, the other has not: each direction has its own signal, noise and start, and falls if it is in the basin of 0.
# 4. No loss explains it: $J = 0$ at $W = 0$, yet from nearby the flow can lead away from there, and $J$ grows. The velocity is no gradient (its Jacobian is not symmetric); what is
#    descended at each moment is $J$ with a fixed target, another function at the next moment.
# ### END MARK SCHEME

# %% [markdown]
# ## 5. One direction at a time
#
# Let the data be the same in all directions: $X = I$, $X' = \sigma^2 I$. If $W W^\top$ and $W_p$ have the same eigenvectors, as they come to have, each direction moves by
# itself (Tian, Chen & Ganguli, 2021, sections 3 and 4). Let $s$ be the eigenvalue of $W W^\top$ and $p$ that of $W_p$ in one direction; $s = w^2$ for a singular value $w$ of $W$.
# With stop-gradient, weight decay $\eta$ and the predictor's rate $\alpha$, what are $\dot p$ and $\dot s$?

# %% [markdown] hints="mode_velocity"
# **Where to look.** Treat all matrices in 4.1 as numbers: $W = w$, $W_p = p$, $X = 1$, $X' = \sigma^2$.
#
# **Which rule.** The chain rule: $\dot s = 2 w \dot w$. Weight decay acts on $w$, so ask yourself what it does to $s$.
#
# **A small case.** For $\sigma = 0$, $\eta = 0$ and $p = 1$ nothing moves, whatever $s$ is: the predictor guesses perfectly.

# %% exercise="mode_velocity"
# exercise: mode_velocity
def mode_velocity(p, s, sigma, weight_decay, predictor_rate):
    """Velocities of one eigenmode with stop-gradient, for X = I and X' = sigma² I.

    p, s: eigenvalues of W_p and of W Wᵀ, of one shape; sigma, weight_decay, predictor_rate: numbers. Returns (p_dot, s_dot) of that
    shape.
    """
    ### BEGIN SOLUTION
    rest = 1 - (1 + sigma**2) * p
    p_dot = predictor_rate * s * rest - weight_decay * p
    s_dot = 2 * p * s * rest - 2 * weight_decay * s
    return p_dot, s_dot
    ### END SOLUTION


# %% tests="mode_velocity" points=2 minutes=15
p_dot, s_dot = mode_velocity(torch.tensor([0.5]), torch.tensor([2.0]), 0.5, 0.1, 3.0)
assert p_dot.shape == s_dot.shape == (1,), "both velocities have the shape of p"
free_p, free_s = mode_velocity(torch.tensor([0.5]), torch.tensor([2.0]), 0.5, 0.0, 1.0)
assert torch.allclose(free_p, torch.tensor([0.75])), "ṗ is wrong without decay (p = ½, s = 2, σ = ½, η = 0, α = 1): look at its gradient"
assert torch.allclose(free_s, torch.tensor([0.75])), "ṡ is wrong without decay (p = ½, s = 2, σ = ½, η = 0, α = 1): look at its gradient"
fast_p, fast_s = mode_velocity(torch.tensor([0.5]), torch.tensor([2.0]), 0.5, 0.0, 3.0)
assert torch.allclose(fast_p, 3 * free_p) and torch.allclose(fast_s, free_s), "α multiplies the gradient of the predictor, and nothing else"
assert torch.allclose(p_dot, torch.tensor([2.2])), "ṗ is right for η = 0, but not for η = 0.1 (α = 3): look at its decay"
assert torch.allclose(s_dot, torch.tensor([0.35])), "ṡ is right for η = 0, but not for η = 0.1: look at its decay"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.mode_velocity", mode_velocity)
### END HIDDEN TESTS

# %% [markdown]
# All there is to know of a direction is a point $(p, s)$ in a plane, and your velocities say where it drifts. Below, with $\sigma = 0.5$: points that start in the dark
# part fall to $(0, 0)$, which is collapse; all others climb to the same bright point. **Drag the point**, and move weight decay and the predictor's rate. Two things to
# look for: paths run into the parabola $s = p^2 / \alpha$ (4.1 told why), and the dark part grows with $\eta$ until nothing else is left.

# %% [markdown] predict="where_it_falls"
# Suppose the predictor starts at $p = 0.05$, almost nothing, and the encoder at $s = 1$. With $\eta = 0.15$ and $\alpha = 1$,
# does the direction survive? And if $s$ starts at 0.05 as well?

# %% tags=["keep"]
fixmelab.phase_plane_explorer(lambda p, s, decay, rate: mode_velocity(p, s, 0.5, decay, rate))

# %% [markdown]
# The same without widgets: weight decay grows from left to right.

# %% tags=["keep"]
fixmelab.phase_plane_static(lambda p, s, decay, rate: mode_velocity(p, s, 0.5, decay, rate))

# %% [markdown] written="basins" points=4 minutes=20
# ### Question: two basins
#
# 1. On the parabola $s = p^2 / \alpha$, show that $\dot p = p \, [\, p - (1 + \sigma^2) p^2 - \eta \,]$, and find the three points at rest. Which of them are stable?
# 2. At which weight decay does the non-trivial one disappear? Compare with the picture.
# 3. Without weight decay nothing pulls a path to the parabola. What good does a little weight decay do?
# 4. What does a larger predictor rate $\alpha$ do to the set of starts that survive? Use the widget or the figure, with a larger and a smaller $\alpha$.
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Put $s = p^2/\alpha$ into $\dot p$. Rest at $p = 0$ and $p_\pm = \frac{1 \pm \sqrt{1 - 4 \eta (1 + \sigma^2)}}{2 (1 + \sigma^2)}$; 0 and $p_+$ are stable, $p_-$ is not.
# 2. $\eta = 1 / (4 (1 + \sigma^2))$, 0.2 for $\sigma = 0.5$: the square root becomes imaginary, and all starts collapse.
# 3. It makes $W W^\top$ and $W_p^\top W_p / \alpha$ agree, so that the start is forgotten and encoder and predictor are aligned; without it, the imbalance at the start stays
#    for ever, and a path may end anywhere on a line of points at rest.
# 4. A fast predictor reaches a helpful $p$ before weight decay has shrunk $s$, so that more starts with a small $p$ survive; but the parabola is flatter, so that less of
#    $s$ is left in the end.
# ### END MARK SCHEME

# %% [markdown]
# ## 6. A real network
#
# Does any of this hold beyond matrices? `Siamese` is a small convolutional encoder with a predictor of two layers behind it. As in the paper, codes are compared by their
# direction, and both views take both parts:
#
# $$\mathcal L = \tfrac12 D(p_1, z_2) + \tfrac12 D(p_2, z_1), \qquad D(p, z) = -\frac{p \cdot z}{\lVert p \rVert \, \lVert z \rVert},$$
#
# averaged over the batch (Chen & He, 2021, equations 1 to 4). With stop-gradient, $z$ counts as a constant in $D$.

# %% [markdown] hints="simsiam_loss"
# **Where to look.** Two cosines for each image; the codes of one view go with the predictions of the *other*.
#
# **Which rule.** `detach` gives the same numbers without a way back for gradients. `F.cosine_similarity` needs to be told the dimension.
#
# **A small case.** If each prediction points just where the other view's code points, the loss is −1, its least value.

# %% exercise="simsiam_loss"
# exercise: simsiam_loss
def simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient=True):
    """SimSiam's symmetric loss. p_1, p_2: predictions, z_1, z_2: codes of two views, all (B, d). A tensor without dimensions."""
    ### BEGIN SOLUTION
    if stop_gradient:
        z_1, z_2 = z_1.detach(), z_2.detach()
    first, second = F.cosine_similarity(p_1, z_2, dim=1), F.cosine_similarity(p_2, z_1, dim=1)
    return -0.5 * (first + second).mean()
    ### END SOLUTION


# %% tests="simsiam_loss" points=2 minutes=15
p_1, p_2 = (
    torch.tensor([[3.0, 4.0], [1.0, 0.0]]).requires_grad_(),
    torch.tensor([[1.0, 0.0], [0.0, 2.0]]),
)
z_1, z_2 = (
    torch.tensor([[0.0, 1.0], [1.0, 1.0]]),
    torch.tensor([[4.0, 3.0], [0.0, 5.0]]).requires_grad_(),
)
loss = simsiam_loss(p_1, p_2, z_1, z_2)
assert loss.shape == (), f"training needs one number; yours has shape {tuple(loss.shape)}"
right, up = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
losses = [
    float(simsiam_loss(*given))
    for given in (
        (right, up, up, right),
        (right, right, up, up),
        (right, up, right, right),
    )
]
assert abs(losses[0] + 1) < 1e-3, "if each prediction points where the other view's code points, the loss is −1, its least"
assert abs(losses[1]) < 1e-3, "if predictions and codes are at right angles, the loss is 0"
assert abs(float(simsiam_loss(right, -up, up, -right)) - 1) < 1e-3, "if each prediction points away from the other view's code, the loss is 1"
assert abs(losses[2] + 0.5) < 1e-3, "if one view's code is predicted perfectly and the other's at a right angle, the loss is −½"
assert abs(float(loss.detach()) + 0.4168) < 1e-3, "right for vectors of one direction, but not for four pairs: each image has a cosine of its own"
loss.backward()
assert p_1.grad is not None and z_2.grad is None, "gradients must reach the predictions, and be stopped at the codes"
simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient=False).backward()
assert z_2.grad is not None, "with stop_gradient=False, gradients must reach the codes, too"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.simsiam_loss", simsiam_loss)
### END HIDDEN TESTS

# %% [markdown]
# How do you see a collapse while it happens? The loss does not tell: −1 is its value for the lazy answer. Divide each code by its length, take the standard deviation
# of each channel over the images of the batch (with $1/N$, `correction=0`), and average over the channels. Codes that all point the same way have 0; codes spread evenly
# over all directions of $d$ dimensions have $1/\sqrt d$ (Chen & He, 2021, section 4.1).

# %% [markdown] hints="output_deviation"
# **Where to look.** Two dimensions, two jobs: lengths are taken along the channels of an image, deviations along the images.
#
# **A small case.** Codes (3, 4) and (−6, −8) become (0.6, 0.8) and (−0.6, −0.8): deviations 0.6 and 0.8, on average 0.7, which is close to $1/\sqrt 2$.

# %% exercise="output_deviation"
# exercise: output_deviation
def output_deviation(z):
    """Mean over the channels of the standard deviation (1/N) over the batch of z / ‖z‖. z: (B, d). A tensor without dimensions."""
    ### BEGIN SOLUTION
    return F.normalize(z, dim=1).std(dim=0, correction=0).mean()
    ### END SOLUTION


# %% tests="output_deviation" points=1 minutes=10
deviation = output_deviation(torch.tensor([[3.0, 4.0], [0.0, 2.0], [5.0, 0.0]]))
assert torch.as_tensor(deviation).numel() == 1, "expected one number for the whole batch"
assert float(output_deviation(torch.tensor([[1.0, 2.0], [2.0, 4.0]]))) < 1e-3, "codes in one direction have no deviation"
opposite = output_deviation(torch.tensor([[0.6, 0.8], [-0.6, -0.8]]))
assert abs(float(opposite) - 0.7) < 1e-3, "codes of length 1, (0.6, 0.8) and its opposite: deviations 0.6 and 0.8, on average 0.7"
longer = output_deviation(torch.tensor([[3.0, 4.0], [-6.0, -8.0]]))
assert abs(float(longer) - 0.7) < 1e-3, "(3, 4) and (−6, −8) have the same directions as before: divide each code by its own length, √(3² + 4²) for one"
assert abs(float(deviation) - 0.4215) < 1e-3, "right for two codes, but not for (3, 4), (0, 2) and (5, 0): how are deviations taken and averaged?"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("simsiam.output_deviation", output_deviation)
### END HIDDEN TESTS

# %% [markdown] predict="loss_and_deviation"
# Two networks, the same but for stop-gradient. Which of them reaches the *lower* loss? And which one has learnt something?

# %% [markdown]
# ### 6.1 Training, twice
#
# Each step shows the network two new views of every image of its batch. The whole takes a minute or two on a laptop.

# %% tags=["train"]
def trained(stop_gradient):
    """A network trained from the same start, and (loss, deviation) of each step."""
    fixmelab.seed_everything(0)
    model, record = fixmelab.Siamese(width=32), []

    def loss_of_views(model, images):
        (p_1, z_1), (p_2, z_2) = model(fixmelab.random_views(images)), model(fixmelab.random_views(images))
        loss = simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient)
        if model.training:
            record.append((float(loss.detach()), float(output_deviation(z_1.detach()))))
        return loss

    images = train_set.images[:TRAINING_IMAGES]
    fixmelab.train(
        model, loss_of_views, images, epochs=EPOCHS, batch_size=100, learning_rate=3e-3, device=lab.device
    )
    return model.cpu().eval(), torch.tensor(record)


# %% tags=["train"]
model, with_stop = trained(stop_gradient=True)
collapsed_model, without_stop = trained(stop_gradient=False)

# %% tags=["keep"]
steps = torch.arange(1, len(with_stop) + 1)
losses = {"with stop-gradient": with_stop[:, 0], "without": without_stop[:, 0]}
fixmelab.plot_curves(steps, losses, "step", "loss (−1 is the least)", "The loss of both networks")

# %% tags=["keep"]
spread = torch.full_like(with_stop[:, 1], 1 / math.sqrt(model.width))
deviations = {"with stop-gradient": with_stop[:, 1], "without": without_stop[:, 1], "1/√d": spread}
fixmelab.plot_curves(steps, deviations, "step", "deviation of the directions", "How far the codes are spread")

# %% [markdown]
# **To compare.** With 4,000 garments and 12 epochs the project's own run ends with a loss of −0.96 and a deviation of 0.150 with stop-gradient, and with −1.000 and
# 0.002 without; $1/\sqrt d$ is 0.177. If your deviation with stop-gradient falls below 0.1, look at what is detached. (The smoke budget is over after 30 steps: there the loss with
# stop-gradient has hardly begun to fall.)

# %% tags=["keep"]
held_out = fixmelab.random_views(load_images(train_set.name, train=False).images[:400])
with torch.no_grad():
    for name, network in (("with stop-gradient", model), ("without", collapsed_model)):
        codes = F.normalize(network(held_out)[1], dim=1)
        cosines = codes @ codes.T
        print(f"{name:18}: deviation {output_deviation(codes):.4f}; codes of different pictures have a mean cosine of "
              f"{(cosines.sum() - cosines.trace()) / (400 * 399):.3f}")

# %% [markdown] written="real_network" points=3 minutes=15
# ### Question: the real network
#
# 1. Why is the loss no sign of success here? Quote the last losses and deviations of your run.
# 2. Show that the deviation is at most $1/\sqrt d$, and say when it is equal.
# 3. Could a network pass this test, with a deviation of $1/\sqrt d$, and still be useless? Propose one more thing to measure.
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. −1 is reached by a constant code: without stop-gradient the loss falls below that of the other network, while the deviation goes to 0. The student quotes
#    their own numbers.
# 2. The variances of the channels of unit vectors add up to $1 - \lVert \mathbb E[z/\lVert z \rVert] \rVert^2 \le 1$, and the mean of $d$ roots is at most the root of the mean
#    (Jensen). Equal if the mean direction is 0 and all channels have the same variance.
# 3. Yes: codes may be spread by whatever the views leave alone, by brightness or by chance (a random network has a large deviation). Measure, for example, the accuracy of
#    nearest neighbours or of a linear classifier on the frozen codes, or whether two views of one picture are closer than those of two pictures.
# ### END MARK SCHEME

# %% [markdown]
# ## Hand in
#
# *Restart and run all*, look once at every plot, save, and hand in this notebook. Pictures from your own training run stay in it for the person who
# reads your answers.
#
# **Read on.** Chen & He, *Exploring Simple Siamese Representation Learning* (2021). Tian, Chen & Ganguli, *Understanding Self-Supervised Learning Dynamics
# without Contrastive Pairs* (2021). Halvagal, Laborieux & Zenke, *Implicit Variance Regularization in Non-Contrastive SSL* (2023).
