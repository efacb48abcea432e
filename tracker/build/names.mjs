/**
 * Short names of the inside, which files of different releases share for as long as browsers keep them: a name here is
 * never changed or used again. A new name is added at the end.
 */

export const NAMES = {
  page_: "p",
  id_: "i",
  url_: "u",
  events_: "n",
  replayed_: "r",
  permission_: "a",
  allowed_: "o",
  isHeld_: "h",
  hooks_: "b",
  listen_: "l",
  queue_: "q",
  clean_: "c",
  unknown_: "k",
  calls_: "s",
  load_: "d",
  verbs_: "v",
};
