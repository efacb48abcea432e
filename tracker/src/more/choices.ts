/** What a visitor chooses, or the page on a visitor's behalf. */

import type { Before, Options } from "../options";
import { ALL, COUNT, IDENTIFY, OPTED_OUT, STORE } from "../permission";
import type { Kit } from "../verbs";
import type { Device } from "./device";

const SCOPES: Record<string, number> = { storage: STORE, identify: IDENTIFY };

/** What was told of a user is remembered as a hash, not as what it says. */
const hash = (text: string): string => "" + Array.from(text).reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) | 0, 7);

/**
 * Add the verbs, and a hook that keeps what was told of a user from being repeated by the next page.
 *
 * @returns whether events must go on waiting, for consent
 */
export const offerChoices = (kit: Kit, options: Options, device: Device, hooks: Before[]): boolean => {
  const { permission_: permission, queue_: queue, verbs_: verbs } = kit;
  /** What the browser allows is never exceeded. */
  const possible = permission.allowed_;
  const remembered = +(device.recall("c") || 0);
  let granted = options.consent === "required" ? remembered : ALL;
  let isPending = !granted;
  let user = "";

  const drop = (isUnwanted: (name: string) => boolean): void => {
    queue.splice(0, queue.length, ...queue.filter((event) => !isUnwanted(event.n)));
  };
  // Pending events are recorded, but not kept on the device.
  permission.allowed_ = possible & (isPending ? COUNT | IDENTIFY : granted);

  verbs.consent = (choice: string, scope = "all") => {
    const bits = SCOPES[scope] || ALL;
    granted = choice === "grant" ? granted | bits | COUNT : granted & ~bits;
    permission.allowed_ = possible & granted;
    if (!(granted & COUNT)) drop(() => true);
    if (!(granted & IDENTIFY)) drop((name) => name === "identify" || name === "alias");
    if (!(granted & STORE)) device.erase();
    // What waits gets its ids before it may go.
    device.begin();
    isPending = permission.isHeld_ = false;
    verbs.event!("consent", { choice, scope });
    if (permission.allowed_ & STORE) device.keep("c", "" + granted);
    verbs.flush!();
  };
  verbs.optout = () => {
    drop(() => true);
    permission.allowed_ = 0;
    device.erase();
    localStorage[OPTED_OUT] = 1;
  };
  verbs.optin = () => {
    delete localStorage[OPTED_OUT];
    permission.allowed_ = possible & (isPending ? COUNT | IDENTIFY : granted);
  };
  verbs.forget = () => {
    drop(() => true);
    verbs.event!("forget");
    verbs.flush!();
    device.erase();
  };
  hooks.push((event) => {
    if (event.n !== "identify") return event;
    user = "" + event.p!.id;
    const told = hash(JSON.stringify(event.p));
    if (device.recall("i") === told) return null;
    if (permission.allowed_ & STORE) device.keep("i", told);
    return event;
  });
  verbs.reset = () => {
    user = "";
    device.renew();
  };
  verbs.alias = (id: string) => {
    if (permission.allowed_ & IDENTIFY) verbs.event!("alias", { id, previous: user || device.recall("v") });
    user = id;
  };
  return isPending;
};
