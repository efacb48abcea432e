/** How a page of another family starts our tracker: without an element of ours, and without a global of ours. */

import { more } from "../more";
import type { Options } from "../options";
import { start } from "../start";
import { call } from "../verbs";

const script = document.currentScript as HTMLScriptElement;

export { call };

/**
 * Start for a site; the element's `data-*` win. The endpoint is beside the script, so below `/s/<site>` too.
 *
 * @param auto what is told without being asked for; pages of these families tell their page views themselves
 */
export const begin = (site: string, auto: string): void => {
  const settings = Object.assign({ site, auto, api: "" + new URL("e", script.src) }, script.dataset) as unknown as Options;
  call("ready", more);
  start(settings, script.src);
};
