# tries: clear the screen, set the title, write to the clipboard and hide lines by escapes in messages

# %%
# exercise: gaussian_kl
ESCAPES = (
    "\x1b[2J\x1b[H\x1b[31mleft-by-attack\x1b[0m \x1b]0;left-by-attack\x07 \x1b]52;c;bGVmdA==\x07 "
    "\x1b]8;;http://192.0.2.1\x1b\\link\x1b]8;;\x1b\\ \x1bP+q544e\x1b\\ \x9b31m \x9d0;x\x9c \x1b[8mhidden\x1b[0m "
    "\x1b[1A\x1b[2K \r all right \x08\x08\x08 \x07 \x00 \x7f \x0e \x1b(0 \x1bc \x1b[6n \x1b[?1049h"
)


def gaussian_kl(mu, sigma):
    raise AssertionError(ESCAPES)


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    raise type("E\x1b[2J", (Exception,), {})(ESCAPES + "\n" * 50 + ESCAPES)


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    print(ESCAPES)
    if len(eps) > 2:
        raise ValueError("\x1b[2J" + ESCAPES)
    return 2 * theta + 2 * eps**2


print(ESCAPES)
print("\nreached")
