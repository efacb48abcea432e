// Generated from landing/contract.py and landing/wire.py by `tidemill contract write`; edit those instead.

/** Kinds of events that models know; the collector finds the kind of an event by its name. */
export type EventType =
  | "page_view"
  | "screen_view"
  | "event"
  | "engagement"
  | "link_click"
  | "form"
  | "identify"
  | "alias"
  | "group"
  | "transaction"
  | "item"
  | "timing"
  | "exception"
  | "social"
  | "vitals"
  | "consent"
  | "heartbeat";

/** Steps of an order. */
export type OrderAction =
  | "detail"
  | "click"
  | "add"
  | "remove"
  | "checkout"
  | "checkout_option"
  | "purchase"
  | "refund";

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What a page attaches to an event. */
export type Props = { [key: string]: Json };

/** Fields of an event that may stand once beside `events`, for all of them. */
export interface WireShared {
  /** Address of the page. Becomes page_url. */
  u?: string;
  /** Address of the page that led here. Becomes page_referrer. */
  r?: string;
  /** Title of the page. Becomes page_title. */
  ti?: string;
  /** Id of the page view. Becomes page_view_id. */
  pv?: string;
  /** HTTP status of the page. Becomes http_status. */
  st?: number;
  /** Visitor id, only where allowed. Becomes visitor_id. */
  vid?: string;
  /** Session id, only where allowed. Becomes client_session_id. */
  sid?: string;
  /** Viewport width. Becomes viewport_width. */
  w?: number;
  /** Viewport height. Becomes viewport_height. */
  h?: number;
  /** Screen width. Becomes screen_width. */
  sw?: number;
  /** Screen height. Becomes screen_height. */
  sh?: number;
  /** Device pixels for each pixel. */
  dpr?: number;
  /** Language. Becomes language. */
  l?: string;
  /** IANA time zone. Becomes time_zone. */
  tz?: string;
  /** Code of why the client looks automated. Becomes automation. */
  b?: string;
  /** Global Privacy Control is set. Becomes gpc. */
  gpc?: boolean;
  /** Do Not Track is set. */
  dnt?: boolean;
}

/** One event as sent. */
export interface WireEvent extends WireShared {
  /** UUID; a retry repeats it. Becomes client_event_id. */
  id: string;
  /** Name. Becomes event_name. */
  n: string;
  /** Client's clock in ms when it happened. Becomes client_time. */
  ts: number;
  /** Number within the page view, counted from 1. */
  seq?: number;
  /** What the page attached. Becomes props. */
  p?: Props;
  /** Engaged ms of the page view so far. Becomes engaged_ms. */
  e?: number;
  /** Deepest scroll position in %. Becomes scroll_percent. */
  sd?: number;
}

/** Body of POST /e. */
export interface WireRequest extends WireShared {
  /** Version of the format. Becomes protocol_version. */
  v: 1;
  /** Site id. Becomes tracking_key. */
  site: string;
  /** Client's clock in ms at this attempt. Becomes sent_at. */
  sent_at: number;
  /** Version of the tracker. Becomes library_version. */
  lib: string;
  events: WireEvent[];
}
