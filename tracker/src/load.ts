/** Most pages need no more than this script. What else is asked for comes in one file beside it. */

import type { Options } from "./options";
import { permission } from "./permission";
import { call, unknown } from "./verbs";

/** Beginnings of id, consent, sample, props, before, canonical, domains, dnt, modules. */
export const NEEDS_MORE = /id|cons|samp|prop|bef|can|dom|dnt|mod/;

/** Load the file when settings ask for it, or else when an unknown verb does. It finds
 * the tracker at its own element. Events wait for it, since it may change them. */
export const arrangeMore = (settings: Options, script: HTMLScriptElement): void => {
  unknown.load_ = () => {
    unknown.load_ = () => {};
    permission.isHeld_ = true;
    document.head.append(
      Object.assign(document.createElement("script"), {
        nonce: script.nonce,
        t: call,
        src: new URL("more.js", script.src),
      }),
    );
  };
  if (NEEDS_MORE.test("" + Object.keys(settings))) unknown.load_();
};
