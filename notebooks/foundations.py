# %% [markdown] minutes=1
# # Foundations: convolutions and graphical models
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)
#
# Large models stand on small ideas. One is a window that slides over an image and computes the same sum everywhere: a
# *convolution*. The other is a drawing that says which variable may look at which: a *graphical model*. The first is
# easy until you reach the border of the image; the second is easy until you have to sum over everything that could have been.
#
# 1. **A window at the border**: why images shrink, how much to pad, and a layer of your own.
# 2. **A language model as a drawing**: who listens to whom.
# 3. **One number for all taggings**: a sum with more terms than there are atoms on Earth, in a few lines.
# 4. **A drawing of factors**.
# 5. **Neighbours that talk**: a sentence that makes every reader stumble, and a tagger that does not.
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
# | $x$ | image with $C$ channels | `x`: `(C, N_h, N_w)` |
# | $\theta$, $\theta_0$ | kernel and bias of one output channel | `theta`: `(C, K_h, K_w)`, `theta_0`: `()` |
# | $y$ | output of the layer | `y`: `(1, N_h, N_w)` |
# | $\lfloor K / 2 \rfloor$ | half of $K$, rounded down | `K // 2` |
# | $w_1, \dots, w_N$ | words of a sentence | |
# | $t_1, \dots, t_N$ | their tags, each one of $V$ | `tags`: `(N,)`, whole numbers from 0 to `V - 1` |
# | $s_n[v] > 0$ | score of tag $v$ for word $n$ | `log_scores`: `(N, V)`, the logarithms |
# | $a[u, v] > 0$ | score of tag $v$ right after tag $u$ | `transitions`: `(V, V)`, the logarithms |
# | $Z$ | partition function: what all taggings score together | |
#
# Pixels are counted from 0, as in code; words are counted from 1, as in a sentence, so that row $n - 1$ of `log_scores` belongs to word $n$.
# Logarithms are natural. Functions return the dtype that they are given, on the argument's device, leave their arguments as they are, and let gradients through.

# %% [markdown]
# ## 0. Setup
#
# One cell for Colab and for your own machine. Nothing here needs a GPU or a download.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("fixmelab") is None:
    package = "git+https://github.com/{{repository}}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %%
import time

import torch
from torch.nn import functional as F

import fixmelab
from fixmelab.data import cats, garments

lab = fixmelab.setup("{{name}}")
fixmelab.seed_everything(0)

# %% [markdown]
# ## 1. A window at the border
#
# A convolutional layer lays its kernel, a small window of weights, over the image, multiplies weights and pixels, and adds up. Then it moves the window by one pixel.
# A window of 5×5 pixels fits into an image of 28×28 pixels in 24×24 places, so the output is smaller than the input.

# %% [markdown] predict="shrinking"
# Stack layers with 5×5 kernels on a 28×28 image, each on the output of the one before. How many layers can you stack before nothing is left?
# And in one such layer: how many windows look at the pixel in the middle of the image, and how many at the one in its corner?

# %%
sides = [28]
while sides[-1] >= 5:
    sides.append(sides[-1] - 4)
print("side of the image after 0, 1, 2, … layers:", sides)

# %% tags=["keep"]
windows = torch.zeros(28, 28)
for row in range(24):
    for column in range(24):
        windows[row : row + 5, column : column + 5] += 1
fixmelab.plot_pixels(windows, "windows that look at each pixel (5×5 kernel, no padding)")

# %% [markdown]
# Six layers, and a corner that is read once where the middle is read 25 times. *Padding* mends both: put a frame of zeros around the image, just wide enough that
# the output is as large as the input.
#
# ### 1.1 How wide is the frame?
#
# Let one output channel be
#
# $$y_{i,j} = \theta_0 + \sum_{c=0}^{C-1} \sum_{k=0}^{K_h-1} \sum_{m=0}^{K_w-1}
#   \theta_{c,k,m} \; x_{c,\; i + k - \lfloor K_h/2 \rfloor,\; j + m - \lfloor K_w/2 \rfloor},
#   \qquad 0 \le i < N_h, \; 0 \le j < N_w,$$
#
# where a pixel outside the image counts as 0. How many columns of zeros does that need to the left and to the right, and how many rows above and below? The kernel may
# have any height and width, even ones too.

# %% [markdown] hints="padding"
# **Where to look.** Look at one axis alone. Which is the leftmost column that the sum ever reads, and for which $j$ and $m$? Which is the rightmost?
#
# **Which rule.** A column with a negative index lies in the left part of the frame, one with an index of $N_w$ or more in the right part. A number of columns is never negative.
#
# **A small case.** Take a single row of $N_w = 3$ pixels and a kernel of width $K_w = 4$. At $j = 0$ the window covers columns $-2, -1, 0, 1$; at $j = 2$ it covers $0, 1, 2, 3$. Count what lies
# outside of $0, 1, 2$ on each side.

# %% exercise="padding"
# exercise: padding
def padding(kernel_height, kernel_width):
    """How many columns and rows of zeros the layer above needs around its input.

    kernel_height, kernel_width: K_h and K_w, whole numbers from 1 on.
    Returns (left, right, top, bottom), four whole numbers, in the order that torch.nn.functional.pad takes.
    """
    ### BEGIN SOLUTION
    left, top = kernel_width // 2, kernel_height // 2
    return left, kernel_width - 1 - left, top, kernel_height - 1 - top
    ### END SOLUTION


# %% tests="padding" points=2 minutes=15
frame = tuple(padding(1, 1))
assert frame == (0, 0, 0, 0), f"a kernel of 1×1 never looks beyond its pixel, so it needs no frame; yours is {frame}"
left, right, top, bottom = padding(3, 6)
assert left + right == 5 and top + bottom == 2, (
    "the frame must make up for the K_w − 1 columns and K_h − 1 rows that are lost"
)
assert tuple(padding(2, 1)) == (0, 0, 1, 0), (
    "the output in row 0 of a kernel of 2×1 reads rows −1 and 0, the last row reads nothing below"
)
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.padding", padding)
### END HIDDEN TESTS

# %% [markdown] hints="rewritten_layer"
# **Where to look.** At which place of $\tilde x$ does the pixel (0, 0) of $x$ lie?
#
# **Which rule.** Replace the row index of $x$ by that of $\tilde x$, which is larger by the height of the frame above, and see what is left of $\lfloor K_h/2 \rfloor$.

# %% [markdown] written="rewritten_layer" points=2 minutes=15
# ### Question: the layer on the padded image
#
# Let $\tilde x$ be the image with its frame of zeros, its pixels counted from 0 at the corner of the frame. Write $\tilde x$ in terms of $x$, and rewrite the equation
# of the layer so that it reads $\tilde x$ alone and never looks outside of it. What are the smallest and the largest row that it reads?
#
# ### BEGIN MARK SCHEME
# - 1 point: $\tilde x_{c,i,j} = x_{c,\, i - \text{top},\, j - \text{left}}$ inside and 0 on the frame, with top $= \lfloor K_h/2 \rfloor$ and
#   left $= \lfloor K_w/2 \rfloor$; so $y_{i,j} = \theta_0 + \sum_{c,k,m} \theta_{c,k,m} \, \tilde x_{c,\, i+k,\, j+m}$.
# - 1 point: rows 0 (at $i = k = 0$) to $N_h - 1 + K_h - 1$ (at the largest $i$ and $k$), which is the last row of $\tilde x$, since it has
#   $N_h + \text{top} + \text{bottom} = N_h + K_h - 1$ rows.
# ### END MARK SCHEME

# %% [markdown]
# ### 1.2 The layer
#
# Now write it, by the equation that you have just found, on the padded image. No convolution of a library (`F.conv2d`, `nn.Conv2d`, SciPy's …): the sum is the exercise.
# `F.pad` is welcome. For speed let PyTorch do all pixels of one weight at once; three nested loops over pixels and channels are right, too.
#
# Deep-learning libraries call this a convolution, although the kernel is not flipped. Strictly it is a *cross-correlation*.

# %% [markdown] hints="convolve"
# **Where to look.** Fix one place $(k, m)$ in the kernel. Which pixels of $\tilde x$ does it meet while $i$ and $j$ run over the whole output? They form a rectangle of $N_h \times N_w$ pixels.
#
# **Which rule.** Sums may be swapped: the sum over $k, m$ can stand outside, and then each term is an array over all $(i, j)$ at once. The bias is added once, not once for each weight.
#
# **A small case.** One row, $x = (1, 2, 3)$, kernel $(10, 1)$, bias 0. Padded: $(0, 1, 2, 3)$. The weight 10 meets $(0, 1, 2)$, the weight 1 meets $(1, 2, 3)$: the output is $(1, 12, 23)$.

# %% exercise="convolve"
# exercise: convolve
def convolve(x, theta, theta_0):
    """One output channel of a convolutional layer with stride 1, as large as its input.

    x: (C, N_h, N_w); theta: (C, K_h, K_w), any height and width; theta_0: (), the bias. Returns (1, N_h, N_w).
    """
    ### BEGIN SOLUTION
    _, height, width = x.shape
    _, kernel_height, kernel_width = theta.shape
    padded = F.pad(x, padding(kernel_height, kernel_width))
    y = theta_0.expand(height, width)
    for k in range(kernel_height):
        for m in range(kernel_width):
            seen = padded[:, k : k + height, m : m + width]
            y = y + (theta[:, k, m, None, None] * seen).sum(dim=0)
    return y[None]
    ### END SOLUTION


# %% tests="convolve" points=3 minutes=25
dot = torch.zeros(2, 3, 4)
dot[1, 1, 2] = 1.0
kernel = torch.tensor(
    [[[9.0, 9.0, 9.0], [9.0, 9.0, 9.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]
)
y = convolve(dot, kernel, torch.tensor(0.5))
assert y.shape == (1, 3, 4), (
    f"expected one output channel as large as the image, (1, 3, 4); yours has shape {tuple(y.shape)}"
)
assert float(y[0, 0, 0]) == 0.5, "where the window sees zeros only, the output is the bias, once"
assert float(y[0, 1, 2]) == 5.5, "with a kernel of 2×3, the pixel at (i, j) itself meets the weight in row 1, column 1"
assert float(y[0, 2, 1]) == 3.5, (
    "one row below and one column to the left of the dot, the dot is seen by the weight in row 0, column 2"
)
assert convolve(dot, kernel.requires_grad_(), torch.tensor(0.5)).requires_grad, "gradients must reach the kernel"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.convolve", convolve)
### END HIDDEN TESTS

# %% [markdown]
# A library agrees, for kernels of even and odd sides:

# %%
image = torch.rand(3, 7, 10, dtype=torch.float64)
for sides in ((1, 1), (3, 3), (2, 2), (4, 3), (5, 2), (1, 6)):
    theta, theta_0 = torch.randn(3, *sides, dtype=torch.float64), torch.randn((), dtype=torch.float64)
    library = F.conv2d(F.pad(image, padding(*sides))[None], theta[None], theta_0[None])[0]
    difference = float((convolve(image, theta, theta_0) - library).abs().max())
    print(f"kernel {sides[0]}×{sides[1]}: largest difference {difference:.1e}   (should be at most 1e-12)")

# %% [markdown]
# Three kernels, made by hand, on a cat in three colours. The first two take the difference of two neighbours, along a row or along a column, so they answer at edges; the bias of 0.5 makes
# "no difference" grey. The third is a mean over 25 pixels and three colours. Look at the borders, too: there the windows see zeros.

# %% tags=["keep"]
cat = cats(8, seed=1)[3]
grey, half, zero = cat.mean(dim=0, keepdim=True), torch.tensor(0.5), torch.tensor(0.0)
in_a_row, in_a_column = torch.tensor([[[-1.0, 1.0]]] * 3), torch.tensor([[[-1.0], [1.0]]] * 3)
answers = [grey, convolve(cat, in_a_row / 2, half), convolve(cat, in_a_column / 2, half)]
answers.append(convolve(cat, torch.full((3, 5, 5), 1 / 75), zero))
titles = ["the cat", "here − left", "here − above", "mean of 5×5"]
fixmelab.show_images(torch.stack(answers), columns=4, titles=titles, scale=1.7)

# %% [markdown]
# ### 1.3 A kernel without a middle
#
# Every weight is the same wherever the window lies: what the layer answers to a cat on the left, it answers to the same cat on the right, as far to the right. That is why a
# convolution needs so few weights.

# %% [markdown] predict="drift"
# Take a boot on a black image and apply a mean over 2×2 pixels, twelve times in a row. It gets blurred, of course. What else will you see, which a mean over
# 3×3 pixels does not do? Look at the equation of the layer once more, with $K_h = K_w = 2$.

# %% tags=["keep"]
boots = garments(40, seed=1)
boot = boots.images[boots.labels == 9][0]
shown = []
for side in (2, 3):
    blurred = [boot]
    for _ in range(12):
        blurred.append(convolve(blurred[-1], torch.full((1, side, side), 1 / side**2), zero))
    shown += blurred[::4]
titles = [f"{side}×{side}, {count} times" for side in (2, 3) for count in (0, 4, 8, 12)]
fixmelab.show_images(torch.stack(shown), columns=4, titles=titles, scale=1.7)

# %% [markdown]
# And as a number: the place where the brightness of the boot is centred, after every four layers. Expected after twelve: row 21.18, column 21.80 with 2×2, and row 16.49, column 16.14 with 3×3.

# %% tags=["keep"]
places = torch.arange(28.0)
for name, image in zip(titles, shown):
    brightness = image[0] / image.sum()
    row, column = float(brightness.sum(dim=1) @ places), float(brightness.sum(dim=0) @ places)
    print(f"{name}: row {row:5.2f}, column {column:5.2f}")

# %% [markdown]
# An even kernel has no middle. Each pixel of the 2×2 layer is the mean of itself and its neighbours above and to the left, so the picture moves by half a pixel down and to the right in each layer
# (a little less as a number, since parts of the boot leave the image). A network with even kernels has to undo this drift somewhere.
#
# ### 1.4 Slide it yourself
#
# Move the window over the padded image with the sliders, or press play. The frame of zeros is as wide as *your* `padding` says, and the output is *your* `convolve`.

# %% tags=["keep"]
rows = ["....####...", "#..######..", "##.####.##.", "###########", "##.#######.", "#..######..", "....####..."]
picture = torch.tensor([[float(pixel == "#") for pixel in row] for row in rows])
kernels = {
    "edges, 1×2": torch.tensor([[-1.0, 1.0]]),
    "mean, 2×2": torch.full((2, 2), 0.25),
    "edges, 3×3": torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]]),
    "mean, 4×3": torch.full((4, 3), 1 / 12),
}
fixmelab.kernel_slider(picture, kernels, padding, convolve)

# %% [markdown]
# The same without widgets:

# %% tags=["keep"]
fixmelab.kernel_slider_static(picture, kernels["mean, 4×3"], padding, convolve)

# %% [markdown]
# ## 2. A language model as a drawing
#
# A *directed graphical model* has a node for each variable and an arc into it from each variable that its own distribution depends on. The joint distribution is the product over nodes:
#
# $$p(w_1, \dots, w_N) = \prod_{n=1}^{N} p(w_n \mid \text{parents of } w_n).$$
#
# A decoder-only language model writes a sentence from left to right, and the distribution of each word depends on all words before it, on nothing else:
#
# $$p(w_1, \dots, w_N) = \prod_{n=1}^{N} p(w_n \mid w_1, \dots, w_{n-1}).$$
#
# Draw it with exactly $N$ nodes, one for each word. (Hidden states, attention and layers are no variables: they are how the network *computes* $p(w_n \mid w_1, \dots, w_{n-1})$, and get no node.)

# %% [markdown] predict="arcs"
# How many arcs does that make for a sentence of 6 words? And for a context of 1,000 words?

# %% [markdown]
# In code, word $w_1$ is node 0 and word $w_N$ is node $N - 1$.

# %% [markdown] hints="language_model_edges"
# **Where to look.** Read one factor at a time. For $w_3$ it is $p(w_3 \mid w_1, w_2)$: which arcs does that make, and which way do they point?
#
# **A small case.** Two words: $p(w_1) \, p(w_2 \mid w_1)$. The first factor makes no arc, the second one, from node 0 to node 1.

# %% exercise="language_model_edges"
# exercise: language_model_edges
def language_model_edges(n):
    """The arcs of a decoder-only language model over n words, whose nodes are the numbers 0, …, n - 1.

    n: a whole number from 1 on. Returns a list of pairs (parent, child), each arc once, in any order.
    """
    ### BEGIN SOLUTION
    return [(parent, child) for child in range(n) for parent in range(child)]
    ### END SOLUTION


# %% tests="language_model_edges" points=1 minutes=10
assert list(language_model_edges(1)) == [], "a single word has no parents"
arcs = [tuple(map(int, arc)) for arc in language_model_edges(4)]
assert len(set(arcs)) == len(arcs), "some arc comes twice"
assert {node for arc in arcs for node in arc} == {0, 1, 2, 3}, (
    "four words are the nodes 0, 1, 2 and 3, and there are no others"
)
assert (0, 3) in arcs, "the last of four words depends on the first one, not only on its neighbour"
assert all(parent != child for parent, child in arcs), "no word is its own parent"
assert (3, 0) not in arcs, "an arc points from the parent to the child, and nothing depends on a later word"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.language_model_edges", language_model_edges)
### END HIDDEN TESTS

# %% [markdown]
# Your arcs, beside those of a model in which each word depends on the one before it alone (a *bigram* model, or first-order Markov chain):

# %% tags=["keep"]
words = ["the", "old", "man", "the", "boats", "."]
panels = {"decoder-only language model": language_model_edges(6), "bigram model": [(k, k + 1) for k in range(5)]}
fixmelab.plot_arcs(panels, words)

# %%
for n in (6, 100, 1000):
    print(f"{n:5d} words: {len(language_model_edges(n)):7d} arcs, and {n - 1:4d} in a bigram model")

# %% [markdown] written="no_independence" points=3 minutes=15
# ### Question: what the drawing says
#
# 1. A missing arc in a graphical model is a claim. Which conditional independences does your graph claim, and which distributions over $N$ words can it represent?
# 2. What does the bigram model claim about $w_n$ and $w_1, \dots, w_{n-2}$? Give a sentence in English for which that is plainly wrong.
# 3. With a vocabulary of $V$ words, how many numbers does a table of $p(w_n \mid \text{parents})$ for $n = N$ need in each of the two models? How does a transformer get by?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. None: there is an arc between any two nodes. By the chain rule every distribution over the words can be written that way.
# 2. $w_n$ is independent of them, given $w_{n-1}$. Any agreement over a distance, as in "the keys to the cabinet *are*".
# 3. $V^{N-1} (V - 1)$ and $V (V - 1)$ (or $V^N$ and $V^2$). A transformer has no table: its parameters are shared over positions and contexts, so it represents only some of these distributions.
# ### END MARK SCHEME

# %% [markdown]
# ## 3. One number for all taggings
#
# Now give each word $w_n$ of a sentence a *tag* $t_n$, one of $V$ (noun, verb, …). A network reads the words and returns scores $s_n[v] > 0$, one for each word and each tag. A tagging is as probable
# as the product of its scores says, once they are made to sum to one over *all* taggings of the sentence, hence *globally normalised*:
#
# $$p(t_1, \dots, t_N \mid w) = \frac1Z \prod_{n=1}^{N} s_n[t_n],
#   \qquad Z = \sum_{t_1=1}^{V} \cdots \sum_{t_N=1}^{V} \; \prod_{n=1}^{N} s_n[t_n].$$
#
# The sum has one term for each of the $V^N$ taggings. Here it is, word by word as it stands there (in logarithms, since products of many scores overflow):


# %%
def all_taggings(N, V):
    """Every tagging of N words by V tags, (V**N, N)."""
    return torch.cartesian_prod(*[torch.arange(V)] * N).view(-1, N)


def log_partition_by_enumeration(log_scores):
    """log Z with all V**N taggings one by one. log_scores: (N, V). Returns ()."""
    N, V = log_scores.shape
    of_taggings = log_scores[torch.arange(N), all_taggings(N, V)].sum(dim=1)
    return torch.logsumexp(of_taggings, dim=0)


# %% [markdown] predict="enumeration"
# Universal Dependencies, a standard for many languages, has 17 tags. A computer looks at a billion taggings in a second. How long does it need for the $Z$ of a sentence of 20 words?
# An hour, a year, longer?

# %%
seconds = 17**20 / 1e9
print(f"20 words: {17**20:.1e} taggings, {seconds / (365 * 24 * 3600):.1e} years")
print(f"50 words: {17**50:.1e} taggings; the Earth consists of some 1e+50 atoms")

# %% [markdown]
# There must be a better way. Find a formula for $\log Z$ that costs about $N V$ operations, not $V^N$, and write it so that it stays right if scores are very large or very small ($s_n[v] = e^{1000}$ is no float, but
# its logarithm is 1000; a tag that is impossible has score 0 and logarithm $-\infty$).

# %% [markdown] hints="log_partition"
# **Where to look.** In the innermost sum, over $t_N$, which factors of the product do not depend on $t_N$?
#
# **Which rule.** The distributive law, $ab + ac = a(b + c)$, again and again. `torch.logsumexp` computes $\log \sum_v e^{x_v}$ without leaving the logarithms.
#
# **A small case.** Two words, two tags, scores $(2, 3)$ and $(5, 7)$. All four taggings: $2 \cdot 5 + 2 \cdot 7 + 3 \cdot 5 + 3 \cdot 7 = 60$. Where do you see $60$ in the two pairs of numbers, without listing taggings?

# %% exercise="log_partition"
# exercise: log_partition
def log_partition(log_scores):
    """log Z of the globally normalised tagger, in the time of N·V.

    log_scores: (N, V), log s_n[v] of word n and tag v, which may be large, small or, for some tags of a word, -inf.
    Returns ().
    """
    ### BEGIN SOLUTION
    return torch.logsumexp(log_scores, dim=1).sum()
    ### END SOLUTION


# %% tests="log_partition" points=2 minutes=15
scores = torch.tensor([[2.0, 3.0], [5.0, 7.0]])
log_z = log_partition(scores.log())
assert log_z.shape == (), f"there is one Z for the whole sentence; yours has shape {tuple(log_z.shape)}"
assert abs(float(log_z.exp()) - 60) < 1e-3, (
    "for scores (2, 3) and (5, 7), the four taggings score 60 together: 10 + 14 + 15 + 21"
)
assert abs(float(log_partition(torch.zeros(3, 2))) - 2.0794415) < 1e-5, (
    "three words, two tags, all scores 1: eight taggings of score 1, so log Z = log 8"
)
far = log_partition(torch.tensor([[1000.0, 1000.0], [-1000.0, -1000.0]]))
assert abs(float(far) - 1.3862944) < 1e-3, (
    "scores of e^1000 and e^-1000 must neither overflow nor vanish: here log Z = log 4"
)
assert log_partition(torch.zeros(3, 2, requires_grad=True)).requires_grad, "gradients must reach the scores"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.log_partition", log_partition)
### END HIDDEN TESTS

# %% [markdown]
# The same number, and what it costs. The vertical axis is logarithmic: on it, a straight line upwards is exponential growth.

# %% tags=["keep"]
lengths = range(1, fixmelab.budget(full=10, cpu=10, smoke=7))
costs = {"all taggings": [], "your log_partition": []}
for N in lengths:
    log_scores = torch.randn(N, 5, dtype=torch.float64)
    for method, seconds in zip((log_partition_by_enumeration, log_partition), costs.values()):
        timed = []
        for _ in range(3):
            start = time.perf_counter()
            answer = method(log_scores)
            timed.append(time.perf_counter() - start)
        seconds.append(min(timed))  # whatever else the computer does makes it longer, never shorter
        print(
            f"N = {N}, log Z = {float(answer):8.4f}, {seconds[-1]:.1e} s",
            end="\n" if method is log_partition else "     ",
        )

# %% tags=["keep"]
fixmelab.plot_costs(lengths, costs, "words in the sentence (five tags)")

# %% [markdown] hints="efficient_partition"
# **Where to look.** At the last of the sums: all factors but one are constants in it.
#
# **Which rule.** The distributive law once, then induction on the number of words.

# %% [markdown] written="efficient_partition" points=3 minutes=15
# ### Question: from a sum of products to a product of sums
#
# 1. Prove your formula, for $N$ words, from the definition of $Z$.
# 2. How do the two ways grow with $N$ and with $V$?
# 3. Why does one work with $\log Z$ and `logsumexp`, and not with $Z$?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. By induction or directly: in the sum over $t_N$ the factors of the other words are constant, so
#    $Z = \big(\sum_{t_1 \dots t_{N-1}} \prod_{n<N} s_n[t_n]\big) \big(\sum_{v} s_N[v]\big) = \dots = \prod_n \sum_v s_n[v]$.
# 2. $N V^N$ (or $V^N$) against $N V$: exponential and linear in $N$, of degree $N$ and linear in $V$.
# 3. A product of many sums soon leaves the range of floats; `logsumexp` takes the largest term out, row by row, so that nothing overflows and not everything vanishes.
# ### END MARK SCHEME

# %% [markdown]
# ### 3.1 The probability of a tagging
#
# $$\log p(t_1, \dots, t_N \mid w) = \sum_{n=1}^{N} \log s_n[t_n] - \log Z.$$


# %% exercise="tag_log_probability"
# exercise: tag_log_probability
def tag_log_probability(log_scores, tags):
    """log p(tags | w) of the globally normalised tagger.

    log_scores: (N, V), as above; tags: (N,) long, the tag of each word, from 0 to V - 1, none of them impossible.
    The sentence may be long. Returns ().
    """
    ### BEGIN SOLUTION
    chosen = log_scores[torch.arange(len(tags), device=tags.device), tags]
    return chosen.sum() - log_partition(log_scores)
    ### END SOLUTION


# %% tests="tag_log_probability" points=2 minutes=10
scores = torch.tensor([[2.0, 3.0], [5.0, 7.0]])
found = tag_log_probability(scores.log(), torch.tensor([0, 1]))
assert found.shape == (), f"a tagging has one probability; yours has shape {tuple(found.shape)}"
assert float(found) < 0, "the logarithm of a probability below 1 is negative"
assert abs(float(found.exp()) - 14 / 60) < 1e-4, (
    "of the scores 10, 14, 15 and 21, the tagging (0, 1) has 2 · 7 = 14, so its probability is 14/60"
)
of_many = tag_log_probability(torch.zeros(2000, 2), torch.zeros(2000, dtype=torch.long))
assert torch.isfinite(of_many), "2000 words: their probability is too small for a float, but its logarithm is not"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.tag_log_probability", tag_log_probability)
### END HIDDEN TESTS

# %%
log_scores = torch.randn(5, 4, dtype=torch.float64)
probabilities = torch.stack([tag_log_probability(log_scores, tags) for tags in all_taggings(5, 4)]).exp()
print(f"{len(probabilities)} taggings; their probabilities sum to {float(probabilities.sum()):.12f}   (should be 1)")

# %% [markdown]
# ## 4. A drawing of factors
#
# A product of scores that are no probabilities has no arcs. It is drawn as a *factor graph*: a circle for each variable, a square for each factor of the product, and a line between a factor and each
# variable that its value depends on.
#
# Draw the tagger, with the words and the tags as variables: exactly $2N$ of them. Let the network that gives the scores be decoder-only, as in section 2: it has read $w_1, \dots, w_n$ when it gives $s_n$. There is
# one factor for each word, the number $s_n[t_n]$. Words are called `"w1"`, `"w2"`, … and tags `"t1"`, `"t2"`, ….

# %% [markdown] hints="factor_graph"
# **Where to look.** Which variables do you have to know to compute the number $s_2[t_2]$? The tag says which entry of $s_2$ is meant, and what decides about $s_2$ itself?
#
# **A small case.** With a single word there is one factor, $s_1[t_1]$, and it joins `"w1"` and `"t1"`.

# %% exercise="factor_graph"
# exercise: factor_graph
def factor_graph(n):
    """The factor graph of the tagger over n words w1, …, wn and their tags t1, …, tn: 2n variables.

    n: a whole number from 1 on. Returns a list of n sets, one for each factor: the names of the variables that it joins.
    """
    ### BEGIN SOLUTION
    return [{f"t{k}"} | {f"w{j}" for j in range(1, k + 1)} for k in range(1, n + 1)]
    ### END SOLUTION


# %% tests="factor_graph" points=2 minutes=15
factors = [set(factor) for factor in factor_graph(4)]
assert len(factors) == 4, f"four words have four factors; yours are {len(factors)}"
assert len(set().union(*factors)) == 8, "four words and four tags are eight variables, all of them in some factor"
assert all(sum(name.startswith("t") for name in factor) == 1 for factor in factors), (
    "the score of a word depends on one tag, its own"
)
assert any({"t4", "w1"} <= factor for factor in factors), (
    "when it gives the scores of word 4, the network has read word 1"
)
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.factor_graph", factor_graph)
### END HIDDEN TESTS

# %% tags=["keep"]
fixmelab.plot_factor_graph({"the tagger": factor_graph(5)})

# %% [markdown] written="reading_factors" points=2 minutes=10
# ### Question: reading the drawing
#
# 1. Suppose that the words are known. Which lines of the drawing still matter, into how many pieces does it fall, and what does that say about the tags, and about $Z$?
# 2. Suppose that the network were not decoder-only but had read the whole sentence before it gives any score. Which lines are added? Are the tags independent, given the words, then?
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Known words are constants, so each factor keeps a single variable, its tag: $N$ pieces. The tags are independent, given the words, and the sum $Z$ falls into $N$ sums.
# 2. Every factor is joined to all words. Yes: the lines that are added lead to known variables only.
# ### END MARK SCHEME

# %% [markdown]
# ## 5. Neighbours that talk
#
# Tags of neighbours are not independent: a determiner is hardly ever followed by a verb. So let a factor $a[t_n, t_{n+1}]$ stand between neighbouring tags (a *linear-chain conditional random field*, Lafferty,
# McCallum & Pereira, 2001):
#
# $$p(t_1, \dots, t_N \mid w) = \frac1Z \prod_{n=1}^{N} s_n[t_n] \prod_{n=1}^{N-1} a[t_n, t_{n+1}].$$

# %% tags=["keep"]
neighbours = [{f"t{k}", f"t{k + 1}"} for k in range(1, 5)]
fixmelab.plot_factor_graph(
    {
        "the words are known": [{f"t{k}"} for k in range(1, 6)],
        "neighbours talk": [{f"t{k}"} for k in range(1, 6)] + neighbours,
    }
)

# %% [markdown]
# The sum over all taggings no longer falls into pieces, but the graph is a chain, and along a chain one can sum from left to right. Let $\alpha_n[v]$ be what all beginnings $t_1, \dots, t_n$ with $t_n = v$ score together. Find
# $\alpha_1$, find $\alpha_{n+1}$ from $\alpha_n$, and find $Z$ from $\alpha_N$: this is the *forward algorithm* (Rabiner, 1989, section III.A). Stay in logarithms all the way.

# %% [markdown] hints="chain_log_partition"
# **Where to look.** A beginning of $n + 1$ tags that ends in $v$ is a beginning of $n$ tags that ends in some $u$, followed by $v$. Which two factors are new?
#
# **Which rule.** Products become sums and sums become `logsumexp`. To sum over $u$ for all $v$ at once, make a table of $V \times V$ whose rows are $u$ and whose columns are $v$, and mind along which of the two you sum.
#
# **A small case.** Two words, two tags, scores $(2, 3)$ and $(5, 7)$, and $a = \begin{pmatrix} 1 & 10 \\ 1 & 1 \end{pmatrix}$: the taggings score $2 \cdot 1 \cdot 5$, $2 \cdot 10 \cdot 7$, $3 \cdot 1 \cdot 5$ and $3 \cdot 1 \cdot 7$, together
# 186. From left to right: $\alpha_1 = (2, 3)$ and $\alpha_2 = (25, 161)$.

# %% exercise="chain_log_partition"
# exercise: chain_log_partition
def chain_log_partition(log_scores, transitions):
    """log Z of the tagger with a factor between neighbouring tags, in the time of N·V².

    log_scores: (N, V), log s_n[v]; transitions: (V, V), log a[u, v] in row u and column v, the score of tag v right
    after tag u. Both may be large, small or -inf, as long as some tagging is possible. Returns ().
    """
    ### BEGIN SOLUTION
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        log_alpha = scores + torch.logsumexp(log_alpha[:, None] + transitions, dim=0)
    return torch.logsumexp(log_alpha, dim=0)
    ### END SOLUTION


# %% tests="chain_log_partition" points=3 minutes=30
scores, a = (
    torch.tensor([[2.0, 3.0], [5.0, 7.0]]),
    torch.tensor([[1.0, 10.0], [1.0, 1.0]]),
)
log_z = chain_log_partition(scores.log(), a.log())
assert log_z.shape == (), f"there is one Z for the whole sentence; yours has shape {tuple(log_z.shape)}"
assert abs(float(log_z.exp()) - 186) < 1e-2, (
    "scores (2, 3) and (5, 7), a score of 10 for tag 1 after tag 0: the four taggings score 10 + 140 + 15 + 21"
)
single = chain_log_partition(scores[:1].log(), a.log())
assert abs(float(single.exp()) - 5) < 1e-3, "a sentence of one word has no neighbours: Z = 2 + 3"
three = chain_log_partition(torch.zeros(3, 2), a.log())
assert abs(float(three.exp()) - 44) < 1e-2, (
    "three words with scores 1: the eight taggings score 1 + 10 + 10 + 10 + 1 + 10 + 1 + 1 by their pairs alone"
)
assert chain_log_partition(scores, a.log().requires_grad_()).requires_grad, "gradients must reach the transitions"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("foundations.chain_log_partition", chain_log_partition)
### END HIDDEN TESTS

# %%
log_scores, transitions = torch.randn(6, 4, dtype=torch.float64), torch.randn(4, 4, dtype=torch.float64)
taggings = all_taggings(6, 4)
of_taggings = log_scores[torch.arange(6), taggings].sum(dim=1) + transitions[taggings[:, :-1], taggings[:, 1:]].sum(
    dim=1
)
print(f"all {len(taggings)} taggings: log Z = {float(torch.logsumexp(of_taggings, dim=0)):.10f}")
print(f"forward algorithm:  log Z = {float(chain_log_partition(log_scores, transitions)):.10f}")

# %% [markdown]
# ### 5.1 A sentence that makes readers stumble
#
# Read this sentence aloud, once: **the old man the boats.**
#
# Most people stop at the second *the*. Below are scores for it, by hand: for each word what it usually is, and for each pair of neighbours how usual it is. Word by word, *old* is rather an adjective, and *man* is a noun.

# %% [markdown] predict="garden_path"
# Which word is the verb? And what will the tagger say of *old* and *man* (a) if words are scored alone, (b) with neighbours, when it has read "the old man", (c) with neighbours, when it has read
# the whole sentence?

# %% [markdown]
# The gradient of $\log Z$ gives the answers for free: $\partial \log Z / \partial \log s_n[v] = p(t_n = v \mid w)$, since the derivative picks the taggings with $t_n = v$ out of the sum.


# %%
def tag_probabilities(log_z, log_scores):
    """p(t_n = v | w), (N, V), as the gradient of log_z, a function of log_scores (N, V)."""
    log_scores = log_scores.clone().requires_grad_()
    (found,) = torch.autograd.grad(log_z(log_scores), log_scores)
    return found


# %%
tag_names = ["determiner", "adjective", "noun", "verb"]
sentence = ["the", "old", "man", "the", "boats"]
the, boats = [4.0, -4.0, -4.0, -4.0], [-4.0, -4.0, 3.0, 0.0]
log_scores = torch.tensor([the, [-4.0, 3.0, 1.0, -4.0], [-4.0, -4.0, 3.0, 1.0], the, boats])
transitions = torch.tensor(
    [
        [-5.0, 1.0, 2.0, -5.0],  # after a determiner
        [-5.0, 0.0, 2.0, -4.0],  # after an adjective
        [-5.0, -4.0, 0.0, 2.0],  # after a noun
        [2.0, 0.0, 1.0, -5.0],  # after a verb
    ]
)


# %% tags=["keep"]
def with_neighbours(log_scores):
    return chain_log_partition(log_scores, transitions)


panels = {
    "(a) each word alone": tag_probabilities(log_partition, log_scores),
    "(b) three words, with neighbours": tag_probabilities(with_neighbours, log_scores[:3]),
    "(c) all words, with neighbours": tag_probabilities(with_neighbours, log_scores),
}
fixmelab.plot_tags(panels, sentence, tag_names)

# %% [markdown]
# Expected: in (b) *old* is an adjective with probability 0.91; in (c) it is a noun with 0.97, and *man* is a verb with 0.98.
#
# At the second *the* the tagger changes its mind about two words that it has read long before: *the old* (people) *man the boats*. No noun is followed by a determiner as easily as a verb is, and there is no adjective
# before a verb. All taggings compete with one another, as wholes, and that is what $Z$ is for.
#
# ### 5.2 Global or local?
#
# A *locally normalised* tagger makes each step a distribution of its own:
#
# $$p(t_1, \dots, t_N \mid w) = \prod_{n=1}^{N} p(t_n \mid t_{n-1}, w_n),
#   \qquad p(t_n = v \mid t_{n-1} = u, w_n) = \frac{a[u, v] \, s_n[v]}{\sum_{v'} a[u, v'] \, s_n[v']},$$
#
# with $s_1[v] / \sum_{v'} s_1[v']$ for the first word. It needs no $Z$, and it is how language models generate text.

# %% [markdown] predict="label_bias"
# It is given the very same scores. What will it say of *old* and *man*?


# %%
def local_tag_probabilities(log_scores, transitions):
    """p(t_n = v | w) of the locally normalised tagger, (N, V)."""
    found = [log_scores[0].softmax(dim=0)]
    for scores in log_scores[1:]:
        steps = (transitions + scores).softmax(dim=1)  # a row for each u
        found.append(found[-1] @ steps)
    return torch.stack(found)


# %% tags=["keep"]
panels = {
    "globally normalised": tag_probabilities(with_neighbours, log_scores),
    "locally normalised": local_tag_probabilities(log_scores, transitions),
}
fixmelab.plot_tags(panels, sentence, tag_names)

# %% [markdown]
# How far apart are the two, over all taggings? Multiply $\log a$ by a *strength*, from 0 (no neighbours) to 1 (the table above), and take the total variation
# $\tfrac12 \sum_t |p_\text{global}(t) - p_\text{local}(t)|$:


# %%
def total_variation(log_scores, transitions):
    """Between the globally and the locally normalised tagger with the same scores, by enumeration. Returns ()."""
    N, V = log_scores.shape
    taggings = all_taggings(N, V)
    pairs = transitions[taggings[:, :-1], taggings[:, 1:]]
    scores = log_scores[torch.arange(N), taggings].sum(dim=1) + pairs.sum(dim=1)
    sums = (transitions + log_scores[1:, None]).logsumexp(dim=2)  # of each step, for each u: (N - 1, V)
    of_steps = sums[torch.arange(N - 1), taggings[:, :-1]].sum(dim=1)
    log_local = scores - log_scores[0].logsumexp(dim=0) - of_steps
    return 0.5 * (scores.softmax(dim=0) - log_local.exp()).abs().sum()


# %% tags=["keep"]
strengths = torch.linspace(0, 1, 41)
apart = torch.stack([total_variation(log_scores, strength * transitions) for strength in strengths])
print(f"without neighbours the two differ by {float(apart[0]):.0e}, with all their strength by {float(apart[-1]):.3f}")
labels = "strength of the neighbours", "total variation"
fixmelab.plot_curves(strengths, {"global against local": apart}, *labels, "Two ways to normalise the same scores")

# %% [markdown] hints="global_or_local"
# **Where to look.** Write both distributions with the same numerator, $\prod_n s_n[t_n] \prod_n a[t_n, t_{n+1}]$. What stands below the line in each, and does it depend on the tagging?
#
# **Which rule.** For the third part, sum the local distribution over $t_N$, then over $t_{N-1}$, and so on: what does each sum give?

# %% [markdown] written="global_or_local" points=3 minutes=25
# ### Question: global or local
#
# 1. Show that the two are the same if there is no factor between neighbours.
# 2. With such factors they differ in general. What must be true of the sums $\sum_{v'} a[u, v'] \, s_n[v']$ for them to be the same?
# 3. In the figure, the locally normalised tagger does not change its mind about *old* and *man* when it reads on. Why can it not, whatever the words that follow? (The literature calls this *label bias*.)
#
# ### BEGIN MARK SCHEME
# One point for each part.
#
# 1. Then $Z = \prod_n \sum_v s_n[v]$, so $p = \prod_n s_n[t_n] / \sum_v s_n[v]$, a distribution for each word by itself.
# 2. It is enough that for each $n \ge 2$ they do not depend on $u$: then their product is a constant of the sentence, and equal to $Z$ up to the sum of the first word. (Divided by each other, the two distributions must not depend on
#    the tagging: the product of the sums must be the same for all taggings of positive score.)
# 3. The probabilities of $t_1, \dots, t_n$ are fixed by the words up to $n$; every later step sums to one, whatever it is given, so a beginning that leads nowhere keeps all its probability.
# ### END MARK SCHEME

# %% [markdown]
# ## Hand in
#
# *Restart and run all*, look once at every plot, save, and hand in this notebook. Your guesses stay in it, and nobody grades them.
#
# **Read on.** Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016). Kschischang, Frey & Loeliger, *Factor graphs and the sum-product algorithm* (2001). Lafferty, McCallum & Pereira,
# *Conditional random fields* (2001), for label bias.
