/**
 * What is kept on the device, where `data-id` asks for it and nobody objects: the ids of visitor and session, and
 * events until their receipt is certain. Each event is an entry of its own, so that tabs never overwrite each other's.
 */

import { timeOf } from "../times";
import type { Options, OutgoingEvent } from "../options";
import { STORE } from "../permission";
import type { Kit } from "../verbs";

const PREFIX = "t:";
const IDLE_MS = 1_800_000;
const KEPT_MAX = 50;
const KEPT_BYTES = 100_000;
const KEPT_MS = 259_200_000;
/** Cookies in which AlcoJS, Rockstat, Matomo, Snowplow and Google Analytics keep a visitor's id. */
const LEGACY = /\b(alc-uid|rst-uid|_pk_id|_sp_id|_ga)[^=;]*=[^;]+/g;

/** The visitor's id as the collector repeats it: browsers drop within days what a script has stored. */
const COOKIE = /(?:^|; )tm_vid=([^;]+)/;

export interface Device {
  /** The value remembered under a name. */
  recall(name: string): string | undefined;
  /** Remember a value; an empty one is forgotten. */
  keep(name: string, value: string): void;
  /** Erase everything but an opt-out, if that is kept. */
  erase(): void;
  /** Forget who the visitor is, but not what is unsent. */
  renew(): void;
  /** Complete and store what waits, and take over what closed pages left; from now on for every event. */
  begin(): void;
}

const randomHex = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");

export const openDevice = (kit: Kit, options: Options): Device => {
  const { permission_: permission, queue_: queue, verbs_: verbs, clean_: clean } = kit;
  const prefix = PREFIX + "q:" + options.site + ":";
  /** Ids of events that this page has stored or taken over. */
  const known: Record<string, boolean> = {};

  /** Storage throws where it is denied or full. */
  const use = <Result>(act: (area: Storage) => Result): Result | undefined => {
    try {
      if (options.id === "user") return act(localStorage);
      if (options.id === "session") return act(sessionStorage);
    } catch (_) {
      // Then nothing is kept.
    }
    return undefined;
  };
  const mayStore = (): boolean => !!(permission.allowed_ & STORE) && !!use((area) => area);
  const recall = (name: string): string | undefined => use((area) => area.getItem(PREFIX + name) || undefined);
  const keep = (name: string, value: string): void => {
    use((area) => (value ? area.setItem(PREFIX + name, value) : area.removeItem(PREFIX + name)));
  };
  const keys = (start: string): string[] => use((area) => Object.keys(area).filter((key) => key.startsWith(start)).sort()) || [];

  /** A session ends after 30 idle minutes or by another campaign. What is told on leaving neither starts nor prolongs one. */
  const sign = (event: OutgoingEvent): void => {
    if (!mayStore() || event.vid) return;
    let visitor = recall("v");
    if (!visitor) {
      const [, repeated] = (options.id === "user" && COOKIE.exec(document.cookie)) || [];
      keep("v", (visitor = repeated || randomHex()));
      const legacy = document.cookie.match(LEGACY);
      if (legacy) event.legacy = legacy;
    }
    event.vid = visitor;
    const isLeaving = event.n === "engage" && (document.hidden || (window.event && window.event.type === "pagehide"));
    const now = Date.now();
    const arrived = event.n === "page" ? new URL(clean(event.u!)).search : "";
    let [session, last, campaign = ""] = (recall("s") || "").split(" ");
    if (!isLeaving) {
      if (!session || now - +last! > IDLE_MS || (arrived && arrived !== campaign)) session = randomHex();
      keep("s", [session, now, arrived || campaign].join(" "));
    }
    if (session) event.sid = session;
  };

  const store = (event: OutgoingEvent): void => {
    if (mayStore()) {
      known[event.id] = true;
      use((area) => area.setItem(prefix + event.id, JSON.stringify(event)));
    }
  };

  /** Queue what closed pages left, unless it is too old or too much. */
  const takeOver = (): void => {
    let bytes = 0;
    keys(prefix)
      .reverse()
      .forEach((key, index) => {
        const id = key.slice(prefix.length);
        const json = use((area) => area.getItem(key)) || "";
        bytes += new Blob([json]).size;
        if (index >= KEPT_MAX || bytes > KEPT_BYTES || timeOf(id) < Date.now() - KEPT_MS) use((area) => area.removeItem(key));
        else if (!known[id]) {
          known[id] = true;
          queue.unshift(JSON.parse(json));
        }
      });
  };

  /** One tab at a time; where locks are missing or denied, the collector drops what two send. */
  const adopt = (): void => {
    const act = (lock: unknown): void => {
      if (lock) takeOver();
      verbs.flush!();
    };
    if (!mayStore() || !keys(prefix)[0]) return;
    if (navigator.locks) navigator.locks.request(prefix, { ifAvailable: true }, act).catch(() => act(true));
    else act(true);
  };

  let isBegun = false;
  const begin = (): void => {
    queue.forEach(sign);
    queue.forEach(store);
    adopt();
    if (isBegun) return;
    isBegun = true;
    kit.hooks_.push((event) => {
      sign(event);
      return event;
    });
    verbs.on!("event", store);
    verbs.on!("sent", (batch: OutgoingEvent[]) => {
      for (const { id } of batch) use((area) => area.removeItem(prefix + id));
    });
    kit.listen_("online", adopt);
  };

  const dropCookie = (): void => {
    if (COOKIE.test(document.cookie)) document.cookie = "tm_vid=; Max-Age=0; Path=/";
  };
  const erase = (): void => {
    dropCookie();
    // Modules keep what ends with the tab, even where ids last.
    use(() => {
      for (const area of [localStorage, sessionStorage]) {
        for (const key of Object.keys(area)) if (key.startsWith(PREFIX) && key !== "t:off") area.removeItem(key);
      }
    });
  };
  const renew = (): void => {
    dropCookie();
    for (const name of "vsi") keep(name, "");
  };
  return { recall, keep, erase, renew, begin };
};
