/** `/lib.js`: the tracker for pages of AlcoJS and Rockstat. */

import { alco } from "../facades/alco";
import { begin, call } from "./legacy";

alco(call, (site) => begin(site, "links,files,scroll,engage"));
