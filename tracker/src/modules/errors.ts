/** Errors of the page: each kind when it first happens, and how often it happened again on leaving. */

import type { Module } from "../module";

const TOLD_MAX = 5;

export const errors: Module = (kit) => {
  /** How often each kind happened since it was told. */
  const counts: Record<string, number> = {};
  let view: string;
  let told: number;
  const tell = (kind: string, count: number): void => {
    if (view !== kit.page_.id_) told = 0;
    view = kit.page_.id_;
    const [message, file, line] = JSON.parse(kind);
    if (told++ < TOLD_MAX) kit.verbs_.event!("error", { message, file, line, count });
    counts[kind] = 0;
  };
  const note = (...about: unknown[]): void => {
    const kind = JSON.stringify(about);
    if (kind in counts) counts[kind]!++;
    else tell(kind, 1);
  };
  kit.listen_("error", (event) => {
    const { message, filename, lineno } = event as ErrorEvent;
    // Without a message it is a file that could not be loaded.
    if (message) note(message, filename, lineno);
  });
  kit.listen_("unhandledrejection", (event) => note("" + (event as PromiseRejectionEvent).reason));
  kit.listen_("visibilitychange", () => {
    if (document.hidden) for (const kind in counts) if (counts[kind]) tell(kind, counts[kind]!);
  });
};
