# tries: close the connection to the judge in the middle of a question
# only here: it is about this project's sockets, zygote or judge
# ends: error pathwise_gradient

# %%
# exercise: pathwise_gradient
import gc
import os
import socket


def pathwise_gradient(theta, eps):
    for item in gc.get_objects():
        if isinstance(item, socket.socket) and item.fileno() >= 0 and item is not get_ipython().line.connection:
            if item.family == socket.AF_UNIX:
                item.shutdown(socket.SHUT_RDWR)
    return 2 * theta + 2 * eps**2
