/** `/webalytic.js` and `/sdk.js`: the tracker for pages of Webalytic and of analytics.js. */

import { webalytic } from "../facades/webalytic";
import { begin, call } from "./legacy";

webalytic(call, (site) => begin(site, "links,files,scroll,engage"));
