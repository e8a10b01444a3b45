// What people type, in an order in which each step stands on those before it. Every step is run by each kubectl against
// both servers, and what it prints and its exit code must be the same.

export interface Step {
  /** Words after `kubectl`; quotes keep blanks together. */
  readonly args: string;
  readonly stdin?: string;
  /** What it needs, by the words of `kubectl version --client`: minor version at least. */
  readonly since?: number;
  readonly until?: number;
  /** Text that is there in the end, asked for until it is: a real server tells of new kinds some time after it has them. */
  readonly eventually?: string;
}

const yaml = (...documents: readonly object[]) => documents.map((one) => JSON.stringify(one)).join("\n---\n");
const named = (kind: string, apiVersion: string, name: string, rest: object) => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 8080 }] }] },
});
const DEPLOYMENT = named("Deployment", "apps/v1", "web", {
  spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template: template("web") },
});
const SERVICE = named("Service", "v1", "web", {
  spec: { clusterIP: "10.96.0.50", selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
});

const MANY = yaml(
  DEPLOYMENT,
  SERVICE,
  named("StatefulSet", "apps/v1", "db", {
    spec: { serviceName: "db", selector: { matchLabels: { app: "db" } }, template: template("db") },
  }),
  named("DaemonSet", "apps/v1", "agent", {
    spec: { selector: { matchLabels: { app: "agent" } }, template: template("agent") },
  }),
  named("Job", "batch/v1", "once", {
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:1" }] } } },
  }),
  named("Ingress", "networking.k8s.io/v1", "front", {
    spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
  }),
  named("NetworkPolicy", "networking.k8s.io/v1", "closed", { spec: { podSelector: {}, policyTypes: ["Ingress"] } }),
  named("PersistentVolumeClaim", "v1", "disk", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  }),
  named("ServiceAccount", "v1", "robot", {}),
  named("Role", "rbac.authorization.k8s.io/v1", "reader", {
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }],
  }),
  named("RoleBinding", "rbac.authorization.k8s.io/v1", "reader", {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ kind: "ServiceAccount", name: "robot", namespace: "steps" }],
  }),
  named("ResourceQuota", "v1", "quota", { spec: { hard: { "count/secrets": "5" } } }),
  named("LimitRange", "v1", "limits", {
    spec: { limits: [{ type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "100m" } }] },
  }),
);

const WIDGETS = yaml({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.steps.example.com" },
  spec: {
    group: "steps.example.com",
    scope: "Namespaced",
    names: { kind: "Widget", listKind: "WidgetList", plural: "widgets", singular: "widget", shortNames: ["wd"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" } },
        additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                description: "What is wanted.",
                required: ["size"],
                properties: {
                  size: { type: "integer", maximum: 9, description: "How big." },
                  color: { type: "string", default: "red" },
                },
                "x-kubernetes-validations": [{ rule: "self.size != 7", message: "seven is taken" }],
              },
              status: { type: "object", properties: { size: { type: "integer" } } },
            },
          },
        },
      },
    ],
  },
});
const widget = (size: unknown, extra: object = {}) =>
  yaml(named("Widget", "steps.example.com/v1", "gear", { spec: { size, ...extra } }));

const EVERYTHING = "deployments,services,statefulsets,daemonsets,jobs,ingresses,networkpolicies,persistentvolumeclaims";

export const STEPS: readonly Step[] = [
  { args: "api-versions" },
  { args: "api-resources --sort-by=name" },
  { args: "api-resources --namespaced=false --verbs=list -o name" },
  { args: "explain pods" },
  { args: "explain pods --recursive" },
  { args: "explain pod.spec.containers" },
  { args: "explain pod.spec.restartPolicy" },
  { args: "explain pod.spec.containers.resources.limits" },
  { args: "explain pod.metadata.creationTimestamp" },
  { args: "explain svc.spec.ports.targetPort" },
  { args: "explain deployments.spec.strategy --recursive" },
  { args: "explain services.spec.nothing" },
  { args: "create namespace steps" },
  { args: "create namespace steps" },
  { args: "create serviceaccount default -n steps" },
  { args: "apply -n steps -f -", stdin: MANY },
  { args: "apply -n steps -f -", stdin: MANY },
  { args: `get ${EVERYTHING} -n steps` },
  { args: `get ${EVERYTHING} -n steps -o wide` },
  { args: "get all -n steps --show-labels" },
  { args: "get serviceaccounts,roles,rolebindings,resourcequotas,limitranges -n steps" },
  { args: "get svc web -n steps -o yaml" },
  { args: "get deploy web -n steps -o json" },
  { args: "get deploy web -n steps -o jsonpath={.spec.template.spec.containers[*].image}" },
  { args: "get deploy -n steps -o custom-columns=NAME:.metadata.name,STRATEGY:.spec.strategy.type" },
  { args: "get svc -A --sort-by=.metadata.name -o name" },
  { args: "get svc -n steps --field-selector metadata.name=web" },
  { args: "get svc -n steps --field-selector spec.type=ClusterIP -o name" },
  { args: "get svc -n steps --field-selector spec.nothing=1" },
  { args: "get svc -n steps -l app=none" },
  { args: 'get svc -n steps -l "app in ("' },
  { args: "get pods -n steps --chunk-size=1" },
  { args: "describe deploy web -n steps" },
  { args: "describe svc web -n steps" },
  { args: "describe statefulset,daemonset,job,ingress,netpol,pvc,sa,role,rolebinding,quota,limits -n steps" },
  { args: "label svc web -n steps tier=front" },
  { args: "label svc web -n steps tier=back" },
  { args: "label svc web -n steps tier=back --overwrite" },
  { args: "annotate svc web -n steps note=hello" },
  { args: "label svc web -n steps bad/label/x=y" },
  { args: `patch svc web -n steps -p {"metadata":{"labels":{"a":"b"}}}` },
  { args: `patch svc web -n steps --type=merge -p {"metadata":{"labels":{"a":null}}}` },
  { args: `patch svc web -n steps --type=json -p [{"op":"test","path":"/spec/type","value":"NodePort"}]` },
  { args: `patch svc web -n steps --type=json -p [{"op":"remove","path":"/spec/nothing"}]` },
  { args: `patch svc web -n steps -p {"spec":{"clusterIP":"10.96.0.51"}}` },
  { args: "scale deploy web -n steps --replicas=3" },
  { args: "scale deploy web -n steps --current-replicas=9 --replicas=3" },
  { args: "autoscale deploy web -n steps --min=1 --max=4" },
  { args: "get hpa -n steps" },
  { args: "set image deploy/web -n steps web=web:2" },
  { args: "set env deploy/web -n steps MODE=fast" },
  { args: "set resources deploy/web -n steps --limits=cpu=200m,memory=64Mi" },
  { args: "rollout pause deploy/web -n steps" },
  { args: "rollout resume deploy/web -n steps" },
  { args: "rollout history deploy/web -n steps" },
  { args: "expose deploy web -n steps --name=web2 --port=81 --cluster-ip=10.96.0.52" },
  { args: "get svc web2 -n steps -o wide" },
  { args: "diff -n steps -f -", stdin: yaml({ ...SERVICE, metadata: { name: "web", labels: { x: "y" } } }) },
  { args: "apply -n steps --server-side -f -", stdin: yaml(named("ConfigMap", "v1", "ssa", { data: { a: "1" } })) },
  {
    args: "apply -n steps --server-side --field-manager=other -f -",
    stdin: yaml(named("ConfigMap", "v1", "ssa", { data: { a: "2" } })),
  },
  {
    args: "apply -n steps --server-side --field-manager=other --force-conflicts -f -",
    stdin: yaml(named("ConfigMap", "v1", "ssa", { data: { a: "2" } })),
  },
  { args: "get cm ssa -n steps -o yaml --show-managed-fields", since: 21 },
  { args: "apply -n steps --dry-run=server -f -", stdin: yaml(named("ConfigMap", "v1", "dry", { data: {} })) },
  { args: "get cm dry -n steps" },
  { args: "create -n steps -f -", stdin: yaml({ ...SERVICE, metadata: { name: "Bad_Name" } }) },
  { args: "create -n steps -f -", stdin: yaml(named("Service", "v1", "noports", { spec: {} })) },
  { args: "create -n steps -f -", stdin: yaml(named("Service", "v1", "odd", { spec: { ports: [{ port: 99999 }] } })) },
  { args: "create -n steps -f -", stdin: yaml(named("Deployment", "apps/v1", "none", { spec: { replicas: "two" } })) },
  { args: "create -n steps -f -", stdin: yaml(named("ConfigMap", "v1", "odd", { dta: { a: "b" } })) },
  { args: "apply -n steps -f -", stdin: yaml(named("ConfigMap", "v1", "odd", { dta: { a: "b" } })) },
  { args: "apply -n steps -f -", stdin: yaml(named("ConfigMap", "v1", "odd", { data: ["a"] })) },
  { args: "create -n steps -f -", stdin: yaml(named("Gizmo", "v1", "g", {})) },
  { args: "create -n steps -f -", stdin: "apiVersion: v1\nkind: [" },
  { args: "create configmap conf -n steps --from-literal=a=b" },
  { args: "create secret generic pass -n steps --from-literal=a=b" },
  { args: "get secret pass -n steps" },
  { args: "describe secret pass -n steps" },
  { args: "create quota other -n steps --hard=pods=1" },
  { args: "create role writer -n steps --verb=create --resource=pods" },
  { args: "create clusterrole nodes-reader --verb=get --resource=nodes" },
  { args: "create job again -n steps --image=job:2" },
  { args: "create cronjob tick -n steps --image=job:2 --schedule=*/5_*_*_*_*" },
  { args: 'create cronjob tick -n steps --image=job:2 --schedule="*/5 * * * *"' },
  { args: "get cronjobs -n steps" },
  { args: "create poddisruptionbudget pdb -n steps --selector=app=web --min-available=1" },
  { args: "get pdb -n steps" },
  // What the quota and the limits ask of pods is not enforced by the embedded server, as its README says.
  { args: "delete quota,limits -n steps --all" },
  { args: "run one -n steps --image=web:1 --restart=Never --port=80" },
  { args: "get pod one -n steps -o yaml" },
  { args: "get pods -n steps -o wide" },
  { args: "describe pod one -n steps" },
  { args: `patch pod one -n steps -p {"spec":{"containers":[{"name":"one","image":"web:2"}]}}` },
  { args: `patch pod one -n steps -p {"spec":{"restartPolicy":"Always"}}` },
  { args: "logs one -n steps" },
  { args: "exec one -n steps -- true" },
  { args: "wait pod/one -n steps --for=condition=Ready --timeout=0s" },
  { args: "wait pod/one -n steps --for=jsonpath={.status.phase}=Pending --timeout=30s", since: 25 },
  { args: "delete pod one -n steps --grace-period=0 --force" },
  { args: "apply -f -", stdin: WIDGETS },
  { args: "wait crd/widgets.steps.example.com --for=condition=Established --timeout=60s" },
  { args: "explain widgets --recursive", eventually: "FIELDS:" },
  { args: "explain widget.spec" },
  { args: "apply -n steps -f -", stdin: widget(3) },
  { args: "get widgets -n steps" },
  { args: "get wd gear -n steps -o yaml" },
  { args: "apply -n steps -f -", stdin: widget(12) },
  { args: "apply -n steps -f -", stdin: widget(7) },
  { args: "apply -n steps -f -", stdin: widget("big") },
  { args: "apply -n steps --validate=false -f -", stdin: widget(4, { extra: 1 }) },
  { args: "apply -n steps -f -", stdin: widget(4, { extra: 1 }) },
  { args: "scale widget gear -n steps --replicas=5" },
  { args: "get widget gear -n steps -o jsonpath={.spec}" },
  { args: "api-resources --api-group=steps.example.com" },
  { args: "auth can-i create pods -n steps" },
  { args: "auth can-i create pods -n steps --as=system:serviceaccount:steps:robot" },
  { args: "auth can-i list pods -n steps --as=system:serviceaccount:steps:robot" },
  { args: "auth can-i --list -n steps --as=system:serviceaccount:steps:robot" },
  { args: "get secrets -n steps --as=system:serviceaccount:steps:robot" },
  { args: "delete svc web -n steps --as=nobody" },
  { args: "create -f -", stdin: yaml({ apiVersion: "v1", kind: "Node", metadata: { name: "n1" } }) },
  { args: "taint node n1 a=b:NoSchedule" },
  { args: "cordon n1" },
  { args: "get nodes" },
  { args: "describe node n1" },
  { args: "uncordon n1" },
  { args: "delete node n1" },
  { args: "replace -n steps -f -", stdin: yaml(named("ConfigMap", "v1", "conf", { data: { a: "c" } })) },
  { args: "replace -n steps -f -", stdin: yaml(named("ConfigMap", "v1", "absent", { data: {} })) },
  { args: "get --raw /api/v1/namespaces/steps/configmaps/conf" },
  { args: "get --raw /version/nothing" },
  { args: "get --raw /healthz" },
  { args: "delete deploy absent -n steps" },
  { args: "delete deploy absent -n steps --ignore-not-found" },
  { args: "delete widget gear -n steps" },
  // Not awaited: a real API server may take minutes when it meets its own "storage is (re)initializing".
  { args: "delete crd widgets.steps.example.com --wait=false" },
  { args: "delete deploy web -n steps --cascade=orphan --wait=false" },
  { args: "delete svc -n steps --all" },
  { args: "delete cm,secret -n steps --all" },
  { args: "get pods,cm,secret -n steps" },
];
