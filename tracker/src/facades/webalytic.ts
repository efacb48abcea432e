/** Pages written for Webalytic's SDK or for analytics.js: a command queue, our tracker. */

import type { Call } from "../module";

// biome-ignore lint: what pages of other libraries hand over
type Given = any;

/** The names by which positional arguments of a hit are told. */
const POSITIONS: Record<string, string[]> = {
  pageview: ["page"],
  event: ["eventCategory", "eventAction", "eventLabel", "eventValue"],
  timing: ["timingCategory", "timingVar", "timingValue", "timingLabel"],
  social: ["socialNetwork", "socialAction", "socialTarget"],
};

/** Fields without the prefix of their kind of hit: `eventAction` as `action`. */
const plain = (fields: Given): Given => {
  const props: Given = {};
  for (const key of Object.keys(fields)) {
    const name = key.replace(/^(event|timing|social|ex)([A-Z])/, (_, _kind, first) => first.toLowerCase());
    if (fields[key] !== undefined && key !== "hitType" && typeof fields[key] !== "function") props[name] = fields[key];
  }
  return props;
};

/** The fields of arguments that are given by position, then by name. */
const named = (args: Given[], names: string[]): Given => {
  const fields: Given = {};
  args.forEach((value, index) => {
    if (value && typeof value === "object") Object.assign(fields, value);
    else if (names[index]) fields[names[index]!] = value;
  });
  return fields;
};

/**
 * Take over the queues.
 *
 * @param t our tracker
 * @param begin starts it, when that was not done by our own script element
 */
export const webalytic = (t: Call, begin?: (site: string) => void): void => {
  const globals = window as Given;
  let start = begin;
  let lasting: Given = {};
  let order: Given;

  const send = (...args: Given[]): void => {
    const kind: string = (args[0] && args[0].hitType) || args[0];
    const fields = Object.assign({}, lasting, typeof args[0] === "object" ? args[0] : named(args.slice(1), POSITIONS[kind] || []));
    const props = plain(fields);
    if (kind === "pageview") {
      const url = fields.page || fields.location;
      const { page: _page, location: _location, title: _title, ...rest } = props;
      t("page", Object.assign({ p: rest }, url && { u: url }, fields.title && { ti: fields.title }));
    } else if (kind) {
      t("event", (kind === "event" && props.action) || kind, props);
    }
    if (fields.hitCallback) fields.hitCallback();
  };

  const verbs: Record<string, (...args: Given[]) => void> = {
    create: (id, ...rest) => {
      const given = named([id, ...rest], []);
      if (given.userId) t("identify", given.userId);
      if (start) start("measurement_protocol:" + (given.resourceId || given.trackingId || id));
      start = undefined;
    },
    set: (name, value) => {
      const fields = typeof name === "object" ? name : { [name]: value };
      if (fields.userId) t("identify", fields.userId);
      lasting = Object.assign({}, lasting, fields, { userId: undefined });
    },
    send,
    hit: (fields) => send(Object.assign({ hitType: "pageview" }, fields)),
    event: (fields) => send(Object.assign({ hitType: "event" }, fields)),
    addTransaction: ({ id, revenue, currency, affiliation, shipping, tax }) => {
      order = { order_id: id, value: revenue, currency, affiliation, shipping, tax, items: [] };
    },
    addItem: ({ sku, name, category, price, quantity }) => {
      if (order) order.items.push({ sku, name, category, price, quantity });
    },
  };
  verbs.init = verbs.create!;

  const call = (verb: Given, ...args: Given[]): void => {
    if (typeof verb === "function") return verb(globals.ga);
    // `tracker.send` and `ecommerce:addItem` are `send` and `addItem`; plugins have nothing to do here.
    const act = ("" + verb).replace(/^.*[.:]/, "");
    if (/^ecommerce:send/.test(verb)) t("event", "purchase", order);
    else if (verbs[act]) verbs[act]!(...args);
  };
  for (const name of [globals.WebAlyticObject || "WebAlyticSDK", globals.GoogleAnalyticsObject || "ga"]) {
    const stub = globals[name];
    const queue: Given[] = Array.isArray(stub) ? stub : (stub && (stub.q || stub.queue)) || [];
    const take = (args: Given): void => call(...(Array.from(args) as [Given]));
    queue.splice(0).forEach(take);
    queue.push = (...calls: Given[]) => calls.forEach(take) as unknown as number;
    if (!Array.isArray(stub)) globals[name] = Object.assign((...args: Given[]) => call(...(args as [Given])), { q: queue, loaded: true });
  }
};
