/** What a browser may be asked to fetch: bytes after `gzip -9`, by entry. A build over one fails. */

export const CORE_RAW_BYTES = 8_000;

export const BUDGETS = {
  t: 3_072,
  more: 2_600,
  "t-more": 5_200,
  forms: 800,
  clicks: 900,
  marks: 700,
  vitals: 1_300,
  errors: 400,
  commerce: 500,
  alco: 1_500,
  ga: 1_500,
  objectiv: 1_500,
  lib: 5_500,
  sdk: 6_000,
  webalytic: 6_000,
};
