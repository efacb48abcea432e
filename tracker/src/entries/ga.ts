import { webalytic } from "../facades/webalytic";
import { findTracker } from "../module";

webalytic(findTracker(document.currentScript as HTMLScriptElement));
