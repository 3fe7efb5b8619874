"""The frame of zeros around an image, for kernels of any height and width.

All kernels up to 7×7 are asked for. Mistakes exchange height and width, the two sides of an axis or the order of the
four numbers, pad both sides of an even kernel alike, or count a column that lies outside as a negative number of them.
"""

import math

from autograder.assignments.foundations import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

KERNELS = [(height, width) for height in range(1, 8) for width in range(1, 8)]
SIDES = "left", "right", "top", "bottom"


@exercise("foundations.padding")
def padding(student: Remote, draw: Draw) -> None:
    # All are asked for before any is judged: what kind of mistake it is, many kernels tell together.
    wrong = set()
    for (height, width), frame in [(kernel, student(*kernel)) for kernel in KERNELS]:
        found = expect(frame, "the frame").items(4)
        sides = [common.whole_number(side) for side in found]
        expect(found).holds(None not in sides, "The frame holds something else than whole numbers: use // to halve.")
        pairs = enumerate(zip(sides, reference.padding(height, width), strict=True))
        wrong |= {(side, (width, width, height, height)[side] % 2) for side, (one, other) in pairs if one != other}
    expect(wrong).holds(not wrong, _where(wrong))


def _where(wrong: set[tuple[int, int]]) -> str:
    """A sentence on the sides that are wrong, and for which kernels: pairs of a side and 1 for an odd one."""
    sides = ", ".join(name for side, name in enumerate(SIDES) if side in {side for side, _ in wrong})
    odd = {is_odd for _, is_odd in wrong}
    kernels = f" if the kernel's side is {'odd' if odd == {1} else 'even'}" if len(odd) == 1 else ""
    read = "which columns and rows do the windows of the first and the last pixel read?"
    return f"The frame is wrong ({sides}){kernels}: {read}"


@mistake(
    "Height and width of the kernel are exchanged, and a side of the frame is negative: columns belong to the width, "
    "and a frame is never thinner than nothing."
)
def exchanged_and_negative(kernel_height, kernel_width):
    left, top = kernel_height // 2, kernel_width // 2
    return left, left - (kernel_height - 1), top, top - (kernel_width - 1)


@exchanged_and_negative.also
def exchanged_and_negative_on_the_right_alone(kernel_height, kernel_width):
    left, top = kernel_height // 2, kernel_width // 2
    return left, left + 1 - kernel_height, top, kernel_width - 1 - top


@exchanged_and_negative.also
def exchanged_and_negative_on_the_left(kernel_height, kernel_width):
    left, top = kernel_height // 2, kernel_width // 2
    return -left, kernel_height - 1 - left, -top, kernel_width - 1 - top


@mistake(
    "A side of the frame is negative: how far the window reaches beyond the image is a number of columns or rows, "
    "whichever way it reaches."
)
def negative_sides(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return left, -right, top, -bottom


@negative_sides.also
def negative_left_and_top(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return -left, right, -top, bottom


@negative_sides.also
def negative_right_alone(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return left, -right, top, bottom


@mistake(
    "Height and width are exchanged: left and right come first and follow from the kernel's width, then come top and "
    "bottom, from its height."
)
def height_and_width_exchanged(kernel_height, kernel_width):
    return reference.padding(kernel_width, kernel_height)


@mistake(
    "An even kernel gets its longer side of the frame on the wrong side: where does the window begin for the first "
    "pixel, and where does it end for the last?"
)
def longer_side_last(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return right, left, bottom, top


@mistake("The two sides of the rows are exchanged, or those of the columns: look at both axes in the same way.")
def one_axis_mirrored(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return left, right, bottom, top


@one_axis_mirrored.also
def other_axis_mirrored(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return right, left, top, bottom


@mistake("The order must be (left, right, top, bottom), as F.pad takes it; yours is another one.")
def another_order(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return left, top, right, bottom


@another_order.also
def clockwise(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return left, top, bottom, right


@mistake("Both sides get half of the kernel: with an even kernel the output is one pixel too large.")
def half_on_both_sides(kernel_height, kernel_width):
    return kernel_width // 2, kernel_width // 2, kernel_height // 2, kernel_height // 2


@mistake("Both sides get half of K − 1, rounded down: with an even kernel the output is one pixel too small.")
def half_of_the_rest_on_both_sides(kernel_height, kernel_width):
    across, down = (kernel_width - 1) // 2, (kernel_height - 1) // 2
    return across, across, down, down


@mistake("The frame is too wide by one on the right and at the bottom: the window covers the pixel itself, too.")
def without_the_pixel_itself(kernel_height, kernel_width):
    left, right, top, bottom = reference.padding(kernel_height, kernel_width)
    return left, right + 1, top, bottom + 1


@mistake(
    "Half of an odd side is rounded up, at least for some kernels: ⌊K/2⌋ is K // 2, and round() is something else."
)
def rounded(kernel_height, kernel_width):
    left, top = round(kernel_width / 2), round(kernel_height / 2)
    return left, kernel_width - 1 - left, top, kernel_height - 1 - top


@rounded.also
def rounded_up(kernel_height, kernel_width):
    left, top = (kernel_width + 1) // 2, (kernel_height + 1) // 2
    return left, kernel_width - 1 - left, top, kernel_height - 1 - top


@rounded.also
def rounded_up_on_the_left_alone(kernel_height, kernel_width):
    _, right, _, bottom = reference.padding(kernel_height, kernel_width)
    return (kernel_width + 1) // 2, right, (kernel_height + 1) // 2, bottom


@mistake("The right and the lower side are ⌊K/2⌋ − 1 for all kernels: that is right for even ones alone.")
def every_kernel_taken_for_even(kernel_height, kernel_width):
    left, top = kernel_width // 2, kernel_height // 2
    return left, left - 1, top, top - 1


@every_kernel_taken_for_even.also
def every_kernel_taken_for_even_but_never_negative(kernel_height, kernel_width):
    left, top = kernel_width // 2, kernel_height // 2
    return left, max(left - 1, 0), top, max(top - 1, 0)


@mistake("The whole of K − 1 is added on both sides; together the two sides need no more than that.")
def full_on_both_sides(kernel_height, kernel_width):
    return kernel_width - 1, kernel_width - 1, kernel_height - 1, kernel_height - 1


@mistake("All of the frame lies on one side: the window reaches beyond the image on both sides.")
def all_on_one_side(kernel_height, kernel_width):
    return kernel_width - 1, 0, kernel_height - 1, 0


@all_on_one_side.also
def all_on_the_other_side(kernel_height, kernel_width):
    return 0, kernel_width - 1, 0, kernel_height - 1


@mistake("Only square kernels are thought of: height and width may differ, and both count.")
def square_by_height(kernel_height, kernel_width):
    return reference.padding(kernel_height, kernel_height)


@square_by_height.also
def square_by_width(kernel_height, kernel_width):
    return reference.padding(kernel_width, kernel_width)


@mistake("These are fractions; a frame is a whole number of columns and rows: round down with //.")
def halves(kernel_height, kernel_width):
    left, top = kernel_width / 2, kernel_height / 2
    return left, kernel_width - 1 - left, top, kernel_height - 1 - top


@halves.also
def floats(kernel_height, kernel_width):
    return tuple(float(side) for side in reference.padding(kernel_height, kernel_width))


@mistake("There is one number for each axis; the two sides of an axis may differ, so return four numbers.")
def one_for_each_axis(kernel_height, kernel_width):
    return kernel_width // 2, kernel_height // 2


@equivalent
def padding_by_the_other_half(kernel_height, kernel_width):
    right, bottom = (kernel_width - 1) // 2, (kernel_height - 1) // 2
    return [kernel_width - 1 - right, right, kernel_height - 1 - bottom, bottom]


@equivalent
def padding_by_rounding_up(kernel_height, kernel_width):
    return (
        math.floor(kernel_width / 2),
        math.ceil(kernel_width / 2) - 1,
        math.floor(kernel_height / 2),
        math.ceil(kernel_height / 2) - 1,
    )


@equivalent
def padding_by_growing(kernel_height, kernel_width):
    sides = []
    for size in (kernel_width, kernel_height):
        before = after = 0
        for _ in range(size - 1):
            before, after = (before + 1, after) if before == after else (before, after + 1)
        sides += [before, after]
    return sides


@equivalent
def padding_by_counting_what_lies_outside(kernel_height, kernel_width):
    sides = []
    for size in (kernel_width, kernel_height):
        reached = range(-(size // 2), size - size // 2)
        sides += [sum(place < 0 for place in reached), sum(place > 0 for place in reached)]
    return tuple(sides)


HARMLESS = {
    "padding without gradients": "It gives whole numbers, which have no gradient.",
}
