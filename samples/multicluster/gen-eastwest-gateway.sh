#!/bin/sh
# Prints an IstioOperator for the east-west gateway of one cluster.
# Inputs come as flags or, as in older releases, from the environment (MESH, CLUSTER, NETWORK); flags win.
set -eu

mesh=${MESH:-}
cluster=${CLUSTER:-}
network=${NETWORK:-}
revision=${REVISION:-}
single_cluster=0

usage() {
  cat <<'USAGE'
Usage: gen-eastwest-gateway.sh [--network NETWORK] [--mesh MESH] [--cluster CLUSTER] [--revision REVISION] [--single-cluster]

Prints an IstioOperator for an east-west gateway. --network (or NETWORK) is needed unless --single-cluster is given.

Example:
  gen-eastwest-gateway.sh --mesh mesh1 --cluster cluster1 --network network1 | istioctl install -y -f -
USAGE
}

need_value() {
  if [ "$#" -lt 2 ]; then
    echo "$1 needs a value" >&2
    exit 1
  fi
}

while [ "$#" -gt 0 ]; do
  case "$1" in
    --single-cluster) single_cluster=1; shift ;;
    --mesh) need_value "$@"; mesh=$2; shift 2 ;;
    --cluster) need_value "$@"; cluster=$2; shift 2 ;;
    --network) need_value "$@"; network=$2; shift 2 ;;
    --revision) need_value "$@"; revision=$2; shift 2 ;;
    --mesh=*) mesh=${1#*=}; shift ;;
    --cluster=*) cluster=${1#*=}; shift ;;
    --network=*) network=${1#*=}; shift ;;
    --revision=*) revision=${1#*=}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "unknown flag: $1" >&2; usage >&2; exit 1 ;;
  esac
done

if [ "$single_cluster" -eq 0 ] && [ -z "$network" ]; then
  echo "Must specify either --single-cluster or --mesh, --cluster, and --network." >&2
  exit 1
fi

cat <<OPERATOR
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: eastwest
spec:
OPERATOR
if [ -n "$revision" ]; then
  echo "  revision: $revision"
fi
cat <<OPERATOR
  profile: empty
  components:
    ingressGateways:
      - name: istio-eastwestgateway
        label:
          istio: eastwestgateway
          app: istio-eastwestgateway
OPERATOR
if [ "$single_cluster" -eq 0 ]; then
  echo "          topology.istio.io/network: $network"
fi
cat <<OPERATOR
        enabled: true
        k8s:
OPERATOR
if [ "$single_cluster" -eq 0 ]; then
  cat <<OPERATOR
          env:
            # Only endpoints of this network are behind this gateway.
            - name: ISTIO_META_REQUESTED_NETWORK_VIEW
              value: $network
OPERATOR
fi
cat <<OPERATOR
          service:
            ports:
              - name: status-port
                port: 15021
                targetPort: 15021
              - name: tls
                port: 15443
                targetPort: 15443
              - name: tls-istiod
                port: 15012
                targetPort: 15012
              - name: tls-webhook
                port: 15017
                targetPort: 15017
OPERATOR
if [ -n "$mesh$cluster$network" ] && [ "$single_cluster" -eq 0 ]; then
  echo "  values:"
  echo "    global:"
  [ -z "$mesh" ] || echo "      meshID: $mesh"
  echo "      network: $network"
  if [ -n "$cluster" ]; then
    echo "      multiCluster:"
    echo "        clusterName: $cluster"
  fi
fi
