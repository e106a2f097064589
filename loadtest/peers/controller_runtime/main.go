// A validating webhook as most are written: controller-runtime, which decodes the whole Pod, and a map of images.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// keepAlive is the gate's own.
const keepAlive = 120 * time.Second

// approvals denies a Pod with an image that has another to use instead.
type approvals struct {
	decoder admission.Decoder
	instead map[string]string
}

// Handle answers one review.
func (a *approvals) Handle(_ context.Context, request admission.Request) admission.Response {
	pod := &corev1.Pod{}
	if err := a.decoder.Decode(request, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			if use, found := a.instead[containers[i].Image]; found {
				return admission.Denied(fmt.Sprintf("%s is not patched: use %s", containers[i].Image, use))
			}
		}
	}
	return admission.Allowed("")
}

func main() {
	port := flag.Int("port", 0, "TCP port on 127.0.0.1")
	certificate := flag.String("tls-cert", "", "certificate chain, PEM")
	key := flag.String("tls-key", "", "its key, PEM")
	images := flag.String("images", "", "JSON file: image → the one to use instead")
	flag.Parse()
	if err := serve(*port, *certificate, *key, *images); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func serve(port int, certificate, key, images string) error {
	text, err := os.ReadFile(images)
	if err != nil {
		return err
	}
	handler := &approvals{}
	if err := json.Unmarshal(text, &handler.instead); err != nil {
		return fmt.Errorf("%s: %w", images, err)
	}
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return err
	}
	handler.decoder = admission.NewDecoder(scheme)
	ctrllog.SetLogger(logr.Discard())
	server := &http.Server{
		Addr:        fmt.Sprintf("127.0.0.1:%d", port),
		Handler:     &admission.Webhook{Handler: handler},
		IdleTimeout: keepAlive,
		TLSConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
	}
	return server.ListenAndServeTLS(certificate, key)
}
