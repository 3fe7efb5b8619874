# tries: show one thing thousands of times, and change all of them thousands of times
# honest: 2
# ends: pass

# %%
# exercise: gaussian_kl
from IPython.display import display, update_display

for _ in range(400):
    display("x", display_id="one")
for number in range(400):
    update_display(number, display_id="one")


def gaussian_kl(mu, sigma):
    return (-torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)).sum(dim=1)
