# tries: install an audit hook, which nobody can take out again, that refuses to open, connect, import, compile and run

# %%
# exercise: gaussian_kl
import sys

refused = []


def refuse(event, arguments):
    if event in ("open", "socket.connect", "import", "compile", "exec", "subprocess.Popen", "os.fork", "object.__getattr__"):
        refused.append(event)
        if len(refused) > 3:
            raise PermissionError(f"left-by-attack refuses {event}")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
sys.addaudithook(refuse)
