import { attach } from "../module";
import { errors } from "../modules/errors";

attach(errors);
