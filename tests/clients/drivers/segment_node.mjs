// Segment's library for Node.
import { Analytics } from '@segment/analytics-node';

const [port, count] = process.argv.slice(2);
const analytics = new Analytics({
  writeKey: 'WRITE_KEY',
  host: `http://127.0.0.1:${port}`,
  maxRetries: 60,
  flushAt: 4,
});
let failed = false;
analytics.on('error', () => {
  failed = true;
});

analytics.page({
  anonymousId: 'visitor-1',
  name: 'Start',
  properties: { url: 'https://shop.example/start' },
});
for (let number = 0; number < Number(count); number++) {
  analytics.track({ anonymousId: 'visitor-1', event: `step-${number}`, properties: { number } });
}
await analytics.closeAndFlush({ timeout: 60_000 });
process.exit(failed ? 1 : 0);
