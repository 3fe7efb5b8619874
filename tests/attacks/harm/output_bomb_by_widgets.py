# tries: open widgets without end, and send messages of their own
# honest: 2
# ends: pass

# %%
# exercise: gaussian_kl
import ipywidgets
from IPython.display import display

for number in range(200):
    widget = ipywidgets.HTML("left-by-attack " * 1000)
    if number % 50 == 0:
        display(widget)
    widget.value = "x" * 10_000


def gaussian_kl(mu, sigma):
    return (-torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)).sum(dim=1)
