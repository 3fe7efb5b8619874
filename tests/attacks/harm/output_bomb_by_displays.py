# tries: show large and many things without end; what is answered stays right
# honest: 2
# ends: pass

# %%
# exercise: gaussian_kl
from IPython.display import HTML, display

handle = display("x", display_id=True)
for _ in range(500):
    display(HTML("<p>" + "left-by-attack " * 2000))
    display({"image/png": "A" * 30_000, "text/plain": "x"}, raw=True)
    handle.update(HTML("y" * 30_000))


def gaussian_kl(mu, sigma):
    return (-torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)).sum(dim=1)
