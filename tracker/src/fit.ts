/** Limits of what a page may attach to an event. Too much is cut and flagged, never refused. */

import type { Json, Props } from "./contract";

const DEPTH_MAX = 3;
const KEYS_MAX = 40;
const KEY_CHARS_MAX = 40;
const TEXT_CHARS_MAX = 1_000;
const EVENT_BYTES_MAX = 16_000;

export const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

const cut = (value: Json, textMax: number, depth: number): Json =>
  typeof value === "string"
    ? value.slice(0, textMax)
    : value === Object(value)
      ? Object.keys(depth ? (value as Props) : {})
          .slice(0, KEYS_MAX)
          .reduce<Props>(
            (kept, key) => ((kept[key.slice(0, KEY_CHARS_MAX)] = cut((value as Props)[key]!, textMax, depth - 1)), kept),
            (Array.isArray(value) ? [] : {}) as Props,
          )
      : value;

/** What of `props` fits; `_cut` is set when anything is missing. */
export const fit = (props: object, textMax = TEXT_CHARS_MAX): Props => {
  const json = JSON.stringify(props);
  const fitted = cut(JSON.parse(json), textMax, DEPTH_MAX) as Props;
  if (JSON.stringify(fitted) !== json) fitted._cut = true;
  return bytesOf(fitted) < EVENT_BYTES_MAX ? fitted : textMax ? fit(fitted, textMax >> 4) : { _cut: true };
};
