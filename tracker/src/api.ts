/** The public types of `t`. */

import type { Props } from "./contract";
import type { OutgoingEvent } from "./options";

/** Any event with any props: what `t` takes unless a map of events says otherwise. */
export type AnyEvents = Record<string, object | undefined>;

/** What a scope of consent covers. */
export type Scope = "storage" | "identify" | "all";

/** Fields of an event that a page may set itself; names are those of the wire format. */
export type Fields = Partial<Omit<OutgoingEvent, "id" | "n" | "p">>;

/** What a page says of its view: its address `u`, title `ti`, referrer `r`, props `p`. */
export type ViewFields = Fields & { p?: Props };

type Given<Value> = undefined extends Value ? [props?: Value] : [props: Value];

/**
 * The one function. `Events` maps names of events to their props.
 *
 * A module or a façade may add verbs; what it does not know it queues until one does.
 */
export interface Tracker<Events extends AnyEvents = AnyEvents> {
  <Name extends keyof Events & string>(verb: "event", name: Name, ...given: [...Given<Events[Name]>, fields?: Fields]): void;
  (verb: "page", fields?: ViewFields): void;
  (verb: "identify", id: string, traits?: object): void;
  (verb: "alias", newId: string): void;
  (verb: "reset"): void;
  (verb: "set", props: object): void;
  (verb: "consent", choice: "grant" | "deny", scope?: Scope): void;
  (verb: "optout"): void;
  (verb: "optin"): void;
  (verb: "forget"): void;
  (verb: "flush"): void;
  (verb: "on", type: "event", handler: (event: OutgoingEvent) => void): void;
  (verb: "on", type: "sent", handler: (events: OutgoingEvent[]) => void): void;
  (verb: "on", type: "error", handler: (error: unknown) => void): void;
  // biome-ignore lint: modules are given the tracker's inside, pages nothing they need
  (verb: "ready", act: (...inside: any[]) => void): void;
}

export type { Before, Options, OutgoingEvent, SignalPolicy } from "./options";
export type { Json, Props, WireEvent, WireRequest } from "./contract";
