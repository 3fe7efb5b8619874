# tries: wait for somebody to type
# ends: fail

# %%
# exercise: gaussian_kl
import getpass
import sys

for ask in (lambda: getpass.getpass("password: "), lambda: sys.stdin.read(1), lambda: __builtins__.input("y/n ")):
    try:
        print(repr(ask()))
    except Exception as error:
        print(type(error).__name__)
raise RuntimeError("reached")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
