// What is served: discovery in its old and its aggregated form, OpenAPI and its index, versions.
import { KINDS, type SequenceBuilder } from "../generate/builder.ts";
import type { Area } from "./area.ts";

export const discovery: Area = {
  name: "discovery",
  weight: 2,
  held: true,
  make(builder) {
    const turns = 2 + builder.random.int(4);
    for (let i = 0; i < turns; i++) builder.random.weighted(TURNS).take(builder);
  },
};

const form = (version: string, more = "") =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList${more}`;

const AGGREGATED = [
  `${form("v2")},${form("v2beta1")}`,
  form("v2"),
  form("v2beta1"),
  form("v2", ";profile=nopeer"),
  `${form("v3")},application/json`,
  `application/json,${form("v2")}`,
  `application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io`,
];

/** Without the lists of all groups, in which the definitions of other sequences stand. */
const TURNS: readonly { weight: number; take(builder: SequenceBuilder): void }[] = [
  {
    weight: 6,
    take(builder) {
      builder.send("GET", rootOf(builder), { verb: "discovery" });
    },
  },
  {
    weight: 2,
    take(builder) {
      const { group } = builder.random.pick(KINDS);
      builder.send("GET", group === "" ? "/api" : `/apis/${group}`, { verb: "discovery" });
    },
  },
  {
    weight: 2,
    take(builder) {
      const { random } = builder;
      const headers = { accept: random.pick(AGGREGATED), ...(random.chance(0.2) ? { "if-none-match": '"x"' } : {}) };
      builder.send("GET", random.pick(["/api", "/api", "/api", "/api/v1", "/version"]), { verb: "discovery", headers });
    },
  },
  {
    weight: 3,
    take(builder) {
      const { random } = builder;
      const headers = random.chance(0.2) ? { "if-none-match": random.pick(['"x"', "*", 'W/"x", "y"']) } : {};
      builder.send("GET", `/openapi/v3${rootOf(builder)}`, { verb: "openapi", headers });
    },
  },
  {
    weight: 2,
    take(builder) {
      const { random } = builder;
      const { group } = random.pick(KINDS);
      const own = group === "" ? "api" : `apis/${group}`;
      const path = random.pick([
        own,
        own,
        "api",
        "apis",
        "version",
        "openid/v1/jwks",
        ".well-known/openid-configuration",
      ]);
      builder.send("GET", `/openapi/v3/${path}`, { verb: "openapi" });
    },
  },
  {
    weight: 1,
    take(builder) {
      const { random } = builder;
      // A hash that is none leads to the right one; a path that is none, nowhere.
      const path = random.pick([
        `/openapi/v3${rootOf(builder)}?hash=old`,
        "/openapi/v3/apis/none/v1",
        "/openapi/v3/api/v9",
      ]);
      builder.send("GET", path, { verb: "openapi" });
    },
  },
  {
    weight: 1,
    take(builder) {
      const { random } = builder;
      const accept = random.pick(["application/json", "*/*", "application/yaml", "text/html"]);
      builder.send("GET", random.pick(["/version", "/api/v1", rootOf(builder)]), {
        verb: "discovery",
        headers: { accept },
      });
    },
  },
];

function rootOf({ random }: SequenceBuilder): string {
  const { group, version } = random.pick(KINDS);
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}
