/** What a site's author may set: `data-*` attributes of the script, or an object under the same names. */

import type { Props, WireEvent } from "./contract";

/** What a signal such as Global Privacy Control does: no ids and no storage, no event at all, nothing. */
export type SignalPolicy = "cookieless" | "drop" | "ignore";

/** An event as it is about to be queued, with the fields that have no column of their own. */
export interface OutgoingEvent extends WireEvent {
  /** Highest scroll position in px; of `engage`. */
  sy?: number;
  /** Document height in px; of `engage`. */
  dh?: number;
  /** Clicks on the page so far; of `engage`. */
  cl?: number;
  /** Key presses on the page so far; of `engage`. */
  k?: number;
  /** The page came back from the back/forward cache; of `page`. */
  bf?: 1;
  /** Share of visitors that count. */
  sample?: number;
  /** Ids that other trackers left on the device, told once. */
  legacy?: string[];
}

/** Changes an event, or drops it by returning something falsy. */
export type Before = (event: OutgoingEvent) => OutgoingEvent | false | null | undefined | void;

type List = string | string[];
type Flag = true | "";

export interface Options {
  /** The site's id in the sites file. */
  site: string;
  /** Endpoint; by default `/e` at the script's origin. */
  api?: string;
  /** What is told without being asked for: `page,links,files,scroll,engage`, or `off`. */
  auto?: List;
  /** Which navigations without a load count: by path, or by path and fragment. */
  spa?: "history" | "hash" | "off";
  /** Which parameters of the page's address are kept. */
  query?: "all" | "marketing" | "none";
  /** Keeps the fragment of the page's address. */
  hash?: "on" | "off";
  /** Extensions of files whose links are downloads, instead of the usual ones. */
  files?: List;
  /** The only hosts that count, with their subdomains. */
  domains?: List;
  /** Hosts that are not outbound, with their subdomains. */
  own?: List;
  /** Where the visitor's id lives: nowhere, until the tab closes, or on the device. */
  id?: "none" | "session" | "user";
  /** `required` holds events back until consent is granted. */
  consent?: "implied" | "required";
  gpc?: SignalPolicy;
  dnt?: SignalPolicy;
  /** Share of visitors that count, 0 to 1. */
  sample?: number | string;
  /** Modules to load, from beside the script. */
  modules?: List;
  /** Added to every event; JSON in the attribute. */
  props?: Props | string;
  /** Counts on localhost and private addresses. */
  local?: Flag;
  /** Takes the page's address from `rel=canonical`. */
  canonical?: Flag;
  /** Selector of the element that scrolls instead of the window. */
  scrollRoot?: string;
  /** The global function's name. */
  name?: string;
  /** A function, or the name of a global one. */
  before?: Before | string;
}

/** Set when the tracker starts. */
export const options = {} as Options;

export const isAutomatic = (what: string): boolean => !options.auto || options.auto.includes(what);
