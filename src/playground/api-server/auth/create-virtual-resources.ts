import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "../../process-config.ts";
import type { Authenticator, Authorizer, ObjectAccess, VirtualResource } from "../contract.ts";
import { accessReviews, selfSubjectRulesReview } from "./access-reviews.ts";
import { podEviction } from "./pod-eviction.ts";
import { podBindings } from "./pod-subresources.ts";
import { createTokenSigner } from "./service-account-tokens.ts";
import { tokenRequest } from "./token-request.ts";
import { selfSubjectReview, tokenReview } from "./token-review.ts";
import type { TokenVerifier } from "./verify-token.ts";

export interface VirtualResourcesOptions {
  readonly config: ClusterProcessConfig;
  readonly objects: ObjectAccess;
  readonly logger: Logger;
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator & TokenVerifier;
  readonly clock?: Clock;
}

/** Resources that are computed when somebody creates them: reviews, tokens, bindings and evictions of pods. */
export function createVirtualResources(options: VirtualResourcesOptions): VirtualResource[] {
  const { config, objects, authorizer, authenticator, clock } = options;
  const signer = createTokenSigner(config);
  return [
    tokenReview(authenticator),
    selfSubjectReview(),
    ...accessReviews(authorizer),
    selfSubjectRulesReview(objects),
    tokenRequest({ objects, signer, ...(clock === undefined ? {} : { clock }) }),
    ...podBindings(objects),
    podEviction(objects, clock),
  ];
}
