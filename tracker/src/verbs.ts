/** The one global function: verb first, so that a stub that queues calls never needs updating. */

import { clean } from "./address";
import { attempt, listen, on } from "./guard";
import { options, type Options } from "./options";
import { flush, queue } from "./outbox";
import { view } from "./pageview";
import { IDENTIFY, permission } from "./permission";
import { hooks, page, record } from "./record";

let told: string | undefined;

/** A call as it was queued, and when, in ms since 1970. */
export type Call = Iterable<unknown> & { t?: number };

/** Calls that wait: for the start, then for what brings their verbs. */
export const unknown = { calls_: [] as Call[], load_: (): void => {} };

// biome-ignore lint: each verb takes arguments of its own; the public type of `t` says which
const verbs: Record<string, (...args: any[]) => unknown> = {
  event: record,
  page: view,
  identify: (id, traits) => {
    if (permission.allowed_ & IDENTIFY && told !== (told = JSON.stringify([id, traits]))) record("identify", { id, traits });
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
export type Act = (kit: Kit, options: Options) => unknown;

export const call = (verb: string, ...args: unknown[]): void => {
  // Until the page has a name, the start is to come.
  if (page.id_ && verbs[verb]) attempt(() => verbs[verb]!(...args));
  else if (unknown.calls_.push(Object.assign([verb, ...args], { t: page.replayed_ || Date.now() }))) unknown.load_();
};
