"""What other installers of Istio are told, as a mesh.yaml; what has no place in one is reported, never dropped."""
