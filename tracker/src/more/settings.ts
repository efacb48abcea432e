/** Settings that few pages need: each changes events, or what is allowed. */

import { clean, endingOf } from "../address";
import type { Before, Options } from "../options";
import { COUNT, STORE } from "../permission";
import type { Kit } from "../verbs";
import type { Device } from "./device";

/** What the settings leave allowed. */
export const restrict = (kit: Kit, options: Options, device: Device): void => {
  const { permission_: permission } = kit;
  const isOptedOut = navigator.doNotTrack === "1";
  if (isOptedOut && options.dnt === "cookieless") permission.allowed_ &= COUNT;
  if (isOptedOut && options.dnt === "drop") permission.allowed_ = 0;
  if (options.domains && !endingOf(location.hostname, options.domains)) permission.allowed_ = 0;
  if (options.sample != null) {
    const mayKeep = permission.allowed_ & STORE && options.consent !== "required";
    const lot = (mayKeep && device.recall("n")) || "" + Math.random();
    if (mayKeep) device.keep("n", lot);
    if (+lot >= +options.sample) permission.allowed_ = 0;
  }
};

/** Hooks in the order in which they act: what the page adds, the page's address, what the page changes. */
export const settingHooks = (kit: Kit, options: Options): Before[] => {
  const { before, props } = options;
  const defaults = {};
  const set = (added: object): void => {
    Object.assign(defaults, added);
    // What waits was recorded before the call could be made.
    for (const event of kit.queue_) event.p = Object.assign({}, added as typeof event.p, event.p);
  };
  kit.verbs_.set = set;
  if (props) set(typeof props === "string" ? JSON.parse(props) : props);
  const hooks: Before[] = [
    (event) => {
      event.p = Object.assign({}, defaults, event.p);
      return event;
    },
  ];
  const link = options.canonical != null && document.querySelector<HTMLLinkElement>("link[rel=canonical]");
  if (link) {
    hooks.push((event) => {
      event.u = clean(link.href, options.query);
      return event;
    });
  }
  if (options.sample != null) {
    hooks.push((event) => {
      event.sample = +options.sample!;
      return event;
    });
  }
  if (before) {
    hooks.push((event) => {
      const change = typeof before === "function" ? before : (window as unknown as Record<string, Before>)[before];
      return change ? change(event) : event;
    });
  }
  return hooks;
};
