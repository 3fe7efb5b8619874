# tries: fill the machine's memory with Python objects
# only here: its size is that of this project's limits
# ends: oom

# %%
# exercise: gaussian_kl
held = [bytearray(2**20) for _ in range(1500)]


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
