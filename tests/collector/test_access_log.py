"""Import of access logs: which lines are page views, what becomes of them, and that nothing counts twice."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.access_log import LINE_BYTES_MAX, ImportReport, UnknownSite, import_file, is_asset, parse_line
from tests.collector.conftest import NOW, LocalCollector
from tests.fixtures.collector import read_inbox

LINE = (
    '83.149.9.216 - - [17/May/2015:10:05:03 +0200] "GET /a/?utm_source=x HTTP/1.1" 200 20 '
    '"http://other.example/" "Mozilla/5.0 (X11)"'
)


def do_import(local: LocalCollector, path: Path, *lines: str | bytes) -> ImportReport:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return import_file(path, "shop", local.settings, clock=lambda: NOW, store=local.store)


def test_a_line_becomes_a_page_view(local: LocalCollector, tmp_path: Path) -> None:
    report = do_import(local, tmp_path / "log", LINE)
    (row,) = read_inbox(local.store).events
    assert report == ImportReport(lines=1, page_views=1)
    assert row["page_url"] == "https://shop.example/a/?utm_source=x"
    assert (row["occurred_at"], row["received_at"]) == (datetime(2015, 5, 17, 8, 5, 3, tzinfo=UTC), NOW)
    assert (row["time_flag"], row["event_type"], row["protocol"]) == ("imported", "page_view", "access_log")
    assert (row["page_referrer"], row["user_agent"], row["ip"], row["http_status"]) == (
        "http://other.example/", "Mozilla/5.0 (X11)", "83.149.9.0", 200,
    )  # fmt: skip
    assert "83.149.9.216" not in json.dumps(row, default=str)


def test_reading_a_log_again_adds_nothing_and_equal_lines_all_count(local: LocalCollector, tmp_path: Path) -> None:
    for name in ("log", "copy"):
        do_import(local, tmp_path / name, LINE, LINE, LINE.replace("/a/", "/b/"))
    zipped = tmp_path / "log.gz"
    zipped.write_bytes(gzip.compress((tmp_path / "log").read_bytes()))
    assert import_file(zipped, "shop", local.settings, clock=lambda: NOW, store=local.store).page_views == 3

    rows = read_inbox(local.store).events
    assert (len(rows), len({row["event_id"] for row in rows})) == (9, 3)
    assert len({row["visitor_id"] for row in rows}) == 1


def test_a_visitor_is_counted_anew_at_each_local_date(local: LocalCollector, tmp_path: Path) -> None:
    times = ["17/May/2015:21:59:59", "17/May/2015:22:00:00", "18/May/2015:21:59:59"]
    do_import(local, tmp_path / "log", *[LINE.replace("17/May/2015:10:05:03 +0200", f"{each} +0000") for each in times])
    first, second, third = [row["visitor_id"] for row in read_inbox(local.store).events]
    assert first != second == third


@pytest.mark.parametrize(
    ("request_line", "status", "is_page_view"),
    [
        ("GET /a HTTP/1.1", 200, True),
        ("GET /a HTTP/1.1", 304, True),
        ("GET /a HTTP/1.1", 206, True),
        ("GET / HTTP/1.0", 200, True),
        ("GET /", 200, True),
        ("GET /a b HTTP/1.1", 200, True),
        ("GET http://host.example/a HTTP/1.1", 200, True),
        ("GET /page.html HTTP/1.1", 200, True),
        ("GET /page.php?file=a.png HTTP/1.1", 200, True),
        ("GET /release/v1.2 HTTP/1.1", 200, True),
        ("GET /a.png HTTP/1.1", 200, False),
        ("GET /A.PNG?x=1 HTTP/1.1", 200, False),
        ("GET /feed.rss HTTP/1.1", 200, False),
        ("GET /robots.txt HTTP/1.1", 200, False),
        ("GET /paper.pdf HTTP/1.1", 200, False),
        ("HEAD /a HTTP/1.1", 200, False),
        ("POST /a HTTP/1.1", 200, False),
        ("GET /a HTTP/1.1", 301, False),
        ("GET /a HTTP/1.1", 404, False),
        ("GET /a HTTP/1.1", 500, False),
    ],
)
def test_page_views_are_pages_asked_for_and_delivered(
    request_line: str,
    status: int,
    is_page_view: bool,  # noqa: FBT001
) -> None:
    entry = parse_line(LINE.replace("GET /a/?utm_source=x HTTP/1.1", request_line).replace(" 200 ", f" {status} "))
    assert entry is not None
    assert entry.is_page_view() == is_page_view


@pytest.mark.parametrize("path", ["/a.css", "/x/y.woff2", "/favicon.ico", "/a.tar.gz", "/sitemap.xml"])
def test_assets_are_known_by_their_ending(path: str) -> None:
    assert is_asset(path)
    assert is_asset(f"{path}?v=2")
    assert not is_asset(f"{path}/")


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        LINE.replace("May", "Mai"),
        LINE.replace("17/May", "32/May"),
        LINE.replace("+0200", "+9900"),
        LINE.replace('"GET /a/?utm_source=x HTTP/1.1"', '"-"'),
        LINE.replace(" 200 ", " two "),
        "x" * (LINE_BYTES_MAX + 10),
        LINE + "x" * LINE_BYTES_MAX,
        b"\xff\xfe\x00",
    ],
)
def test_a_bad_line_is_rejected_and_the_others_are_kept(
    local: LocalCollector, tmp_path: Path, line: str | bytes
) -> None:
    report = do_import(local, tmp_path / "log", LINE, line, "", LINE)
    landed = read_inbox(local.store)
    assert (report.lines, report.page_views, report.rejected) == (3, 2, 1)
    assert [row["reason"] for row in landed.rejects] == ["invalid_log_line"]
    assert len(landed.events) == 2


def test_escapes_of_the_server_are_undone_and_extra_fields_are_taken() -> None:
    logged = LINE.replace("Mozilla/5.0 (X11)", 'a\\"b\\\\c\\xc3\\xa9') + ' "-" 0.003'
    entry = parse_line(logged)
    assert entry is not None
    assert entry.user_agent == 'a"b\\cé'


def test_common_format_and_dashes_are_taken() -> None:
    entry = parse_line('::1 - frank smith [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 -')
    assert entry is not None
    assert (entry.size_bytes, entry.referrer, entry.user_agent, entry.address) == (None, None, None, "::1")


def test_an_unknown_site_is_named(local: LocalCollector, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LINE)
    with pytest.raises(UnknownSite, match="nobody"):
        import_file(tmp_path / "log", "nobody", local.settings, store=local.store)
