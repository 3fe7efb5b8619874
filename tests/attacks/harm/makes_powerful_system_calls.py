# tries: make namespaces, mounts, traces, programs for the kernel, and other calls that no notebook needs
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import ctypes
import platform

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "x86_64": {
        "unshare": (272, 0x10000000), "unshare mounts": (272, 0x20000), "unshare net": (272, 0x40000000),
        "setns": (308, 0, 0), "mount": (165, b"none", b"/tmp", b"tmpfs", 0, None), "umount2": (166, b"/proc", 2),
        "pivot_root": (155, b"/tmp", b"/tmp"), "chroot": (161, b"/tmp"), "ptrace": (101, 0, 0, 0, 0),
        "bpf": (321, 0, ctypes.create_string_buffer(128), 128), "io_uring_setup": (425, 4, ctypes.create_string_buffer(256)),
        "userfaultfd": (323, 0), "perf_event_open": (298, ctypes.create_string_buffer(b"\0\0\0\0\x80" + bytes(200)), 0, -1, -1, 0),
        "keyctl": (250, 0, -1, 1), "add_key": (248, b"user", b"x", b"y", 1, -4), "kexec_load": (246, 0, 0, None, 0),
        "init_module": (175, None, 0, b""), "reboot": (169, 0xFEE1DEAD, 672274793, 0), "swapon": (167, b"/tmp/x", 0),
        "sethostname": (170, b"left-by-attack", 14), "settimeofday": (164, None, None), "acct": (163, None),
        "iopl": (172, 3), "ioperm": (173, 0, 1, 1), "syslog": (103, 8, None, 1), "personality": (135, 0x0040000),
        "fsopen": (430, b"tmpfs", 0), "open_tree": (428, -100, b"/", 1), "pidfd_open": (434, 1, 0), "kcmp": (312, 1, 1, 0, 0, 0),
        "fanotify_init": (300, 0, 0), "quotactl": (179, 0, None, 0, None), "memfd_secret": (447, 0),
        "process_vm_writev": (311, 1, None, 0, None, 0, 0), "clone3": (435, ctypes.create_string_buffer(b"\0\0\0\x10" + bytes(84)), 88),
        "modify_ldt": (154, 0, None, 0), "clock_settime": (227, 0, ctypes.create_string_buffer(16)), "open_by_handle_at": (304, 3, None, 0),
        "x32 write": (0x40000001, 1, b"x", 1), "mq_open": (240, b"left-by-attack", 0o102, 0o600, None), "shmget": (29, 0x0A77AC4, 4096, 0o1600),
    },
    "aarch64": {
        "unshare": (97, 0x10000000), "setns": (268, 0, 0), "mount": (40, b"none", b"/tmp", b"tmpfs", 0, None),
        "ptrace": (117, 0, 0, 0, 0), "bpf": (280, 0, ctypes.create_string_buffer(128), 128),
        "io_uring_setup": (425, 4, ctypes.create_string_buffer(256)), "userfaultfd": (282, 0), "keyctl": (219, 0, -1, 1),
        "perf_event_open": (241, ctypes.create_string_buffer(bytes(200)), 0, -1, -1, 0), "reboot": (142, 0xFEE1DEAD, 672274793, 0),
    },
}  # fmt: skip
refused = []
for name, (number, *arguments) in CALLS[platform.machine()].items():
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(item) if isinstance(item, int) else item for item in arguments))
    if result >= 0:
        print("STOLEN", name, result)
    else:
        refused.append((name, ctypes.get_errno()))
for kind, flags in (("clone", 0x10000011), ("clone", 0x40000011)):
    if libc.syscall(ctypes.c_long(56 if platform.machine() == "x86_64" else 220), ctypes.c_long(flags), 0, 0, 0, 0) >= 0:
        print("STOLEN", kind, flags)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print(refused)
print("reached" if len(refused) > 5 else refused)
