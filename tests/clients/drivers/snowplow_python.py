"""Snowplow's library for Python."""

import sys
import threading

from snowplow_tracker import Emitter, PageView, StructuredEvent, Subject, Tracker

port, count = sys.argv[1], int(sys.argv[2])
delivered = threading.Semaphore(0)


def on_success(events: list[object]) -> None:
    for _ in events:
        delivered.release()


emitter = Emitter(
    f"127.0.0.1:{port}", protocol="http", method="post", batch_size=3, on_success=on_success, max_retry_delay_seconds=1
)
tracker = Tracker("test", emitter, app_id="shop-web", subject=Subject().set_domain_user_id("visitor-1"))
tracker.track(PageView(page_url="https://shop.example/start", page_title="Start"))
for number in range(count):
    tracker.track(StructuredEvent(category="steps", action=f"step-{number}", value=number))
tracker.flush()
sys.exit(0 if all(delivered.acquire(timeout=60) for _ in range(count + 1)) else 1)
