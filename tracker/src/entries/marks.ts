import { attach } from "../module";
import { marks } from "../modules/marks";

attach(marks);
