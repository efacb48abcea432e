/** Most pages need no more than this script. What else is asked for comes in one file beside it. */

import { permission } from "./permission";
import { call, unknown, type Act } from "./verbs";

/** Parts of id, consent, sample, props, before, canonical, domains, dnt, modules that no other name has. */
export const NEEDS_MORE = /id|ns|mp|pr|be|ic|do|dn|mo/;

/** The element of this script. */
export const script = document.currentScript as HTMLScriptElement;

/** Load the file when settings ask for it, or else when an unknown verb does. It finds
 * the tracker at its own element. Events wait for it, since it may change them. */
export const arrangeMore: Act = (_, settings) => {
  unknown.load_ = () => {
    if (permission.isHeld_) return;
    permission.isHeld_ = true;
    document.head.append(
      Object.assign(document.createElement("script"), {
        nonce: script.nonce,
        t: call,
        src: new URL("more.js", script.src),
      }),
    );
  };
  if (NEEDS_MORE.test(Object.keys(settings) as unknown as string)) unknown.load_();
};
