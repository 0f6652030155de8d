// Command netpol says which connections NetworkPolicies allow, as cyclonus understands them: an
// analyser that shares no code with Polder. It reads JSON from standard input
//
//	{"policies": [NetworkPolicy...], "peers": {name: {...}}, "traffic": [{...}]}
//
// and writes one verdict for each entry of "traffic". A peer is a pod, with the labels of its
// namespace, or an address outside the cluster.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

type peer struct {
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
	IP              string            `json:"ip"`
}

type traffic struct {
	From     string      `json:"from"`
	To       string      `json:"to"`
	Port     int         `json:"port"`
	Protocol v1.Protocol `json:"protocol"`
}

type question struct {
	Policies []*networkingv1.NetworkPolicy `json:"policies"`
	Peers    map[string]peer               `json:"peers"`
	Traffic  []traffic                     `json:"traffic"`
}

type verdict struct {
	Egress  bool `json:"egress"`
	Ingress bool `json:"ingress"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "netpol:", err)
		os.Exit(1)
	}
}

func run() error {
	var asked question
	decoder := json.NewDecoder(os.Stdin)
	if err := decoder.Decode(&asked); err != nil {
		return err
	}
	policy := matcher.BuildNetworkPolicies(true, asked.Policies)
	verdicts := []verdict{}
	for _, wanted := range asked.Traffic {
		source, err := find(asked.Peers, wanted.From)
		if err != nil {
			return err
		}
		destination, err := find(asked.Peers, wanted.To)
		if err != nil {
			return err
		}
		result := policy.IsTrafficAllowed(&matcher.Traffic{
			Source: source, Destination: destination,
			ResolvedPort: wanted.Port, Protocol: wanted.Protocol,
		})
		verdicts = append(verdicts, verdict{Egress: result.Egress.IsAllowed(), Ingress: result.Ingress.IsAllowed()})
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func find(peers map[string]peer, name string) (*matcher.TrafficPeer, error) {
	found, ok := peers[name]
	if !ok {
		return nil, fmt.Errorf("nobody is called %q", name)
	}
	if found.Namespace == "" {
		return &matcher.TrafficPeer{IP: found.IP}, nil
	}
	return &matcher.TrafficPeer{IP: found.IP, Internal: &matcher.InternalPeer{
		PodLabels:       found.Labels,
		NamespaceLabels: found.NamespaceLabels,
		Namespace:       found.Namespace,
	}}, nil
}
