# tries: end a cell in an object that never comes to its end when it is shown, in any of the ways of showing
# ends: timeout

# %%
import time


class Endless:
    def stay(self, *arguments, **options):
        while True:
            time.sleep(0.01)

    __repr__ = __str__ = _repr_html_ = _repr_png_ = _repr_mimebundle_ = _ipython_display_ = _repr_pretty_ = stay


# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


Endless()
