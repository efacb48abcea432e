/** What happens to forms. Values are never read; fields that hold secrets are not even named. */

import type { Module } from "../module";

type Field = HTMLInputElement;

interface Visit {
  form: HTMLFormElement;
  field: string | undefined;
  touched: Set<Field>;
  startedAt: number;
}

/** A field's name, unless it holds a password, a card or a code. */
const nameOf = (field: Field): string | undefined =>
  /password|hidden/.test(field.type) || /^cc-|password|one-time/.test(field.autocomplete) ? undefined : field.name || field.id;

const propsOf = (form: HTMLFormElement): object => ({
  id: form.getAttribute("id") || undefined,
  name: form.getAttribute("name") || undefined,
  action: new URL(form.getAttribute("action") || "", location.href).pathname,
});

export const forms: Module = (kit) => {
  const record = kit.verbs_.event!;
  const visits = new Map<HTMLFormElement, Visit>();
  /** Tell of an event on a form, unless the form or what is above it is private. */
  const tell = (name: string, form: HTMLFormElement, more?: object): void => {
    if (!form.closest("[data-private]")) record(name, Object.assign(propsOf(form), more));
  };

  kit.listen_("focusin", (event) => {
    const field = event.composedPath()[0] as Field;
    const { form } = field;
    if (!form || field.closest("[data-private]")) return;
    const visit = visits.get(form) || { form, field: undefined, touched: new Set(), startedAt: performance.now() };
    if (!visits.has(form)) tell("form_start", form);
    visits.set(form, visit);
    visit.touched.add(field);
    visit.field = nameOf(field);
  });
  kit.listen_("submit", (event) => {
    const form = event.composedPath()[0] as HTMLFormElement;
    visits.delete(form);
    tell("form_submit", form);
  });
  kit.listen_("invalid", (event) => {
    const field = event.composedPath()[0] as Field;
    if (field.form && !field.closest("[data-private]")) tell("form_invalid", field.form, { field: nameOf(field) });
  });
  kit.listen_("visibilitychange", () => {
    if (!document.hidden) return;
    visits.forEach(({ form, field, touched, startedAt }) => {
      tell("form_abandon", form, { field, fields: touched.size, ms: Math.round(performance.now() - startedAt) });
    });
    visits.clear();
  });
};
