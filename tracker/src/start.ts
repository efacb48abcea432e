/**
 * Puts everything together.
 *
 * While the script is evaluated, the page waits: only what would otherwise be missed is done then. Whatever is first
 * used costs a browser time, be it storage, random numbers or an observer, and comes in tasks of its own.
 */

import { watchClicks } from "./clicks";
import { report, watchReading } from "./engagement";
import { listen, soon, steps, stroll } from "./guard";
import { isAutomatic, options, type Options } from "./options";
import { flush } from "./outbox";
import { countPending, nameThePage, view, watchNavigation, watchReturns } from "./pageview";
import { begin, OPTED_OUT, permission } from "./permission";
import { page } from "./record";
import { call, unknown } from "./verbs";

/**
 * Run, once per page. Calls that were made before are replayed before the page view is counted.
 *
 * @param given what the author set
 * @param base the address that the endpoint is beside
 */
export const start = (given: Options, base: string): void => {
  const url = document.URL;
  // Whoever sees the page now has seen it, even if it is hidden when the view is counted.
  if (!document.hidden) call("ready", countPending);
  watchNavigation();
  watchClicks();
  listen("visibilitychange pagehide online", ({ type }) => {
    countPending();
    report();
    flush(type === "pagehide");
  });
  steps.push(
    () => {
      Object.assign(options, { api: new URL("/e", base) }, given);
      begin();
    },
    () => {
      // Storage takes a browser long when it is first asked, and throws where it is denied.
      if (localStorage[OPTED_OUT]) permission.allowed_ = 0;
    },
    () => {
      if (isAutomatic("page")) view({ u: url });
      else nameThePage(url);
      // The calls that wait, as of when they were made.
      for (const made of unknown.calls_.splice(0)) {
        page.replayed_ = made.t;
        call(...(made as unknown as [string]));
      }
      page.replayed_ = 0;
    },
    () => {
      watchReading();
      // Nobody returns before; it need not hurry the start.
      watchReturns();
    },
  );
  soon(stroll);
};
