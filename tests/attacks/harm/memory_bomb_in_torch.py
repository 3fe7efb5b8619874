# tries: fill the machine's memory with tensors, in the function that the judge calls
# only here: its size is that of this project's limits
# ends: oom pathwise_gradient

# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    held = [torch.ones(2**22) for _ in range(100)]
    return 2 * theta + 2 * eps**2 + 0 * len(held)
