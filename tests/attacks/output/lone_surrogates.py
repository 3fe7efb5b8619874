# tries: bring text that no file can hold into outputs, names, keys and messages

# %%
# exercise: gaussian_kl
import sys

from IPython.display import display

LONE = "\ud800 left-by-attack \udfff"
for show in (
    lambda: print(LONE),
    lambda: print(LONE, file=sys.stderr),
    lambda: display({"text/plain": LONE}, raw=True),
    lambda: display({LONE: "x", "text/plain": "x"}, raw=True, metadata={LONE: LONE}),
    lambda: display({"application/json": {LONE: [LONE]}}, raw=True),
):
    try:
        show()
    except Exception as error:
        print(type(error).__name__)


def gaussian_kl(mu, sigma):
    raise AssertionError(LONE)


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    raise type("E", (Exception,), {"__str__": lambda self: LONE})


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return LONE if len(eps) > 2 else 2 * theta + 2 * eps**2


print("reached")
