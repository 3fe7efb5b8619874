# tries: change an argument through NumPy and through data, where its version stays as it is
# ends: fail reparameterize

# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    right = mu + sigma * eps
    with torch.no_grad():
        eps.numpy()[...] = 0.0
        mu.data.zero_()
    return right
