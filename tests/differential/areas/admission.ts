// What a real server's admission does by default beside webhooks: quotas, limits, pod security, policies, classes.

import { certificates } from "./admission/certificates.ts";
import { classes } from "./admission/classes.ts";
import { limits } from "./admission/limits.ts";
import { podSecurity } from "./admission/pod-security.ts";
import { policies } from "./admission/policies.ts";
import { quotas } from "./admission/quotas.ts";
import type { Area } from "./area.ts";

export const admission: Area = {
  name: "admission",
  weight: 8,
  held: true,
  make(builder) {
    builder.random.pick([limits, quotas, quotas, podSecurity, podSecurity, policies, policies, classes, certificates])(
      builder,
    );
  },
};
