package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	watchtools "k8s.io/client-go/tools/watch"
)

var controllerChecks = []check{
	{"informers as JSON", func(ctx context.Context, all clients) error { return informer(ctx, all.json, "inform-json") }},
	{"informers as protobuf", func(ctx context.Context, all clients) error { return informer(ctx, all.proto, "inform-proto") }},
	{"informers go on when the server ends a watch", resume},
	{"a retry watcher misses nothing", retryWatcher},
	{"leader election: one leads, the next takes over", election},
}

// until polls: what is awaited comes by itself, only when is not known.
func until(ctx context.Context, what string, condition func() bool) error {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, patience, true, func(context.Context) (bool, error) { return condition(), nil })
	if err != nil {
		return fmt.Errorf("in vain until %s: %w", what, err)
	}
	return nil
}

type seen struct {
	sync.Mutex
	added, updated, deleted map[string]bool
}

func (s *seen) mark(set map[string]bool, object any) {
	s.Lock()
	defer s.Unlock()
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	set[object.(*core.ConfigMap).Name] = true
}

func (s *seen) has(set map[string]bool, name string) func() bool {
	return func() bool {
		s.Lock()
		defer s.Unlock()
		return set[name]
	}
}

func informer(ctx context.Context, client kubernetes.Interface, name string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	if _, err := maps.Create(ctx, configMap(name+"-before", "1"), meta.CreateOptions{}); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	shared := factory.Core().V1().ConfigMaps()
	facts := &seen{added: map[string]bool{}, updated: map[string]bool{}, deleted: map[string]bool{}}
	_, err := shared.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { facts.mark(facts.added, object) },
		UpdateFunc: func(_, object any) { facts.mark(facts.updated, object) },
		DeleteFunc: func(object any) { facts.mark(facts.deleted, object) },
	})
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	factory.Start(run.Done())
	if !cache.WaitForCacheSync(run.Done(), shared.Informer().HasSynced) {
		return errors.New("the cache did not sync")
	}
	made, err := maps.Create(ctx, configMap(name, "1"), meta.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data["value"] = "2"
	if _, err := maps.Update(ctx, made, meta.UpdateOptions{}); err != nil {
		return err
	}
	if err := until(ctx, "the update was seen", facts.has(facts.updated, name)); err != nil {
		return err
	}
	if err := maps.Delete(ctx, name, meta.DeleteOptions{}); err != nil {
		return err
	}
	if err := until(ctx, "the deletion was seen", facts.has(facts.deleted, name)); err != nil {
		return err
	}
	cached, err := shared.Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	list, err := maps.List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	return errors.Join(
		expect("seen before", facts.has(facts.added, name+"-before")(), true),
		expect("objects in the cache", len(cached), len(list.Items)),
	)
}

// Watches of two seconds each: the reflector has to go on where the last one ended.
func resume(ctx context.Context, all clients) error {
	maps := all.json.CoreV1().ConfigMaps(namespace)
	short := int64(1)
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options meta.ListOptions) (runtime.Object, error) {
			return maps.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options meta.ListOptions) (watch.Interface, error) {
			options.TimeoutSeconds = &short
			return maps.Watch(ctx, options)
		},
	}
	store, reflector := cache.NewInformerWithOptions(cache.InformerOptions{ListerWatcher: source, ObjectType: &core.ConfigMap{}, Handler: cache.ResourceEventHandlerFuncs{}})
	run, stop := context.WithCancel(ctx)
	defer stop()
	go reflector.RunWithContext(run)
	for round := range 3 {
		name := fmt.Sprintf("resume-%d", round)
		if _, err := maps.Create(ctx, configMap(name, ""), meta.CreateOptions{}); err != nil {
			return err
		}
		known := func() bool {
			_, exists, _ := store.GetByKey(namespace + "/" + name)
			return exists
		}
		if err := until(ctx, name+" is known", known); err != nil {
			return err
		}
		// The next object is to come after this watch has ended.
		select {
		case <-time.After(1200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

func retryWatcher(ctx context.Context, all clients) error {
	maps := all.json.CoreV1().ConfigMaps(namespace)
	list, err := maps.List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	short := int64(1)
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options meta.ListOptions) (watch.Interface, error) {
		options.TimeoutSeconds = &short
		options.LabelSelector = "name=retried"
		return maps.Watch(ctx, options)
	}}
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, source)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	if _, err := maps.Create(ctx, configMap("retried", "0"), meta.CreateOptions{}); err != nil {
		return err
	}
	values := []string{}
	for value := 0; value < 20; value++ {
		if _, err := maps.Update(ctx, configMap("retried", fmt.Sprint(value)), meta.UpdateOptions{}); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	for event := range watcher.ResultChan() {
		if object, ok := event.Object.(*core.ConfigMap); ok {
			values = append(values, object.Data["value"])
			if object.Data["value"] == "19" {
				break
			}
		}
	}
	return expect("events", len(values), 20)
}

func election(ctx context.Context, all clients) error {
	events := make(chan string, 8)
	candidate := func(ctx context.Context, name string) error {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "leader", all.json.CoreV1(), all.json.CoordinationV1(),
			resourcelock.ResourceLockConfig{Identity: name})
		if err != nil {
			return err
		}
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, Name: name, ReleaseOnCancel: true,
			LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { events <- name + " leads" },
				OnStoppedLeading: func() { events <- name + " stopped" },
			},
		})
		if err != nil {
			return err
		}
		go elector.Run(ctx)
		return nil
	}
	next := func() string {
		select {
		case event := <-events:
			return event
		case <-time.After(patience):
			return "nothing"
		}
	}
	first, stopFirst := context.WithCancel(ctx)
	defer stopFirst()
	if err := candidate(first, "first"); err != nil {
		return err
	}
	one := next()
	second, stopSecond := context.WithCancel(ctx)
	defer stopSecond()
	if err := candidate(second, "second"); err != nil {
		return err
	}
	stopFirst()
	two, three := next(), next()
	if two == "second leads" {
		two, three = three, two
	}
	return errors.Join(expect("first", one, "first leads"), expect("then", two, "first stopped"), expect("at last", three, "second leads"))
}
