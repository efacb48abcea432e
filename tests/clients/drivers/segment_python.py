"""Segment's library for Python."""

import sys

from segment import analytics

port, count = sys.argv[1], int(sys.argv[2])
failures = []
analytics.write_key = "WRITE_KEY"
analytics.host = f"http://127.0.0.1:{port}"
analytics.max_retries = 60
analytics.on_error = lambda error, items: failures.append((error, items))

analytics.page(anonymous_id="visitor-1", name="Start", properties={"url": "https://shop.example/start"})
for number in range(count):
    analytics.track(anonymous_id="visitor-1", event=f"step-{number}", properties={"number": number})
analytics.shutdown()
sys.exit(1 if failures else 0)
