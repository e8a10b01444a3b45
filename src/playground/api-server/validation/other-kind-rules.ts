// Rules of the kinds outside the core and its workloads: access, networks, storage, configuration of the server.
import { addressFaults } from "./addresses.ts";
import {
  checkLease,
  checkPriorityClass,
  checkPriorityClassUpdate,
  checkRuntimeClass,
  checkRuntimeClassUpdate,
} from "./cluster-kinds.ts";
import {
  checkClaimSpecUpdate,
  checkDeviceClass,
  checkResourceClaim,
  checkResourceClaimTemplate,
  checkTemplateSpecUpdate,
} from "./devices.ts";
import { checkEndpointSlice } from "./endpoints.ts";
import { checkFlowSchema, checkFlowStatus, checkPriorityLevel } from "./flow-control.ts";
import { configMapKey, dnsSubdomainInBytes, pathSegment } from "./formats.ts";
import { both, type Check, type KindRules } from "./kind-rule.ts";
import {
  checkIngress,
  checkIngressClass,
  checkIngressClassUpdate,
  checkIngressCreate,
  checkIpAddress,
  checkIpAddressUpdate,
  checkNetworkPolicy,
  checkServiceCidr,
  checkServiceCidrUpdate,
} from "./networking.ts";
import { checkClusterRole, checkClusterRoleBinding, checkRole, checkRoleBinding, checkRoleRefUpdate } from "./rbac.ts";
import { checkResourceSlice } from "./resource-slices.ts";
import { checkSigningRequest, checkSigningRequestUpdate } from "./signing-requests.ts";
import {
  checkAttributesClass,
  checkAttributesClassUpdate,
  checkCsiDriver,
  checkCsiDriverUpdate,
  checkCsiNode,
  checkCsiNodeUpdate,
  checkStorageCapacity,
  checkStorageCapacityUpdate,
  checkStorageClass,
  checkStorageClassUpdate,
} from "./storage.ts";
import { checkAttachmentUpdate, checkNewAttachment } from "./volume-attachments.ts";

const ADMISSION = "admissionregistration.k8s.io/";
/** Their rules are admission's. */
const none: Check = () => [];
const FLOW = "flowcontrol.apiserver.k8s.io/";
const STORAGE = "storage.k8s.io/";
const RBAC = "rbac.authorization.k8s.io/";

export const otherKindRules: Readonly<Record<string, KindRules>> = {
  [`${RBAC}roles`]: {
    name: pathSegment,
    create: checkRole,
    update: both(checkRole),
    metaLast: true,
    meta: ["whole", "update"],
  },
  [`${RBAC}clusterroles`]: {
    name: pathSegment,
    create: checkClusterRole,
    update: both(checkClusterRole),
    metaLast: true,
    meta: ["whole", "update"],
  },
  [`${RBAC}rolebindings`]: {
    name: pathSegment,
    create: checkRoleBinding,
    update: both(checkRoleBinding, checkRoleRefUpdate),
    meta: ["whole", "update"],
  },
  [`${RBAC}clusterrolebindings`]: {
    name: pathSegment,
    create: checkClusterRoleBinding,
    update: both(checkClusterRoleBinding, checkRoleRefUpdate),
    meta: ["whole", "update"],
  },
  "networking.k8s.io/ingresses": { create: checkIngressCreate, update: both(checkIngress), meta: ["update", "whole"] },
  "networking.k8s.io/ingressclasses": {
    create: checkIngressClass,
    update: (one, old) => [...checkIngressClassUpdate(one, old), ...checkIngressClass(one)],
    meta: ["update", "whole"],
  },
  "networking.k8s.io/networkpolicies": {
    create: checkNetworkPolicy,
    update: both(checkNetworkPolicy, checkNetworkPolicy),
    meta: ["whole", "update"],
  },
  "resource.k8s.io/deviceclasses": {
    name: dnsSubdomainInBytes,
    anyGenerateName: true,
    create: checkDeviceClass,
    update: both(checkDeviceClass),
    meta: ["whole", "update"],
  },
  "resource.k8s.io/resourceclaims": {
    create: checkResourceClaim,
    update: checkClaimSpecUpdate,
    meta: ["whole", "update"],
  },
  "resource.k8s.io/resourceslices": {
    create: (slice) => checkResourceSlice(slice),
    update: checkResourceSlice,
    meta: ["update"],
  },
  "resource.k8s.io/resourceclaimtemplates": {
    create: checkResourceClaimTemplate,
    update: both(checkResourceClaimTemplate, checkTemplateSpecUpdate),
    meta: ["whole", "update"],
  },
  "networking.k8s.io/ipaddresses": {
    name: addressFaults,
    create: checkIpAddress,
    changed: checkIpAddress,
    update: checkIpAddressUpdate,
    meta: ["whole", "update"],
  },
  "networking.k8s.io/servicecidrs": { create: checkServiceCidr, update: checkServiceCidrUpdate },
  "discovery.k8s.io/endpointslices": {
    create: (slice) => checkEndpointSlice(slice),
    update: checkEndpointSlice,
    meta: ["whole"],
  },
  "scheduling.k8s.io/priorityclasses": { create: checkPriorityClass, update: checkPriorityClassUpdate },
  "node.k8s.io/runtimeclasses": {
    create: checkRuntimeClass,
    update: both(checkRuntimeClass, checkRuntimeClassUpdate),
    meta: ["whole", "update"],
    anyFinalizer: true,
  },
  "coordination.k8s.io/leases": { create: checkLease, update: both(checkLease), anyFinalizer: true },
  "coordination.k8s.io/leasecandidates": { name: configMapKey, anyFinalizer: true },
  [`${STORAGE}storageclasses`]: {
    create: checkStorageClass,
    update: both(checkStorageClass, checkStorageClassUpdate),
    meta: ["whole", "update"],
  },
  [`${STORAGE}volumeattributesclasses`]: {
    create: checkAttributesClass,
    update: (one, old) => [...checkAttributesClassUpdate(one, old), ...checkAttributesClass(one)],
    meta: ["update", "whole"],
  },
  [`${STORAGE}volumeattachments`]: { create: checkNewAttachment, update: checkAttachmentUpdate, meta: ["whole"] },
  [`${STORAGE}csinodes`]: { create: checkCsiNode, update: checkCsiNodeUpdate, meta: ["whole", "whole"] },
  [`${STORAGE}csidrivers`]: { create: checkCsiDriver, update: both(checkCsiDriver, checkCsiDriverUpdate) },
  [`${STORAGE}csistoragecapacities`]: {
    create: checkStorageCapacity,
    update: both(checkStorageCapacity, checkStorageCapacityUpdate),
    meta: ["whole", "update"],
  },
  "certificates.k8s.io/certificatesigningrequests": {
    name: () => [],
    create: checkSigningRequest,
    update: (request, old) => checkSigningRequestUpdate(request, old, ""),
    status: (request, old) => checkSigningRequestUpdate(request, old, "status"),
    doors: { approval: (request, old) => checkSigningRequestUpdate(request, old, "approval") },
    meta: ["whole", "update"],
    metaOfDoors: true,
  },
  [`${FLOW}flowschemas`]: {
    create: checkFlowSchema,
    update: both(checkFlowSchema),
    status: (object) => checkFlowStatus(object),
    meta: ["whole"],
  },
  [`${FLOW}prioritylevelconfigurations`]: {
    create: checkPriorityLevel,
    update: both(checkPriorityLevel),
    status: (object) => checkFlowStatus(object),
    meta: ["whole"],
  },
  "apiregistration.k8s.io/apiservices": { name: pathSegment, anyFinalizer: true },
  [`${ADMISSION}mutatingwebhookconfigurations`]: { create: none, update: both(none), anyFinalizer: true },
  [`${ADMISSION}validatingwebhookconfigurations`]: { create: none, update: both(none), anyFinalizer: true },
  [`${ADMISSION}validatingadmissionpolicies`]: { create: none, anyFinalizer: true },
  [`${ADMISSION}validatingadmissionpolicybindings`]: { create: none, anyFinalizer: true },
};
