# tries: catch the error of a memory bomb, and go on as if nothing had been, with a wrong answer
# only here: its size is that of this project's limits

# %%
# exercise: gaussian_kl
held, caught = [], None
try:
    while len(held) < 1500:
        held.append(bytearray(2**20))
except BaseException as error:
    caught = type(error)
count = len(held)
held.clear()
print("caught", caught)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("STOLEN more memory than there is" if count > 900 else "reached")
