/** Events that an author marks in the page: `data-event`, class names in Plausible's style, and links to people. */

import type { Props } from "../contract";
import type { Module } from "../module";

const CLASS = /^plausible-event-([^=]+)(?:=|--)(.+)$/;

/** What an element is marked with; its name, if it has one, is under `name`. */
const marksOf = (element: HTMLElement): Record<string, string> => {
  const marks: Record<string, string> = {};
  element.classList.forEach((each) => {
    const [, key, value] = CLASS.exec(each) || [];
    if (key) marks[key] = value!.replace(/\+/g, " ");
  });
  for (const key of Object.keys(element.dataset)) {
    if (/^event./.test(key)) marks[key[5]!.toLowerCase() + key.slice(6)] = element.dataset[key]!;
  }
  return marks;
};

export const marks: Module = (kit) => {
  const record = kit.verbs_.event!;
  kit.listen_("click auxclick submit", (event) => {
    const isSubmit = event.type === "submit";
    // The right button opens a menu.
    if ((event as MouseEvent).button > 1) return;
    const path = event.composedPath().filter((each) => each instanceof HTMLElement) as HTMLElement[];
    const isMarked = (each: HTMLElement): boolean =>
      each.matches('[data-event],[class*="plausible-event-name"]') && each.matches("form") === isSubmit;
    const marked = path.find(isMarked);
    if (marked) {
      const props: Props = marksOf(marked);
      const name = marked.dataset.event || props.name;
      if (!marked.dataset.event) delete props.name;
      record(name, props);
    }
    const link = path.find((each) => each.matches('[href^="mailto:"],[href^="tel:"]'));
    if (link && !isSubmit) record("contact", { url: link.getAttribute("href")!.split("?")[0] });
  });
};
