// The import table of the house: a room may import itself, the rooms in its row, and nothing else.
// .dependency-cruiser.mjs turns it into errors; docs/rooms.md and ARCHITECTURE.md tell the same in words.
// Order matters: a room names only rooms in rows above it, so the arrows cannot close a circle.

/** @type {Record<string, {may: string[], advice: string}>} */
export const rooms = {
  base: { may: [], advice: "base knows nothing of the mesh: clock, logger, errors, life cycles" },
  envoy: { may: ["base"], advice: "envoy holds Envoy's messages and names only" },
  api: { may: ["base"], advice: "api holds types, constants and validation of Kubernetes and Istio objects" },
  pki: { may: ["base"], advice: "pki does cryptography without network or objects" },
  grpc: { may: ["base"], advice: "grpc moves frames; what is in them belongs to its callers" },
  spdy: { may: ["base"], advice: "spdy moves streams over one socket; who opens them belongs to its callers" },
  kube: {
    may: ["base", "api", "spdy"],
    advice: "kube knows objects, watches and patches; mesh ideas belong to ingest or model",
  },
  model: { may: ["base", "api"], advice: "model is frozen data and look-ups; reading objects belongs to ingest" },
  ingest: {
    may: ["base", "api", "kube", "model"],
    advice: "ingest turns objects into facts; Envoy's messages belong to xds",
  },
  xds: { may: ["base", "api", "envoy", "model"], advice: "xds is pure functions from model to Envoy messages" },
  ads: { may: ["base", "envoy", "grpc"], advice: "ads is a protocol engine; plug the mesh in through ResourceSource" },
  inject: { may: ["base", "api"], advice: "inject returns a patch; control-plane serves it" },
  install: { may: ["base", "api"], advice: "install returns objects; the caller applies them" },
  analysis: { may: ["base", "api", "model"], advice: "analysis returns messages about objects" },
  agent: {
    may: ["base", "envoy", "grpc", "pki", "api"],
    advice: "the agent is a small program: no model, no Kubernetes client",
  },
  "control-plane": {
    may: ["base", "envoy", "api", "pki", "grpc", "kube", "model", "ingest", "xds", "ads", "inject"],
    advice: "control-plane opens the doors between the rooms of the corridor",
  },
  playground: {
    may: ["base", "api", "kube", "pki", "spdy"],
    advice: "the playground runs our built programs as processes, like a user",
  },
  cli: {
    may: ["base", "api", "envoy", "pki", "kube", "model", "ingest", "inject", "install", "analysis"],
    advice: "cli talks to clusters and debug pages; it never reaches into a running program's code",
  },
  bin: { may: ["*"], advice: "bin joins programs; nothing imports bin" },
};
