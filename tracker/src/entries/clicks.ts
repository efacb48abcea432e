import { attach } from "../module";
import { clicks } from "../modules/clicks";

attach(clicks);
