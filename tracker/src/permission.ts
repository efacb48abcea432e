/** What the browser and the visitor allow. */

import { endingOf } from "./address";
import { options } from "./options";

/** What may be allowed. */
export const STORE = 1;
export const IDENTIFY = 2;
export const COUNT = 4;
export const ALL = 7;

export const OPTED_OUT = "t:off";
/** Ends of the names of this machine and of bare addresses, or no host at all: who visits those is no visitor. */
export const LOCAL = "local(host)?|\\d+|.*]|^";

/** Nothing is allowed until the tracker starts. */
export const permission = {} as {
  allowed_: number;
  /** Events wait: for consent, or for what completes them. */
  isHeld_?: boolean;
};

declare global {
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}

/** Work out what is allowed on this page. Global Privacy Control is honoured unless a setting says otherwise. */
export const begin = (): void => {
  permission.allowed_ =
    options.local == null && endingOf(location.hostname, LOCAL)
      ? 0
      : navigator.globalPrivacyControl && options.gpc !== "ignore"
        ? options.gpc === "drop"
          ? 0
          : COUNT
        : ALL;
};
