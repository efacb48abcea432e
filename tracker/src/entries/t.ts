/** The script itself: settings from its element, calls from the stub. */

import { arrangeMore } from "../load";
import type { Options } from "../options";
import { start } from "../start";
import { call, replay } from "../verbs";

type Stub = typeof call & { q?: IArguments[] };

const script = document.currentScript as HTMLScriptElement;
const settings = script.dataset as unknown as Options;
const globals = window as unknown as Record<string, Stub | undefined>;
const name = settings.name || "t";
const stub = globals[name] || { q: [] };

// What is no stub is another copy, or the page's own: stand down.
if (stub.q) {
  globals[name] = call;
  start(settings, script.src, () => {
    arrangeMore(settings, script);
    replay(stub.q!);
  });
}
