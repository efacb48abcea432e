import { alco } from "../facades/alco";
import { findTracker } from "../module";

alco(findTracker(document.currentScript as HTMLScriptElement));
