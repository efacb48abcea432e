/** Page views: of loads, of navigations within a document, of returns from the back/forward cache. */

import { clean } from "./address";
import { report, startReading } from "./engagement";
import { enter, listen, nextFrame, soon } from "./guard";
import { newId } from "./ids";
import { isAutomatic, options, type OutgoingEvent } from "./options";
import { flush } from "./outbox";
import { page, record } from "./record";

/** Queues the view that was begun. */
let pending: (() => void) | 0;
/** Address of the view that was counted last. */
let previous: string | undefined;

const current = (address: string | Location = location): string => clean(address, options.query, (options.hash || options.spa) as string);

/**
 * Count the view that waits, if it can be seen.
 *
 * @param wasSeen it could be when it began
 */
export const countPending = (wasSeen?: unknown): void => {
  if (pending && (wasSeen || !document.hidden)) pending();
};

/** Give events a page to belong to. */
export const nameThePage = (url?: string): void => {
  page.id_ = newId();
  page.url_ = current(url);
  page.events_ = 0;
};

/**
 * Begin a view. It counts once it is visible, a frame later at the latest, when the title is known.
 *
 * @param fields win over what is known of the page
 */
export const view = (fields: Partial<OutgoingEvent> = {}): void => {
  countPending();
  report();
  nameThePage(fields.u);
  pending = () => {
    // Pages that are served with 200 may say what they mean.
    const status = document.querySelector<HTMLMetaElement>("[name='t:status']");
    const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    pending = 0;
    record(
      "page",
      fields.p,
      Object.assign(
        {
          ti: document.title,
          // A page of ours may have what was typed into a form in its address.
          r: previous || (document.referrer && current(document.referrer)),
          st: (status ? +status.content : !previous && entry && entry.responseStatus) || undefined,
        },
        fields,
        { u: page.url_ },
      ),
    );
    startReading();
    // In a task of its own: to learn the time zone and to post take longer than all the rest.
    if (!previous) soon(flush);
    previous = page.url_;
  };
  nextFrame(countPending);
};

const navigate = (): void => {
  if (isAutomatic("page") && options.spa !== "off" && current() !== page.url_) view();
};

export const watchReturns = (): void => {
  // Every load ends with the event that a return begins with.
  listen("pageshow", (event) => {
    if (isAutomatic("page") && (event as PageTransitionEvent).persisted) view({ bf: 1 });
  });
};

export const watchNavigation = (): void => {
  listen("popstate hashchange", navigate);
  ("pushState replaceState".split(" ") as ("pushState" | "replaceState")[]).forEach((name) => {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      enter(navigate);
    };
  });
};
