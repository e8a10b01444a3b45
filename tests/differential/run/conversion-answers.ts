// What the webhook answers when it is asked for objects in another version: `v1` has a host and a port, `v1alpha1` both in
// one text.
import type { Json, JsonMap } from "../step.ts";
import { isMap } from "./fill-in.ts";

type Change = (object: JsonMap, apiVersion: string) => Json;

const specOf = (object: JsonMap): JsonMap => (isMap(object["spec"]) ? object["spec"] : {});

function converted(object: JsonMap, apiVersion: string): JsonMap {
  const { host, port, hostPort, ...rest } = specOf(object);
  const spec: JsonMap = { ...rest };
  if (apiVersion.endsWith("/v1alpha1")) {
    if (host !== undefined || port !== undefined) spec["hostPort"] = `${String(host ?? "")}:${String(port ?? "")}`;
  } else if (typeof hostPort === "string") {
    const [first = "", second = ""] = hostPort.split(":");
    if (first !== "") spec["host"] = first;
    if (second !== "") spec["port"] = Number(second);
  }
  return { ...object, apiVersion, ...(object["spec"] === undefined ? {} : { spec }) };
}

/** The object with its metadata changed. */
const withMetadata =
  (change: JsonMap): Change =>
  (object, apiVersion) => {
    const metadata = isMap(object["metadata"]) ? object["metadata"] : {};
    return { ...converted(object, apiVersion), metadata: { ...metadata, ...change } };
  };

const CHANGES: Readonly<Record<string, Change>> = {
  convert: converted,
  "convert-label": withMetadata({ labels: { hooked: "yes" }, annotations: { note: "by the webhook" } }),
  "convert-no-labels": withMetadata({ labels: null, finalizers: ["example.com/none"] }),
  "convert-bad-label": withMetadata({ labels: { "bad key!": "x" } }),
  "convert-number-label": withMetadata({ labels: { app: 1 } }),
  "convert-list-labels": withMetadata({ annotations: [] }),
  "convert-other-name": withMetadata({ name: "other" }),
  "convert-other-uid": withMetadata({ uid: "00000000-0000-0000-0000-000000000000" }),
  "convert-other-kind": (object, apiVersion) => ({ ...converted(object, apiVersion), kind: "Other" }),
  "convert-no-kind": (object, apiVersion) => ({ spec: {}, metadata: object["metadata"] ?? {}, apiVersion }),
  "convert-no-change": (object) => object,
  "convert-no-version": ({ apiVersion: _, ...object }) => object,
  "convert-no-metadata": ({ metadata: _, ...object }, apiVersion) => ({ ...object, apiVersion }),
  "convert-text-metadata": (object, apiVersion) => ({ ...object, apiVersion, metadata: "x" }),
  "convert-wrong-type": (object, apiVersion) => ({ ...converted(object, apiVersion), spec: { port: "x", more: 1 } }),
};

const RESULTS: Readonly<Record<string, JsonMap>> = {
  "convert-refused": { status: "Failure", message: "not this one" },
  "convert-failed": { status: "Failure" },
  "convert-other-status": { status: "Own" },
  "convert-no-status": {},
};

/** Whole answers that are none. */
const RESPONSES: Readonly<Record<string, (response: JsonMap) => Json>> = {
  "convert-no-response": () => null,
  "convert-other-uid-told": (response) => ({ ...response, uid: "nobody" }),
  "convert-no-objects": (response) => ({ ...response, convertedObjects: [] }),
  "convert-twice": (response) => ({ ...response, convertedObjects: [{}, {}] }),
};

export function conversionAnswer(path: string, asked: JsonMap): JsonMap {
  const request = isMap(asked["request"]) ? asked["request"] : {};
  const wanted = String(request["desiredAPIVersion"]);
  const objects = (Array.isArray(request["objects"]) ? request["objects"] : []).filter(isMap);
  const change = CHANGES[path] ?? converted;
  const response: JsonMap = {
    uid: request["uid"] ?? "",
    convertedObjects: objects.map((object) => change(object, wanted)),
    result: RESULTS[path] ?? { status: "Success" },
  };
  return {
    apiVersion: path === "convert-review-version" ? "apiextensions.k8s.io/v9" : (asked["apiVersion"] ?? ""),
    kind: path === "convert-review-kind" ? "Review" : "ConversionReview",
    response: RESPONSES[path]?.(response) ?? (path in RESPONSES ? null : response),
  };
}
