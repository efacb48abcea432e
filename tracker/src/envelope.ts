/** What all events of a request have in common. */

import { options, type OutgoingEvent } from "./options";

declare const VERSION: string;

/** The body of a request. `b` says why the browser looks automated. */
export const envelope = (events: OutgoingEvent[]): string =>
  JSON.stringify({
    v: 1,
    site: options.site,
    sent_at: Date.now(),
    lib: VERSION,
    w: innerWidth,
    h: innerHeight,
    sw: screen.width,
    sh: screen.height,
    dpr: devicePixelRatio,
    l: navigator.language,
    tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
    b: navigator.webdriver
      ? "webdriver"
      : ["Headless", "Cypress"].find((each) => navigator.userAgent.includes(each) || each in window),
    gpc: navigator.globalPrivacyControl,
    events,
  });
