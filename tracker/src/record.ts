/** How an event comes to be. */

import { fit } from "./fit";
import { emit } from "./guard";
import { newId } from "./ids";
import type { Before, OutgoingEvent } from "./options";
import { add } from "./outbox";
import { COUNT, may } from "./permission";

/** The page view that events belong to. */
export const page = {
  id_: "",
  url_: "",
  events_: 0,
  /** When a replayed call was made, in ms since 1970. */
  replayed_: 0,
};

/** Functions that may change or drop an event. */
export const hooks: Before[] = [];

/**
 * Queue an event of the current page view.
 *
 * @param fields go beside the props, and win over what is known of the page
 */
export const record = (name: string, props?: object | null, fields?: Partial<OutgoingEvent>): void => {
  if (!may(COUNT)) return;
  let event = Object.assign(
    { id: newId(), n: name.slice(0, 64), ts: page.replayed_ || Date.now(), pv: page.id_, u: page.url_ },
    fields,
    { p: props || {} },
  ) as ReturnType<Before>;
  for (const hook of hooks) event = event && hook(event);
  if (!event) return;
  event.seq = ++page.events_;
  event.p = fit(event.p!);
  emit("event", event);
  add(event);
};
