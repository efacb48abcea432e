/** The script itself: settings from its element, calls from the stub. */

import { arrangeMore, script } from "../load";
import type { Options } from "../options";
import { start } from "../start";
import { call, unknown, type Call } from "../verbs";

declare const window: Record<string, typeof call & { q?: Call[] }>;

const settings = script.dataset as unknown as Options;
const name = settings.name || "t";
const { q: calls } = window[name] || { q: [] };

// What is no stub is another copy, or the page's own: stand down.
if (calls) {
  window[name] = call;
  unknown.calls_.push(["ready", arrangeMore], ...calls);
  start(settings, script.src);
}
