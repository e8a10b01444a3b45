/** Whether a pattern of a policy (`*`, `*.local`, an exact name) names this host. */
export function hostMatches(pattern: string, hostname: string): boolean {
  const wanted = pattern.toLowerCase();
  if (wanted === "*") return true;
  return wanted.startsWith("*") ? hostname.endsWith(wanted.slice(1)) : hostname === wanted;
}

/** `ns/host`, `./host`, `host`: also limits the namespace of the service. `own` is the namespace of the policy. */
export function namespacedHostMatches(
  pattern: string,
  service: { readonly hostname: string; readonly namespace: string },
  own: string,
): boolean {
  const slash = pattern.indexOf("/");
  if (slash < 0) return hostMatches(pattern, service.hostname);
  const namespace = pattern.slice(0, slash);
  const allowed = namespace === "*" || (namespace === "." ? own : namespace) === service.namespace;
  return allowed && hostMatches(pattern.slice(slash + 1), service.hostname);
}
