/** Pages tagged for Objectiv: their attributes, their taxonomy, our tracker. */

import type { Call } from "../module";

// biome-ignore lint: what attributes hold
type Given = any;

const ATTRIBUTE = "data-objectiv-";
const TAGGED = `[${ATTRIBUTE}context]`;

const attribute = (element: Element, name: string): Given => {
  const text = element.getAttribute(ATTRIBUTE + name);
  try {
    return text && JSON.parse(text);
  } catch (_) {
    return text;
  }
};

/** The tagged elements from the root of the page down to `element`; a portal names its logical parent. */
const stackOf = (element: Element | null): Given[] => {
  const stack: Given[] = [];
  for (let each = element; each; ) {
    const context = attribute(each, "context");
    if (context) stack.unshift(context);
    const parent = each.getAttribute(ATTRIBUTE + "parent-element-id");
    each = parent ? document.querySelector(`[${ATTRIBUTE}element-id="${parent}"]`) : each.parentElement;
  }
  // Without a tagged root, the first part of the path is one.
  if (!stack[0] || stack[0]._type !== "RootLocationContext") {
    const id = location.pathname.split("/")[1]!.toLowerCase().replace(/\s+/g, "-").replace(/[^a-z0-9_-]/g, "");
    stack.unshift({ _type: "RootLocationContext", id: id || "home" });
  }
  // Types and ids alone are short enough to pass every limit.
  return stack.map(({ _type, id, href }) => ({ _type, id, href }));
};

/**
 * Listen to tagged elements, also those to come.
 *
 * @param t our tracker
 */
export const objectiv = (t: Call): void => {
  const tell = (name: string, element: Element, more?: object): void =>
    t("event", name, Object.assign({ location_stack: stackOf(element) }, more));
  const find = (event: Event, selector: string): Element | null => {
    const target = event.target as Element;
    return target.closest ? target.closest(selector) : null;
  };
  const isOn = (element: Element, name: string): boolean => !!attribute(element, name);

  addEventListener(
    "click",
    (event) => {
      const element = find(event, `[${ATTRIBUTE}track-clicks]`);
      if (element && isOn(element, "track-clicks")) tell("PressEvent", element);
    },
    true,
  );
  addEventListener(
    "blur",
    (event) => {
      const element = find(event, `[${ATTRIBUTE}track-blurs]`);
      if (!element || !isOn(element, "track-blurs")) return;
      const { type, value } = event.target as HTMLInputElement;
      // Only where the page says so, and a password not even then.
      const isTold = attribute(element, "track-blurs").trackValue && type !== "password" && value != null;
      const { id } = attribute(element, "context") || {};
      tell("InputChangeEvent", element, isTold && { global_contexts: [{ _type: "InputValueContext", id, value }] });
    },
    true,
  );

  /** Where each element that was told to be visible is; nothing for one that was told to be hidden. */
  const seen = new Map<Element, Given[] | undefined>();
  const look = (): void => {
    document.querySelectorAll(`[${ATTRIBUTE}tag-children]`).forEach((element) => {
      for (const { queryAll, tagAs } of attribute(element, "tag-children") || []) {
        element.querySelectorAll(queryAll).forEach((child) => {
          for (const name of Object.keys(tagAs)) if (!child.hasAttribute(name)) child.setAttribute(name, tagAs[name]);
        });
      }
    });
    seen.forEach((stack, element) => {
      if (element.isConnected) return;
      seen.delete(element);
      if (stack) t("event", "HiddenEvent", { location_stack: stack });
    });
    document.querySelectorAll(`${TAGGED}[${ATTRIBUTE}track-visibility]`).forEach((element) => {
      const { mode = "auto", isVisible = true } = attribute(element, "track-visibility") || { isVisible: false };
      const isNow = mode === "auto" || isVisible;
      if (isNow !== !!seen.get(element)) tell(isNow ? "VisibleEvent" : "HiddenEvent", element);
      seen.set(element, isNow ? stackOf(element) : undefined);
    });
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: [ATTRIBUTE + "track-visibility", ATTRIBUTE + "tag-children"] });
  look();
  tell("ApplicationLoadedEvent", document.documentElement);
};
