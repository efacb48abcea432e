import { objectiv } from "../facades/objectiv";
import { findTracker } from "../module";

objectiv(findTracker(document.currentScript as HTMLScriptElement));
