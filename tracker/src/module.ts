/** How a module's file finds the tracker: at its own element when that loaded it, else by the global name. */

import type { Options } from "./options";
import type { Kit } from "./verbs";

export type Module = (kit: Kit, options: Options) => void;

// biome-ignore lint: calls are checked by the public type of `t`
export type Call = (verb: string, ...args: any[]) => void;

interface Stub extends Call {
  q?: unknown[];
}

/** The tracker, or a stub that the tracker will replay. */
export const findTracker = (script: HTMLScriptElement): Call => {
  const globals = window as unknown as Record<string, Stub | undefined>;
  const name = script.dataset.name || "t";
  const found = (script as unknown as { t?: Call }).t || globals[name];
  if (found) return found;
  const stub: Stub = function (...args: unknown[]) {
    stub.q!.push(args);
  };
  stub.q = [];
  return (globals[name] = stub);
};

/** Attach a module from its own file. */
export const attach = (module: Module): void => findTracker(document.currentScript as HTMLScriptElement)("ready", module);
