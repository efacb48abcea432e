/** Ids of events and page views. */

/** UUIDv7: milliseconds, version, variant, and 18 random decimal digits, which are hexadecimal ones too. */
export const newId = (): string =>
  (0 + Date.now().toString(16) + 7 + crypto.getRandomValues(new Uint32Array(4)).join("")).replace(
    /(.{8})(....)(....)(...)(.{12}).*/,
    "$1-$2-$3-8$4-$5",
  );
