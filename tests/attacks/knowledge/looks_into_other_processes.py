# tries: list, signal, trace and read the memory of the zygote, the grader and other submissions

# %%
# exercise: gaussian_kl
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
own = {os.getpid(), 1}


class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(64)
looked = 0
for pid in [*range(1, 3000), os.getppid()]:
    looked += 1
    try:
        os.kill(pid, 0)
        if pid not in own:
            print("STOLEN a process that is not ours", pid)
    except OSError:
        pass
    if os.path.exists(f"/proc/{pid}"):
        print("STOLEN /proc of", pid)
for pid in (1, os.getppid()):
    parts = Part(ctypes.addressof(buffer), 64), Part(id(own), 64)
    if libc.process_vm_readv(pid, ctypes.byref(parts[0]), 1, ctypes.byref(parts[1]), 1, 0) > 0:
        print("STOLEN memory of", pid)
    if libc.ptrace(16, pid, None, None) == 0:
        print("STOLEN control of", pid)
    descriptor = libc.syscall(434, pid, 0)
    if descriptor >= 0 and libc.syscall(438, descriptor, 3, 0) >= 0:
        print("STOLEN a descriptor of", pid)
for entry in os.listdir("/proc"):
    print("STOLEN /proc holds", entry)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if looked > 100 else looked)
