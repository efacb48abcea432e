import { attach } from "../module";
import { vitals } from "../modules/vitals";

attach(vitals);
