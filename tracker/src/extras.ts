/** Modules for bundlers: `t("ready", forms)`. */

export { marks } from "./modules/marks";
export { forms } from "./modules/forms";
export { clicks } from "./modules/clicks";
export { errors } from "./modules/errors";
export { vitals } from "./modules/vitals";
export { commerce } from "./modules/commerce";
