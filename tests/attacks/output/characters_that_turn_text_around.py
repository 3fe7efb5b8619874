# tries: turn text around, hide it or make it look like another by marks of direction and width, in messages

# %%
# exercise: gaussian_kl
ODD = "\u202e\u2066\u2069\u200f\u061cssap\u202c \u200b\u200c\u200d\ufeff \U000e0041\U000e0042 \u2028\u2029\x85 p\u0430ss \u0e49" + "\u0335" * 200


def gaussian_kl(mu, sigma):
    raise AssertionError(ODD)


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    raise ValueError(ODD * 30)


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return type(ODD, (), {"shape": (2,), "__getitem__": lambda self, key: 6.0})()


print(ODD)
print("reached")
