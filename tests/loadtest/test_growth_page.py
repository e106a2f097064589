"""GROWTH.md: what its tables and pictures say of what was measured."""

from loadtest.figure import Bar, Figure
from loadtest.growth.curve import Curve, Point, say
from loadtest.growth.write import make_plot, write_growth

LINEAR = Curve(
    "images",
    "A review, as its Pod has more images",
    "images of the Pod",
    "CPU µs a review",
    "image",
    [Point(1, "1", [60, 50, 70]), Point(200, "200 (61 KB)", [600, 2000, 700])],
    "All differ.",
    (Point(200, "cold", [900]),),
)


def test_a_table_has_the_median_the_range_and_the_cost_of_each() -> None:
    head, *rows = LINEAR.write_rows()
    assert head == ("images of the Pod", "CPU µs a review", "range", "of each image")
    assert rows == [
        ("1", "60.0", "50.0 - 70.0", "60.0"),
        ("200 (61 KB)", "700", "600 - 2,000", "3.50"),
        ("cold", "900", "900 - 900", "-"),
    ]


def test_what_must_cost_nothing_has_no_cost_of_each() -> None:
    curve = Curve("worlds", "t", "images of the world", "CPU µs a review", "", [Point(10, "10", [5])])
    assert curve.write_rows() == [("images of the world", "CPU µs a review", "range"), ("10", "5.00", "5.00 - 5.00")]


def test_a_cost_is_said_with_three_figures() -> None:
    assert [say(value) for value in (1.234, 12.34, 123.4, 12_345)] == ["1.23", "12.3", "123", "12,345"]


def test_a_picture_shows_the_curve_its_range_and_the_other_rows_as_levels() -> None:
    plot = make_plot(LINEAR)
    curve, cold = plot.lines
    assert (curve.x, curve.y, curve.low, curve.high) == ([1, 200], [60, 700], [50, 600], [70, 2000])
    assert (cold.legend, cold.y) == ("cold", [900, 900])
    assert plot.is_log
    assert not plot.is_steep


def test_what_grows_more_than_twentyfold_is_drawn_by_powers() -> None:
    points = [Point(1, "1", [40]), Point(162, "162", [5000])]
    assert make_plot(Curve("changes", "t", "ConfigMaps", "CPU ms", "ConfigMap", points)).is_steep


def test_the_page_has_the_bars_first_and_then_a_section_a_curve() -> None:
    figure = Figure("100,000 images ÷ 10", 1.25, 1.2, 1.3, "", Bar(1.1))
    page = write_growth([LINEAR], [figure], "2026-01-02", "a machine")
    assert "By `make load-growth` on 2026-01-02: a machine." in page
    assert page.index("1.250 (missed)") < page.index("## A review, as its Pod has more images")
    assert "(plots/growth-images.svg)" in page
