/** Steps of an order, as `t('event', 'purchase', {…})`: amounts become decimal strings, a purchase counts once. */

import type { Module } from "../module";
import { STORE } from "../permission";

const STEPS = /^(product_view|cart_add|cart_remove|checkout|purchase|refund)$/;
const ORDERED = "t:o:";

// biome-ignore lint: a page may give anything
type Given = any;

/** A decimal with a point, without groups; undefined for what is no number. */
const decimal = (value: Given): string | undefined =>
  (/^-?\d+(\.\d+)?$/.exec(("" + value).replace(/[\s']/g, "").replace(/,(\d\d?)$/, ".$1").replace(/,/g, "")) || [])[0];

export const commerce: Module = (kit, options) => {
  const memory: Given = {};
  kit.hooks_.unshift((event) => {
    const props = event.p as Given;
    const { currency, items, order_id: order, value } = props;
    if (!STEPS.test(event.n)) return event;
    if (event.n === "purchase" && order) {
      const orders: Given = kit.permission_.allowed_ & STORE && options.id ? sessionStorage : memory;
      if (orders[ORDERED + order]) return null;
      orders[ORDERED + order] = 1;
    }
    if (value != null) props.value = decimal(value);
    if (currency) props.currency = currency.toUpperCase();
    if (items) props.items = items.map((item: Given) => Object.assign({}, item, { price: decimal(item.price) }));
    return event;
  });
};
