# tries: answer with gradients that are numbers, rows or many more than there are entries

# %
import fixmelab.probe
from fixmelab.judged import wire
from fixmelab.judged.probe import Probe

turn = []


def gradient(self, **request):
    turn.append(1)
    shapes = [(), (1,), (1, 1), (8_000_000, 1, 1), (0, 3)]
    return {"value": [torch.ones(shapes[len(turn) % 5]) for _ in request["wrt"]]}


Probe._gradient = gradient

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


# %%
# exercise: grad_mu_sigma
def grad_mu_sigma(dl_dh, mu, sigma, eps):
    return mu, mu


print("reached")
