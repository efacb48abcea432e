/** What clicks tell by themselves: links that leave, and files. */

import { clean, endingOf } from "./address";
import { listen } from "./guard";
import { isAutomatic, options } from "./options";
import { record } from "./record";

const TEXT_MAX = 80;
const FILES =
  "pdf|(doc|xls|ppt)x?|od[tsp]|csv|txt|zip|rar|7z|gz|tar|mp[34]|mov|avi|mkv|wav|exe|msi|dmg|pkg|deb|rpm|apk|iso";

export const watchClicks = (): void => {
  listen("click auxclick", (event) => {
    // Through open shadow roots; the right button opens a menu.
    const link = (event.composedPath() as HTMLAnchorElement[]).find((each) => /^http/.test(each.protocol));
    if (!link || (event as MouseEvent).button > 1) return;
    const { hostname } = link;
    const url = clean(link.href, "all");
    const file = endingOf(link.pathname, options.files || FILES);
    if (isAutomatic("files") && (file || link.hasAttribute("download"))) record("download", { url, ext: file && file[2] });
    else if (isAutomatic("links") && !endingOf(hostname, [location.hostname, options.own, options.domains])) {
      record("outbound", { url, host: hostname, text: link.textContent!.trim().slice(0, TEXT_MAX) });
    }
  });
};
