"""Options of a video as people write them."""

import pytest

from adain import AdaINError
from adain.video.options import check_changing, parse_style_at


def test_styles_at_times():
    assert parse_style_at(["12.5=a=b.jpg", "1:02:03.5=c"], "x") == {12.5: "a=b.jpg", 3723.5: "c"}
    assert parse_style_at(["3=a", "1:00"], "x", alone=True) == {3: "a", 60: ""}
    assert parse_style_at([], "x") == {}


@pytest.mark.parametrize(
    ("texts", "alone", "said"),
    [
        (["3"], False, "x: found '3'; allowed: a time and a style"),
        (["3="], True, "x: found '3='; allowed: a time and a style"),
        (["soon=a"], False, "x: found 'soon'; allowed: seconds"),
        ([""], True, "x: found ''; allowed: seconds"),
        (["60=a", "1:00"], True, "x: found two styles at 60 s; allowed: one for each time"),
    ],
)
def test_what_is_no_style_at_a_time(texts, alone, said):
    with pytest.raises(AdaINError) as caught:
        parse_style_at(texts, "x", alone=alone)
    assert str(caught.value).startswith(said)


def test_what_styles_at_times_go_with():
    check_changing(masked=False, colours="luminance")
    for masked, colours, found in ((True, "style", "masks"), (False, "matched", "colours 'match")):
        with pytest.raises(AdaINError, match=f"style_at: found styles at times beside {found}"):
            check_changing(masked=masked, colours=colours)
