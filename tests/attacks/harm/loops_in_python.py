# tries: compute for ever in Python
# ends: timeout

# %%
# exercise: gaussian_kl
while True:
    pass


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
