# tries: answer with whole numbers, truths, half precision and double, where single is wanted

# %
import fixmelab.probe
from fixmelab.judged import wire
from fixmelab.judged.probe import Probe

turn = []
kinds = [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64]
honest = Probe._call


def call(self, **request):
    turn.append(1)
    value = honest(self, **request)["value"]
    kind = kinds[len(turn) % len(kinds)]
    cast = [item.to(kind) for item in value] if isinstance(value, tuple) else value.to(kind)
    return {"value": cast, "changed": []}


Probe._call = call

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
