package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

var objectChecks = []check{
	{"objects as JSON", func(ctx context.Context, all clients) error { return objects(ctx, all.json, "json") }},
	{"objects as protobuf", func(ctx context.Context, all clients) error { return objects(ctx, all.proto, "proto") }},
	{"typed server-side apply and its conflict", apply},
	{"the three patches", patches},
	{"retry on conflict", conflicts},
	{"lists in pages", pages},
	{"discovery and RESTMapper", discovery},
	{"dynamic client", dynamicClient},
	{"typed errors", typedErrors},
	{"access reviews and token requests", reviews},
}

func prepare(ctx context.Context, all clients) error {
	_, err := all.json.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: namespace}}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	// No controller runs beside the server that is asked.
	account := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Name: "default"}}
	_, err = all.json.CoreV1().ServiceAccounts(namespace).Create(ctx, account, meta.CreateOptions{})
	return err
}

func configMap(name, value string) *core.ConfigMap {
	return &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"name": name}}, Data: map[string]string{"value": value}}
}

func objects(ctx context.Context, client kubernetes.Interface, prefix string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	made, err := maps.Create(ctx, configMap(prefix+"-one", "a"), meta.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data["value"] = "b"
	if _, err = maps.Update(ctx, made, meta.UpdateOptions{}); err != nil {
		return err
	}
	found, err := maps.Get(ctx, prefix+"-one", meta.GetOptions{})
	if err != nil {
		return err
	}
	list, err := maps.List(ctx, meta.ListOptions{LabelSelector: "name=" + prefix + "-one"})
	if err != nil {
		return err
	}
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: prefix + "-pod"}, Spec: core.PodSpec{Containers: []core.Container{{Name: "c", Image: "i"}}}}
	running, err := client.CoreV1().Pods(namespace).Create(ctx, pod, meta.CreateOptions{})
	if err != nil {
		return err
	}
	running.Status.Phase = core.PodRunning
	running, err = client.CoreV1().Pods(namespace).UpdateStatus(ctx, running, meta.UpdateOptions{})
	if err != nil {
		return err
	}
	none := int64(0)
	if err := client.CoreV1().Pods(namespace).Delete(ctx, prefix+"-pod", meta.DeleteOptions{GracePeriodSeconds: &none}); err != nil {
		return err
	}
	return errors.Join(
		expect("value", found.Data["value"], "b"),
		expect("listed", len(list.Items), 1),
		expect("phase", running.Status.Phase, core.PodRunning),
		expect("restart policy", running.Spec.RestartPolicy, core.RestartPolicyAlways),
		maps.Delete(ctx, prefix+"-one", meta.DeleteOptions{}),
	)
}

func apply(ctx context.Context, all clients) error {
	maps := all.json.CoreV1().ConfigMaps(namespace)
	config := applycore.ConfigMap("applied", namespace).WithData(map[string]string{"a": "1"})
	if _, err := maps.Apply(ctx, config, meta.ApplyOptions{FieldManager: "first"}); err != nil {
		return err
	}
	other := applycore.ConfigMap("applied", namespace).WithData(map[string]string{"a": "2"})
	_, err := maps.Apply(ctx, other, meta.ApplyOptions{FieldManager: "second"})
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "first": .data.a`) {
		return fmt.Errorf("no conflict that names the owner: %v", err)
	}
	forced, err := maps.Apply(ctx, other, meta.ApplyOptions{FieldManager: "second", Force: true})
	if err != nil {
		return err
	}
	owned, err := applycore.ExtractConfigMap(forced, "second")
	if err != nil {
		return err
	}
	return errors.Join(expect("value", forced.Data["a"], "2"), expect("owned", owned.Data["a"], "2"))
}

func patches(ctx context.Context, all clients) error {
	services := all.json.CoreV1().Services(namespace)
	service := &core.Service{ObjectMeta: meta.ObjectMeta{Name: "patched"}, Spec: core.ServiceSpec{Ports: []core.ServicePort{{Name: "a", Port: 1}}}}
	if _, err := services.Create(ctx, service, meta.CreateOptions{}); err != nil {
		return err
	}
	steps := []struct {
		kind types.PatchType
		body string
	}{
		{types.JSONPatchType, `[{"op":"add","path":"/metadata/labels","value":{"json":"yes"}}]`},
		{types.MergePatchType, `{"metadata":{"labels":{"merge":"yes"}}}`},
		{types.StrategicMergePatchType, `{"spec":{"ports":[{"name":"b","port":2}]}}`},
	}
	for _, step := range steps {
		if _, err := services.Patch(ctx, "patched", step.kind, []byte(step.body), meta.PatchOptions{}); err != nil {
			return fmt.Errorf("%s: %w", step.kind, err)
		}
	}
	found, err := services.Get(ctx, "patched", meta.GetOptions{})
	if err != nil {
		return err
	}
	return errors.Join(expect("ports", len(found.Spec.Ports), 2), expect("merge", found.Labels["merge"], "yes"))
}

func conflicts(ctx context.Context, all clients) error {
	maps := all.json.CoreV1().ConfigMaps(namespace)
	made, err := maps.Create(ctx, configMap("contended", "a"), meta.CreateOptions{})
	if err != nil {
		return err
	}
	stale := made.DeepCopy()
	made.Data["value"] = "b"
	if _, err := maps.Update(ctx, made, meta.UpdateOptions{}); err != nil {
		return err
	}
	if _, err := maps.Update(ctx, stale, meta.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a stale update is no conflict: %v", err)
	}
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		fresh, err := maps.Get(ctx, "contended", meta.GetOptions{})
		if err != nil {
			return err
		}
		fresh.Data["value"] = "c"
		_, err = maps.Update(ctx, fresh, meta.UpdateOptions{})
		return err
	})
}

func pages(ctx context.Context, all clients) error {
	secrets := all.json.CoreV1().Secrets(namespace)
	for index := range 25 {
		secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: fmt.Sprintf("page-%02d", index), Labels: map[string]string{"pages": ""}}}
		if _, err := secrets.Create(ctx, secret, meta.CreateOptions{}); err != nil {
			return err
		}
	}
	var names []string
	all25 := pager.New(pager.SimplePageFunc(func(options meta.ListOptions) (runtime.Object, error) { return secrets.List(ctx, options) }))
	all25.PageSize = 10
	err := all25.EachListItem(ctx, meta.ListOptions{LabelSelector: "pages"}, func(object runtime.Object) error {
		names = append(names, object.(*core.Secret).Name)
		return nil
	})
	return errors.Join(err, expect("secrets", len(names), 25), expect("sorted", sort.StringsAreSorted(names), true))
}

func discovery(_ context.Context, all clients) error {
	groups, err := restmapper.GetAPIGroupResources(all.json.Discovery())
	if err != nil {
		return err
	}
	mapping, err := restmapper.NewDiscoveryRESTMapper(groups).RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	expanded := restmapper.NewShortcutExpander(restmapper.NewDiscoveryRESTMapper(groups), all.json.Discovery(), nil)
	short, err := expanded.ResourceFor(schema.GroupVersionResource{Resource: "cm"})
	return errors.Join(err, expect("deployments", mapping.Resource.Resource, "deployments"), expect("cm", short.Resource, "configmaps"))
}

func dynamicClient(ctx context.Context, all clients) error {
	client, err := dynamic.NewForConfig(all.config)
	if err != nil {
		return err
	}
	leases := schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	list, err := client.Resource(leases).Namespace(namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	return expect("kind", list.GetKind(), "LeaseList")
}

func typedErrors(ctx context.Context, all clients) error {
	maps := all.json.CoreV1().ConfigMaps(namespace)
	_, missing := maps.Get(ctx, "missing", meta.GetOptions{})
	_, invalid := maps.Create(ctx, configMap("Not Valid", ""), meta.CreateOptions{})
	_, nowhere := all.json.CoreV1().ConfigMaps("nowhere").Create(ctx, configMap("x", ""), meta.CreateOptions{})
	if _, err := maps.Create(ctx, configMap("twice", ""), meta.CreateOptions{}); err != nil {
		return err
	}
	_, twice := maps.Create(ctx, configMap("twice", ""), meta.CreateOptions{})
	return errors.Join(
		expect("not found", apierrors.IsNotFound(missing), true),
		expect("invalid", apierrors.IsInvalid(invalid), true),
		expect("no namespace", apierrors.IsNotFound(nowhere), true),
		expect("exists", apierrors.IsAlreadyExists(twice), true),
	)
}

func reviews(ctx context.Context, all clients) error {
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{Namespace: namespace, Verb: "get", Resource: "pods"},
	}}
	answer, err := all.proto.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, meta.CreateOptions{})
	if err != nil {
		return err
	}
	version, err := all.json.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	return errors.Join(expect("allowed", answer.Status.Allowed, true), expect("minor", version.Minor, "35"))
}
