# tries: wait for ever without using the processor
# ends: timeout pathwise_gradient

# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    import time

    time.sleep(1e6 if len(eps) > 2 else 0)
    return 2 * theta + 2 * eps**2
