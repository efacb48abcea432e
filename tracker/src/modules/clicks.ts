/** Clicks on anything, and clicks of anger. Texts are told only where `data-text` allows it. */

import type { Module } from "../module";

const TEXT_MAX = 80;
const PATH_MAX = 4;
const RAGE_CLICKS = 3;
const RAGE_MS = 1_000;
const RAGE_PX = 30;
const ACTIVE = "a,button,input,select,textarea,label,summary,area,[role],[onclick],[tabindex]";

/** Tags and classes upwards to the nearest id; classes with digits change with each build. */
const pathOf = (element: Element): string => {
  const parts: string[] = [];
  for (let each: Element | null = element; each && parts.length < PATH_MAX; each = each.parentElement) {
    const names = Array.from(each.classList).filter((name) => !/\d/.test(name));
    parts.unshift([each.localName, ...names.slice(0, 3)].join("."));
    if (each.id) break;
  }
  return parts.join(">");
};

export const clicks: Module = (kit) => {
  const record = kit.verbs_.event!;
  let recent: { x: number; y: number; at: number }[] = [];
  kit.listen_("click", (event) => {
    const { clientX: x, clientY: y, timeStamp: at } = event as MouseEvent;
    const target = event.composedPath()[0] as HTMLElement;
    if (!target.closest || target.closest("[data-private]")) return;
    const element = (target.closest(ACTIVE) || target) as HTMLElement;
    const told = {
      tag: element.localName,
      id: element.id || undefined,
      name: element.getAttribute("name") || undefined,
      role: element.getAttribute("role") || undefined,
      path: pathOf(element),
      text: element.closest("[data-text]") ? element.textContent!.trim().slice(0, TEXT_MAX) : undefined,
    };
    record("click", told);
    recent = recent.filter((each) => at - each.at < RAGE_MS && Math.hypot(x - each.x, y - each.y) < RAGE_PX);
    if (recent.push({ x, y, at }) === RAGE_CLICKS) record("rage_click", told);
  });
};
