import { attach } from "../module";
import { forms } from "../modules/forms";

attach(forms);
