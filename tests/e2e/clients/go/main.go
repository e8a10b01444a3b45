// Asks one API server what programs built on client-go ask, and prints a line of JSON for each question.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const namespace = "client-go"

// patience bounds every wait: a busy machine is no failure.
const patience = 60 * time.Second

type clients struct {
	config *rest.Config
	json   kubernetes.Interface
	proto  kubernetes.Interface
}

type check struct {
	name string
	run  func(context.Context, clients) error
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: clients KUBECONFIG")
		os.Exit(2)
	}
	all, err := connect(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := prepare(context.Background(), all); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	failed := false
	for _, one := range append(objectChecks, controllerChecks...) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		err := one.run(ctx, all)
		cancel()
		failed = failed || err != nil
		report(one.name, err)
	}
	if failed {
		os.Exit(1)
	}
}

func connect(kubeconfig string) (clients, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return clients{}, err
	}
	config.QPS, config.Burst = 500, 500
	plain, err := kubernetes.NewForConfig(config)
	if err != nil {
		return clients{}, err
	}
	binary := rest.CopyConfig(config)
	binary.ContentType = "application/vnd.kubernetes.protobuf"
	binary.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	proto, err := kubernetes.NewForConfig(binary)
	return clients{config: config, json: plain, proto: proto}, err
}

func report(name string, err error) {
	line := map[string]any{"name": name, "ok": err == nil}
	if err != nil {
		line["error"] = err.Error()
	}
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func expect(what string, got, want any) error {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}
