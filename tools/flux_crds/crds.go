// Package crds names Flux's image APIs, of whose types controller-gen makes their CRDs, as Flux itself does.
package crds

import (
	_ "github.com/fluxcd/image-automation-controller/api/v1"
	_ "github.com/fluxcd/image-reflector-controller/api/v1"
)
