import { NAMES, withRevision } from "#api/constants/names";
import { Kinds } from "#api/kinds";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { type InjectionSettings, parseInjectionSettings } from "#inject/injection-settings";
import { type Informer, startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";

export interface InjectionWatchOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly revision: string;
  readonly nativeSidecars: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface InjectionWatch {
  /** Undefined until the ConfigMaps are there and readable; a broken change leaves the last good settings. */
  settings(): InjectionSettings | undefined;
  /** Why the newest ConfigMaps are not in force; undefined when they are. */
  problem(): string | undefined;
}

/** Follows the ConfigMaps that say how pods are injected. */
export function watchInjection(options: InjectionWatchOptions): InjectionWatch {
  const { client, namespace, revision, logger, signal } = options;
  let settings: InjectionSettings | undefined;
  let problem: string | undefined = "the injection settings have not been read yet";
  const watchMap = (name: string): Informer<ConfigMap> =>
    startInformer<ConfigMap>({
      client,
      type: Kinds.ConfigMap,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      logger,
      signal,
      onChange: () => read(),
    });
  const injector = withRevision(NAMES.injectorConfigMap, revision);
  const mesh = withRevision(NAMES.meshConfigMap, revision);
  const maps: Informer<ConfigMap>[] = [];
  const read = () => {
    const [injection, meshConfig] = [maps[0]?.get(namespace, injector), maps[1]?.get(namespace, mesh)];
    if (injection === undefined) {
      problem = `ConfigMap ${namespace}/${injector} is missing`;
      return;
    }
    try {
      settings = parseInjectionSettings({
        config: injection.data?.["config"] ?? "",
        values: injection.data?.["values"] ?? "",
        mesh: meshConfig?.data?.["mesh"] ?? "",
        systemNamespace: namespace,
        revision,
        nativeSidecars: options.nativeSidecars,
      });
      problem = undefined;
    } catch (thrown) {
      problem = errorMessage(thrown);
      logger.error({ error: problem }, "the injection settings are refused, the last good ones stay");
    }
  };
  maps.push(watchMap(injector), watchMap(mesh));
  return { settings: () => settings, problem: () => problem };
}
