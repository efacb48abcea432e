/** How long and how far a page view is read. Values are cumulative, so that a lost one costs little. */

import { listen, nextFrame } from "./guard";
import { isAutomatic, options } from "./options";
import { record } from "./record";

const IDLE_MS = 30_000;
const GROWTH_MS = 1_000;
const PAUSE_MS = 15_000;
const PAUSE_MS_MAX = 60_000;

// All of these are numbers from the first view on; before, nothing compares with them, and so nothing is told.

/** Attention so far, and where it was last added up. */
let engagedMs: number;
let countedTo: number;
let isAttended: boolean;
let startedAt: number;
/** Events of this view by type. */
let counts: Record<string, number> = {};
/** Highest scroll position, what is seen below it, and the document's height, in px. */
let top: number;
let viewport: number;
let height: number;

let toldMs: number;
let toldPercent: number;
let tellAt: number;

/** Add up attention until now; without input it lasts no longer than IDLE_MS. */
const attend = (): void => {
  const now = performance.now();
  if (isAttended) engagedMs += Math.min(now - countedTo, IDLE_MS);
  countedTo = now;
  isAttended = isAutomatic("engage") && !document.hidden && document.hasFocus();
};

const measure = (): number =>
  nextFrame(() => {
    const root = document.querySelector(options.scrollRoot || "html")!;
    viewport = root.clientHeight;
    height = root.scrollHeight;
    top = Math.max(top, root.scrollTop);
  });

/** Tell of what grew: after 15, 30, 60 seconds, then every 60, and on leaving. */
export const report = (): void => {
  attend();
  const percent = isAutomatic("scroll") ? Math.min(100, ((100 * (top + viewport)) / height + 0.5) | 0) : 0;
  tellAt = countedTo + Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS, countedTo - startedAt));
  if (engagedMs - toldMs >= GROWTH_MS || percent > toldPercent) {
    toldMs = engagedMs;
    toldPercent = percent;
    record("engage", null, { e: toldMs | 0, sd: percent, sy: top | 0, dh: height, cl: counts.click! | 0, k: counts.keydown! | 0 });
  }
};

export const startReading = (): void => {
  attend();
  engagedMs = toldMs = toldPercent = top = 0;
  counts = {};
  startedAt = countedTo;
  tellAt = startedAt + PAUSE_MS;
  measure();
};

export const watchReading = (): void => {
  // Playing media moves its time; coming back is input too. Without input there is nothing new to tell.
  listen("pointermove keydown timeupdate scroll click focus blur visibilitychange", ({ type }) => {
    attend();
    counts[type] = -~counts[type]!;
    if (type === "scroll") measure();
    if (countedTo > tellAt) report();
  });
  new ResizeObserver(measure).observe(document.body);
};
