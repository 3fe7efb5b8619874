# tries: bring other files into the report as PNG: HTML, SVG, PHP, a PNG with a script behind it, and none at all

# %%
# exercise: gaussian_kl
import base64
import struct
import zlib

from IPython.display import display


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, data=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


BAD = [
    b"<script>alert('left-by-attack')</script>",
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"\x89PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n" + bytes(100),
    png(0, 0),
    png(1, 1, zlib.compress(b"\0\0\0\0")) + b"<script>alert('left-by-attack')</script>",
]
for data in BAD:
    display({"image/png": base64.b64encode(data).decode(), "text/plain": "x"}, raw=True)
for text in ('"><script>alert("left-by-attack")</script>', "javascript:alert(1)", "data:text/html,x", "é" * 10, "", "A", "A===\n\n" * 50):
    display({"image/png": text, "text/plain": "x"}, raw=True)
    display({"image/jpeg": text, "image/gif": text, "image/svg+xml": text, "text/plain": "x"}, raw=True)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
