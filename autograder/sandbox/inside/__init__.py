"""What runs inside the sandbox: the zygote, its supervisor, the walls around a kernel, and the kernel itself.

This package is shown to the sandbox by itself, so it imports the students' package and nothing of the instructors'.
"""
