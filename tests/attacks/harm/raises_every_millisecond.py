# tries: have a timer raise an exception a thousand times a second, in whatever runs then: cells, kernel or probe

# %%
# exercise: gaussian_kl
import signal

rung = []


class Rung(BaseException):
    pass


def ring(number, frame):
    rung.append(number)
    raise Rung("left-by-attack")


signal.signal(signal.SIGALRM, ring)
signal.signal(signal.SIGVTALRM, ring)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


print("reached")
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.001)
signal.setitimer(signal.ITIMER_VIRTUAL, 0.01, 0.001)
