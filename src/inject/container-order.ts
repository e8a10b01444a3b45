// The order of containers is behaviour: tools take the first one as the application, and what starts before
// redirection is in place still reaches the network.
import type { Container, PodSpec } from "#api/kubernetes/gen/types";
import { type InjectionContext, PROXY_CONTAINER } from "./injection-context.ts";
import { mergeContainer } from "./merge-container.ts";

/** The proxy comes last, so that the application's places stay; first when the application has to wait for it. */
export function placeContainers(spec: PodSpec, proxy: Container, context: InjectionContext): void {
  const apps = spec.containers.filter((container) => container.name !== PROXY_CONTAINER);
  if (context.nativeSidecar) spec.containers = apps;
  else spec.containers = context.holdApplication ? [proxy, ...apps] : [...apps, proxy];
}

/**
 * Redirection comes last, since before it nobody would answer what the user's own init containers ask. A native
 * sidecar is already up for them, so redirection and proxy come first.
 */
export function placeInitContainers(spec: PodSpec, ours: readonly Container[], native: Container | undefined): void {
  const given = spec.initContainers ?? [];
  const merged = ours.map((container) => {
    const wish = given.find((candidate) => candidate.name === container.name);
    return wish === undefined ? container : mergeContainer(container, wish);
  });
  const names = new Set([PROXY_CONTAINER, ...ours.map((container) => container.name)]);
  const users = given.filter((container) => !names.has(container.name));
  const placed = native === undefined ? [...users, ...merged] : [...merged, native, ...users];
  if (placed.length > 0) spec.initContainers = placed;
}
