/** Nothing that fails here may reach the page: every entry into the tracker goes through `attempt`. */

// biome-ignore lint: each event has a detail of its own
type Handler = (detail: any) => unknown;

const handlers: [string, Handler][] = [];

export const on = (type: string, handler: Handler): void => {
  handlers.push([type, handler]);
};

export const emit = (type: string, detail?: unknown): void => {
  for (const [each, handler] of handlers) if (each === type) attempt(() => handler(detail), type);
};

/** The result of `act`, or undefined when it throws; then `error` is emitted, unless `type` says that it is what failed. */
export const attempt = <Result>(act: () => Result, type?: string): Result | void => {
  try {
    return act();
  } catch (error) {
    if (!type) emit("error", error);
  }
};

/** Listens on the window while events go down, so that handlers of the page cannot hide them. */
export const listen = (types: string, handle: (event: Event) => unknown): void => {
  for (const type of types.split(" ")) {
    addEventListener(type, (event) => attempt(() => handle(event)), true);
  }
};

/** Acts with the next frame, where titles are known and reading the layout costs least. */
export const nextFrame = (act: () => void): number => requestAnimationFrame(() => attempt(act));
