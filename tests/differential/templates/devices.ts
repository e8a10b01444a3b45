import type { JsonMap } from "../step.ts";
import type { Templates } from "./template.ts";

const OPAQUE: JsonMap = { opaque: { driver: "d.example.com", parameters: { kind: "Own", size: 1 } } };

const DEVICES: JsonMap = { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu" } }] };

const CHOICES: JsonMap = {
  requests: [
    {
      name: "some",
      firstAvailable: [
        { name: "big", deviceClassName: "big" },
        { name: "small", deviceClassName: "small", count: 2 },
      ],
    },
  ],
};

/** Devices that pods claim. */
export const deviceTemplates: Templates = {
  "resource.k8s.io/DeviceClass": {
    make: (random) => ({ spec: random.pick<JsonMap>([{}, { config: [OPAQUE] }]) }),
    changes: [{ spec: { config: null } }, { spec: { config: [OPAQUE, OPAQUE] } }],
    refused: [{ spec: { config: [{}] } }, { spec: { config: [{ opaque: { driver: "Bad_Name" } }] } }],
  },
  "resource.k8s.io/ResourceClaim": {
    make: (random) => ({
      spec: {
        devices: random.pick<JsonMap>([
          {},
          DEVICES,
          CHOICES,
          { requests: [{ name: "all", exactly: { deviceClassName: "gpu", allocationMode: "All" } }] },
        ]),
      },
    }),
    changes: [{ metadata: { labels: { app: "b" } } }],
    refused: [{ spec: { devices: { requests: [{ name: "gpu" }] } } }, { spec: { devices: { config: [OPAQUE] } } }],
  },
  "resource.k8s.io/ResourceClaimTemplate": {
    make: (random) => ({
      spec: { spec: { devices: DEVICES }, ...(random.chance(0.4) ? { metadata: { labels: { a: "b" } } } : {}) },
    }),
    refused: [{ spec: { metadata: { labels: { c: "d" } } } }],
  },
  "resource.k8s.io/ResourceSlice": {
    make: (random) => ({
      spec: {
        driver: "d.example.com",
        pool: { name: "pool", generation: random.pick([1, 2]), resourceSliceCount: 1 },
        nodeName: "n1",
        devices: [{ name: "one" }],
      },
    }),
    changes: [{ spec: { pool: { generation: 3 } } }, { spec: { devices: [{ name: "two" }] } }],
    refused: [{ spec: { nodeName: "n2" } }, { spec: { driver: "other.example.com" } }, { spec: { nodeName: null } }],
  },
};
