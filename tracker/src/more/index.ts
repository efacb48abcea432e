/** Everything that most pages do not ask for. */

import type { Before, Options, OutgoingEvent } from "../options";
import type { Kit } from "../verbs";
import { offerChoices } from "./choices";
import { openDevice } from "./device";
import { restrict, settingHooks } from "./settings";

/** Put what waits through hooks that came late. Numbers close up after what they drop, or it would count as lost. */
const catchUp = (kit: Kit, hooks: Before[]): void => {
  const { page_: page, queue_: queue } = kit;
  const kept: OutgoingEvent[] = [];
  const dropped: Record<string, number> = {};
  for (const event of queue.splice(0)) {
    let changed: ReturnType<Before> = event;
    try {
      for (const hook of hooks) changed = changed && hook(changed);
    } catch (_) {
      // Nobody knows what a hook that fails would have left of it.
      changed = null;
    }
    if (changed) {
      changed.seq = event.seq! - (dropped[event.pv!] || 0);
      kept.push(changed);
    } else {
      dropped[event.pv!] = (dropped[event.pv!] || 0) + 1;
    }
  }
  page.events_ -= dropped[page.id_] || 0;
  queue.push(...kept);
};

/** Complete the tracker: once, when it runs. */
export const more = (kit: Kit, options: Options): void => {
  const { page_: page, permission_: permission, queue_: queue, unknown_: unknown, verbs_: verbs } = kit;
  const device = openDevice(kit, options);
  restrict(kit, options, device);
  const hooks = settingHooks(kit, options);
  permission.isHeld_ = offerChoices(kit, options, device, hooks);
  if (!permission.allowed_) queue.length = 0;
  catchUp(kit, hooks);
  kit.hooks_.push(...hooks);
  device.begin();
  unknown.load_ = () => {};
  const warned: Record<string, true> = {};
  const call = ([verb, ...args]: Iterable<unknown>): void => {
    const name = verb as string;
    if (verbs[name]) verbs[name]!(...args);
    else if (!warned[name]) {
      warned[name] = true;
      console.warn(`t: there is no "${name}"`);
    }
  };
  for (const made of unknown.calls_.splice(0)) {
    page.replayed_ = made.t;
    call(made);
  }
  page.replayed_ = 0;
  unknown.load_ = () => unknown.calls_.splice(0).forEach(call);
  verbs.flush!();
};
