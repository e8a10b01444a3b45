// A playground in which the guide has run, and what proofs of refusal ask of it: how many requests an application took,
// what a proxy counted, what it was told.
import { until } from "#base/until";
import { bootPlayground, GUIDE, type TestPlayground } from "../../kit/playground.ts";

export const HELLOWORLD = "helloworld.sample.svc.cluster.local";
/** The name of a service as server name of mesh TLS. */
export const serverName = (host: string, port: number) => `outbound_.${port}_._.${host}`;

/** The image of the sample has no program but Node.js. */
const ASK_REQUESTS = `/usr/local/bin/node -e 'http.get("http://127.0.0.1:5000/requests", (answer) => answer.pipe(process.stdout))'`;

export interface Called {
  /** 000 when there was no HTTP answer. */
  readonly status: string;
  readonly version: string | undefined;
}

export interface GuidedMesh {
  readonly playground: TestPlayground;
  kubectl(context: string, command: string): Promise<string>;
  istioctl(context: string, command: string): Promise<string>;
  patch(context: string, object: string, patch: object): Promise<void>;
  /**
   * Waits until the deployment has rolled out. Pods of before may still be on their way out, for proxies drain for five
   * seconds; with `gone`, waits for that too.
   */
  settled(context: string, object: string, how?: { gone: boolean }): Promise<void>;
  /** Requests that the application of helloworld has taken since it started, asked of it inside its pods. */
  requests(context: string, deployment: string): Promise<number>;
  /** Counters of a deployment's Envoy whose names hold `part`. */
  counters(context: string, object: string, part: string): Promise<ReadonlyMap<string, number>>;
  /** Calls from the cluster's sleep pod, each a connection of its own. */
  calls(context: string, count: number, curl?: string): Promise<Called[]>;
  /** Addresses with port that a cluster's sleep pod is given for a service. */
  endpoints(context: string, host: string, port: number): Promise<string[]>;
  /** External address of a cluster's east-west gateway. */
  gatewayAddress(context: string): Promise<string>;
}

/** Boots and runs docs/guide.md; takes about 15 seconds. The caller takes the playground down. */
export async function bootGuidedMesh(options: { flags?: readonly string[] } = {}): Promise<GuidedMesh> {
  const playground = await bootPlayground(options);
  try {
    await playground.page(GUIDE);
    return guidedMesh(playground);
  } catch (thrown) {
    await playground.down();
    throw thrown;
  }
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly deletionTimestamp?: string } }[];
}

/** `namespace/name` of a deployment as arguments of kubectl exec. */
const execIn = (object: string) => object.replace(/^(.*)\/(.*)$/, "-n $1 exec deploy/$2");

function guidedMesh(playground: TestPlayground): GuidedMesh {
  const inContext = (program: string) => (context: string, command: string) =>
    playground.shell(`${program} --context ${context} ${command}`);
  const kubectl = inContext("kubectl");
  const pods = async (context: string, object: string) => {
    const [namespace, name = ""] = object.split("/");
    const list: PodList = JSON.parse(await kubectl(context, `-n ${namespace} get pods -o json`));
    return list.items
      .filter(({ metadata }) => metadata.name.startsWith(`${name}-`))
      .map(({ metadata }) => ({ namespace, name: metadata.name, leaving: metadata.deletionTimestamp !== undefined }));
  };
  const istioctl = (context: string, command: string) => playground.shell(`istioctl ${command} --context ${context}`);
  return {
    playground,
    kubectl,
    istioctl,
    async patch(context, object, patch) {
      await kubectl(context, `${object} --type merge -p '${JSON.stringify(patch)}'`);
    },
    async settled(context, object, how) {
      const [namespace, name] = object.split("/");
      await kubectl(context, `-n ${namespace} rollout status deployment/${name} --timeout=110s`);
      if (how?.gone !== true) return;
      const reason = `no pod of ${object} is on its way out`;
      const settled = async () => (await pods(context, object)).every((pod) => !pod.leaving);
      await until(settled, { reason, timeoutMs: 90_000, intervalMs: 200 });
    },
    async requests(context, deployment) {
      const stays = (await pods(context, deployment)).filter((pod) => !pod.leaving);
      const answers = stays.map(({ namespace, name }) =>
        kubectl(context, `-n ${namespace} exec ${name} -c helloworld -- ${ASK_REQUESTS}`),
      );
      return (await Promise.all(answers)).reduce((sum, answer) => sum + Number(answer), 0);
    },
    async counters(context, object, part) {
      const text = await kubectl(
        context,
        `${execIn(object)} -c istio-proxy -- curl -sS localhost:15000/stats?usedonly`,
      );
      const lines = text.split("\n").filter((line) => line.includes(part));
      return new Map(
        lines.flatMap((line) => {
          const [, name, value] = /^(\S.*): (\d+)$/.exec(line) ?? [];
          return name === undefined ? [] : [[name, Number(value)] as const];
        }),
      );
    },
    async calls(context, count, curl = "helloworld.sample:5000/hello") {
      const one = `curl -s --max-time 30 -w " status=%{http_code}\\n" ${curl}`;
      const loop = `i=0; while [ $i -lt ${count} ]; do ${one}; i=$((i+1)); done`;
      const text = await kubectl(context, `${execIn("sample/sleep")} -c sleep -- sh -c '${loop}'`);
      return [...text.matchAll(/^(.*?) ?status=(\d+)$/gms)].map(([, body = "", status = ""]) => ({
        status,
        version: /version: (\S+),/.exec(body)?.[1],
      }));
    },
    async endpoints(context, host, port) {
      const cluster = `outbound|${port}||${host}`;
      const text = await istioctl(context, `proxy-config endpoint deploy/sleep -n sample --cluster '${cluster}'`);
      return [...text.matchAll(/^(\S+:\d+) /gm)].map(([, address = ""]) => address).sort();
    },
    gatewayAddress: (context) =>
      kubectl(
        context,
        "-n istio-system get service istio-eastwestgateway -o jsonpath={.status.loadBalancer.ingress[0].ip}",
      ),
  };
}

/** How many of the calls had which end: "200 v1", "503", ... */
export function tally(calls: readonly Called[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, version } of calls) {
    const end = version === undefined ? status : `${status} ${version}`;
    counts[end] = (counts[end] ?? 0) + 1;
  }
  return counts;
}
