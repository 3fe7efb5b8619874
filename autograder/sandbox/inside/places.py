"""What is where inside the sandbox, and who one is there."""

HOME = "/home/student"
WORK = f"{HOME}/work"
JUDGE = "/judge"
# What the sandbox holds for the zygote alone: the sockets of all sessions, and this package.
SHARED = "/run/fixmelab"
USER = 1000
