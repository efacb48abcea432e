/**
 * Events that are not acknowledged yet, oldest first.
 *
 * One goes only when its receipt is certain; the collector drops what arrives twice.
 */

import { envelope } from "./envelope";
import { bytesOf } from "./fit";
import { attempt, emit, soon } from "./guard";
import { options, type OutgoingEvent } from "./options";
import { COUNT, permission } from "./permission";

const WAIT_MS = 5_000;
const WAITING_MAX = 10;
const BATCH_BYTES = 24_000;
/** Browsers let all requests that outlive their page carry 64 KiB together. */
const LEAVING_BYTES = 60_000;
const KEPT_MAX = 50;
const KEPT_BYTES = 100_000;
const PENDING_MAX = 20;
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 300_000;

export const queue: OutgoingEvent[] = [];

let flyingBytes = 0;
let failures = 0;
let timer: number | false | void;

/** Flush later; a hidden page keeps no timer. */
const schedule = (delayMs: number): void => {
  timer = timer || (!document.hidden && soon(flush, delayMs));
};

export const add = (event: OutgoingEvent): void => {
  queue.push(event);
  while (queue[permission.isHeld_ ? PENDING_MAX : KEPT_MAX] || bytesOf(queue) > KEPT_BYTES) queue.shift();
  if (!failures && (document.hidden || queue[WAITING_MAX - 1] || bytesOf(queue) > BATCH_BYTES)) {
    // A request reads the layout, which handlers must not; but sooner that than losing what one task tells too much of.
    (queue[KEPT_MAX - 1] || bytesOf(queue) > LEAVING_BYTES ? attempt : soon)(flush);
  } else schedule(WAIT_MS);
};

/**
 * Send what waits, as much as browsers take once the page is gone.
 *
 * A page that goes away cannot wait for an answer: a beacon is the surer way then.
 */
export const flush = (isLeaving?: boolean): void => {
  const batch: OutgoingEvent[] = [];
  let bytes = 0;
  timer = clearTimeout(timer as number) as undefined;
  if (permission.isHeld_ || !(permission.allowed_ & COUNT)) return;
  while (queue[0] && (bytes += bytesOf(queue[0])) < LEAVING_BYTES - flyingBytes) batch.push(queue.shift()!);
  if (!batch[0]) return;
  const body = envelope(batch);
  if (isLeaving && navigator.sendBeacon(options.api!, body)) return;
  flyingBytes += bytes;
  fetch(options.api!, { method: "POST", body, keepalive: true })
    .catch((): Partial<Response> => ({ status: 0 }))
    .then(({ status, headers }) => {
      flyingBytes -= bytes;
      if (!status || status === 408 || status === 429 || status > 499) {
        queue.unshift(...batch);
        schedule(
          Math.min(RETRY_MS * 2 ** failures++, RETRY_MS_MAX) * (0.5 + Math.random()) +
            // A date instead of seconds is no number.
            ((headers && (headers.get("Retry-After") as unknown as number) * 1_000) || 0),
        );
        emit("error", status);
      } else {
        failures = 0;
        emit("sent", batch);
        flush();
      }
    });
};
