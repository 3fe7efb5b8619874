"""One output channel of a convolutional layer, as large as its input, without a library's convolution.

Images, kernels and their sides differ, even and odd. Mistakes flip the kernel, pad on the wrong sides, add the bias more
than once, keep or forget channels, or ask a library, which is seen in the operations behind the result.
"""

import torch
from torch.nn import functional

from autograder.assignments.foundations import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

MOST_OPERATIONS = 200  # that are looked at; that of a library lies among the last

# Channels, height and width of the image, then of the kernel. Square ones first: what fails later fails since it takes
# all for square. Then they differ in every usual way of going wrong.
SQUARE = ((3, 4, 4), (3, 3)), ((2, 5, 4), (3, 3)), ((2, 3, 6), (2, 2))
SIZES = *SQUARE, ((2, 5, 4), (2, 3)), ((3, 3, 6), (4, 1)), ((1, 4, 3), (1, 1)), ((2, 4, 5), (3, 4)), ((4, 2, 3), (5, 2))


@exercise("foundations.convolve")
def convolve(student: Remote, draw: Draw) -> None:
    for shape, sides, dtype in [(*sizes, torch.float32) for sizes in SIZES] + [(*SIZES[3], torch.float64)]:
        x, theta = draw.normal(*shape, dtype=dtype), draw.normal(shape[0], *sides, dtype=dtype)
        theta_0 = draw.positive(dtype=dtype)
        wanted = reference.convolve(x, theta, theta_0)
        expect(student(x, theta, theta_0)).close(wanted, otherwise=lambda: _kind(student, draw))
    weights = draw.normal(1, 4, 3)
    args = draw.normal(2, 4, 3), draw.normal(2, 2, 2), draw.positive()
    found = student.gradient(*args, wrt=[0, 1, 2], weights=[weights])
    common.expect_gradients(found, args, lambda *a: (weights * reference.convolve(*a)).sum(), "x theta theta_0")
    _expect_own_sum(student, draw)
    expect_any_device(student, *args, mistake="made_on_the_cpu")


def _kind(student: Remote, draw: Draw) -> str | None:
    """The broad mistake of an answer whose numbers are wrong: what is the simplest that it gets wrong?"""
    x, theta, theta_0 = draw.normal(2, 7, 8), draw.normal(2, 3, 3), draw.positive()
    if not common.is_close(student(0 * x, theta, theta_0), theta_0.expand(1, 7, 8)):
        return "bias_wrong"
    found, wanted = student(x, theta, theta_0), reference.convolve(x, theta, theta_0)
    if common.is_close(found, wanted):
        even = draw.normal(2, 2, 2)
        is_even = not common.is_close(student(x, even, theta_0), reference.convolve(x, even, theta_0))
        return "even_kernels_wrong" if is_even else None
    expect(found).shape(1, 7, 8)
    if common.is_close(found[:, 1:-1, 1:-1], wanted[:, 1:-1, 1:-1]):
        return "border_wrong"
    one = x[:1], theta[:1], theta_0
    if common.is_close(student(*one), reference.convolve(*one)):
        return "channels_wrong"
    row = x[:1, :1], theta[:1, :1], theta_0
    is_right = common.is_close(student(*row), reference.convolve(*row))
    return "rows_and_columns_wrong" if is_right else "single_row_wrong"


def _expect_own_sum(student: Remote, draw: Draw) -> None:
    """No operation behind the result is a library's convolution."""
    args = [student.make("leaf", item) for item in (draw.normal(1, 2, 1), draw.normal(1, 1, 2), draw.positive())]
    result = student.kept(*args)
    waiting, seen = [result.attribute("grad_fn")], 0
    while waiting and seen < MOST_OPERATIONS:
        operation, seen = waiting.pop(0), seen + 1
        if not isinstance(operation, Remote):
            continue
        is_library = "conv" in operation.kind.lower()
        expect(result).holds(not is_library, "This asks a library for the convolution.", "library_convolution")
        before = operation.attribute("next_functions")
        if isinstance(before, list):
            waiting += [pair[0] for pair in before if isinstance(pair, list) and pair]


def _summed(x, theta, theta_0, frame, mode="constant"):
    """The layer on an image with this frame, as large as it comes out."""
    padded = functional.pad(x[None], frame, mode=mode)[0]
    _, kernel_height, kernel_width = theta.shape
    windows = padded.unfold(1, kernel_height, 1).unfold(2, kernel_width, 1)
    return torch.einsum("cijkl,ckl->ij", windows, theta)[None] + theta_0


@mistake("A library computes the convolution; the sum over channels, rows and columns is to be written by yourself.")
def library_convolution(x, theta, theta_0):
    return reference.convolve(x, theta, theta_0)


@mistake("The kernel is flipped: in the equation, the weight (k, m) meets the pixel k rows further down, not up.")
def kernel_flipped(x, theta, theta_0):
    frame = reference.padding(*theta.shape[1:])
    return _summed(x, theta.flip(1, 2), theta_0, frame)


@mistake("The window is shifted for even kernels: the longer side of the frame belongs to the left and to the top.")
def longer_side_last(x, theta, theta_0):
    left, right, top, bottom = reference.padding(*theta.shape[1:])
    return _summed(x, theta, theta_0, (right, left, bottom, top))


@mistake("The image has no frame, so that the output is smaller than the image: pad it first.")
def without_a_frame(x, theta, theta_0):
    frame = reference.padding(*theta.shape[1:])
    largest = x if all(n >= k for n, k in zip(x.shape[1:], theta.shape[1:], strict=True)) else functional.pad(x, frame)
    return _summed(largest, theta, theta_0, (0, 0, 0, 0))


@mistake("It works for square images alone: rows run to N_h, columns to N_w.")
def for_square_images_only(x, theta, theta_0):
    y, found = x.new_zeros(1, *x.shape[:0:-1]), reference.convolve(x, theta, theta_0)
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            y[0, i, j] = found[0, i, j]
    return y


@for_square_images_only.also
def for_square_images_only_by_a_view(x, theta, theta_0):
    return reference.convolve(x, theta, theta_0).view(1, x.shape[1], x.shape[1])


@mistake("It fails unless the kernel is square: rows, of the kernel and of the frame, go with K_h, columns with K_w.")
def for_square_kernels_only(x, theta, theta_0):
    (height, width), padded = x.shape[1:], functional.pad(x, reference.padding(*theta.shape[1:]))
    y = theta_0.expand(1, height, width)
    for k in range(theta.shape[2]):
        for m in range(theta.shape[1]):
            y = y + (theta[:, k, m, None, None] * padded[:, k : k + height, m : m + width]).sum(dim=0, keepdim=True)
    return y


@for_square_kernels_only.also
def for_square_kernels_only_by_its_height(x, theta, theta_0):
    padded, side = functional.pad(x, reference.padding(*theta.shape[1:])), theta.shape[1]
    windows = padded.unfold(1, side, 1).unfold(2, side, 1)
    return (windows * theta[:, None, None]).sum(dim=(0, 3, 4))[None] + theta_0


@mistake("The bias is missing.")
def without_the_bias(x, theta, theta_0):
    return reference.convolve(x, theta, 0 * theta_0)


@mistake("The bias is added once for each channel; it belongs to the output and is added once.")
def bias_for_each_channel(x, theta, theta_0):
    return reference.convolve(x, theta, len(x) * theta_0)


@mistake("The bias is added with each weight of the kernel; it stands before the sums and is added once.")
def bias_with_each_weight(x, theta, theta_0):
    return reference.convolve(x, theta, theta[0].numel() * theta_0)


@bias_with_each_weight.also
def bias_with_each_weight_of_each_channel(x, theta, theta_0):
    return reference.convolve(x, theta, theta.numel() * theta_0)


@mistake("The channels stay apart; the sum runs over them too, and leaves one output channel.")
def channels_apart(x, theta, theta_0):
    return torch.cat([reference.convolve(x[c : c + 1], theta[c : c + 1], theta_0) for c in range(len(x))])


@mistake("The channels are averaged; the equation adds them up.")
def channels_averaged(x, theta, theta_0):
    return reference.convolve(x, theta / len(x), theta_0)


@mistake("Only the first channel counts: the sum runs over all channels, each with weights of its own.")
def first_channel_alone(x, theta, theta_0):
    return reference.convolve(x[:1], theta[:1], theta_0)


@mistake("The last channel is left out: range(C) runs from 0 to C − 1.")
def last_channel_left_out(x, theta, theta_0):
    kept = max(1, len(x) - 1)
    return reference.convolve(x[:kept], theta[:kept], theta_0)


@mistake("All channels share the weights of the first one; each has its own.")
def weights_of_the_first_channel(x, theta, theta_0):
    return reference.convolve(x, theta[:1].expand_as(theta), theta_0)


@mistake("The image goes on at its other side, as if it were rolled up; outside of it there are zeros.")
def rolled_up(x, theta, theta_0):
    y = torch.zeros_like(x[:1]) + theta_0
    _, kernel_height, kernel_width = theta.shape
    for k in range(kernel_height):
        for m in range(kernel_width):
            moved = x.roll((kernel_height // 2 - k, kernel_width // 2 - m), dims=(1, 2))
            y = y + (theta[:, k, m, None, None] * moved).sum(dim=0, keepdim=True)
    return y


@mistake("The pixels at the border are repeated outside of the image; there are zeros.")
def border_repeated(x, theta, theta_0):
    return _summed(x, theta, theta_0, reference.padding(*theta.shape[1:]), mode="replicate")


@mistake("The output lacks its channel: its shape is (1, N_h, N_w), not (N_h, N_w).")
def without_the_output_channel(x, theta, theta_0):
    return reference.convolve(x, theta, theta_0)[0]


@mistake("The last row or column of the kernel is left out: range(K) runs from 0 to K − 1.")
def last_weights_left_out(x, theta, theta_0):
    kept = theta.clone()
    kept[:, -1], kept[:, :, -1] = 0, 0
    return reference.convolve(x, kept, theta_0)


@mistake("The window is moved by one pixel: on the padded image, the output (i, j) reads from row i and column j on.")
def moved_by_one(x, theta, theta_0):
    return reference.convolve(functional.pad(x, (-1, 1, -1, 1)), theta, theta_0)


@mistake("Rows and columns of the output are exchanged.")
def output_transposed(x, theta, theta_0):
    return reference.convolve(x, theta, theta_0).transpose(1, 2)


@mistake("It works only for float32: make new tensors with the dtype of x, as x.new_zeros does.")
def for_float32_only(x, theta, theta_0):
    return _summed(x.float(), theta, theta_0, reference.padding(*theta.shape[1:]))


@mistake("The result is always float32: make new tensors with the dtype of x, as x.new_zeros does.")
def returns_float32(x, theta, theta_0):
    return _summed(x, theta, theta_0, reference.padding(*theta.shape[1:])).float()


@mistake("No gradient reaches one of the arguments: look for detach, no_grad, item, float or numpy.")
def detached(x, theta, theta_0):
    return _summed(x, theta, theta_0.item(), reference.padding(*theta.shape[1:]))


@mistake(SENTENCE)
def made_on_the_cpu(x, theta, theta_0):
    y = torch.zeros(x.shape[1:], dtype=x.dtype)
    for channel, kernel in zip(x, theta, strict=True):
        y = y + _summed(channel[None], kernel[None], theta_0 / len(x), reference.padding(*kernel.shape))[0]
    return y[None]


@mistake("On an image of zeros the output must be the bias: add it once to the sum, and to nothing else.", broad=True)
def bias_wrong(x, theta, theta_0):
    return reference.convolve(x, theta, 0 * theta_0) * theta_0


@mistake(
    "Away from the border the numbers are right, at the border they are wrong: there, too, is a window at each pixel, "
    "and pixels outside of the image count as 0.",
    broad=True,
)
def border_wrong(x, theta, theta_0):
    y = reference.convolve(x, theta, theta_0)
    _, kernel_height, kernel_width = theta.shape
    (top, left), (height, width) = (kernel_height // 2, kernel_width // 2), x.shape[1:]
    fits = torch.zeros_like(y, dtype=torch.bool)
    fits[:, top : max(top, height - kernel_height + 1 + top), left : max(left, width - kernel_width + 1 + left)] = True
    return torch.where(fits, y, theta_0)


@mistake(
    "With one channel the numbers are right, with several they are wrong: each channel meets its own weights, and the "
    "products are added up.",
    broad=True,
)
def channels_wrong(x, theta, theta_0):
    return reference.convolve(x.sum(dim=0, keepdim=True), theta.sum(dim=0, keepdim=True), theta_0)


@mistake(
    "For odd kernels the numbers are right, for even ones they are wrong: where does the window of the first pixel begin?",
    broad=True,
)
def even_kernels_wrong(x, theta, theta_0):
    is_even = any(size % 2 == 0 for size in theta.shape[1:])
    return reference.convolve(x, theta.flip(1, 2) if is_even else theta, theta_0)


@mistake(
    "In a single row of pixels it is right, in an image it is wrong: which index of the kernel goes with the row, and "
    "which with the column?",
    broad=True,
)
def rows_and_columns_wrong(x, theta, theta_0):
    turned = theta.transpose(1, 2).reshape(theta.shape)
    return reference.convolve(x, turned, theta_0)


@mistake("Even in a single row of pixels it is wrong: try a small case by hand, as the last hint does.", broad=True)
def single_row_wrong(x, theta, theta_0):
    return reference.convolve(2 * x, theta, theta_0)


@equivalent
def convolution_pixel_by_pixel(x, theta, theta_0):
    left, right, top, bottom = reference.padding(*theta.shape[1:])
    padded = functional.pad(x, (left, right, top, bottom))
    y = x.new_zeros(1, *x.shape[1:])
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            y[0, i, j] = theta_0 + (theta * padded[:, i : i + theta.shape[1], j : j + theta.shape[2]]).sum()
    return y


@equivalent
def convolution_by_windows(x, theta, theta_0):
    return _summed(x, theta, theta_0, reference.padding(*theta.shape[1:]))


@equivalent
def convolution_by_fourier(x, theta, theta_0):
    _, height, width = x.shape
    _, kernel_height, kernel_width = theta.shape
    size = height + kernel_height - 1, width + kernel_width - 1
    flipped = torch.fft.rfft2(theta.flip(1, 2).double(), s=size)
    full = torch.fft.irfft2((torch.fft.rfft2(x.double(), s=size) * flipped).sum(dim=0), s=size)
    _, right, _, bottom = reference.padding(kernel_height, kernel_width)
    return (full[bottom : bottom + height, right : right + width] + theta_0).to(x.dtype)[None]


@equivalent
def convolution_as_a_matrix_product(x, theta, theta_0):
    padded = functional.pad(x, reference.padding(*theta.shape[1:]))
    columns = functional.unfold(padded[None], theta.shape[1:])[0]
    return (theta.reshape(1, -1) @ columns + theta_0).view(1, *x.shape[1:])


@equivalent
def convolution_without_a_frame(x, theta, theta_0):
    (_, height, width), (_, kernel_height, kernel_width) = x.shape, theta.shape
    rows = []
    for i in range(height):
        row = []
        for j in range(width):
            total = theta_0
            for k in range(kernel_height):
                for m in range(kernel_width):
                    down, across = i + k - kernel_height // 2, j + m - kernel_width // 2
                    if 0 <= down < height and 0 <= across < width:
                        total = total + x[:, down, across] @ theta[:, k, m]
            row.append(total)
        rows.append(torch.stack(row))
    return torch.stack(rows)[None]


HARMLESS = {
    "theta_0.expand(height, width) → theta_0": "Broadcasting does the same.",
    "for … in range(kernel_height) → list(range(kernel_height))[::-1]": "The order of the summands is free.",
    "for … in range(kernel_width) → list(range(kernel_width))[::-1]": "The order of the summands is free.",
    "y[None], its rows in reverse": "There is one row, the channel that comes out.",
    "y[None], its first row for all": "There is one row, the channel that comes out.",
    "y[None], the mean of its rows for all": "There is one row, the channel that comes out.",
}
