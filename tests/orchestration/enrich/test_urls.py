"""What an address says of page, campaign and click; what it does not say is null, never an error."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.enrich.urls import PAGE_COLUMNS, describe_page, pages, referrer_hosts


def described(url: str) -> dict[str, str]:
    return {name: value for name, value in zip(PAGE_COLUMNS, describe_page(url), strict=True) if value is not None}


SHOP = {"page_host": "shop.example", "page_path": "/"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/", SHOP),
        ("https://shop.example", SHOP),
        ("https://SHOP.Example.:8443/", SHOP),
        ("https://user:secret@shop.example/", SHOP),
        ("//shop.example/", SHOP),
        ("  https://shop.example/  ", SHOP),
        ("https://shop.example/A%20b/?x=1&y#top", SHOP | {"page_path": "/A%20b/", "page_query": "x=1&y"}),
        ("http://[2001:db8::1]:80/a", {"page_host": "2001:db8::1", "page_path": "/a"}),
        ("/from/a/log?x=1", {"page_path": "/from/a/log", "page_query": "x=1"}),
        ("app://com.example.app/screen", {"page_host": "com.example.app", "page_path": "/screen"}),
        ("", {}),
        ("shop.example/page", {}),
        ("about:blank", {}),
        ("data:text/html,hi", {}),
        ("file:///home/me/page.html", {}),
        ("http://[broken", {}),
        ("https://a\uff0fb/", {}),
        ("https://shop.example/a\0b", SHOP | {"page_path": "/ab"}),
    ],
)
def test_page_parts(url: str, expected: dict[str, str]) -> None:
    assert described(url) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "utm_source=nl&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top&utm_id=7",
            {
                "utm_source": "nl",
                "utm_medium": "email",
                "utm_campaign": "spring",
                "utm_term": "shoes",
                "utm_content": "top",
                "utm_id": "7",
            },
        ),
        ("utm_source=a&utm_source=b", {"utm_source": "a"}),
        ("utm_source=&utm_source=b", {"utm_source": "b"}),
        ("utm_source=%20New%20Letter+1%20", {"utm_source": "New Letter 1"}),
        ("utm_source=a&utm_keyword=k", {"utm_source": "a", "utm_term": "k"}),
        ("utm_source=a&utm_keyword=k&utm_term=t", {"utm_source": "a", "utm_term": "t"}),
        ("utm_campaign=only", {"utm_campaign": "only"}),
        ("UTM_SOURCE=a", {}),
        ("utm_source=a%00b", {"utm_source": "ab"}),
        ("utm_source=%ff", {"utm_source": "\ufffd"}),
        ("gclid=G1", {"click_id": "G1", "click_id_kind": "gclid"}),
        ("fbclid=F&gclid=G", {"click_id": "G", "click_id_kind": "gclid"}),
        ("msclkid=M&yclid=Y", {"click_id": "Y", "click_id_kind": "yclid"}),
        ("gclsrc=aw.ds", {"click_id": "aw.ds", "click_id_kind": "gclsrc"}),
        ("wbraid=W", {"click_id": "W", "click_id_kind": "wbraid"}),
        ("ttclid=T", {"click_id": "T", "click_id_kind": "ttclid"}),
        ("gclid=", {}),
    ],
)
def test_campaign_and_click(query: str, expected: dict[str, str]) -> None:
    assert described(f"https://shop.example/?{query}") == SHOP | {"page_query": query.replace("\0", "")} | expected


@pytest.mark.parametrize("fragment", ["utm_source=f&utm_medium=m", "/route?utm_source=f&utm_medium=m"])
def test_a_campaign_in_the_fragment_counts_when_the_query_has_none(fragment: str) -> None:
    assert described(f"https://shop.example/#{fragment}") == SHOP | {"utm_source": "f", "utm_medium": "m"}
    assert described(f"https://shop.example/?utm_source=q#{fragment}") == SHOP | {
        "page_query": "utm_source=q",
        "utm_source": "q",
    }


def test_columns_keep_rows_in_place_and_nulls_null() -> None:
    urls = pa.chunked_array([["https://a.example/x", None], ["https://a.example/x", "nonsense"]])

    found = pages(urls)

    assert list(found) == list(PAGE_COLUMNS)
    assert found["page_host"].to_pylist() == ["a.example", None, "a.example", None]
    assert referrer_hosts(urls).to_pylist() == ["a.example", None, "a.example", None]
    assert pages(pa.chunked_array([[None]], pa.string()))["page_path"].to_pylist() == [None]
    assert pages(pa.chunked_array([[]], pa.string()))["page_path"].to_pylist() == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.Google.com:443/search?q=x", "www.google.com"),
        ("android-app://com.google.android.gm/", "com.google.android.gm"),
        ("", None),
        ("not an address", None),
        ("http://[", None),
    ],
)
def test_referrer_host(url: str, host: str | None) -> None:
    assert referrer_hosts(pa.chunked_array([[url]])).to_pylist() == [host]


@given(st.text(max_size=80) | st.from_regex(r"https?://[^\s]{0,40}[?#]?[a-z_=&%0-9]{0,40}"))
def test_no_text_is_an_error_and_no_result_holds_nul(url: str) -> None:
    assert not any("\0" in value for value in described(url).values())
