/** Web Vitals of a page view, told once when it is hidden. A return from the back/forward cache is measured anew. */

import type { Module } from "../module";

const GAP_MS = 1_000;
const WINDOW_MS = 5_000;
/** Interactions shorter than this need not be told apart. */
const INTERACTION_MS_MIN = 40;
/** One interaction in so many may be slower than what is told. */
const INTERACTIONS_PER_OUTLIER = 50;

interface Entry extends PerformanceEntry {
  value?: number;
  hadRecentInput?: boolean;
  interactionId?: number;
}

export const vitals: Module = (kit) => {
  let measured: Record<string, number> = {};
  let durations: Record<number, number> = {};
  let shift = 0;
  let shiftStart = 0;
  let shiftEnd = 0;
  let isTold = false;

  const observers: (() => void)[] = [];
  const observe = (type: string, take: (entry: Entry) => void, more?: object): void => {
    try {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
      observer.observe(Object.assign({ type, buffered: true }, more));
      observers.push(() => observer.takeRecords().forEach(take));
    } catch (_) {
      // This browser does not measure it.
    }
  };
  observe("largest-contentful-paint", (entry) => (measured.lcp = entry.startTime));
  observe("paint", (entry) => {
    if (entry.name === "first-contentful-paint") measured.fcp = entry.startTime;
  });
  observe("layout-shift", ({ hadRecentInput, startTime, value }) => {
    if (hadRecentInput) return;
    // Shifts count together while they follow each other, for at most 5 seconds.
    if (startTime - shiftEnd > GAP_MS || startTime - shiftStart > WINDOW_MS) {
      shift = 0;
      shiftStart = startTime;
    }
    shiftEnd = startTime;
    shift += value!;
    measured.cls = Math.max(measured.cls || 0, shift);
  });
  observe(
    "event",
    ({ duration, interactionId }) => {
      if (interactionId) durations[interactionId] = Math.max(durations[interactionId] || 0, duration);
    },
    { durationThreshold: INTERACTION_MS_MIN },
  );
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (navigation) measured.ttfb = navigation.responseStart;

  kit.listen_("pageshow", (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    measured = { ttfb: 0 };
    durations = {};
    shift = shiftStart = shiftEnd = 0;
    isTold = false;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => (measured.lcp = measured.fcp = performance.now() - event.timeStamp)),
    );
  });
  kit.listen_("visibilitychange", () => {
    if (isTold || !document.hidden) return;
    isTold = true;
    observers.forEach((take) => take());
    const slowest = Object.values(durations).sort((a, b) => b - a);
    const inp = slowest[Math.floor(slowest.length / INTERACTIONS_PER_OUTLIER)];
    if (inp) measured.inp = inp;
    for (const key of Object.keys(measured)) measured[key] = +measured[key]!.toFixed(key === "cls" ? 4 : 0);
    kit.verbs_.event!("vitals", measured);
  });
};
