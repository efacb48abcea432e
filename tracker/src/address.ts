/** What of an address is kept. */

const MARKETING = /^(utm_.*|ref|source|\w+clk?id|[gw]braid|_openstat)$/;
const SECRET = /token|passw|key$|mail|session|code$/i;

/**
 * An absolute address without user, secrets and, unless kept, fragment.
 *
 * @param query which parameters of our own pages are kept: those of marketing unless `all` or `none`
 * @param hash `on` or `hash` keep the fragment
 */
export const clean = (address: string | Location, query?: string, hash?: string): string => {
  const url = new URL(address as string, location as unknown as URL);
  const params = url.searchParams;
  url.username = url.password = "";
  // Sign-in answers with tokens in the fragment.
  if (!/(hash|on)#(?!.*token=)/.test(hash + url.hash)) url.hash = "";
  for (const key of [...params.keys()]) {
    if (SECRET.test(key) || (query !== "all" && url.host === location.host && (query === "none" || !MARKETING.test(key)))) params.delete(key);
  }
  return url.href;
};

/** How a host or a path ends (group 2), if it is one of a list after a dot or as a whole. An empty entry matches nothing. */
export const endingOf = (text: string, list: unknown): RegExpExecArray | null =>
  RegExp("(^|\\.)(" + ("" + list).replace(/,\s*/g, "|") + ")$", "i").exec(text);
