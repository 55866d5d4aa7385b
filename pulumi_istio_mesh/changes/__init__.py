"""What a change of a mesh.yaml changes in the mesh: in sentences, with the resources behind each."""
