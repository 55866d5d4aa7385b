"""Meshes, and what is nearly a mesh, through everything that reads one: nothing may fail but in the package's words."""
