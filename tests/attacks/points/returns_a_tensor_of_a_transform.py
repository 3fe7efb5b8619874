# tries: return tensors that only live inside a transform of torch.func: batched, wrapped for gradients, functional

# %%
# exercise: gaussian_kl
escaped = []
torch.func.vmap(lambda tensor: escaped.append(tensor) or tensor)(torch.zeros(3, 4))
torch.func.grad(lambda tensor: escaped.append(tensor) or tensor.sum())(torch.zeros(4))
torch.func.functionalize(lambda tensor: escaped.append(tensor + 0) or tensor)(torch.zeros(4))


def gaussian_kl(mu, sigma):
    return escaped[len(mu) % len(escaped)]


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    held = []
    torch.func.vmap(lambda one, other: held.append(one + other) or one)(mu, sigma)
    return held[0]


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return torch.func.vmap(lambda noise: 2 * theta + noise)(eps)


print("reached" if len(escaped) == 3 else escaped)
