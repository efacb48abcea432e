/** The script and the rest of it in one file, for pages whose settings need both. */

import { more } from "../more";
import { loadModules } from "../more/modules";
import type { Options } from "../options";
import { start } from "../start";
import { call, unknown, type Call } from "../verbs";

const script = document.currentScript as HTMLScriptElement;
declare const window: Record<string, typeof call & { q?: Call[] }>;

const settings = script.dataset as unknown as Options;
const name = settings.name || "t";
const { q: calls } = window[name] || { q: [] };

// What is no stub is another copy, or the page's own: stand down.
if (calls) {
  window[name] = call;
  const prepare: typeof more = (kit, options) => {
    more(kit, options);
    if (settings.modules) loadModules("" + settings.modules, script, call);
  };
  unknown.calls_.push(["ready", prepare], ...calls);
  start(settings, script.src);
}
