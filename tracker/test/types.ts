/** Compiled, never run: what the types allow, and what they refuse. */

import { tracker } from "../src/index";
import type { Tracker } from "../src/api";

interface Shop {
  [name: string]: object | undefined;
  signup: { plan: "free" | "pro" };
  logout: undefined;
}
type Known = Pick<Shop, "signup" | "logout">;

const t: Tracker<Known> = tracker<Known>({ site: "shop", id: "user", auto: ["page", "links"] });

t("event", "signup", { plan: "pro" });
t("event", "logout");
t("consent", "grant", "storage");
t("page", { u: "/virtual", ti: "Title", p: { a: 1 } });
t("on", "event", (event) => event.n.length);
// @ts-expect-error  a plan that does not exist
t("event", "signup", { plan: "gold" });
// @ts-expect-error  an event needs its props
t("event", "signup");
// @ts-expect-error  an event that is not in the map
t("event", "sign_up", { plan: "pro" });
// @ts-expect-error  consent is granted or denied
t("consent", "maybe");
// @ts-expect-error  a site is required
tracker({});

const any = tracker({ site: "shop" });
any("event", "anything", { a: 1 });
