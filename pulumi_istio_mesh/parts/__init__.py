"""Every part of a mesh as a component that a program can declare alone."""
