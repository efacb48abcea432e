import { attach } from "../module";
import { commerce } from "../modules/commerce";

attach(commerce);
