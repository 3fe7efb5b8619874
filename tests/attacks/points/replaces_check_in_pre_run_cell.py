# tries: put another check in the place of the real one, anew before every cell
# only here: it is about this project's probe

# %%
checked = []


def prepare(info):
    import fixmelab.probe

    fixmelab.probe.check = lambda exercise, answer: checked.append(exercise)
    get_ipython().user_ns["check"] = fixmelab.probe.check


get_ipython().events.register("pre_run_cell", prepare)

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return -torch.log(sigma).sum(dim=1) + 0.5 * (sigma**2 + mu**2 - 1).sum(dim=1) + 1e-6


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


print("reached" if checked == ["vae.gaussian_kl"] else checked)
