/** Ids of events and page views. */

/** UUIDv7: milliseconds, version, variant, and 18 random decimal digits, which are hexadecimal ones too. */
export const newId = (): string => {
  const digits = [...(0 + Date.now().toString(16) + crypto.getRandomValues(new Uint32Array(4)).join(""))];
  return "00000000-0000-7000-8000-000000000000".replace(/0/g, () => digits.shift()!);
};
