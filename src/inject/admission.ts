// The Kubernetes side of injection: AdmissionReview v1 in, AdmissionReview v1 out.
import type { Pod } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { injectPod } from "./inject-pod.ts";
import { type InjectionSettings, settingsForPath } from "./injection-settings.ts";
import { isRawObject, type RawObject, readPath, readText } from "./raw-object.ts";

/** What the API server gets back, as JSON. */
export interface AdmissionAnswer {
  readonly apiVersion: "admission.k8s.io/v1";
  readonly kind: "AdmissionReview";
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patchType?: "JSONPatch";
    /** Base64 of a JSON patch. */
    readonly patch?: string;
    readonly status?: { readonly message: string; readonly code: number };
    readonly warnings?: readonly string[];
  };
}

export interface AdmissionOutcome {
  readonly answer: AdmissionAnswer;
  readonly result: "injected" | "skipped" | "failed";
  /** Why it was skipped or failed. */
  readonly why?: string;
  /** `namespace/name` of the pod, for the log. */
  readonly pod: string;
}

export interface AdmissionRequest {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: string;
  readonly kind: string;
  readonly object: RawObject;
}

/** Reads a review. Throws MeshError ADMISSION_REVIEW when the body is none. */
export function parseAdmissionReview(body: unknown): AdmissionRequest {
  const request = readPath(body, "request");
  const uid = readText(request, "uid");
  if (!isRawObject(request) || uid === undefined) {
    throw new MeshError("ADMISSION_REVIEW", "the body is not an AdmissionReview with a request and its uid", {
      hint: "the webhook is called by the API server; admissionReviewVersions must contain v1",
    });
  }
  const object = request["object"];
  const metadata = isRawObject(object) ? object["metadata"] : undefined;
  return {
    uid,
    namespace: readText(request, "namespace") ?? readText(metadata, "namespace") ?? "",
    name: readText(request, "name") ?? readText(metadata, "name") ?? readText(metadata, "generateName") ?? "",
    operation: readText(request, "operation") ?? "",
    kind: readText(request, "kind.kind") ?? "",
    object: isRawObject(object) ? object : {},
  };
}

/** Answers one review of a pod; `path` is the URL path the webhook was called with. A bad pod is refused alone. */
export function admitPod(request: AdmissionRequest, settings: InjectionSettings, path: string): AdmissionOutcome {
  const { uid, namespace, name } = request;
  const pod = `${namespace}/${name}`;
  try {
    const { patch, why } = injectPod(podOf(request), settingsForPath(settings, path));
    const also = why === undefined ? {} : { why };
    if (patch.length === 0) return { answer: reviewAnswer({ uid, allowed: true }), result: "skipped", pod, ...also };
    const encoded = Buffer.from(JSON.stringify(patch)).toString("base64");
    const warnings = why === undefined ? {} : { warnings: [why] };
    const answer = reviewAnswer({ uid, allowed: true, patchType: "JSONPatch", patch: encoded, ...warnings });
    return { answer, result: "injected", pod, ...also };
  } catch (thrown) {
    const error = MeshError.from(thrown);
    const message = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
    const answer = reviewAnswer({ uid, allowed: false, status: { message, code: 400 } });
    return { answer, result: "failed", why: message, pod };
  }
}

export function reviewAnswer(response: AdmissionAnswer["response"]): AdmissionAnswer {
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

/** The request knows the namespace; the pod in it may not yet. */
function podOf(request: AdmissionRequest): Pod {
  const pod = request.object as Pod;
  return { ...pod, metadata: { ...pod.metadata, namespace: request.namespace } };
}
