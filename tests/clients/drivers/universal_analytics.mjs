// The Measurement Protocol's library for Node. It reports a failure and forgets the hit; who uses it sends it again.
import ua from 'universal-analytics';

const [port, count] = process.argv.slice(2);
const options = { hostname: `http://127.0.0.1:${port}`, strictCidFormat: false };

const send = (hit) =>
  new Promise((resolve) => {
    hit(ua('UA-1-1', 'visitor-1', options)).send((error) => resolve(!error));
  });

const deliver = async (hit) => {
  for (let attempt = 0; attempt < 240; attempt++) {
    if (await send(hit)) return true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return false;
};

let delivered = await deliver((visitor) => visitor.pageview('/start', 'https://shop.example', 'Start'));
for (let number = 0; number < Number(count); number++) {
  delivered = (await deliver((visitor) => visitor.event('steps', `step-${number}`, 'label', number))) && delivered;
}
process.exit(delivered ? 0 : 1);
