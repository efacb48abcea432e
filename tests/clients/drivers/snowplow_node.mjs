// Snowplow's library for Node. It sends what failed with the next event, so the last ones are followed by a heartbeat.
import { buildPageView, buildStructEvent, newTracker } from '@snowplow/node-tracker';

const [port, count] = process.argv.slice(2);
const wanted = Number(count) + 1;
const delivered = new Set();
const tracker = newTracker(
  { namespace: 'test', appId: 'shop-web', encodeBase64: true },
  {
    endpoint: `http://127.0.0.1:${port}`,
    eventMethod: 'post',
    bufferSize: 1,
    onRequestSuccess: (batch) => batch.forEach((event) => delivered.add(event.eid ?? JSON.stringify(event))),
  },
);
tracker.setDomainUserId('visitor-1');
tracker.track(buildPageView({ pageUrl: 'https://shop.example/start', pageTitle: 'Start' }));
for (let number = 0; number < Number(count); number++) {
  tracker.track(buildStructEvent({ category: 'steps', action: `step-${number}`, value: number }));
}
for (let attempt = 0; attempt < 240 && delivered.size < wanted; attempt++) {
  await new Promise((resolve) => setTimeout(resolve, 250));
  tracker.flush();
}
process.exit(delivered.size >= wanted ? 0 : 1);
