import { findTracker } from "../module";
import { more } from "../more";
import { loadModules } from "../more/modules";

const script = document.currentScript as HTMLScriptElement;
const tracker = findTracker(script);
tracker("ready", (kit: Parameters<typeof more>[0], options: Parameters<typeof more>[1]) => {
  more(kit, options);
  if (options.modules) loadModules("" + options.modules, script, tracker);
});
