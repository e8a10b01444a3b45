// Writes everything that is generated from other projects' own descriptions. Run by hand (`npm run generate`) when a
// pinned version changes; the results are checked in, so that a build needs none of the sources.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateEnvoyProtos } from "./generate/envoy-protos.mjs";
import { generateIstioCrds } from "./generate/istio-crds.mjs";
import { generateKubernetesFieldOrder } from "./generate/kubernetes-field-order.mjs";
import { generateKubernetesInternalTypes } from "./generate/kubernetes-internal-types.mjs";
import { generateOpenApiFacts } from "./generate/kubernetes-open-api.mjs";
import { generateKubernetesProtobuf } from "./generate/kubernetes-protobuf.mjs";
import { generateKubernetesSchema } from "./generate/kubernetes-schema.mjs";
import { recordKubernetesServer } from "./generate/kubernetes-server.mjs";
import { generateTableForms } from "./generate/kubernetes-tables.mjs";
import { generateKubernetesTypes } from "./generate/kubernetes-types.mjs";
import { generateKubernetesZeroValues } from "./generate/kubernetes-zero-values.mjs";
import { oneOf, readFlags } from "./read-flags.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = process.env.ISTHMUS_GENERATE_CACHE ?? join(root, ".cache", "generate");

const steps = {
  "istio-crds": () => generateIstioCrds(root),
  // Needs a real API server: see its file.
  "kubernetes-server": () => recordKubernetesServer(root),
  "kubernetes-protobuf": () => generateKubernetesProtobuf(root, cache),
  "kubernetes-types": () => generateKubernetesTypes(root, cache),
  "kubernetes-schema": () => generateKubernetesSchema(root, cache),
  // After the schema, beside which it says what differs.
  "kubernetes-open-api": () => generateOpenApiFacts(root),
  "kubernetes-tables": () => generateTableForms(root),
  "kubernetes-zero-values": () => generateKubernetesZeroValues(root, cache),
  "kubernetes-field-order": () => generateKubernetesFieldOrder(root, cache),
  "kubernetes-internal-types": () => generateKubernetesInternalTypes(root, cache),
  "envoy-protos": () => generateEnvoyProtos(root, cache),
};

const HELP = `npm run generate -- [STEP ...]

Writes what is generated from other projects' own descriptions, all of it or some steps:
  ${Object.keys(steps).join(" ")}

  -h, --help   this text

Example: npm run generate -- kubernetes-tables
`;

const wanted = readFlags({
  name: "generate",
  help: HELP,
  positionals: true,
  convert: ({ positionals }) => positionals.map((name) => oneOf("step", name, Object.keys(steps))),
});
for (const [name, step] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`generate ${name}\n`);
  await step();
}
