// The objects of the load: services in a hundred namespaces, one slice of endpoints for each.

export interface World {
  readonly services: number;
  readonly endpoints: number;
}

export const NAMESPACES = 100;

export const namespaceOf = (index: number) => `load-${index % NAMESPACES}`;
export const nameOf = (index: number) => `service-${index}`;

export const slicePath = (index: number) =>
  `/apis/discovery.k8s.io/v1/namespaces/${namespaceOf(index)}/endpointslices/${nameOf(index)}`;

export function service(index: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: nameOf(index), namespace: namespaceOf(index), labels: { app: nameOf(index) } },
    // Without a selector no controller touches its endpoints, so that both servers hold what the load wrote and no more.
    spec: {
      ports: [
        { name: "http", port: 80, targetPort: 8080 },
        { name: "grpc", port: 9090 },
      ],
    },
  };
}

/** `stamp` says when it was sent, for whoever watches. */
export function slice(index: number, { services, endpoints }: World, stamp = ""): object {
  const each = endpoints / services;
  const address = (number: number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: nameOf(index),
      namespace: namespaceOf(index),
      labels: { "kubernetes.io/service-name": nameOf(index), "endpointslice.kubernetes.io/managed-by": "bench" },
      annotations: { sent: stamp },
    },
    addressType: "IPv4",
    ports: [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "grpc", port: 9090, protocol: "TCP" },
    ],
    endpoints: Array.from({ length: each }, (_, offset) => ({
      addresses: [address(index * each + offset)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${offset}`,
      zone: `zone-${offset % 3}`,
      targetRef: { kind: "Pod", namespace: namespaceOf(index), name: `${nameOf(index)}-pod-${offset}` },
    })),
  };
}
