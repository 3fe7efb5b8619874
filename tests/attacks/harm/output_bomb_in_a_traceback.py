# tries: raise an exception with a huge text, a huge name, notes and a chain of thousands of causes
# ends: fail

# %%
# exercise: gaussian_kl
error = None
for number in range(300):
    cause, error = error, type("E" * 10_000, (Exception,), {})("left-by-attack " * 2000)
    error.__cause__ = cause
    error.__notes__ = ["note " * 1000]
raise error


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
