/** `@tidemill/tracker`: the tracker for bundlers. Nothing happens on import, and nothing at all on a server. */

import type { AnyEvents, Tracker } from "./api";
import { more } from "./more";
import type { Options } from "./options";
import { start } from "./start";
import { call } from "./verbs";

export type * from "./api";

let isStarted = false;

/**
 * Start, once per page; later calls return the same tracker.
 *
 * @param options those of the script element's `data-*`; `api` is needed unless the page's own origin has `/e`
 */
export const tracker = <Events extends AnyEvents = AnyEvents>(options: Options): Tracker<Events> => {
  if (typeof document === "undefined") return () => {};
  if (!isStarted) {
    isStarted = true;
    call("ready", more);
    start(options, location.href);
  }
  return call as Tracker<Events>;
};
