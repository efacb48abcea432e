/** Nothing that fails here may reach the page: every entry into the tracker goes through `attempt`. */

// biome-ignore lint: each event has a detail of its own
type Handler = (detail: any) => unknown;

const handlers: [string, Handler][] = [];

export const on = (...given: [type: string, handler: Handler]): void => {
  handlers.push(given);
};

export const emit = (type: string, detail?: unknown): void => {
  for (const [each, handler] of handlers) {
    try {
      if (each === type) handler(detail);
    } catch (_) {
      // Nobody could be told who has not failed already.
    }
  }
};

/** Act. What it throws is emitted as `error`. */
export const attempt = (act: () => unknown): void => {
  try {
    act();
  } catch (error) {
    emit("error", error);
  }
};

/** Act in a task of its own; on a hidden page, which keeps no timer and nobody waits for, at once. */
export const soon = (act: () => unknown, delayMs?: number): number | void =>
  document.hidden ? attempt(act) : setTimeout(() => attempt(act), delayMs);

/** What is left to tasks of their own, in order. */
export const steps: (() => unknown)[] = [];

/** Take the first `count` steps. */
const advance = (count: number): unknown => steps.splice(0, count).map(attempt);

/** Take a step, and the others in tasks of their own. */
export const stroll = (): void => {
  advance(1);
  if (steps[0]) soon(stroll);
};

/** Act for the page or the visitor, who do not wait: what was left to tasks comes first. */
export const enter = (act: () => unknown): void => {
  steps.push(act);
  advance(9);
};

/** Listens on the window while events go down, so that handlers of the page cannot hide them. */
export const listen = (types: string, handle: (event: Event) => unknown): void => {
  types.split(" ").forEach((type) => addEventListener(type, (event) => enter(() => handle(event)), true));
};

/** Acts with the next frame, where titles are known and reading the layout costs least. */
export const nextFrame = (act: () => void): number => requestAnimationFrame(() => attempt(act));
