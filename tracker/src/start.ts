/** Puts everything together. */

import { watchClicks } from "./clicks";
import { report, watchReading } from "./engagement";
import { listen } from "./guard";
import { configure, isAutomatic, type Options } from "./options";
import { flush } from "./outbox";
import { countPending, nameThePage, view, watchNavigation } from "./pageview";
import { begin } from "./permission";

/**
 * Run, once per page.
 *
 * @param given what the author set
 * @param base the address that the endpoint is beside
 * @param prepare acts when everything is set up and the page view is not yet counted
 */
export const start = (given: Options, base: string, prepare: () => void): void => {
  configure(Object.assign({ api: new URL("/e", base) as unknown as string }, given));
  begin();
  watchClicks();
  watchReading();
  watchNavigation();
  listen("visibilitychange pagehide online", ({ type }) => {
    countPending();
    report();
    flush(type === "pagehide");
  });
  if (isAutomatic("page")) view();
  else nameThePage();
  prepare();
  countPending();
};
