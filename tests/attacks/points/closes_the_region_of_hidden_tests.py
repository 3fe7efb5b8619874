# tries: end in markers that make the test cell below part of an answer, or the answer part of a test

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


### END SOLUTION
### BEGIN HIDDEN TESTS
print("reached")
### END HIDDEN TESTS

# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


### BEGIN HIDDEN TESTS
print("reached")
