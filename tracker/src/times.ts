/** Times in ids. */

/** Milliseconds since 1970 in a UUIDv7. */
export const timeOf = (id: string): number => parseInt(id.replace("-", ""), 16);
