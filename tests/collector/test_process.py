"""The real server: draining, metrics over several workers, settings, changes of the sites file."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from landing.store import DirectoryStore
from tests.fixtures.collector import SECRET, SITES, CollectorProcess, Load, event, read_inbox, wait_until

Make = Callable[..., CollectorProcess]


def test_sigterm_under_load_ends_within_ten_seconds_with_everything_shipped(collector_process: Make) -> None:
    collector = collector_process(TIDEMILL_SEGMENT_MAX_SECONDS="3600").start()
    with Load(collector.port) as load:  # over connections that are kept alive and never pause
        wait_until(lambda: len(load.acknowledged) > 100)
        assert collector.terminate(timeout_s=10) == 0

    assert collector.spool() == []
    assert set(load.statuses) == {204}
    landed = {row["event_id"] for row in read_inbox(DirectoryStore(collector.home / "landing")).events}
    assert load.acknowledged <= landed
    assert "refused to gracefully stop" not in collector.log()


def test_a_request_half_sent_when_sigterm_comes_is_still_answered(collector_process: Make) -> None:
    collector = collector_process().start()
    body = json.dumps({"v": 1, "site": "shop", "events": [event()]}).encode()
    with socket.create_connection(("127.0.0.1", collector.port), timeout=60) as connection:
        head = f"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")  # now a worker is reading
        connection.sendall(body[:10])
        assert collector.process is not None
        collector.process.terminate()
        connection.sendall(body[10:])
        answer = connection.recv(4096).lower()
        assert answer.startswith(b"http/1.1 204")
        assert b"\r\nconnection: close\r\n" in answer
    assert collector.process.wait(60) == 0


def test_workers_that_are_told_to_stop_in_the_moment_they_are_ready_stop_in_good_order(
    collector_process: Make,
) -> None:
    collector = collector_process().start()

    assert collector.terminate() == 0

    assert [collector.log().count(each) for each in ("collector ready", "collector stopped")] == [2, 2]


def test_workers_stop_when_the_server_is_killed(collector_process: Make) -> None:
    collector = collector_process().start()
    workers = collector.workers()
    assert len(workers) == 2
    assert collector.process is not None
    collector.process.kill()
    collector.process.wait()
    wait_until(lambda: not any(_is_running(worker) for worker in workers))


def test_what_the_killed_left_is_shipped_before_the_shipping_process_ends(collector_process: Make) -> None:
    collector = collector_process(TIDEMILL_SEGMENT_MAX_SECONDS="3600").start()
    assert collector.send(event()) == 204
    shipping, workers = collector.shipping(), collector.workers()
    assert collector.process is not None
    collector.process.kill()
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    collector.process.wait()

    wait_until(lambda: not _is_running(shipping))
    assert collector.spool() == []
    assert len(read_inbox(DirectoryStore(collector.home / "landing")).events) == 1


def test_a_killed_shipping_process_is_replaced(collector_process: Make) -> None:
    collector = collector_process().start()
    os.kill(collector.shipping(), signal.SIGKILL)
    assert collector.send(event()) == 204
    wait_until(lambda: collector.spool() == [])
    assert "started again" in collector.log()


def test_signals_that_mean_the_server_do_not_end_its_shipping(collector_process: Make) -> None:
    collector = collector_process(TIDEMILL_SEGMENT_MAX_SECONDS="3600").start()
    assert collector.send(event()) == 204
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(collector.shipping(), number)
    assert collector.terminate() == 0
    assert collector.spool() == []
    assert "started again" not in collector.log()


def test_workers_do_without_arrow(collector_process: Make) -> None:
    collector = collector_process().start()
    assert collector.send(event()) == 204
    wait_until(lambda: collector.spool() == [])
    for worker in collector.workers():
        assert "libarrow" not in Path(f"/proc/{worker}/maps").read_text()
    assert "libarrow" in Path(f"/proc/{collector.shipping()}/maps").read_text()


def _is_running(pid: int) -> bool:
    """The process exists and is no zombie that nobody has collected."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_metrics_are_the_same_totals_whichever_worker_answers(collector_process: Make) -> None:
    collector = collector_process().start()
    for _ in range(20):
        assert collector.send(event(), {"n": ""}) == 204

    totals = (
        'tidemill_events_accepted_total{site="shop"} 20.0',
        'tidemill_events_rejected_total{reason="invalid_event",site="shop"} 20.0',
        'tidemill_requests_total{endpoint="/e",status="204"} 20.0',
        "tidemill_request_seconds_count 20.0",
        "tidemill_fsync_seconds_count 20.0",
    )
    wait_until(lambda: all(total in collector.request("GET", "/metrics")[2].decode() for total in totals))
    for _ in range(6):
        text = collector.request("GET", "/metrics")[2].decode()
        assert [total for total in totals if total not in text] == []
        assert "tidemill_spool_bytes" in text
        assert "tidemill_oldest_unshipped_seconds" in text


def test_counters_begin_anew_with_the_server(collector_process: Make) -> None:
    collector = collector_process().start()
    collector.send(event())
    collector.kill()
    collector.start()

    assert "tidemill_events_accepted_total" not in collector.request("GET", "/metrics")[2].decode()


def test_a_changed_sites_file_is_used_within_five_seconds_and_an_invalid_one_is_not(collector_process: Make) -> None:
    collector = collector_process().start()
    headers = {"Authorization": "Bearer fresh"}

    def is_known() -> bool:
        return collector.request("POST", "/s/new/v1/events", b'{"event_name":"x"}', headers)[0] == 200

    collector.sites.write_text(SITES + "  new: {name: New, secrets: [{name: dev, plain: fresh}]}\n")
    started_s = time.monotonic()
    wait_until(lambda: is_known() and is_known() and is_known() and is_known())
    assert time.monotonic() - started_s < 5

    collector.sites.write_text("version: 1\nsites: {}\n")
    wait_until(lambda: "sites" in collector.log() and is_known(), timeout_s=5)
    assert collector.send(event()) == 204


def test_a_wrong_setting_stops_the_start_with_one_line_naming_the_variable(tmp_path: Path) -> None:
    (tmp_path / "sites.yml").write_text(SITES)
    environment = os.environ | {"TIDEMILL_HOME": str(tmp_path), "TIDEMILL_SITES": str(tmp_path / "sites.yml")}
    wrong = environment | {"TIDEMILL_COLLECTOR_PORT": "70000"}
    result = subprocess.run([sys.executable, "-m", "collector"], env=wrong, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "TIDEMILL_COLLECTOR_PORT" in result.stderr

    missing = environment | {"TIDEMILL_SITES": str(tmp_path / "none.yml")}
    result = subprocess.run(
        [sys.executable, "-m", "collector"], env=missing, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("TIDEMILL_SITES")


def test_a_chunked_body_without_a_length_is_read(collector_process: Make) -> None:
    collector = collector_process().start()
    body = json.dumps({"events": [{"event_name": "chunked"}]}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=60)
    connection.request(
        "POST",
        "/s/shop/v1/events",
        iter([body[:7], body[7:]]),
        {"Authorization": f"Bearer {SECRET}"},
        encode_chunked=True,
    )
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"accepted": 1, "rejected": []})
    connection.close()


def test_headers_beyond_the_limit_are_answered_431_by_the_server(collector_process: Make) -> None:
    collector = collector_process().start()

    def status() -> int | None:
        try:
            return collector.request("POST", "/e", b"{}", {"X-Long": "x" * 70_000})[0]
        except ConnectionError:  # the server closes with our bytes unread, and the reset may overtake its answer
            return None

    wait_until(lambda: status() == 431)
    assert collector.send(event()) == 204


def test_a_connection_serves_many_requests(collector_process: Make) -> None:
    collector = collector_process().start()
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=60)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/e", json.dumps({"site": "shop", "events": [event()]}))
        assert connection.getresponse().read() == b""
    assert connection.sock is first
    connection.close()
