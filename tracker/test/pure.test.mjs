/** The parts that need no page. */

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.location = new URL("https://shop.example/here");
const { clean, endingOf } = await import("../src/address.ts");
const { LOCAL } = await import("../src/permission.ts");
const { fit } = await import("../src/fit.ts");
const { newId } = await import("../src/ids.ts");
const { timeOf } = await import("../src/times.ts");
globalThis.document = {};
const { NEEDS_MORE } = await import("../src/load.ts");
delete globalThis.document;

test("an id is a UUID of version 7 and tells its time", () => {
  const before = Date.now();
  const ids = Array.from({ length: 1_000 }, newId);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9]{3}-8[0-9]{3}-[0-9]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(timeOf(ids[0]) >= before && timeOf(ids[0]) <= Date.now());
});

test("an address keeps what its setting says, and never a secret", () => {
  const address = "https://me:pw@shop.example/a?utm_source=x&msclkid=1&gbraid=2&q=3&api_key=4&sessionid=5&zipcode=6#f";
  assert.equal(clean(address), "https://shop.example/a?utm_source=x&msclkid=1&gbraid=2");
  assert.equal(clean(address, "none"), "https://shop.example/a");
  assert.equal(clean(address, "all"), "https://shop.example/a?utm_source=x&msclkid=1&gbraid=2&q=3");
  assert.equal(clean("https://search.example/?q=3&token=4"), "https://search.example/?q=3");
  assert.equal(clean("/x?keyword=1&monkey=2", "all"), "https://shop.example/x?keyword=1");
  assert.equal(clean("/x#part", "all", "on"), "https://shop.example/x#part");
  assert.equal(clean("/x#part", "all", "off"), "https://shop.example/x");
  assert.equal(clean("/x#access_token=1", "all", "hash"), "https://shop.example/x");
});

test("an ending is found after a dot or as a whole", () => {
  assert.equal(endingOf("/a/b.tar.GZ", "zip|gz")[2], "GZ");
  assert.equal(endingOf("www.shop.example", "other.example, shop.example")[2], "shop.example");
  assert.equal(endingOf("myshop.example", ["shop.example", undefined, undefined]), null);
  assert.ok(endingOf("shop.example", ["shop.example", undefined]));
});

test("a machine without a public name is told from a host", () => {
  for (const host of ["localhost", "shop.localhost", "printer.local", "127.0.0.1", "10.0.0.1", "[::1]", ""]) {
    assert.ok(endingOf(host, LOCAL), host);
  }
  for (const host of ["shop.example", "local.example", "mylocalhost", "1.example", "shop.example."]) {
    assert.equal(endingOf(host, LOCAL), null, host);
  }
});

test("props that fit stay as they are", () => {
  const props = { a: 1, b: "x", c: [1, { d: null }], e: { f: { g: true } } };
  assert.deepEqual(fit(props), props);
});

test("props that do not fit are cut to every limit, and flagged", () => {
  const wide = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, index]));
  assert.equal(Object.keys(fit(wide)).length, 41);
  assert.deepEqual(fit({ a: "x".repeat(1_001) }), { a: "x".repeat(1_000), _cut: true });
  assert.deepEqual(fit({ ["k".repeat(41)]: 1 }), { ["k".repeat(40)]: 1, _cut: true });
  assert.deepEqual(fit({ a: { b: { c: { d: 1 } } } }), { a: { b: { c: {} } }, _cut: true });
  const huge = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, "ü".repeat(1_000)]));
  const fitted = fit(huge);
  assert.ok(JSON.stringify(fitted).length < 16_000 && fitted._cut);
});

test("the settings that need the second file are told apart from those that do not", () => {
  for (const name of ["id", "consent", "sample", "props", "before", "canonical", "domains", "dnt", "modules"]) {
    assert.match(name, NEEDS_MORE);
  }
  for (const name of ["site", "api", "auto", "spa", "query", "hash", "files", "own", "gpc", "local", "name", "scrollRoot"]) {
    assert.doesNotMatch(name, NEEDS_MORE);
  }
});

test("the package does nothing on a server", async () => {
  const { tracker } = await import("../npm/index.js");
  const modules = await import("../npm/extras.js");
  const t = tracker({ site: "shop" });
  assert.equal(t("event", "a"), undefined);
  assert.deepEqual(Object.keys(modules).sort(), ["clicks", "commerce", "errors", "forms", "marks", "vitals"]);
});
