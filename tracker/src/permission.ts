/** What the browser and the visitor allow. */

import { attempt } from "./guard";
import { options } from "./options";

/** What may be allowed. */
export const STORE = 1;
export const IDENTIFY = 2;
export const COUNT = 4;
export const ALL = 7;

export const OPTED_OUT = "t:off";
/** Names of this machine, and bare addresses: who visits those is no visitor. */
const LOCAL = /(^|\.)local(host)?$|^[\d.]*$|^\[/;

export const permission = {
  allowed_: 0,
  /** Events wait: for consent, or for what completes them. */
  isHeld_: false,
};

export const may = (scope: number): number => permission.allowed_ & scope;

/** Global Privacy Control, which is honoured unless a setting says otherwise. */
export const hasGpc = (): boolean | undefined => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;

/** Work out what is allowed on this page. */
export const begin = (): void => {
  const policy = hasGpc() ? options.gpc || "cookieless" : "ignore";
  permission.allowed_ =
    policy === "drop" ||
    (options.local == null && LOCAL.test(location.hostname)) ||
    attempt(() => localStorage[OPTED_OUT])
      ? 0
      : policy === "ignore"
        ? ALL
        : COUNT;
};
