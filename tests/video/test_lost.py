"""What flow cannot follow, as boxes: all of it lies in them, and they are few."""

import numpy as np
import pytest

from adain.video.lost import lost_parts


def holes(*boxes, height=360, width=640):
    weight = np.ones((height, width), np.float32)
    for top, left, bottom, right in boxes:
        weight[top:bottom, left:right] = 0
    return weight


@pytest.mark.parametrize("size", [(360, 640), (353, 631)])
@pytest.mark.parametrize(
    "boxes",
    [
        [(100, 200, 180, 220)],
        [(0, 0, 360, 4), (350, 0, 360, 640)],
        [(0, 0, 6, 640), (354, 0, 360, 640), (0, 0, 360, 6), (0, 634, 360, 640)],
        [(20, 30, 60, 50), (200, 500, 260, 600), (0, 600, 90, 640)],
    ],
)
def test_all_that_is_lost_lies_in_boxes(boxes, size):
    weight = holes(*boxes, height=size[0], width=size[1])
    parts = lost_parts(weight)
    inside, area = np.zeros(weight.shape, bool), 0
    for box, outer in parts:
        inside[box.slices] = True
        assert box.top % 16 == box.left % 16 == outer.top % 16 == outer.left % 16 == 0
        within = box.within(outer)
        assert within.top >= 0 and within.left >= 0
        assert within.bottom <= outer.height and within.right <= outer.width
        assert outer.bottom <= size[0] and outer.right <= size[1]
        area += outer.width * outer.height
    assert ((weight == 0) & ~inside).mean() < 0.004
    assert area < 0.4 * weight.size


def test_what_comes_before_the_networks_has_a_margin_of_its_own():
    weight = holes((100, 200, 180, 220))
    ((box, outer),), ((same, wider),) = lost_parts(weight), lost_parts(weight, 32)
    assert box == same
    assert (box.top - outer.top, box.top - wider.top) == (16, 48)
    assert (outer.right - box.right, wider.right - box.right) == (16, 48)


def test_nothing_little_and_most():
    assert lost_parts(holes()) == []
    assert lost_parts(holes((100, 100, 102, 102))) == []
    assert lost_parts(holes((40, 40, 340, 600))) is None
    assert lost_parts(np.zeros((5, 7), np.float32)) is None
