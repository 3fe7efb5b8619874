# tries: let threads that outlive the cell print, change names and compute while later cells are examined

# %%
# exercise: gaussian_kl
import threading
import time

turns = []


def meddle():
    while True:
        turns.append(1)
        print("STOLEN"[:3] + "left-by-attack")
        get_ipython().user_ns["reparameterize"] = lambda *arguments: arguments[0]
        time.sleep(0.005)


for _ in range(3):
    threading.Thread(target=meddle, daemon=True).start()


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %%
# exercise: reparameterize
import time

time.sleep(0.2)


def reparameterize(mu, sigma, eps):
    return mu


print("\nreached" if turns else "no thread ran")
