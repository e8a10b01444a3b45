// Where the proxy keeps its state and finds its identity; the two lists belong together, entry by entry.
import { NAMES, PATHS } from "#api/constants/names";
import type { Volume, VolumeMount } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import type { InjectionContext } from "./injection-context.ts";
import { isRawObject } from "./raw-object.ts";

const TOKEN_SECONDS = 43_200;

interface ProxyVolume {
  readonly volume: Volume;
  readonly mount: VolumeMount;
}

function proxyVolumes(context: InjectionContext): ProxyVolume[] {
  const entry = (volume: Volume, mountPath: string): ProxyVolume => ({
    volume,
    mount: { name: volume.name, mountPath },
  });
  const fieldOf = (name: string) => ({ path: name, fieldRef: { fieldPath: `metadata.${name}` } });
  const token = { audience: context.settings.tokenAudience, expirationSeconds: TOKEN_SECONDS, path: "istio-token" };
  const entries = [
    entry({ name: "workload-socket", emptyDir: {} }, PATHS.workloadSocket),
    entry({ name: "credential-socket", emptyDir: {} }, "/var/run/secrets/credential-uds"),
    entry({ name: "workload-certs", emptyDir: {} }, "/var/run/secrets/workload-spiffe-credentials"),
    entry({ name: "istio-envoy", emptyDir: { medium: "Memory" } }, PATHS.proxyConfig),
    entry({ name: "istio-data", emptyDir: {} }, "/var/lib/istio/data"),
    entry(
      { name: "istio-podinfo", downwardAPI: { items: [fieldOf("labels"), fieldOf("annotations")] } },
      PATHS.podInfo,
    ),
    entry({ name: "istio-token", projected: { sources: [{ serviceAccountToken: token }] } }, "/var/run/secrets/tokens"),
    entry({ name: "istiod-ca-cert", configMap: { name: NAMES.rootCertConfigMap } }, "/var/run/secrets/istio"),
  ];
  const bootstrap = context.annotations["sidecar.istio.io/bootstrapOverride"];
  if (bootstrap !== undefined) {
    entries.push(
      entry({ name: "custom-bootstrap-volume", configMap: { name: bootstrap } }, "/etc/istio/custom-bootstrap"),
    );
  }
  return entries;
}

export function volumesOfProxy(context: InjectionContext): Volume[] {
  const own = proxyVolumes(context).map((entry) => entry.volume);
  return [...own, ...(readNamed(context, "sidecar.istio.io/userVolume") as unknown as Volume[])];
}

export function mountsOfProxy(context: InjectionContext): VolumeMount[] {
  const own = proxyVolumes(context).map((entry) => entry.mount);
  return [...own, ...(readNamed(context, "sidecar.istio.io/userVolumeMount") as unknown as VolumeMount[])];
}

/** Istio's form: a JSON mapping from name to the rest of the entry, or a JSON list of whole entries. */
function readNamed(context: InjectionContext, annotation: string): Record<string, unknown>[] {
  const text = context.annotations[annotation];
  if (text === undefined) return [];
  const refuse = (cause?: unknown) =>
    new MeshError("INJECTION_ANNOTATION", `annotation ${annotation} of the pod is not JSON of volumes`, {
      hint: 'write it as {"NAME": {…}} or [{"name": "NAME", …}]',
      ...(cause === undefined ? {} : { cause }),
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (thrown) {
    throw refuse(thrown);
  }
  if (Array.isArray(parsed)) return parsed.filter(isRawObject);
  if (!isRawObject(parsed)) throw refuse();
  return Object.entries(parsed).map(([name, rest]) => ({ name, ...(isRawObject(rest) ? rest : {}) }));
}
