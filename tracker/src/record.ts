/** How an event comes to be. */

import { fit } from "./fit";
import { emit } from "./guard";
import { newId } from "./ids";
import type { Before, OutgoingEvent } from "./options";
import { add } from "./outbox";
import { COUNT, permission } from "./permission";

/** The page view that events belong to; nothing until the tracker starts. */
export const page = {} as {
  id_: string;
  url_: string;
  events_: number;
  /** When a replayed call was made, in ms since 1970. */
  replayed_?: number | undefined;
};

/** Functions that may change or drop an event. */
export const hooks: Before[] = [];

/**
 * Queue an event of the current page view.
 *
 * @param fields go beside the props, and win over what is known of the page
 */
export const record = (name: string, props?: object | null, fields?: Partial<OutgoingEvent>): void => {
  if (!(permission.allowed_ & COUNT)) return;
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
