/** The one global function: verb first, so that a stub that queues calls never needs updating. */

import { clean } from "./address";
import { attempt, listen, on } from "./guard";
import { options } from "./options";
import { flush, queue } from "./outbox";
import { view } from "./pageview";
import { IDENTIFY, may, permission } from "./permission";
import { hooks, page, record } from "./record";

let told: string | undefined;

/** Calls of verbs that are not known yet, and what brings more. */
export const unknown = { calls_: [] as unknown[][], load_: (): void => {} };

// biome-ignore lint: each verb takes arguments of its own; the public type of `t` says which
const verbs: Record<string, (...args: any[]) => unknown> = {
  event: record,
  page: view,
  identify: (id, traits) => {
    if (may(IDENTIFY) && told !== (told = JSON.stringify([id, traits]))) record("identify", { id, traits });
  },
  flush,
  on,
  ready: (act) => act(kit, options),
};

/** What a module gets, beside the settings. */
const kit = {
  clean_: clean,
  hooks_: hooks,
  listen_: listen,
  page_: page,
  permission_: permission,
  queue_: queue,
  unknown_: unknown,
  verbs_: verbs,
};
export type Kit = typeof kit;

export const call = (verb: string, ...args: unknown[]): void => {
  if (verbs[verb]) attempt(() => verbs[verb]!(...args));
  else if (unknown.calls_.push([verb, ...args])) unknown.load_();
};

/** Make the calls that a stub queued, as of when they were made. */
export const replay = (calls: (IArguments & { t?: number })[]): void => {
  for (const args of calls) {
    page.replayed_ = args.t || 0;
    call(...(args as unknown as [string]));
  }
  page.replayed_ = 0;
};
