/** Pages written for AlcoJS or Rockstat's web-sdk: their stub, their calls, our tracker. */

import type { Call } from "../module";

// biome-ignore lint: what pages of other libraries hand over
type Given = any;

/** The site of a page that names it as those libraries do; the collector knows which one that is. */
export const siteOf = (project: unknown): string => "alcolytics:" + (project == null ? 1 : project);

/**
 * Take over the stub.
 *
 * @param t our tracker
 * @param begin starts it, when that was not done by our own script element
 */
export const alco = (t: Call, begin?: (site: string) => void): void => {
  const globals = window as Given;
  const stub = globals.alco || globals.rstat || (globals.alco = {});
  let project: unknown;
  let isBegun = !begin;
  const verbs: Record<string, (...args: Given[]) => unknown> = {
    configure: (options) => {
      project = options.projectId == null ? project : options.projectId;
    },
    page: (props) => t("page", { p: props }),
    event: (name, props) => t("event", name, props),
    identify: (id, traits) => (typeof id === "object" ? t("set", { traits: id }) : t("identify", "" + id, traits)),
    request: (service, name, props) => t("event", service + "/" + name, props),
    onReady: (act) => t("ready", act),
    onEvent: (act) => t("on", "event", (event: Given) => act(event.n, event.p)),
    setCustomConfig: (options) => verbs.configure!(options),
  };
  verbs.notify = verbs.request!;
  const call = (verb: string, ...args: Given[]): unknown => {
    // What they could be told and we need not know is ignored, as they did.
    const act = verbs[verb];
    if (!isBegun && verb !== "configure") {
      isBegun = true;
      begin!(siteOf(project));
    }
    return act && act(...args);
  };
  const queue: Given[] = stub.queue || stub._q || [];
  // Snippets call it with their arguments, or with the one object that holds them.
  stub.doCall = (...args: Given[]) => call(...((typeof args[0] === "string" ? args : Array.from(args[0])) as [string]));
  stub.loaded = true;
  queue.push = (...calls: Given[]) => calls.forEach((args) => stub.doCall(args)) as unknown as number;
  queue.splice(0).forEach((args) => stub.doCall(args));
  for (const verb of Object.keys(verbs)) stub[verb] = (...args: Given[]) => call(verb, ...args);
  // A page that only configures still counts once its document is there.
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => call(""));
  else call("");
};
