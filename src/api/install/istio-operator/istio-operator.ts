// The file a user writes for `istioctl install` (install.istio.io/v1alpha1). It is an input of the CLI, never an object
// in a cluster.

/** A tree of plain values as YAML gives it. */
export type Tree = { [key: string]: TreeValue };
export type TreeValue = string | number | boolean | null | TreeValue[] | Tree;

export interface GatewayComponent {
  readonly name?: string;
  readonly namespace?: string;
  readonly enabled?: boolean;
  /** Goes on the Deployment, its pods and the Service. */
  readonly label?: Readonly<Record<string, string>>;
  readonly k8s?: KubernetesSettings;
}

export interface Component {
  readonly enabled?: boolean;
  readonly namespace?: string;
  readonly k8s?: KubernetesSettings;
}

/** Settings of one component's objects, in Kubernetes' own shapes. */
export interface KubernetesSettings {
  readonly affinity?: Tree;
  readonly env?: readonly Tree[];
  readonly hpaSpec?: Tree;
  readonly imagePullPolicy?: string;
  readonly nodeSelector?: Tree;
  readonly podAnnotations?: Readonly<Record<string, string>>;
  readonly podDisruptionBudget?: Tree;
  readonly priorityClassName?: string;
  readonly readinessProbe?: Tree;
  readonly replicaCount?: number;
  readonly resources?: Tree;
  readonly securityContext?: Tree;
  readonly service?: Tree;
  readonly serviceAnnotations?: Readonly<Record<string, string>>;
  readonly strategy?: Tree;
  readonly tolerations?: readonly Tree[];
  readonly volumes?: readonly Tree[];
  readonly volumeMounts?: readonly Tree[];
  readonly overlays?: readonly ObjectOverlay[];
}

/** Patches on one rendered object, by dotted path. */
export interface ObjectOverlay {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly patches?: readonly { readonly path: string; readonly value?: TreeValue }[];
}

export interface IstioOperatorSpec {
  readonly profile?: string;
  readonly hub?: string;
  readonly tag?: string | number;
  readonly revision?: string;
  readonly namespace?: string;
  readonly installPackagePath?: string;
  readonly meshConfig?: Tree;
  readonly components?: {
    readonly base?: Component;
    readonly pilot?: Component;
    readonly cni?: Component;
    readonly ztunnel?: Component;
    readonly ingressGateways?: readonly GatewayComponent[];
    readonly egressGateways?: readonly GatewayComponent[];
  };
  readonly values?: Tree;
  readonly unvalidatedValues?: Tree;
}

export interface IstioOperator {
  readonly apiVersion: "install.istio.io/v1alpha1";
  readonly kind: "IstioOperator";
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: IstioOperatorSpec;
}
